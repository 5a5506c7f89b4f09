"""Symmetry in mattergen's sampler: the moulds of its training crystals, chosen and kept to.

A sample's symmetry is drawn first, as often as training crystals have it, and every step stays in
it: noise and scores act along the moves that the mould allows, atoms of an orbit share a type, and
the lattice that the network sees is averaged over the operations (after DiffCSP++, Jiao et al.,
ICLR 2024, arXiv 2402.03992). The network is told nothing of it: what it is shown has noise along
all other moves, too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn

from genbat.domains.crystals.codec import SIDES
from genbat.domains.crystals.moulds import Mould, packed, unpacked
from genbat.domains.crystals.wishes import Wishes
from genbat.systems.crystal_corpus import Corpus, LatticeScale

MOST = 1500  # the most frequent moulds of a training set are kept
KINDS = ("int16", "int16", "int16", "int16", "int8", "int16")
PARTS = ("groups", "sizes", "orders", "places", "turns", "shifts")


class Moulds(nn.Module):
    """Moulds with how often the training set has each, as buffers beside the weights.

    Parameters
    ----------
    counts : of moulds, of all their atoms, and of all their operations.
    """

    groups: Tensor
    places: Tensor
    turns: Tensor
    often: Tensor

    def __init__(self, counts: tuple[int, ...]) -> None:
        super().__init__()
        moulds, atoms, operations = counts
        shapes = [(moulds,), (moulds,), (moulds,), (atoms, 3), (operations, 3, 3), (operations, 3)]
        for name, kind, shape in zip(PARTS, KINDS, shapes, strict=True):
            self.register_buffer(name, torch.zeros(shape, dtype=getattr(torch, kind)))
        self.register_buffer("often", torch.zeros(moulds, dtype=torch.int32))

    @classmethod
    def of(cls, corpus: Corpus) -> Self:
        """Of a corpus' training crystals."""
        found: Counter[tuple] = Counter()
        first: dict[tuple, Mould] = {}
        for k in corpus.training_rows():
            if mould := Mould.of(corpus.cells[k]):
                found[mould.key] += 1
                first.setdefault(mould.key, mould)
        if not (kept := found.most_common(MOST)):
            return cls((0, 0, 0))
        parts = packed([first[key] for key, _ in kept])
        book = cls((len(kept), len(parts["places"]), len(parts["turns"])))
        for name, values in parts.items():
            getattr(book, name).copy_(torch.as_tensor(values))
        book.often.copy_(torch.tensor([count for _, count in kept]))
        return book

    @property
    def counts(self) -> tuple[int, int, int]:
        """What the constructor takes."""
        return len(self.groups), len(self.places), len(self.turns)

    @cached_property
    def all(self) -> list[Mould]:
        """The moulds, the most frequent first."""
        parts = {name: getattr(self, name).numpy() for name in PARTS}
        return unpacked(parts) if len(self.groups) else []

    def fitting(
        self,
        wishes: Wishes,
        frequency: Callable[[int], int],
        *,
        orbits: int = 1,
        symmetric: bool = True,
    ) -> list[tuple[Mould, float]]:
        """Moulds that the wishes allow, each with how often training crystals have it.

        Parameters
        ----------
        frequency : training crystals of a size; how often it is cast freely where no mould fits.
        orbits : how many a mould must have at the least.
        symmetric : False casts everything freely.

        Raises
        ------
        ValueError : no mould has the symmetry, or sites for the formula or the elements.
        """
        found = self._fitting(wishes, orbits) if symmetric else []
        if not found and (not symmetric or not wishes.groups or 1 in wishes.groups):
            found = _free(wishes, frequency, orbits)
        if not found:
            raise ValueError(
                "space_group, atoms, formula: no training crystal of this symmetry has sites for "
                "these atoms; ask for less"
            )
        return found

    def _fitting(self, wishes: Wishes, orbits: int) -> list[tuple[Mould, float]]:
        sizes = set(wishes.sizes())
        some = np.random.default_rng(0)
        return [
            (mould, often)
            for mould, often in zip(self.all, self.often.tolist(), strict=True)
            if mould.size in sizes
            and len(mould.orbits) >= orbits
            and (not wishes.groups or mould.group in wishes.groups)
            and (not wishes.formula or filled(mould, wishes, some))
        ]


def choose(
    fitting: Sequence[tuple[Mould, float]], n: int, wishes: Wishes, rng: np.random.Generator
) -> list[tuple[Mould, list[str] | None]]:
    """n of the moulds that fit, as frequent as in training, each with the elements of its atoms
    where a formula is asked for."""
    weight = np.array([often for _, often in fitting], float)
    picked = rng.choice(len(fitting), size=n, p=weight / weight.sum())
    return [(fitting[k][0], filled(fitting[k][0], wishes, rng)) for k in picked]


def _free(
    wishes: Wishes, frequency: Callable[[int], int], orbits: int
) -> list[tuple[Mould, float]]:
    """Moulds without symmetry of all legal sizes."""
    sizes = [size for size in wishes.sizes() if size >= orbits]
    return [(Mould.free(size), frequency(size) + 1e-9) for size in sizes]


def filled(mould: Mould, wishes: Wishes, rng: np.random.Generator) -> list[str] | None:
    """Elements of a mould's atoms that make up a formula, orbits filled in random order; None
    where its orbits cannot be filled so, or no formula is asked for."""
    if not wishes.formula:
        return None
    times = mould.size // sum(wishes.formula.values())
    left = {element: times * count for element, count in wishes.formula.items()}
    starts, sizes = np.unique(mould.first, return_counts=True)
    order = sorted(range(len(starts)), key=lambda k: (-sizes[k], rng.random()))
    chosen = _fill([int(sizes[k]) for k in order], left, rng, set())
    if chosen is None:
        return None
    of = {int(starts[k]): element for k, element in zip(order, chosen, strict=True)}
    return [of[int(k)] for k in mould.first]


def _fill(
    sizes: list[int], left: dict[str, int], rng: np.random.Generator, dead: set[tuple]
) -> list[str] | None:
    """An element for each orbit, so that all atoms are placed: depth first, with the dead ends that
    were met (orbits left, atoms left)."""
    if not sizes:
        return []
    here = len(sizes), tuple(left.values())
    for element in rng.permutation(sorted(left)) if here not in dead else []:
        if left[element] >= sizes[0]:
            after = left | {str(element): left[element] - sizes[0]}
            rest = _fill(sizes[1:], after, rng, dead)
            if rest is not None:
                return [str(element), *rest]
    dead.add(here)
    return None


class Cast:
    """Moulds of a batch, padded to N atoms: what the sampler may do with each crystal."""

    def __init__(self, moulds: Sequence[Mould], scale: LatticeScale) -> None:
        self.scale = scale
        self.sizes = torch.tensor([m.size for m in moulds])
        b, n = len(moulds), max(m.size for m in moulds)
        most = max(m.ways[0].shape[2] for m in moulds)
        self.places = torch.zeros(b, n, 3)
        self.first = torch.arange(n).repeat(b, 1)
        self.ways, self.shares = torch.zeros(b, n, 3, most), torch.ones(b, most)
        self.turns = torch.zeros(b, max(len(m.turns) for m in moulds), 3, 3, dtype=torch.float64)
        for k, mould in enumerate(moulds):
            columns, counts = mould.ways
            size, free = columns.shape[0], columns.shape[2]
            self.places[k, :size] = torch.as_tensor(mould.places)
            self.first[k, :size] = torch.as_tensor(mould.first)
            self.ways[k, :size, :, :free] = torch.as_tensor(columns)
            self.shares[k, :free] = torch.as_tensor(counts)
            self.turns[k, : len(mould.turns)] = torch.as_tensor(mould.turns)
        self.orders = torch.tensor([len(m.turns) for m in moulds])

    def start(self, generator: torch.Generator) -> Tensor:
        """Fractions (B, N, 3) anywhere in the moulds."""
        free = torch.rand(self.shares.shape, generator=generator) * self.shares.sqrt()
        return (self.places + self._along(free)) % 1.0

    def _along(self, amounts: Tensor) -> Tensor:
        return torch.einsum("bnim,bm->bni", self.ways, amounts)

    def moves(self, vectors: Tensor) -> Tensor:
        """The part of vectors (B, N, 3) that keeps the symmetry."""
        return self._along(torch.einsum("bnim,bni->bm", self.ways, vectors))

    def noise(self, generator: torch.Generator) -> Tensor:
        """Normal noise (B, N, 3) along the moves that keep the symmetry."""
        return self._along(torch.randn(self.shares.shape, generator=generator))

    def blur(self, generator: torch.Generator) -> Tensor:
        """Normal noise (B, N, 3) along all other moves: with it crystals in their moulds look to
        the network like those it was trained on, whose noise knows no symmetry."""
        noise = torch.randn(self.places.shape, generator=generator)
        return noise - self.moves(noise)

    def alike(self, values: Tensor) -> Tensor:
        """Values of atoms (B, N, ...) averaged over their orbits."""
        same = (self.first[:, :, None] == self.first[:, None]).to(values.dtype)
        return torch.einsum("bnk,bk...->bn...", same / same.sum(2, keepdim=True), values)

    def led(self, kinds: Tensor) -> Tensor:
        """Kinds (B, N) where each atom takes that of the first of its orbit."""
        return kinds.gather(1, self.first)

    @property
    def leads(self) -> Tensor:
        """Which atoms (B, N) are the first of their orbit."""
        return self.first == torch.arange(self.first.shape[1])

    def lattices(self, standard: Tensor) -> Tensor:
        """Lattices (B, 6) averaged over the operations, W^T G W of the metric G, with the volume
        they had: of unlike lattices the largest would otherwise win."""
        counts = self.sizes
        stretch = _matrices(self.scale.back(standard, counts).double())
        metric = torch.linalg.matrix_exp(2 * stretch)
        turned = self.turns.transpose(-1, -2) @ metric[:, None] @ self.turns
        mean = turned.sum(1) / self.orders[:, None, None]
        values, vectors = torch.linalg.eigh(mean)
        values = values * (torch.linalg.det(metric) / values.prod(1))[:, None] ** (1 / 3)
        log = vectors @ torch.diag_embed(values.log() / 2) @ vectors.transpose(-1, -2)
        sides = torch.stack([log[:, row, column] for row, column in SIDES], 1)
        return self.scale.standard(sides.float(), counts)


def _matrices(six: Tensor) -> Tensor:
    """Symmetric matrices (B, 3, 3) of their six numbers (B, 6)."""
    out = six.new_zeros(len(six), 3, 3)
    for k, (row, column) in enumerate(SIDES):
        out[:, row, column] = out[:, column, row] = six[:, k]
    return out
