"""Training of microvae: the bound on volumes, then the prior of g and the property heads."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol, cast

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from genbat.domains.microstructures.volume import Labels
from genbat.families.blocks import has_bfloat16
from genbat.families.vae import warm_up
from genbat.systems.base import Progress, round_as_kept
from genbat.systems.conformal import intervals
from genbat.systems.heads import fitting_steps, known_scale, polish
from genbat.systems.microvae_network import LOGARITHMIC, TARGETS, Config, Network, losses
from genbat.systems.run import Run, Schedule, advance_all, begin

PRESETS = {
    "tiny": Schedule(steps=3, batch=2, warm_steps=1),
    "base": Schedule(steps=4000, batch=6, rate=1e-3, warm_steps=100),
}
RISE = 800  # steps in which the divergences reach their weight


@dataclass(frozen=True)
class Volumes:
    """What microvae learns from.

    Attributes
    ----------
    labels : volumes (n, D, H, W), unsigned bytes.
    values : TARGETS of each (n, TARGETS), NaN where unknown.
    splits : "train", "calibration" or "test" of each.
    """

    labels: Labels
    values: np.ndarray
    splits: Sequence[str]

    def rows(self, split: str) -> list[int]:
        """Row numbers of a split."""
        return [k for k, own in enumerate(self.splits) if own == split]


class Scaled(Protocol):
    """A config with mean and spread of each target."""

    @property
    def mean(self) -> tuple[float, ...]:
        """Of the targets as they are learnt, see `standard`."""
        ...

    @property
    def spread(self) -> tuple[float, ...]:
        """Standard deviations."""
        ...


def standard(values: np.ndarray) -> np.ndarray:
    """Values of TARGETS (n, TARGETS) with logarithms where they are learnt so; what is infinite is
    unknown."""
    out = np.array(values, float)
    for k, name in enumerate(TARGETS):
        if name in LOGARITHMIC:
            out[:, k] = np.log(np.where(out[:, k] > 0, out[:, k], np.nan))
    return np.where(np.isfinite(out), out, np.nan)


def make_config(volumes: Volumes, **sizes: int) -> Config:
    """Scales of the training's targets."""
    values = standard(volumes.values[volumes.rows("train")])
    mean, spread = known_scale(values)
    return replace(
        Config(mean=mean, spread=spread),
        **sizes,  # type: ignore[arg-type]
    )


def train(
    volumes: Volumes,
    folder: Path,
    *,
    schedule: Schedule,
    resume: bool = False,
    minutes: float = math.inf,
    progress: Progress | None = None,
    **sizes: int,
) -> Run:
    """Train on the split "train"; with `resume`, go on from the folder's checkpoint.

    Raises
    ------
    ValueError : no volume to train on.
    """
    if not (rows := volumes.rows("train")):
        raise ValueError("volumes: none to train on")
    run = begin(make_config(volumes, **sizes), Network, schedule, folder, resume=resume)
    loss = partial(batch_loss, cast(Network, run.network), volumes)
    batches = batches_of(rows, schedule, run.step)
    return advance_all(run, batches, loss, minutes=minutes, progress=progress)


def batches_of(rows: Sequence[int], schedule: Schedule, first: int) -> Iterator[list[int]]:
    """Batches from step `first` to the schedule's end: each epoch in an order of its own."""
    size = min(schedule.batch, len(rows))
    per_epoch = len(rows) // size
    for step in range(first, schedule.steps):
        epoch, place = divmod(step, per_epoch)
        order = np.random.default_rng((schedule.seed, epoch)).permutation(rows)
        yield order[place * size : (place + 1) * size].tolist()


def batch_loss(
    network: Network, volumes: Volumes, rows: list[int], seed: int
) -> tuple[Tensor, dict[str, float]]:
    """Negative bound of a batch in nats a voxel, and its parts; all noise from the seed."""
    generator = torch.Generator().manual_seed(seed)
    x = views(volumes, rows, len_phases(network), generator)
    # In bfloat16 the convolutions cost a third less; these ones' gradients stay numbers.
    with torch.autocast("cpu", torch.bfloat16, enabled=has_bfloat16()):
        parts = losses(network, x, generator)
    step = seed % 1_000_003
    beta = warm_up(step, RISE, 1.0)
    total = parts["voxels"] + beta * (parts["places"] + parts["texture"])
    return total, {name: float(part.detach()) for name, part in parts.items()}


def len_phases(network: Network) -> int:
    """How many phases a network tells apart."""
    return int(network.decoder.last.out_channels)


def views(volumes: Volumes, rows: Sequence[int], phases: int, generator: torch.Generator) -> Tensor:
    """Some volumes, one-hot (B, phases, D, H, W), mirrored and turned at random."""
    x = torch.stack([turned(volumes.labels[k], generator) for k in rows])
    return F.one_hot(x.long(), phases).movedim(-1, 1).float()


def turned(labels: Labels, generator: torch.Generator) -> Tensor:
    """A volume mirrored along any axes, and with y and x swapped in half of the cases."""
    pick = lambda: bool(torch.randint(2, (1,), generator=generator))  # noqa: E731
    x = torch.as_tensor(labels)
    x = x.flip([axis for axis in range(3) if pick()])
    return x.transpose(1, 2) if pick() else x


# ---------------------------------------------------------------------- prior and heads
def finish(run: Run, volumes: Volumes, progress: Progress | None = None) -> Config:
    """Fit the prior of g and the heads of the run's mean network; returns the config that holds the
    calibrated intervals."""
    network, config = cast(Network, run.mean), cast(Config, run.config)
    round_as_kept(network)
    mean, width = textures(network, volumes, volumes.rows("train"))
    network.centre.copy_(mean.mean(0))
    cover = torch.cov(mean.T) + torch.diag((width**2).mean(0))
    network.axes.copy_(torch.linalg.cholesky(cover))
    wanted = targets_of(volumes, volumes.rows("train"), config)
    if bool(wanted.isnan().all()):
        return config
    network.heads.requires_grad_(True)
    steps = fitting_steps(run.schedule.steps)
    polish(network.heads, mean, width, wanted, steps=steps, progress=progress)
    network.heads.requires_grad_(False)
    round_as_kept(network)
    return calibrated(network, volumes, config)


@torch.no_grad()
def textures(network: Network, volumes: Volumes, rows: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of q(g|x) of some volumes, each (n, latent)."""
    means, widths = [], []
    for k in range(0, len(rows), 8):
        labels = torch.as_tensor(volumes.labels[list(rows[k : k + 8])])
        x = F.one_hot(labels.long(), len_phases(network)).movedim(-1, 1).float()
        texture, _ = network.encoder(x)
        means.append(texture.mean)
        widths.append((0.5 * texture.log_variance).exp())
    return torch.cat(means), torch.cat(widths)


def targets_of(volumes: Volumes, rows: Sequence[int], config: Scaled) -> Tensor:
    """Standardised targets (n, TARGETS), NaN unknown."""
    values = standard(volumes.values[list(rows)])
    return torch.as_tensor((values - np.array(config.mean)) / np.array(config.spread)).float()


def calibrated(network: Network, volumes: Volumes, config: Config, share: float = 0.9) -> Config:
    """The config with conformal quantiles of the split "calibration"."""
    rows = volumes.rows("calibration")
    if not rows:
        return config
    wanted = targets_of(volumes, rows, config).numpy()
    with torch.no_grad():
        members = network.heads(textures(network, volumes, rows)[0]).numpy()
    floor, quantile = intervals(members, wanted, share)
    return replace(config, floor=floor, quantile=quantile)
