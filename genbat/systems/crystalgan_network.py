"""The networks of crystalgan, what the critics see, and the geometric constraint.

See `genbat.systems.crystalgan` for what is the paper's and what was changed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import product

import torch
from pymatgen.core import Element
from torch import Tensor, nn
from torch.nn import functional as F

from genbat.domains.crystals.codec import SIDES
from genbat.domains.crystals.contacts import Limits
from genbat.domains.crystals.ions import covalent_radius
from genbat.domains.crystals.structure import HEAVIEST, NOBLE
from genbat.families.crystal_net import CrystalNet, Crystals, centred
from genbat.families.wrapped import shortest, wrap
from genbat.systems.base import Settings
from genbat.systems.crystal_corpus import LatticeScale
from genbat.systems.crystalgan_pairs import ANIONS_OF, Pairs, Stock

KINDS = HEAVIEST + 1
TIME = 0.3  # the noise whose width CrystalNet's waves are dimmed by: a fiftieth of the cell
MOVE, STRAIN = 0.1, 0.3  # what a unit of the network moves atoms (of the cell) and lattices by
PASSES = 3  # of the second generator: each sees what the one before has made
CENTRES = tuple(0.5 + 0.125 * k for k in range(17))  # sums of covalent radii
LEAST, MOST = 0.5, 4.0  # Å: atoms nearer push as at the first, and fade towards the second
SEEN = 2 * len(CENTRES) + 5  # numbers that a critic sees of an atom
KEPT = 0.01  # misfit at which a crystal is half way to keeping the limits
MARGIN = 0.05  # by which the networks are held inside the limits


@dataclass(frozen=True)
class Config(Settings):
    """Sizes, the scale of lattices, how many binaries are known, and the legal contacts of hydrides
    and of oxides: `Limits`' numbers, none where there was nothing to learn them from."""

    scale: LatticeScale = field(default_factory=LatticeScale)
    binaries: int = 0
    hydrides: tuple[float, ...] = ()
    oxides: tuple[float, ...] = ()
    width: int = 64
    layers: int = 3
    frequencies: int = 6
    critic: int = 128
    steps_trained: int = 0

    def limits(self, anion: int) -> Limits | None:
        """Legal contacts of an anion's compounds."""
        numbers = {"H": self.hydrides, "O": self.oxides}[ANIONS_OF[anion]]
        return Limits(*numbers) if numbers else None


class Push(nn.Module):
    """Moves atoms along the lines to their neighbours, by distance and by what both are.

    The waves of `CrystalNet` know where in the cell an atom lies, but no distance in Å.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.scale, width = config.scale, config.width // 2
        self.here, self.there = (nn.Linear(config.width, width, bias=False) for _ in range(2))
        self.far = nn.Linear(len(CENTRES), width)
        self.out = nn.Linear(width, 1)
        nn.init.normal_(self.out.weight, std=0.01)
        nn.init.zeros_(self.out.bias)

    def forward(self, x: Crystals, states: Tensor) -> Tensor:
        """How far each atom moves, as fractions of the cell (B, N, 3).

        Parameters
        ----------
        states : what is known of each atom (B, N, width).
        """
        steps, angstroms = lines(x, self.scale)
        ratio = _in_radii(x, angstroms)
        crystal, own, other, _ = near = ((angstroms < MOST) & ratio.isfinite()).nonzero(
            as_tuple=True
        )
        mixed = self.far(gaussians(ratio[near]))
        mixed = mixed + self.here(states)[crystal, own] + self.there(states)[crystal, other]
        away = angstroms[near][:, None]
        fade = (1 - (away / MOST) ** 2) ** 2 / away.clamp(min=LEAST)
        each = self.out(F.silu(mixed)) * fade * steps[near]
        moves = torch.zeros_like(x.fractions)
        return moves.index_put((crystal, own), each, accumulate=True)


class Mover(nn.Module):
    """Moves the atoms and the cell of a union."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.net = CrystalNet(KINDS, config.width, config.layers, config.frequencies)
        self.push = Push(config)
        for name, value in self.net.named_parameters():  # nothing moves much at the beginning
            if name.startswith("to_lattices.2") or ".amplitude." in name:
                nn.init.normal_(value, std=0.01)

    def forward(self, x: Crystals) -> Crystals:
        """The same atoms elsewhere, in a cell that may have changed."""
        guess = self.net(x, torch.full((len(x),), TIME))
        places = wrap(x.fractions + MOVE * guess.fractions + self.push(x, guess.states))
        return replace(x, fractions=places, lattices=x.lattices + STRAIN * guess.lattices)


class Back(nn.Module):
    """Finds in a ternary both binaries that it came from: the reconstruction."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.net = CrystalNet(KINDS, config.width, config.layers, config.frequencies)
        self.cell = nn.Linear(config.width, 6)

    def forward(self, x: Crystals, pairs: Pairs) -> tuple[Tensor, Tensor]:
        """Places of the atoms in their own binaries (B, N, 3), up to a shift of each, and both
        standard lattices (B, 2, 6)."""
        guess = self.net(x, torch.full((len(x),), TIME))
        halves = [h[..., None] for h in halves_of(pairs)]
        means = [(guess.states * h).sum(1) / h.sum(1) for h in halves]
        moved = x.fractions + MOVE * guess.fractions
        return moved, x.lattices[:, None] + torch.stack([self.cell(m) for m in means], 1)


class Generator(nn.Module):
    """Both steps, and the binaries they begin with."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.stock = Stock(config.binaries)
        self.first, self.second = Mover(config), Mover(config)
        self.backs = nn.ModuleList([Back(config), Back(config)])

    def pseudo(self, x: Crystals) -> Crystals:
        """The first step: the pseudo-binary that carries both binaries' features."""
        return self.first(x)

    def ternary(self, pseudo: Crystals) -> Crystals:
        """The second step."""
        x = pseudo
        for _ in range(PASSES):
            x = self.second(x)
        return x

    def forward(self, x: Crystals) -> Crystals:
        """Both steps."""
        return self.ternary(self.pseudo(x))


class Critic(nn.Module):
    """Tells an atom's surroundings in a ternary from those in a binary of its own."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.own = nn.Sequential(nn.Linear(SEEN, width), nn.SiLU(), nn.Linear(width, width))
        self.out = nn.Sequential(nn.SiLU(), nn.Linear(2 * width, width), nn.SiLU(),
                                 nn.Linear(width, 1))  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        """What is seen of each atom (B, N, SEEN), the last number 1 where there is one -> scores
        (B, N), 0 where there is none."""
        here = x[..., -1:]
        h = self.own(x) * here
        mean = h.sum(1, keepdim=True) / here.sum(1, keepdim=True).clamp(min=1.0)
        return (self.out(torch.cat([h, mean.expand_as(h)], -1)) * here)[..., 0]


# ---------------------------------------------------------------------- geometry
def halves_of(pairs: Pairs) -> tuple[Tensor, Tensor]:
    """Masks (B, N) of the atoms that came from the first and from the second binary."""
    here = pairs.union.here
    return here & ~pairs.second, here & pairs.second


def _of_elements(value: Callable[[str], float]) -> Tensor:
    """A number of each kind of atom (KINDS,); 1 for no atom."""
    symbols = (Element.from_Z(z).symbol for z in range(1, KINDS))
    return torch.tensor([1.0, *(value(name) for name in symbols)])


RADII = _of_elements(covalent_radius)  # Å
_PULL = _of_elements(lambda name: 0.0 if name in NOBLE else float(Element(name).X))
_IMAGES = torch.tensor(list(product((-1.0, 0.0, 1.0), repeat=3)))


def lattices_of(x: Crystals, scale: LatticeScale) -> Tensor:
    """Lattices (B, 3, 3) in Å, rows, of standard ones; see `codec.lattice_of`."""
    stretch = scale.back(x.lattices, x.counts)
    symmetric = stretch.new_zeros(len(stretch), 3, 3)
    for k, (row, column) in enumerate(SIDES):
        symmetric[:, row, column] = symmetric[:, column, row] = stretch[:, k]
    return torch.linalg.matrix_exp(symmetric)


def lines(x: Crystals, scale: LatticeScale) -> tuple[Tensor, Tensor]:
    """From every atom to every atom's 27 images: steps as fractions of the cell (B, N, N, 27, 3)
    and their lengths in Å (B, N, N, 27)."""
    away = shortest(x.fractions[:, None] - x.fractions[:, :, None])
    steps = away[..., None, :] + _IMAGES
    squares = (steps @ lattices_of(x, scale)[:, None, None]).square().sum(-1)
    return steps, squares.clamp(min=1e-6).sqrt()


def ratios(x: Crystals, scale: LatticeScale) -> Tensor:
    """Distances of every two atoms and 27 images (B, N, N, 27) in sums of covalent radii, infinite
    for an atom itself and where there is none."""
    return _in_radii(x, lines(x, scale)[1])


def _in_radii(x: Crystals, angstroms: Tensor) -> Tensor:
    own = torch.eye(angstroms.shape[1], dtype=torch.bool)[..., None] & (_IMAGES == 0).all(-1)
    both = (x.here[:, None] & x.here[:, :, None])[..., None] & ~own
    sums = RADII[x.kinds][:, None] + RADII[x.kinds][:, :, None]
    return torch.where(both, angstroms / sums[..., None], torch.inf)


def gaussians(ratio: Tensor) -> Tensor:
    """Nearness of distances (…) in sums of covalent radii to each of CENTRES (…, centres)."""
    width = CENTRES[1] - CENTRES[0]
    return torch.exp(-((ratio[..., None] - torch.tensor(CENTRES)) ** 2) / (2 * width**2))


def is_anion(x: Crystals) -> Tensor:
    """Which atoms (B, N) are hydrogen or oxygen."""
    return torch.isin(x.kinds, torch.tensor(list(ANIONS_OF)))


def surroundings(x: Crystals, scale: LatticeScale) -> Tensor:
    """What a critic sees of each atom (B, N, SEEN): how many metals and how many anions there are
    at each of CENTRES, as logarithms; the atom's radius, electronegativity, whether it is an anion,
    the crystal's volume, and 1; all 0 where there is no atom."""
    near = gaussians(ratios(x, scale))
    each, anion = near.sum(3), is_anion(x)  # (B, N, N, centres)
    counts = [(each * kind[:, None, :, None]).sum(2) for kind in (~anion, anion)]
    own = torch.stack(
        [RADII[x.kinds], _PULL[x.kinds] / 2, anion.float(),
         x.lattices[:, :3].mean(1, keepdim=True).expand(-1, anion.shape[1]) / 2,
         torch.ones(anion.shape)], -1,
    )  # fmt: skip
    return torch.cat([*(c.log1p() for c in counts), own], -1) * x.here[..., None]


def misfit(x: Crystals, scale: LatticeScale, limits: Tensor) -> Tensor:
    """How far a crystal breaks the limits (B,): squares of what is missing, summed over atoms and
    contacts; 0 where it keeps them with MARGIN.

    Parameters
    ----------
    limits : low, high, metals and anions of `Limits` (B, 4).
    """
    found, anion = ratios(x, scale), is_anion(x)
    unlike = (anion[:, None] != anion[:, :, None])[..., None]
    low, high, metals, anions = (part.view(-1, 1) for part in limits.unbind(1))
    nearest = torch.where(unlike, found, torch.inf).amin((2, 3))
    nearest = torch.where(x.here, nearest, (low + high) / 2).clamp(max=6.0)
    partner = F.relu(low + MARGIN - nearest).square() + F.relu(nearest - high + MARGIN).square()
    least = torch.where(anion, anions, metals)[:, :, None, None] + MARGIN
    like = torch.where(unlike, torch.inf, found)
    crowd = F.relu(least - like).square().sum((2, 3)) / 2
    return (partner + crowd).sum(1)


def constraint(misfits: Tensor) -> Tensor:
    """The constraint's loss of crystals' misfits (B,): steep where little is missing, so that it
    counts how many crystals keep the limits and not how badly the worst break them."""
    return torch.log1p(misfits / KEPT).mean()


def rebuilt(made: tuple[Tensor, Tensor], pairs: Pairs) -> Tensor:
    """Mean squared error of both binaries' atoms, shifted to agree, in tenths of their cells, and
    of their lattices."""
    moved, lattices = made
    total = ((lattices - pairs.lattices) ** 2).mean()
    for half in halves_of(pairs):
        away = shortest(moved - pairs.homes)
        # The shift is the mean direction on the circle of each coordinate.
        turn = torch.polar(torch.ones_like(away), 2 * torch.pi * away) * half[..., None]
        shift = turn.sum(1, keepdim=True).angle() / (2 * torch.pi)
        left = centred(shortest(away - shift), half) / MOVE
        total = total + left.square().sum() / (3 * half.sum())
    return total
