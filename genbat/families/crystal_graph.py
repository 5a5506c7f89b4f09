"""An invariant network on periodic graphs: a crystal's fingerprint from its interatomic distances.

Continuous-filter convolutions of SchNet (Schuett et al., arXiv 1706.08566, Eq. 2-3),

    heard_i = sum_j x_j * W(d_ij),

over all atoms and images j within a cutoff. With W linear in Gaussians of the distance the images
of an atom can be summed before the network (`shells`), once for a whole training, and a convolution
costs as much as the pairs of one cell. The mean over atoms is the crystal's. Distances know no
orientation, origin or order of atoms, sums over images no choice of cell, and a mean no supercell.

What a mean forgets, how large the primitive cell is and of what form, is told beside it
(`cell_facts`): the number of atoms and the lengths of the shortest vectors of the lattice, which
are the same for every choice of primitive cell and change smoothly with it.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

CUTOFF = 5.0  # Å
SHELLS = 48  # Gaussians
VECTORS, REACH = 12, 4  # shortest vectors of a reduced lattice, and how many steps along an axis
MOST = 20  # atoms that are told apart
FACTS = MOST + VECTORS


@dataclass(frozen=True)
class Graphs:
    """B crystals padded to N atoms: kinds (B, N), which are real (B, N), shells (B, N, N, SHELLS),
    their total weight around each atom (B, N), and `cell_facts` (B, FACTS)."""

    kinds: Tensor
    here: Tensor
    shells: Tensor
    weight: Tensor
    facts: Tensor


_ALONG = range(-REACH, REACH + 1)
_STEPS = torch.tensor([s for s in itertools.product(_ALONG, repeat=3) if s > (0, 0, 0)])


def cell_facts(lattice: Tensor, atoms: int) -> Tensor:
    """What a primitive cell is like, whichever was chosen; (FACTS,).

    The number of atoms, one of MOST, and the logarithms of the lengths of the VECTORS shortest
    vectors of the lattice (3, 3; rows, Å, reduced), each with its opposite counted once, without
    the part that follows from the number of atoms.
    """
    lengths = (_STEPS.to(lattice.dtype) @ lattice).norm(dim=1).sort().values[:VECTORS]
    told = torch.zeros(FACTS)
    told[min(atoms, MOST) - 1] = 1.0
    told[MOST:] = lengths.log() - math.log(atoms) / 3 - 1.0
    return told


def gaussians(distance: Tensor) -> Tensor:
    """Gaussians of distances (E,) at SHELLS places up to CUTOFF, each as wide as their spacing."""
    places = torch.linspace(0.5, CUTOFF, SHELLS, dtype=distance.dtype)
    return torch.exp(-(((distance[:, None] - places) / (places[1] - places[0])) ** 2))


def fade(distance: Tensor) -> Tensor:
    """1 at distance 0, smoothly 0 at CUTOFF (Behler and Parrinello, PRL 2007, 98, 146401)."""
    return 0.5 * (1 + torch.cos(math.pi * (distance / CUTOFF).clamp(max=1.0)))


def shells(center: Tensor, other: Tensor, distance: Tensor, atoms: int) -> tuple[Tensor, Tensor]:
    """Faded Gaussians of the distances, summed over the images of each pair of atoms.

    Parameters
    ----------
    center, other, distance : directed pairs of atoms and images (E,), distances in Å.
    atoms : n.

    Returns
    -------
    (n, n, SHELLS) and the weight of all neighbours of each atom (n,), 32-bit floats.
    """
    share = fade(distance)
    sums = torch.zeros(atoms * atoms, SHELLS, dtype=distance.dtype)
    sums.index_add_(0, center * atoms + other, gaussians(distance) * share[:, None])
    weight = torch.zeros(atoms, dtype=distance.dtype).index_add_(0, center, share)
    return sums.view(atoms, atoms, SHELLS).float(), weight.float()


class Convolution(nn.Module):
    """One continuous-filter convolution, and what the atoms make of it."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.other = nn.Linear(width, width, bias=False)
        self.filter = nn.Linear(SHELLS, width, bias=False)
        self.update = nn.Sequential(nn.Linear(2 * width, width), nn.SiLU(), nn.Linear(width, width))

    def forward(self, h: Tensor, g: Graphs) -> Tensor:
        """h (B, N, width) -> h."""
        x = self.norm(h)
        heard = (self.filter(g.shells) * self.other(x)[:, None]).sum(2)
        heard = heard / (g.weight[..., None] + 1e-2)
        return h + self.update(torch.cat([x, heard], -1))


class GraphEncoder(nn.Module):
    """Crystals -> numbers (B, outputs) that know nothing of the choice of primitive cell.

    What a crystal consists of and what its cell is like also have a straight way to the outputs.
    """

    def __init__(self, kinds: int, width: int, layers: int, outputs: int) -> None:
        super().__init__()
        self.kind = nn.Embedding(kinds, width)
        self.layers = nn.ModuleList(Convolution(width) for _ in range(layers))
        self.atom = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.SiLU())
        self.out = nn.Sequential(
            nn.Linear(2 * width + FACTS, 2 * width), nn.SiLU(), nn.Linear(2 * width, outputs)
        )
        self.straight = nn.Linear(width + FACTS, outputs, bias=False)

    def forward(self, g: Graphs) -> Tensor:
        """Mean over the atoms' last states, through one hidden layer; (B, outputs)."""
        here = g.here[..., None].to(g.shells.dtype)
        first = self.kind(g.kinds)
        h = first
        for layer in self.layers:
            h = layer(h, g)
        mean = lambda x: torch.cat([(x * here).sum(1) / here.sum(1), g.facts], 1)  # noqa: E731
        return self.out(mean(self.atom(h))) + self.straight(mean(first))
