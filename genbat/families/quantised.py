"""Finite scalar quantisation: vectors become tokens (Mentzer et al., arXiv 2309.15505).

What a vector-quantised autoencoder (van den Oord et al., arXiv 1711.00937) does with a learnt book
of codes, this does with a grid: each of a few channels is bounded and rounded to one of a few
levels, and the gradient passes the rounding unchanged. No code can die, and there is no further
loss.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

ROOM = 1e-3  # by which the outermost levels lie inside the bound


class Grid(nn.Module):
    """Codes of a grid with some levels in each channel."""

    levels: Tensor
    strides: Tensor

    def __init__(self, levels: Sequence[int]) -> None:
        super().__init__()
        if not levels or min(levels) < 2:
            raise ValueError(f"levels: got {tuple(levels)}; legal are two or more in each channel")
        self.size = math.prod(levels)
        strides = [math.prod(levels[:k]) for k in range(len(levels))]
        self.register_buffer("levels", torch.tensor(levels), persistent=False)
        self.register_buffer("strides", torch.tensor(strides), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Channels (B, C, ...) to the grid's nearest points in [-1, 1]; the gradient goes
        through."""
        levels = self._wide(self.levels, x)
        half = (levels - 1) * (1 - ROOM) / 2
        shift = torch.where(levels % 2 == 0, 0.5, 0.0)  # even numbers of levels have no middle one
        bounded = torch.tanh(x + torch.atanh(shift / half)) * half - shift
        rounded = bounded + (bounded.round() - bounded).detach()
        return rounded / (levels // 2)

    def tokens(self, x: Tensor) -> Tensor:
        """Numbers of the codes (B, ...) of points of the grid (B, C, ...)."""
        levels = self._wide(self.levels, x)
        digits = (x * (levels // 2)).round().long() + levels // 2
        return (digits * self._wide(self.strides, x)).sum(1)

    def points(self, tokens: Tensor) -> Tensor:
        """Inverse of `tokens`: (B, ...) -> (B, C, ...)."""
        wide = tokens[:, None]
        levels = self._wide(self.levels, wide)
        digits = (wide // self._wide(self.strides, wide)) % levels
        return (digits - levels // 2) / (levels // 2)

    @staticmethod
    def _wide(per_channel: Tensor, like: Tensor) -> Tensor:
        return per_channel.view(1, -1, *[1] * (like.ndim - 2))
