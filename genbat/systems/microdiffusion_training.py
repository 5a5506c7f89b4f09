"""Training of microdiffusion on the latents of a finished microvae."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import cast

import torch
from torch import Tensor

from genbat.systems.base import Progress
from genbat.systems.microdiffusion_network import Config, Network, losses
from genbat.systems.microvae import MicroVAE
from genbat.systems.microvae_training import (
    Volumes,
    batches_of,
    len_phases,
    targets_of,
    views,
)
from genbat.systems.run import Run, Schedule, advance_all, begin

PRESETS = {
    "tiny": Schedule(steps=3, batch=2, warm_steps=1),
    "base": Schedule(steps=12_000, batch=16, rate=1e-3, warm_steps=200),
}
VIEWS = 2  # of each volume: mirrored and turned at random


@dataclass(frozen=True)
class Latents:
    """Latents of volumes, each with its uncertainty: textures (n, latent), places (n, local, ...),
    and standardised targets (n, TARGETS), NaN unknown."""

    texture: Tensor
    texture_width: Tensor
    places: Tensor
    places_width: Tensor
    targets: Tensor


@torch.no_grad()
def latents_of(
    vae: MicroVAE, volumes: Volumes, times: int = VIEWS, progress: Progress | None = None
) -> Latents:
    """Of the split "train", some views of each volume."""
    rows = volumes.rows("train") * times
    generator, parts = torch.Generator().manual_seed(0), []
    for k in range(0, len(rows), 8):
        x = views(volumes, rows[k : k + 8], len_phases(vae.network), generator)
        texture, places = vae.network.encoder(x)
        found = (texture.mean, texture.log_variance, places.mean, places.log_variance)
        parts.append([part.half() for part in found])
        if progress:
            progress(k / len(rows), f"{k} of {len(rows)} volumes encoded")
    g, g_wide, l, l_wide = (torch.cat(own) for own in zip(*parts, strict=True))  # noqa: E741
    half = lambda log_variance: (0.5 * log_variance.float()).exp().half()  # noqa: E731
    return Latents(g, half(g_wide), l, half(l_wide), targets_of(volumes, rows, vae.config))


def train(
    vae: MicroVAE,
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
    if not volumes.rows("train"):
        raise ValueError("volumes: none to train on")
    latents = latents_of(vae, volumes, progress=progress)
    run = begin(make_config(vae, **sizes), Network, schedule, folder, resume=resume)
    network = cast(Network, run.network)
    for own in (network, cast(Network, run.mean)):
        scale(own, latents)
    loss = partial(batch_loss, network, latents)
    batches = batches_of(range(len(latents.texture)), schedule, run.step)
    return advance_all(run, batches, loss, minutes=minutes, progress=progress)


def make_config(vae: MicroVAE, **sizes: int) -> Config:
    """Sizes and scales of a microvae."""
    own = vae.config
    config = Config(
        phases=own.phases, voxel_um=own.voxel_um, latent=own.latent, local=own.local,
        mean=own.mean, spread=own.spread, vae=vae.weights,
    )  # fmt: skip
    return replace(config, **sizes)  # type: ignore[arg-type]


def scale(network: Network, latents: Latents) -> None:
    """Set the scales of the latents: samples of them have mean 0 and width 1."""
    places, wide = (
        part.float().movedim(1, 0).flatten(1) for part in (latents.places, latents.places_width)
    )
    parts = {
        "texture": (latents.texture.float().T, latents.texture_width.float().T),
        "place": (places, wide),
    }
    for name, (mean, width) in parts.items():
        getattr(network, f"{name}_middle").copy_(mean.mean(1))
        total = (mean.var(1) + (width**2).mean(1)).sqrt()
        getattr(network, f"{name}_spread").copy_(total)


def batch_loss(
    network: Network, latents: Latents, rows: list[int], seed: int
) -> tuple[Tensor, dict[str, float]]:
    """Loss of a batch and its parts; all noise from the seed."""
    generator = torch.Generator().manual_seed(seed)

    def draw(mean: Tensor, width: Tensor, name: str) -> Tensor:
        noise = torch.randn(mean[rows].shape, generator=generator)
        shape = (-1, *[1] * (mean.ndim - 2))
        middle, spread = (getattr(network, f"{name}_{part}") for part in ("middle", "spread"))
        x = mean[rows].float() + width[rows].float() * noise
        return (x - middle.view(shape)) / spread.view(shape)

    texture = draw(latents.texture, latents.texture_width, "texture")
    places = draw(latents.places, latents.places_width, "place")
    parts = losses(network, texture, places, latents.targets[rows], generator)
    total = sum(parts.values(), torch.zeros(()))
    return total, {name: float(part.detach()) for name, part in parts.items()}
