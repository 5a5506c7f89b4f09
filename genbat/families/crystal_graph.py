"""An invariant network on periodic graphs: a crystal's fingerprint from its interatomic distances.

Messages run along all pairs of atoms and images within a cutoff, weighted by Gaussians of their
distance that fade smoothly to zero (SchNet, Schuett et al., arXiv 1706.08566; CGCNN, Xie and
Grossman, PRL 2018, 120, 145301), and the mean over atoms is the crystal's. Distances know no
orientation, origin, order of atoms or choice of cell, and a mean knows no supercell: so neither
does the fingerprint.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

CUTOFF = 5.0  # Å


@dataclass(frozen=True)
class Bonds:
    """The graph of B crystals: kinds (n,), owner of each atom (n,) rising, and E directed bonds
    center, other (E,), distance (E,) in Å."""

    kinds: Tensor
    owner: Tensor
    center: Tensor
    other: Tensor
    distance: Tensor
    count: int


def gaussians(distance: Tensor, size: int) -> Tensor:
    """Gaussians of distances (E,) at `size` places up to CUTOFF, each as wide as their spacing."""
    places = torch.linspace(0.5, CUTOFF, size)
    return torch.exp(-(((distance[:, None] - places) / (places[1] - places[0])) ** 2))


def fade(distance: Tensor) -> Tensor:
    """1 at distance 0, smoothly 0 at CUTOFF (Behler and Parrinello, PRL 2007, 98, 146401)."""
    return 0.5 * (1 + torch.cos(math.pi * (distance / CUTOFF).clamp(max=1.0)))


class GraphLayer(nn.Module):
    """One round of messages between neighbours."""

    def __init__(self, width: int, waves: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.own = nn.Linear(width, width)
        self.other = nn.Linear(width, width, bias=False)
        self.pair = nn.Linear(waves, width, bias=False)
        self.message = nn.Linear(width, width)
        self.update = nn.Sequential(nn.Linear(2 * width, width), nn.SiLU(), nn.Linear(width, width))

    def forward(self, h: Tensor, g: Bonds, pairs: Tensor, weight: Tensor) -> Tensor:
        """h (n, width), pairs (E, waves), weight (E, 1) -> h."""
        x = self.norm(h)
        first = self.own(x)[g.center] + self.other(x)[g.other] + self.pair(pairs)
        message = self.message(F.silu(first)) * weight
        heard = torch.zeros_like(h).index_add_(0, g.center, message)
        total = torch.zeros(len(h), 1).index_add_(0, g.center, weight)
        return h + self.update(torch.cat([x, heard / (total + 1e-2)], 1))


class GraphEncoder(nn.Module):
    """Crystals -> numbers (B, outputs) that know nothing of the choice of cell."""

    def __init__(self, kinds: int, width: int, layers: int, waves: int, outputs: int) -> None:
        super().__init__()
        self.waves = waves
        self.kind = nn.Embedding(kinds, width)
        self.layers = nn.ModuleList(GraphLayer(width, waves) for _ in range(layers))
        self.atom = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.SiLU())
        self.out = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, outputs))

    def forward(self, g: Bonds) -> Tensor:
        """Mean over the atoms' last states, through one hidden layer; (B, outputs)."""
        h, pairs, weight = (
            self.kind(g.kinds), gaussians(g.distance, self.waves), fade(g.distance)[:, None],
        )  # fmt: skip
        for layer in self.layers:
            h = layer(h, g, pairs, weight)
        atoms = self.atom(h)
        sums = torch.zeros(g.count, atoms.shape[1]).index_add_(0, g.owner, atoms)
        sizes = torch.bincount(g.owner, minlength=g.count)[:, None]
        return self.out(sums / sizes)
