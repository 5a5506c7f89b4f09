"""Training of unimat: crystals in their chosen setting, on the periodic table."""

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

from genbat.domains.crystals import codec
from genbat.domains.crystals.setting import settled
from genbat.systems.base import Progress
from genbat.systems.crystal_corpus import MAX_ATOMS, Corpus, LatticeScale, schedule_rows
from genbat.systems.run import Run, Schedule, advance_all, begin, weighted
from genbat.systems.unimat_network import WEIGHTS, Config, Network, losses
from genbat.systems.unimat_table import SLOTS, fits, tables_of

PRESETS = {
    "tiny": Schedule(steps=20, batch=16, rate=3e-3, warm_steps=5),
    "base": Schedule(steps=8_000, batch=64, rate=2e-3, warm_steps=500),
}


def make_config(corpus: Corpus, **sizes: int) -> Config:
    """Scales and sizes of a corpus' training crystals."""
    rows = corpus.training_rows()
    atoms = corpus.sizes[rows]
    config = Config(
        scale=LatticeScale.of(corpus.stretches[rows], atoms),
        sizes=tuple(int(n) for n in np.bincount(atoms, minlength=MAX_ATOMS + 1)),
        kinds=tuple(int(n) for n in np.bincount([len(set(corpus.cells[k].numbers)) for k in rows])),
    )
    return replace(config, **sizes)  # type: ignore[arg-type]


def laid_out(corpus: Corpus) -> Corpus:
    """The crystals that fit on the table, each in its chosen setting.

    Raises
    ------
    ValueError : none of them fits.
    """
    rows = [k for k, cell in enumerate(corpus.cells) if fits(cell)]
    if not rows:
        raise ValueError(f"corpus: no crystal of at most {SLOTS} atoms of each element, H to Bi")
    part = corpus.part(rows)
    cells = [settled(cell) for cell in part.cells]
    stretches = np.stack([codec.stretch_of(cell.lattice) for cell in cells])
    return replace(part, cells=cells, stretches=stretches)


def batch_loss(
    network: Network, corpus: Corpus, config: Config, rows: Sequence[int], seed: int
) -> tuple[Tensor, dict[str, float]]:
    """Loss of a batch and its parts; all noise from the seed."""
    generator = torch.Generator().manual_seed(seed)
    chosen, n = list(rows), len(rows)
    x = tables_of([corpus.cells[k] for k in chosen])
    stretches = torch.as_tensor(corpus.stretches[chosen]).float()
    lattices = config.scale.standard(stretches, x.counts.sum(1))
    spread = (torch.arange(n) + torch.rand(n, generator=generator)) / n
    time = spread[torch.randperm(n, generator=generator)]
    return weighted(losses(network, x, lattices, time, generator), WEIGHTS)


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
    known = laid_out(corpus)
    run = begin(make_config(known, **sizes), Network, schedule, folder, resume=resume)
    loss = partial(batch_loss, cast(Network, run.network), known, run.config)
    batches = schedule_rows(known, run.schedule, run.step)
    return advance_all(run, batches, loss, minutes=minutes, progress=progress)
