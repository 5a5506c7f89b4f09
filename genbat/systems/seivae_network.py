"""The networks of seivae; `genbat.systems.seivae` says what is the paper's and what was changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from genbat.families.vae import Posterior
from genbat.systems.base import Settings
from genbat.systems.seivae_prior import Prior

TARGETS = ("thickness", "porosity", "inorganic")
SPECIES = 4
SIDE = 64  # sites along and away from the electrode
CONDITION_WEIGHT = 2.0  # of the condition among the coordinates of a latent point


@dataclass(frozen=True)
class Config(Settings):
    """Sizes and scales: all that the weights need to be used; `half` is how far what is counted
    lies from the condition in 90 of 100 cases."""

    width: int = 24
    noise: int = 13
    hidden: int = 192
    mean: tuple[float, ...] = (0.0,) * len(TARGETS)
    spread: tuple[float, ...] = (1.0,) * len(TARGETS)
    half: tuple[float, ...] = (0.0,) * len(TARGETS)
    steps_trained: int = 0

    @property
    def latent(self) -> int:
        """Coordinates of a latent point: the condition, then z."""
        return len(TARGETS) + self.noise

    def standard(self, values: np.ndarray) -> Tensor:
        """Standardised conditions of values of TARGETS (n, TARGETS)."""
        return torch.as_tensor((values - np.array(self.mean)) / np.array(self.spread)).float()


class Network(nn.Module):
    """q(z|x, c), p(x|z, c) and p(z|c): x one-hot (B, SPECIES, SIDE, SIDE), rows from the electrode;
    c the standardised condition (B, TARGETS)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        c, w = config, config.width
        self.down = nn.ModuleList(
            Ring(nn.Conv2d(a, b, 4, 2, 0))
            for a, b in ((SPECIES + 1, w), (w, 2 * w), (2 * w, 4 * w), (4 * w, 4 * w))
        )
        self.norms = nn.ModuleList(nn.GroupNorm(8, n) for n in (w, 2 * w, 4 * w, 4 * w))
        top = 4 * w * (SIDE // 16) ** 2
        self.said = _perceptron(top + len(TARGETS), c.hidden, 2 * c.noise)
        self.begin = _perceptron(c.latent, c.hidden, top)
        self.up = nn.ModuleList(
            Ring(nn.Conv2d(a + 1, b, 3, 1, 0), 1)
            for a, b in ((4 * w, 4 * w), (4 * w, 2 * w), (2 * w, w), (w, w))
        )
        self.told = nn.ModuleList(nn.Linear(c.latent, 2 * n) for n in (4 * w, 2 * w, w, w))
        self.last = nn.Conv2d(w, SPECIES, 1)
        self.prior = Prior(len(TARGETS), c.noise)

    def posterior(self, x: Tensor, c: Tensor) -> Posterior:
        """q(z|x, c)."""
        h = torch.cat([x, _height(x)], 1)
        for layer, norm in zip(self.down, self.norms, strict=True):
            h = F.silu(norm(layer(h)))
        mean, log_variance = self.said(torch.cat([h.flatten(1), c], 1)).chunk(2, 1)
        return Posterior(mean, log_variance.clamp(-8.0, 4.0))

    def logits(self, z: Tensor, c: Tensor) -> Tensor:
        """Logits of the species at every site (B, SPECIES, SIDE, SIDE)."""
        known = torch.cat([c, z], 1)
        edge = SIDE // 16
        h = self.begin(known).view(len(z), -1, edge, edge)
        for layer, told in zip(self.up, self.told, strict=True):
            h = F.interpolate(h, scale_factor=2.0, mode="nearest")
            h = layer(torch.cat([h, _height(h)], 1))
            scale, shift = told(known)[..., None, None].chunk(2, 1)
            h = F.silu(h * (1 + scale) + shift)
        return self.last(h)


class Ring(nn.Module):
    """A convolution that is periodic along the electrode; zeros lie beyond the other borders."""

    def __init__(self, layer: nn.Conv2d, reach: int = 1) -> None:
        super().__init__()
        self.layer, self.reach = layer, reach

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, rows, columns)."""
        r = self.reach
        out: Any = self.layer(F.pad(F.pad(x, (r, r, 0, 0), mode="circular"), (0, 0, r, r)))
        return out


def one_hot(sites: Tensor) -> Tensor:
    """Sites (B, SIDE, SIDE) as the networks take them (B, SPECIES, SIDE, SIDE)."""
    return F.one_hot(sites.long(), SPECIES).movedim(-1, 1).float()


def _height(x: Tensor) -> Tensor:
    """How far from the electrode each row is, -1 to 1 (B, 1, rows, columns)."""
    rows = torch.linspace(-1.0, 1.0, x.shape[2])
    return rows[None, None, :, None].expand(len(x), 1, -1, x.shape[3])


def _perceptron(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(inputs, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(),
        nn.Linear(hidden, outputs),
    )  # fmt: skip


def losses(
    network: Network, sites: Tensor, c: Tensor, generator: torch.Generator
) -> dict[str, Tensor]:
    """Parts of the negative bound of sites (B, SIDE, SIDE), in nats an interphase."""
    x = one_hot(sites)
    posterior = network.posterior(x, c)
    logits = network.logits(posterior.sample(generator), c)
    each = F.cross_entropy(logits, sites, reduction="none")
    return {"sites": each.sum((1, 2)).mean(), "divergence": posterior.divergence().mean()}
