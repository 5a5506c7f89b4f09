"""What crystalgan starts from: binary compounds, and the union of two of them.

A binary has at most METALS atoms of its metal and ANIONS of hydrogen or oxygen. The union of A-X
and B-X holds the atoms of both in a cell as large as theirs together, with the shape between the
two; where B-X lies in it is random.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from pymatgen.core import Element
from torch import Tensor, nn

from genbat.domains.crystals import codec
from genbat.domains.crystals.chgnet_batch import Cell
from genbat.families.crystal_net import Crystals
from genbat.families.wrapped import wrap
from genbat.systems.crystal_corpus import LatticeScale

ANIONS_OF = {1: "H", 8: "O"}
# Elements that are no metal; boron, silicon and germanium count as metals beside H and O.
NONMETALS = frozenset({1, 6, 7, 8, 9, 15, 16, 17, 33, 34, 35, 52, 53})
METALS, ANIONS = 3, 5
SITES = 6  # of a binary
JITTER = 0.02  # of the cell: noise of each atom at the start


def ends_of(cell: Cell) -> tuple[int, int] | None:
    """Atomic numbers of metal and anion, where a crystal is a binary that can be used."""
    kinds, counts = np.unique(cell.numbers, return_counts=True)
    found = dict(zip(kinds.tolist(), counts.tolist(), strict=True))
    anion = next((z for z in ANIONS_OF if z in found), 0)
    if len(found) != 2 or not anion or len(cell.numbers) > SITES:
        return None
    (metal,) = set(found) - {anion}
    if metal in NONMETALS or found[metal] > METALS or found[anion] > ANIONS:
        return None
    return int(metal), anion


@dataclass(frozen=True)
class Pairs:
    """B unions of two binaries: the crystals themselves, whether each atom came from the second
    one (B, 2 SITES), its place in its own binary (B, 2 SITES, 3), and both binaries' standard
    lattices (B, 2, 6)."""

    union: Crystals
    second: Tensor
    homes: Tensor
    lattices: Tensor

    def __len__(self) -> int:
        return len(self.second)


class Stock(nn.Module):
    """The binaries that are known, kept with the weights."""

    kinds: Tensor
    fractions: Tensor
    stretches: Tensor

    def __init__(self, count: int) -> None:
        super().__init__()
        self.register_buffer("kinds", torch.zeros(count, SITES, dtype=torch.long))
        self.register_buffer("fractions", torch.zeros(count, SITES, 3))
        self.register_buffer("stretches", torch.zeros(count, 6))

    @classmethod
    def of(cls, cells: Sequence[Cell]) -> Stock:
        """Of binaries, metals first in each."""
        found = cls(len(cells))
        for k, cell in enumerate(cells):
            order = np.argsort(np.isin(cell.numbers, list(ANIONS_OF)), kind="stable")
            n = len(order)
            found.kinds[k, :n] = torch.as_tensor(cell.numbers[order])
            found.fractions[k, :n] = torch.as_tensor(codec.fractional(cell)[order]).float()
            found.stretches[k] = torch.as_tensor(codec.stretch_of(cell.lattice)).float()
        return found

    def __len__(self) -> int:
        return len(self.kinds)

    @property
    def metals(self) -> Tensor:
        """Metal of each binary (n,)."""
        return self.kinds[:, 0]

    @property
    def anions(self) -> Tensor:
        """Anion of each binary (n,)."""
        hold = [(self.kinds == z).any(1).long() * z for z in ANIONS_OF]
        return torch.stack(hold).sum(0)

    def by_metal(self) -> dict[int, dict[int, list[int]]]:
        """Anion -> metal -> rows of its binaries."""
        out: dict[int, dict[int, list[int]]] = {z: {} for z in ANIONS_OF}
        pairs = zip(self.anions.tolist(), self.metals.tolist(), strict=True)
        for row, (anion, metal) in enumerate(pairs):
            out[anion].setdefault(metal, []).append(row)
        return out

    def cell(self, row: int) -> Cell:
        """One binary as a crystal."""
        here = self.kinds[row] > 0
        lattice = codec.lattice_of(self.stretches[row].double().numpy())
        positions = self.fractions[row][here].double().numpy() % 1.0 @ lattice
        return Cell(self.kinds[row][here].numpy(), positions, lattice)

    def crystals(self, rows: Tensor, scale: LatticeScale) -> Crystals:
        """Binaries as a batch of crystals with standard lattices."""
        kinds = self.kinds[rows]
        sizes = (kinds > 0).sum(1)
        lattices = scale.standard(self.stretches[rows], sizes)
        return Crystals(kinds, self.fractions[rows], lattices, kinds > 0)


def pairs_of(
    one: Crystals,
    two: Crystals,
    generators: Sequence[torch.Generator],
    jitter: float = JITTER,
) -> Pairs:
    """Unions of binaries, each with its own random numbers: the second one shifted anywhere, all
    atoms off by `jitter` of the cell."""
    draws = [(torch.rand(3, generator=g), torch.randn(2 * SITES, 3, generator=g))
             for g in generators]  # fmt: skip
    shift, noise = (torch.stack(part) for part in zip(*draws, strict=True))
    second = torch.arange(2 * SITES).expand(len(one), -1) >= SITES
    homes = torch.cat([one.fractions, two.fractions], 1)
    places = homes + second[..., None] * shift[:, None] + jitter * noise
    lattices = torch.stack([one.lattices, two.lattices], 1)
    union = Crystals(
        torch.cat([one.kinds, two.kinds], 1), wrap(places), lattices.mean(1),
        torch.cat([one.here, two.here], 1),
    )  # fmt: skip
    return Pairs(union, second, homes, lattices)


def exchanged(pairs: Pairs) -> Pairs:
    """The same unions with the two binaries in exchanged roles."""
    swap = lambda x: torch.cat([x[:, SITES:], x[:, :SITES]], 1)  # noqa: E731
    x = pairs.union
    union = replace(x, kinds=swap(x.kinds), fractions=swap(x.fractions), here=swap(x.here))
    return Pairs(union, pairs.second, swap(pairs.homes), pairs.lattices.flip(1))


def number_of(symbol: str) -> int:
    """Atomic number of an element's symbol."""
    return int(Element(symbol).Z)
