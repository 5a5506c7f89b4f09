"""Training of imatgen: compressor, VAE and classifier at once, then points, heads and intervals."""

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
from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.images import draw
from genbat.domains.crystals.structure import reduced_formula
from genbat.domains.crystals.symmetry import fractional
from genbat.domains.crystals.views import random_view, settled
from genbat.systems.base import Progress, round_as_kept
from genbat.systems.conformal import intervals
from genbat.systems.crystal_corpus import TARGETS as KNOWN
from genbat.systems.crystal_corpus import Corpus, LatticeScale, schedule_rows
from genbat.systems.heads import fitting_steps, known_scale, polish
from genbat.systems.imatgen_corpus import pair_of
from genbat.systems.imatgen_network import (
    TARGETS,
    Config,
    Network,
    Pictures,
    known_entropy,
    losses,
    weights_at,
)
from genbat.systems.run import Run, Schedule, advance_all, begin, weighted

PRESETS = {
    "tiny": Schedule(steps=20, batch=8, warm_steps=5),
    "base": Schedule(steps=10_000, batch=16, rate=3e-3, warm_steps=100),
}
STABLE_EV = 0.2  # eV/atom above the hull that counts as stable
FITS, RATE, DECAY = 1_500, 5e-3, 1e-3  # of the classifier, once the rest is learnt
JITTER = 0.3  # standard deviations of what the heads see, while they are fitted
SETTLED = 0.5  # share of the training's views that have the settled lattice
MOST_POINTS = 1_500  # latent points of training crystals that the weights hold
_COLUMNS = [KNOWN.index(name) for name in TARGETS]
_HULL = KNOWN.index("hull_ev")


def make_config(corpus: Corpus, **sizes: int) -> Config:
    """Elements and scales of a corpus' training crystals."""
    rows = corpus.training_rows()
    mean, spread = known_scale(corpus.values[rows][:, _COLUMNS])
    config = Config(
        elements=pair_of(corpus),
        scale=LatticeScale.of(corpus.stretches[rows], corpus.sizes[rows]),
        mean=mean,
        spread=spread,
    )
    return replace(config, **sizes)  # type: ignore[arg-type]


def images_of(cells: Sequence[Cell], config: Config) -> Tensor:
    """Crystals as they stand -> images (B, 2, side, side, side)."""
    out = np.empty((len(cells), 2, *[config.side] * 3), "f4")
    for own, cell in zip(out, cells, strict=True):
        fractions = fractional(cell)
        for channel, number in enumerate(config.elements):
            own[channel] = draw(fractions[cell.numbers == number], config.raster)
    return torch.as_tensor(out)


def lattices_of(cells: Sequence[Cell], config: Config) -> Tensor:
    """Standardised lattices (B, 6)."""
    stretches = np.stack([codec.stretch_of(cell.lattice) for cell in cells])
    sizes = torch.tensor([len(cell.numbers) for cell in cells])
    return config.scale.standard(torch.as_tensor(stretches).float(), sizes)


def stability_of(corpus: Corpus, rows: Sequence[int]) -> Tensor:
    """1 for crystals at most STABLE_EV above the hull, 0 for others, NaN unknown (B,)."""
    above = torch.as_tensor(corpus.values[list(rows), _HULL]).float()
    return torch.where(above.isnan(), above, (above <= STABLE_EV).float())


def pictures(corpus: Corpus, rows: Sequence[int], config: Config, seed: int) -> Pictures:
    """Some crystals, each in a random view."""
    first = config.elements[0]
    cells = [
        random_view(corpus.cells[k], first, np.random.default_rng((seed, place)), SETTLED)
        for place, k in enumerate(rows)
    ]
    return Pictures(
        images_of(cells, config), lattices_of(cells, config), stability_of(corpus, rows)
    )


def batch_loss(
    network: Network, corpus: Corpus, config: Config, rows: list[int], seed: int
) -> tuple[Tensor, dict[str, float]]:
    """Loss of a batch and its parts; all noise from the seed."""
    generator = torch.Generator().manual_seed(seed)
    parts = losses(network, pictures(corpus, rows, config, seed), config.raster, generator)
    return weighted(parts, weights_at(seed % 1_000_003))


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
    run = begin(make_config(corpus, **sizes), Network, schedule, folder, resume=resume)
    loss = partial(batch_loss, cast(Network, run.network), corpus, run.config)
    batches = schedule_rows(corpus, run.schedule, run.step)
    return advance_all(run, batches, loss, minutes=minutes, progress=progress)


# ---------------------------------------------------------------------- points and heads
def finish(run: Run, corpus: Corpus, progress: Progress | None = None) -> Config:
    """Keep where the training crystals lie, and fit classifier and heads of the run's mean network
    further, alone; returns the config that holds the calibrated intervals."""
    network, config = cast(Network, run.mean), cast(Config, run.config)
    round_as_kept(network)
    rows = corpus.training_rows()
    mean = posterior(network, [corpus.cells[k] for k in rows], config)
    some = np.random.default_rng(0).permutation(len(rows))[:MOST_POINTS]
    network.points = mean[torch.as_tensor(np.sort(some))].half().float()
    config = replace(config, points=len(network.points))
    wanted = standard_values(corpus, rows, config)
    if bool(wanted.isnan().all()):
        return config
    with torch.no_grad():
        traits = network.traits_at(mean)
    width = JITTER * traits.std(0).expand_as(traits)
    trained, stable = run.schedule.steps, stability_of(corpus, rows)
    polish_classifier(network, traits, width, stable, fitting_steps(trained, FITS))
    network.ensemble.requires_grad_(True)
    steps = fitting_steps(trained)
    polish(network.ensemble, traits, width, wanted, steps=steps, progress=progress)
    network.ensemble.requires_grad_(False)
    round_as_kept(network)
    return calibrated(network, corpus, config)


def polish_classifier(
    network: Network, traits: Tensor, width: Tensor, stable: Tensor, steps: int
) -> None:
    """Fit the classifier, in place, to what is decoded at the end of the training, traits (n,
    TRAITS) jittered by so much, instead of to all that was decoded on the way."""
    network.classifier.requires_grad_(True)
    optimiser = torch.optim.AdamW(network.classifier.parameters(), lr=RATE, weight_decay=DECAY)
    generator = torch.Generator().manual_seed(0)
    for step in range(steps):
        noise = width * torch.randn(traits.shape, generator=generator)
        loss = known_entropy(network.stable(traits + noise), stable)
        for group in optimiser.param_groups:
            group["lr"] = RATE * 0.5 * (1 + math.cos(math.pi * step / steps))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    network.classifier.requires_grad_(False)


@torch.no_grad()
def posterior(network: Network, cells: Sequence[Cell], config: Config) -> Tensor:
    """Mean of q(z|crystal) in the settled view; (n, latent)."""
    means = []
    for k in range(0, len(cells), 32):
        views = [settled(cell, config.elements[0]) for cell in cells[k : k + 32]]
        prints = network.compressor.encode(images_of(views, config))
        means.append(network.posterior(prints, lattices_of(views, config)).mean)
    return torch.cat(means)


def standard_values(corpus: Corpus, rows: Sequence[int], config: Config) -> Tensor:
    """Targets in the heads' unit (B, TARGETS), NaN unknown."""
    values = corpus.values[list(rows)][:, _COLUMNS]
    return torch.as_tensor((values - np.array(config.mean)) / np.array(config.spread)).float()


def calibrated(network: Network, corpus: Corpus, config: Config, share: float = 0.9) -> Config:
    """The config with conformal quantiles of the split "calibration", whose compositions the
    training has not seen; crystals of one composition err alike and count as a family."""
    if not (rows := corpus.rows("calibration")):
        return config
    wanted = standard_values(corpus, rows, config).numpy()
    z = posterior(network, [corpus.cells[k] for k in rows], config)
    with torch.no_grad():
        members = network.heads(z).numpy()
    formulas = [reduced_formula(corpus.cells[k]) for k in rows]
    floor, quantile = intervals(members, wanted, share, np.unique(formulas, return_inverse=True)[1])
    return replace(config, floor=floor, quantile=quantile)
