"""A network on crystals: every atom hears every other one through their fractional difference.

After CSPNet (Jiao et al., DiffCSP, NeurIPS 2023, Eq. 10-14): messages between all ordered pairs of
a cell carry sines and cosines of the fractional difference, which are periodic by construction, and
the lattice. Outputs follow a permutation of the atoms, ignore a common shift and, because the
lattice comes as its symmetric part, know nothing of the crystal's orientation.

Tensors: B crystals padded to N atoms, `here` (B, N) says which are real.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True)
class Crystals:
    """Padded crystals: kinds (B, N) whole numbers, fractions (B, N, 3), lattices (B, 6), here."""

    kinds: Tensor
    fractions: Tensor
    lattices: Tensor
    here: Tensor

    def __len__(self) -> int:
        return len(self.lattices)

    @property
    def counts(self) -> Tensor:
        """Atoms of each crystal (B,)."""
        return self.here.sum(1)


@dataclass(frozen=True)
class Guess:
    """What the network says: logits of kinds (B, N, kinds), coordinates (B, N, 3), lattice (B, 6),
    and the last states of the atoms (B, N, width)."""

    kinds: Tensor
    fractions: Tensor
    lattices: Tensor
    states: Tensor


def waves(count: int, difference: Tensor) -> Tensor:
    """sin and cos of 2 pi k times each of three differences, k = 1..count; (..., 6 count)."""
    k = 2 * math.pi * torch.arange(1, count + 1, dtype=difference.dtype)
    angles = (difference[..., None] * k).flatten(-2)
    return torch.cat([angles.sin(), angles.cos()], -1)


def time_waves(time: Tensor, size: int) -> Tensor:
    """Sinusoidal embedding of times in [0, 1] (B,); (B, size)."""
    k = torch.exp(torch.linspace(0.0, math.log(1000.0), size // 2))
    angles = time[:, None] * k
    return torch.cat([angles.sin(), angles.cos()], 1)


class Layer(nn.Module):
    """One round of messages; the pair network's first layer is split, so that what depends on one
    atom is computed once an atom and not once a pair. Messages are narrower than the atoms' states:
    pairs are many."""

    def __init__(self, width: int, pair: int) -> None:
        super().__init__()
        inner = 5 * width // 8
        self.norm = nn.LayerNorm(width)
        self.own = nn.Linear(width, inner)
        self.other = nn.Linear(width, inner, bias=False)
        self.pair = nn.Linear(pair, inner, bias=False)
        self.lattice = nn.Linear(6, inner, bias=False)
        self.message = nn.Linear(inner, inner)
        self.update = nn.Sequential(
            nn.Linear(width + inner, width), nn.SiLU(), nn.Linear(width, width)
        )

    def forward(self, h: Tensor, pairs: Tensor, lattices: Tensor, here: Tensor) -> Tensor:
        """h (B, N, width), pairs (B, N, N, pair) -> h."""
        x = self.norm(h)
        first = (self.own(x) + self.lattice(lattices)[:, None])[:, :, None]
        message = F.silu(first + self.other(x)[:, None] + self.pair(pairs))
        message = F.silu(self.message(message)) * here[:, None, :, None]
        mean = message.sum(2) / here.sum(1)[:, None, None]
        return h + self.update(torch.cat([x, mean], -1))


class CrystalNet(nn.Module):
    """Guesses kinds, coordinates and lattice of noisy crystals.

    Parameters
    ----------
    kinds : classes of atoms, the mask included.
    context : width of what else is known of a crystal, told to every layer; 0 for nothing.
    """

    def __init__(
        self, kinds: int, width: int, layers: int, frequencies: int, context: int = 0
    ) -> None:
        super().__init__()
        self.frequencies = frequencies
        self.kind = nn.Embedding(kinds, width)
        self.time = nn.Linear(width, width)
        self.context = nn.Linear(context, layers * width) if context else None
        self.layers = nn.ModuleList(Layer(width, 6 * frequencies) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.to_kinds = nn.Linear(width, kinds)
        self.to_fractions = nn.Linear(width, 3, bias=False)
        self.to_lattices = nn.Sequential(
            nn.Linear(width + 6, width), nn.SiLU(), nn.Linear(width, 6)
        )

    def forward(
        self, x: Crystals, time: Tensor, context: Tensor | None = None,
        hints: Tensor | None = None,
    ) -> Guess:  # fmt: skip
        """time (B,) in [0, 1]; context (B, context); hints (layers, B, width) of adapters."""
        difference = x.fractions[:, None] - x.fractions[:, :, None]
        pairs = waves(self.frequencies, difference)
        h = self.kind(x.kinds) + self.time(time_waves(time, self.kind.embedding_dim))[:, None]
        here = x.here.to(h.dtype)
        told = [] if hints is None else [hints]
        if self.context is not None and context is not None:
            told.append(self.context(context).view(len(x), len(self.layers), -1).transpose(0, 1))
        for k, layer in enumerate(self.layers):
            for hint in told:
                h = h + hint[k][:, None]
            h = layer(h, pairs, x.lattices, here)
        h = self.norm(h) * here[..., None]
        pooled = torch.cat([h.sum(1) / here.sum(1, keepdim=True), x.lattices], 1)
        return Guess(self.to_kinds(h), self.to_fractions(h), self.to_lattices(pooled), h)
