"""Training of seivae: the bound on grown interphases, with what they measure as the condition."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor

from genbat.domains.interphases.kmc import Sites
from genbat.families.vae import warm_up
from genbat.systems.base import Progress
from genbat.systems.microvae_training import batches_of
from genbat.systems.run import Run, Schedule, advance_all, begin
from genbat.systems.seivae_network import Config, Network, losses, one_hot

PRESETS = {
    "tiny": Schedule(steps=3, batch=4, warm_steps=1),
    "base": Schedule(steps=3_500, batch=48, rate=1e-3, warm_steps=200),
}
RISE, BETA = 1500, 1.0
CODED = 256  # interphases at a time


@dataclass(frozen=True)
class Interphases:
    """What seivae learns from: sites (n, rows, columns), TARGETS of each (n, TARGETS), split."""

    sites: Sites
    values: np.ndarray
    splits: Sequence[str]

    def rows(self, split: str) -> list[int]:
        """Row numbers of a split, those without an interphase left out."""
        known = ~np.isnan(self.values).any(1)
        return [k for k, own in enumerate(self.splits) if own == split and known[k]]


def make_config(data: Interphases, **sizes: int) -> Config:
    """Scales of the training's targets."""
    values = data.values[data.rows("train")]
    mean, spread = values.mean(0), values.std(0)
    config = Config(
        mean=tuple(float(v) for v in mean), spread=tuple(float(v) or 1.0 for v in spread)
    )
    return replace(config, **sizes)  # type: ignore[arg-type]


def train(
    data: Interphases,
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
    ValueError : no interphase to train on.
    """
    if not (rows := data.rows("train")):
        raise ValueError("interphases: none to train on")
    run = begin(make_config(data, **sizes), Network, schedule, folder, resume=resume)
    loss = partial(batch_loss, cast(Network, run.network), data, cast(Config, run.config))
    batches = batches_of(rows, schedule, run.step)
    return advance_all(run, batches, loss, minutes=minutes, progress=progress)


@torch.inference_mode()
def finish(run: Run, data: Interphases) -> Network:
    """The run's mean network, with what codes are drawn from fitted to the training set."""
    network, config = cast(Network, run.mean), cast(Config, run.config)
    rows = data.rows("train")
    c = config.standard(data.values[rows])
    x = torch.as_tensor(data.sites[rows])
    found = [network.posterior(one_hot(x[k : k + CODED]), c[k : k + CODED])
             for k in range(0, len(rows), CODED)]  # fmt: skip
    mean = torch.cat([one.mean for one in found])
    network.prior.fit(c, mean, torch.cat([one.log_variance for one in found]).exp())
    return network


def batch_loss(
    network: Network, data: Interphases, config: Config, rows: list[int], seed: int
) -> tuple[Tensor, dict[str, float]]:
    """Negative bound of a batch in nats an interphase, and its parts; all noise from the seed.

    Each is rolled along the electrode and mirrored at random: neither changes what it is.
    """
    generator = torch.Generator().manual_seed(seed)
    rng = np.random.default_rng(seed)
    sites = np.stack([_moved(data.sites[k], rng) for k in rows])
    c = config.standard(data.values[rows])
    parts = losses(network, torch.as_tensor(sites.astype("i8")), c, generator)
    beta = warm_up(seed % 1_000_003, RISE, BETA)
    total = (parts["sites"] + beta * parts["divergence"]) / sites[0].size
    return total, {name: float(part.detach()) for name, part in parts.items()}


def _moved(sites: Sites, rng: np.random.Generator) -> Sites:
    rolled = np.roll(sites, int(rng.integers(sites.shape[1])), 1)
    return rolled[:, ::-1] if rng.random() < 0.5 else rolled
