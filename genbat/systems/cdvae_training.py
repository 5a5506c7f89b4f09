"""Training of cdvae: all parts of the loss at once, then the property heads are calibrated."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor

from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.structure import reduced_formula
from genbat.systems.base import Progress
from genbat.systems.cdvae_network import (
    TARGETS,
    WEIGHTS,
    Config,
    Network,
    Shells,
    graphs_of,
    losses,
    shells_of,
)
from genbat.systems.conformal import intervals
from genbat.systems.crystal_corpus import TARGETS as KNOWN
from genbat.systems.crystal_corpus import Corpus, LatticeScale, schedule_rows, tensors
from genbat.systems.heads import fitting_steps, known_scale, polish
from genbat.systems.run import PRESETS, Run, Schedule, advance_all, begin, weighted

__all__ = ["PRESETS", "Schedule", "finish", "make_config", "train"]

_COLUMNS = [KNOWN.index(name) for name in TARGETS]


def make_config(corpus: Corpus, **sizes: int) -> Config:
    """Scales of a corpus' training crystals."""
    rows = corpus.training_rows()
    values = corpus.values[rows][:, _COLUMNS]
    mean, spread = known_scale(values)
    config = Config(
        scale=LatticeScale.of(corpus.stretches[rows], corpus.sizes[rows]),
        mean=mean,
        spread=spread,
    )
    return replace(config, **sizes)  # type: ignore[arg-type]


def standard_values(corpus: Corpus, rows: list[int], config: Config) -> Tensor:
    """Targets in the heads' unit (B, TARGETS), NaN unknown."""
    values = corpus.values[rows][:, _COLUMNS]
    return torch.as_tensor((values - np.array(config.mean)) / np.array(config.spread)).float()


def batch_loss(
    network: Network,
    corpus: Corpus,
    known: Sequence[Shells],
    config: Config,
    rows: list[int],
    seed: int,
) -> tuple[Tensor, dict[str, float]]:
    """Loss of a batch and its parts; all noise from the seed."""
    generator = torch.Generator().manual_seed(seed)
    x = tensors(corpus, rows, config.scale)
    graph = graphs_of([corpus.cells[k] for k in rows], [known[k] for k in rows])
    parts = losses(network, x, graph, standard_values(corpus, rows, config), generator)
    return weighted(parts, WEIGHTS)


def train(
    corpus: Corpus,
    folder: Path,
    *,
    schedule: Schedule,
    resume: bool = False,
    minutes: float = math.inf,
    progress: Progress | None = None,
    **sizes: int,
) -> Run:
    """Train on the split "train"; with `resume`, go on from the folder's checkpoint."""
    config = make_config(corpus, **sizes)
    run = begin(config, Network, schedule, folder, resume=resume)
    shells = [shells_of(cell) for cell in corpus.cells]
    loss = partial(batch_loss, cast(Network, run.network), corpus, shells, run.config)
    batches = schedule_rows(corpus, run.schedule, run.step)
    return advance_all(run, batches, loss, minutes=minutes, progress=progress)


# ---------------------------------------------------------------------- property heads
def finish(run: Run, corpus: Corpus, progress: Progress | None = None) -> Config:
    """Train the heads of the run's mean network further, alone, and calibrate them; returns the
    config that holds the intervals. A corpus without properties leaves everything as it is."""
    network, config = cast(Network, run.mean), cast(Config, run.config)
    rows = corpus.rows("train")
    wanted = standard_values(corpus, rows, config)
    if bool(wanted.isnan().all()):
        return config
    mean, width = posterior(network, [corpus.cells[k] for k in rows])
    network.heads.requires_grad_(True)
    steps = fitting_steps(run.schedule.steps)
    polish(network.heads, mean, width, wanted, steps=steps, progress=progress)
    network.heads.requires_grad_(False)
    return calibrated(network, corpus, config)


@torch.no_grad()
def posterior(network: Network, cells: Sequence[Cell]) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of q(z|crystal); each (n, latent)."""
    parts = [network.posterior(graphs_of(cells[k : k + 64])) for k in range(0, len(cells), 64)]
    mean = torch.cat([p.mean for p in parts])
    return mean, torch.cat([(0.5 * p.log_variance).exp() for p in parts])


def calibrated(network: Network, corpus: Corpus, config: Config, share: float = 0.9) -> Config:
    """The config with conformal quantiles of the split "calibration", whose compositions the
    training has not seen; crystals of one composition err alike and count as a family."""
    rows = corpus.rows("calibration")
    wanted = standard_values(corpus, rows, config).numpy()
    z, _ = posterior(network, [corpus.cells[k] for k in rows])
    with torch.no_grad():
        members = network.heads(z).numpy()
    formulas = [reduced_formula(corpus.cells[k]) for k in rows]
    families = np.unique(formulas, return_inverse=True)[1]
    floor, quantile = intervals(members, wanted, share, families)
    return replace(config, floor=floor, quantile=quantile)
