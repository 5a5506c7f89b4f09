"""Training of moleculediffusion on the latents of a finished chemvae."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import cast

import pandas as pd
import torch
from torch import Tensor
from torch.nn import functional as F

from genbat.families.gaussian import noised
from genbat.families.latent_net import thinned
from genbat.systems.base import Progress
from genbat.systems.chemvae import ChemVAE
from genbat.systems.molecule_latents import Latents, latents_of, make_config, scaled
from genbat.systems.moleculediffusion import Network
from genbat.systems.run import Run, Schedule, advance_all, begin

PRESETS = {
    "tiny": Schedule(steps=4, batch=16, rate=1e-3, warm_steps=1),
    "base": Schedule(steps=40_000, batch=512, rate=1e-3, warm_steps=500),
}


def train(
    vae: ChemVAE,
    table: pd.DataFrame,
    folder: Path,
    *,
    schedule: Schedule,
    resume: bool = False,
    minutes: float = math.inf,
    progress: Progress | None = None,
    **sizes: int,
) -> Run:
    """Train on molecules of the split "train"; with `resume`, go on from the folder's checkpoint.

    Raises
    ------
    ValueError : no molecule to train on.
    """
    own = table[table["split"] == "train"]
    if not len(own):
        raise ValueError("molecules: none of the split train")
    run = begin(make_config(vae, own, **sizes), Network, schedule, folder, resume=resume)
    latents = latents_of(vae, own, run.config)
    for network in (run.network, run.mean):
        scaled(network, latents)
    loss = partial(batch_loss, cast(Network, run.network), latents)
    batches = batches_of(len(own), schedule, run.step)
    return advance_all(run, batches, loss, minutes=minutes, progress=progress)


def batches_of(count: int, schedule: Schedule, first: int) -> Iterator[Tensor]:
    """Row numbers of the batches from step `first` on."""
    for step in range(first, schedule.steps):
        generator = torch.Generator().manual_seed(schedule.seed * 1_000_003 + step)
        yield torch.randint(count, (schedule.batch,), generator=generator)


def batch_loss(
    network: Network, latents: Latents, rows: Tensor, seed: int
) -> tuple[Tensor, dict[str, float]]:
    """Mean squared error of the velocities of a batch; all noise from the seed."""
    generator = torch.Generator().manual_seed(seed)
    x = latents.draw(rows, network, generator)
    time = torch.rand(len(x), generator=generator)
    noisy, velocity = noised(x, torch.randn(x.shape, generator=generator), time)
    values = thinned(latents.values[rows], generator)
    loss = F.mse_loss(network.denoiser(noisy, time, values), velocity)
    return loss, {"velocity": float(loss.detach())}
