"""Networks on latent vectors that are told numbers, some of which may be unknown.

A number is told as sines and cosines of it and whether it is known (Vaswani et al., arXiv
1706.03762, Sec. 3.5), so that a network can be asked with any of them left open.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

WAVES = 8  # sines and cosines of a number
FORGET = 0.3  # share of the training in which a number is not told; all of them in as many more
FORGET_ALL = 0.15  # share of the rows that are `thinned` of all


def waves(value: Tensor) -> Tensor:
    """Numbers of order one (...) as sines and cosines (..., 2 WAVES)."""
    k = math.pi * 0.5 ** torch.arange(-2, WAVES - 2)
    angles = value[..., None] * k
    return torch.cat([angles.sin(), angles.cos()], -1)


def told(numbers: Tensor) -> Tensor:
    """Numbers of order one (B, n), NaN where not told -> (B, (2 WAVES + 1) n)."""
    known = (~numbers.isnan()).float()
    return torch.cat([(waves(numbers.nan_to_num()) * known[..., None]).flatten(1), known], 1)


def forgotten(targets: Tensor, generator: torch.Generator) -> Tensor:
    """Targets with some made unknown, one by one and all at once."""
    some = torch.rand(targets.shape, generator=generator) < FORGET
    all_ = torch.rand(len(targets), 1, generator=generator) < FORGET
    return torch.where(some | all_, torch.nan, targets)


def thinned(targets: Tensor, generator: torch.Generator) -> Tensor:
    """Targets (B, n) of which each row forgets a share of its own, drawn evenly from none to all,
    and some rows all: one alone is told as often as any other count of them."""
    lost = torch.rand(targets.shape, generator=generator)
    share = torch.rand(len(targets), 1, generator=generator)
    all_ = torch.rand(len(targets), 1, generator=generator) < FORGET_ALL
    return torch.where((lost < share) | all_, torch.nan, targets)


class Residuals(nn.Module):
    """Vectors (B, size in) to vectors (B, size out) through layers beside the identity."""

    def __init__(self, size: int, out: int, hidden: int, layers: int) -> None:
        super().__init__()
        self.first = nn.Linear(size, hidden)
        self.layers = nn.ModuleList(
            nn.Sequential(
                nn.LayerNorm(hidden), nn.Linear(hidden, hidden), nn.SiLU(),
                nn.Linear(hidden, hidden),
            )
            for _ in range(layers)
        )  # fmt: skip
        self.last = nn.Linear(hidden, out)

    def forward(self, x: Tensor) -> Tensor:
        """As the class says."""
        h = self.first(x)
        for layer in self.layers:
            h = h + layer(h)
        return self.last(h)


class LatentDenoiser(Residuals):
    """Velocity of noisy latents (B, latent), told numbers, some of which may be unknown."""

    def __init__(self, latent: int, numbers: int, hidden: int, layers: int = 4) -> None:
        size = latent + 2 * WAVES + (2 * WAVES + 1) * numbers
        super().__init__(size, latent, hidden, layers)

    def forward(self, x: Tensor, time: Tensor, numbers: Tensor) -> Tensor:  # type: ignore[override]
        """x (B, latent), time (B,), numbers (B, n) of order one, NaN where not told."""
        return super().forward(torch.cat([x, waves(time), told(numbers)], 1))
