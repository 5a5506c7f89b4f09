"""A network on crystals: every atom hears every other one through their fractional difference.

After CSPNet (Jiao et al., DiffCSP, NeurIPS 2023, Eq. 10-14): messages between all ordered pairs of
a cell carry sines and cosines of the fractional difference, which are periodic by construction, and
the lattice. Outputs follow a permutation of the atoms, ignore a common shift and, because the
lattice comes as its symmetric part, know nothing of the crystal's orientation.

What goes beyond the paper lets the network do within one call what it otherwise does over many
steps of a sampler. After every layer each pair pulls on the coordinates along the waves of its
difference, and the next layer sees the crystal where it has been pulled to (as the coordinates of
Satorras et al., EGNN, ICML 2021, move from layer to layer). Frequencies reach up to 32, so that a
hundredth of a cell is seen, and each is dimmed by what the noise leaves of it.

Tensors: B crystals padded to N atoms, `here` (B, N) says which are real.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from genbat.families.blocks import quickly, time_waves
from genbat.families.wrapped import sigma_at


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


# Fine enough for small noise; being multiples of two and three they suit special positions.
FREQUENCIES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
PARTNERS = 64  # products of two atoms' features that set a pull
CLEARER = 0.6  # share of the noise's width that a layer is taken to leave
FURTHEST = 0.15  # of the cell: how far one unit of a guess moves an atom at the most


def waves(count: int, difference: Tensor, sigma: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """sin and cos of 2 pi k times each of three differences, k the first of FREQUENCIES; each
    (..., 3, count).

    With `sigma` (B,), the width of the noise of the coordinates, each is as long as its mean over
    that noise, exp(-(2 pi k sigma)^2): what cannot be seen is 0.
    """
    k = 2 * math.pi * torch.tensor(FREQUENCIES[:count], dtype=difference.dtype)
    angles = difference[..., None] * k
    if sigma is None:
        return angles.sin(), angles.cos()
    clear = torch.exp(-((k * sigma[:, None]) ** 2))[:, None, None, None]
    return angles.sin() * clear, angles.cos() * clear


def centred(vectors: Tensor, here: Tensor) -> Tensor:
    """Vectors (B, N, 3) without their mean over a crystal's atoms, 0 where there is none: a common
    shift says nothing of a crystal, and noise that holds one cannot be guessed."""
    mask = here[..., None].to(vectors.dtype)
    mean = (vectors * mask).sum(1, keepdim=True) / mask.sum(1, keepdim=True)
    return (vectors - mean) * mask


class Pairs(nn.Module):
    """The first layer of a network on pairs, split, so that what depends on one atom is computed
    once an atom and not once a pair. It is narrower than the atoms' states: pairs are many."""

    def __init__(self, width: int, pair: int, inner: int) -> None:
        super().__init__()
        self.own = nn.Linear(width, inner)
        self.other = nn.Linear(width, inner, bias=False)
        self.pair = nn.Linear(pair, inner, bias=False)
        self.lattice = nn.Linear(6, inner, bias=False)

    def forward(self, x: Tensor, pairs: Tensor, lattices: Tensor) -> Tensor:
        """x (B, N, width), pairs (B, N, N, pair), lattices (B, 6) -> (B, N, N, inner)."""
        own = (self.own(x) + self.lattice(lattices)[:, None])[:, :, None]
        return F.silu(own + self.other(x)[:, None] + self.pair(pairs))


class Layer(nn.Module):
    """One round of messages and what the atoms make of them."""

    def __init__(self, width: int, pair: int) -> None:
        super().__init__()
        inner = 5 * width // 8
        self.norm = nn.LayerNorm(width)
        self.first = Pairs(width, pair, inner)
        self.message = nn.Linear(inner, inner)
        self.update = nn.Sequential(
            nn.Linear(width + inner, width), nn.SiLU(), nn.Linear(width, width)
        )

    def forward(self, h: Tensor, pairs: Tensor, lattices: Tensor, here: Tensor) -> Tensor:
        """h (B, N, width), pairs (B, N, N, pair) -> h."""
        x = self.norm(h)
        message = self.first(x, pairs, lattices)
        message = F.silu(self.message(message)) * here[:, None, :, None]
        mean = message.sum(2) / here.sum(1)[:, None, None]
        return h + self.update(torch.cat([x, mean], -1))


class Pull(nn.Module):
    """Where each atom is pulled to: by itself, and by each pair along the waves of its difference.

    The amplitudes of a pair come from products of both atoms' features beside a layer on the pair,
    since a distance belongs to two atoms and not to one and the other.
    """

    def __init__(self, width: int, frequencies: int) -> None:
        super().__init__()
        inner, pair = 5 * width // 8, 6 * frequencies
        self.norm = nn.LayerNorm(width)
        self.alone = nn.Linear(width, 3, bias=False)
        self.first = Pairs(width, pair, inner)
        self.one, self.two = nn.Linear(width, PARTNERS), nn.Linear(width, PARTNERS)
        self.amplitude = nn.Linear(inner + PARTNERS, pair)

    def forward(self, h: Tensor, pairs: Tensor, lattices: Tensor, here: Tensor) -> Tensor:
        """h (B, N, width), pairs (B, N, N, 6 frequencies) -> (B, N, 3)."""
        x = self.norm(h) * here[..., None]
        both = self.one(x)[:, :, None] * self.two(x)[:, None]
        amplitude = self.amplitude(torch.cat([self.first(x, pairs, lattices), both], -1))
        pulls = (amplitude * pairs).unflatten(-1, (2, 3, -1)).sum((-1, -3))
        total = (pulls * here[:, None, :, None]).sum(2) / here.sum(1).sqrt()[:, None, None]
        return self.alone(x) + total


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
        self.time = nn.Linear(width, layers * width)
        self.context = nn.Linear(context, layers * width) if context else None
        self.layers = nn.ModuleList(Layer(width, 6 * frequencies) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.to_kinds = nn.Linear(width, kinds)
        self.pulls = nn.ModuleList(Pull(width, frequencies) for _ in range(layers))
        self.to_lattices = nn.Sequential(
            nn.Linear(width + 6, width), nn.SiLU(), nn.Linear(width, 6)
        )

    def forward(
        self, x: Crystals, time: Tensor, context: Tensor | None = None,
        hints: Tensor | None = None,
    ) -> Guess:  # fmt: skip
        """time (B,) in [0, 1]; context (B, context); hints (layers, B, width) of adapters."""
        with quickly(self.training):
            guess = self._guess(x, time, context, hints)
        return Guess(*(part.float() for part in vars(guess).values()))

    def _guess(
        self, x: Crystals, time: Tensor, context: Tensor | None, hints: Tensor | None
    ) -> Guess:
        h, here = self.kind(x.kinds), x.here.to(x.fractions.dtype)
        told = self._told(time, context) + (0.0 if hints is None else hints)
        sigma, guess = sigma_at(time), torch.zeros_like(x.fractions)
        for k, (layer, pull) in enumerate(zip(self.layers, self.pulls, strict=True)):
            place = x.fractions + sigma.clamp(max=FURTHEST)[:, None, None] * guess
            pairs = self._pairs(place, CLEARER**k * sigma)
            h = layer(h + told[k][:, None], pairs, x.lattices, here)
            guess = guess + centred(pull(h, pairs, x.lattices, here), x.here)
        h = self.norm(h) * here[..., None]
        pooled = torch.cat([h.sum(1) / here.sum(1, keepdim=True), x.lattices], 1)
        return Guess(self.to_kinds(h), guess, self.to_lattices(pooled), h)

    def _pairs(self, place: Tensor, sigma: Tensor) -> Tensor:
        """Waves of all differences, sines first; (B, N, N, 6 frequencies)."""
        difference = place[:, None] - place[:, :, None]
        sines, cosines = waves(self.frequencies, difference, sigma)
        return torch.cat([sines.flatten(-2), cosines.flatten(-2)], -1)

    def _told(self, time: Tensor, context: Tensor | None) -> Tensor:
        """What every layer is told of the crystal as a whole; (layers, B, width)."""
        told = self.time(time_waves(time, self.kind.embedding_dim))
        if self.context is not None and context is not None:
            told = told + self.context(context)
        return told.view(len(time), len(self.layers), -1).transpose(0, 1)
