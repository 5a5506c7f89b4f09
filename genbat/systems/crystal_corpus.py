"""What the crystal systems are trained on: crystals as padded tensors, in batches of like sizes.

The embedded set is GenBat's own relaxed crystals; where the folder of data beside the project is
known (`paths.beside`), the Materials Project's structures of at most 20 atoms join the
training. A user's own file (CIF, POSCAR, extended XYZ, JSON, or a CSV with a column `cif`, as
Perov-5 and Carbon-24 are published) replaces both.
"""

from __future__ import annotations

import csv
import io
import lzma
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from genbat.core import paths
from genbat.domains.crystals import codec, data, known_phases
from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.splits import split_of
from genbat.domains.crystals.structure import from_text, primitive, reduced_formula
from genbat.domains.crystals.symmetry import space_group_number
from genbat.families.crystal_net import Crystals
from genbat.systems.base import Settings
from genbat.systems.crystal_cache import Arrays, cells_of_files, packed, unpacked
from genbat.systems.run import Schedule

MAX_ATOMS = 20
MASK = 0  # no element has this number
TARGETS = ("formation_ev", "hull_ev", "voltage_v")


@dataclass(frozen=True)
class Corpus:
    """Crystals with n atoms each, at most MAX_ATOMS.

    Attributes
    ----------
    cells : the crystals, primitive and reduced.
    stretches : their lattices (B, 6), see `genbat.domains.crystals.codec`.
    groups : space group numbers (B,), 0 unknown.
    values : TARGETS (B, 3), NaN where unknown.
    splits : "train", "calibration" or "test" of each.
    """

    cells: Sequence[Cell]
    stretches: np.ndarray
    groups: np.ndarray
    values: np.ndarray
    splits: Sequence[str]

    def __len__(self) -> int:
        return len(self.cells)

    def rows(self, split: str) -> list[int]:
        """Row numbers of a split."""
        return [k for k, own in enumerate(self.splits) if own == split]

    def training_rows(self) -> list[int]:
        """Rows of the split "train"; ValueError where there are none."""
        if not (rows := self.rows("train")):
            raise ValueError("corpus: has no crystal to train on")
        return rows

    def part(self, rows: list[int]) -> Corpus:
        """Some of the crystals."""
        cells, splits = [self.cells[k] for k in rows], [self.splits[k] for k in rows]
        return Corpus(cells, self.stretches[rows], self.groups[rows], self.values[rows], splits)

    @property
    def sizes(self) -> np.ndarray:
        """Atoms of each crystal (B,)."""
        return np.array([len(cell.numbers) for cell in self.cells])


def embedded() -> Corpus:
    """GenBat's own set, with the Materials Project's structures where they lie beside it; made
    once, see `crystal_cache`."""
    folder = paths.beside()
    files = [paths.ASSETS / data.TABLE, *([folder / known_phases.ARCHIVE] if folder else [])]
    kept = cells_of_files(files, lambda: _arrays(_embedded(folder)))
    return Corpus(
        unpacked(kept), kept["stretches"], kept["groups"], kept["values"], kept["splits"].tolist()
    )


def _arrays(corpus: Corpus) -> Arrays:
    return packed(corpus.cells) | {
        "stretches": corpus.stretches, "groups": corpus.groups, "values": corpus.values,
        "splits": np.array(corpus.splits),
    }  # fmt: skip


def _embedded(folder: Path | None) -> Corpus:
    known = data.load()
    kept = [k for k in range(len(known)) if len(known.table["numbers"][k]) <= MAX_ATOMS]
    own = [known.cell(k) for k in kept]
    table = known.table.iloc[kept]
    groups = table["group"].to_numpy("i8")
    values = table[list(TARGETS)].to_numpy("f8")
    splits = table["split"].astype(str).tolist()
    if folder is None:
        return make(own, groups, values, splits)
    theirs = [cell for _, cell in known_phases.read_cells(folder / known_phases.ARCHIVE)]
    nothing = np.full((len(theirs), len(TARGETS)), np.nan)
    return make(
        [*own, *theirs],
        np.concatenate([groups, np.zeros(len(theirs), int)]),
        np.concatenate([values, nothing]),
        [*splits, *(split_of(reduced_formula(cell)) for cell in theirs)],
    )


def make(
    cells: Sequence[Cell], groups: np.ndarray, values: np.ndarray, splits: Sequence[str]
) -> Corpus:
    """Corpus of crystals, each brought to its reduced primitive cell; groups of 0 are looked up."""
    small = [primitive(cell) for cell in cells]
    stretches = np.stack([codec.stretch_of(cell.lattice) for cell in small])
    found = [int(g) or space_group_number(c) for g, c in zip(groups, small, strict=True)]
    whole = Corpus(small, stretches, np.array(found), values, splits)
    return whole.part([k for k, n in enumerate(whole.sizes) if 1 <= n <= MAX_ATOMS])


def from_csv(path: Path) -> Corpus:
    """Crystals of a CSV with a column `cif`; the split is by composition. See `read_csv`."""
    cells = read_csv(path)
    nothing = np.full((len(cells), len(TARGETS)), np.nan)
    splits = [split_of(reduced_formula(cell)) for cell in cells]
    return make(cells, np.zeros(len(cells), int), nothing, splits)


def read_csv(path: Path) -> list[Cell]:
    """Crystals of a CSV with a column `cif`, .xz or not.

    Raises
    ------
    ValueError : no column `cif`, or a line whose CIF cannot be read, with its number.
    """
    raw = path.read_bytes()
    raw = lzma.decompress(raw) if path.suffix == ".xz" else raw
    lines = csv.DictReader(io.StringIO(raw.decode("utf-8")))
    if "cif" not in (lines.fieldnames or ()):
        raise ValueError(f"{path.name}: has no column cif; it has {lines.fieldnames}")
    cells = []
    for number, line in enumerate(lines, 2):
        try:
            cells.append(from_text(line["cif"]))
        except ValueError as wrong:
            raise ValueError(f"{path.name}, row {number}: {wrong}") from wrong
    if not cells:
        raise ValueError(f"{path.name}: has no row below its header")
    return cells


# ---------------------------------------------------------------------- tensors
@dataclass(frozen=True)
class LatticeScale(Settings):
    """Lattices <-> numbers of mean 0 and width 1: the size of a cell follows its atoms.

    The stretch's diagonal is log(edge); subtracted are log(n) / 3 and the mean of what remains.
    """

    mean: tuple[float, ...] = (0.0,) * 6
    width: tuple[float, ...] = (1.0,) * 6

    @classmethod
    def of(cls, stretches: np.ndarray, sizes: np.ndarray) -> LatticeScale:
        """Of lattices (B, 6) with so many atoms (B,); the three axes are treated alike."""
        free = stretches - _growth(torch.as_tensor(sizes)).numpy()
        edge, shear = free[:, :3], free[:, 3:]
        mean = (*[float(edge.mean())] * 3, 0.0, 0.0, 0.0)
        width = (*[max(float(edge.std()), 1e-3)] * 3, *[max(float(shear.std()), 1e-3)] * 3)
        return cls(mean, width)

    def standard(self, stretches: Tensor, sizes: Tensor) -> Tensor:
        """(B, 6) -> (B, 6)."""
        return (stretches - _growth(sizes) - torch.tensor(self.mean)) / torch.tensor(self.width)

    def back(self, standard: Tensor, sizes: Tensor) -> Tensor:
        """Inverse of `standard`."""
        return standard * torch.tensor(self.width) + torch.tensor(self.mean) + _growth(sizes)


def _growth(sizes: Tensor) -> Tensor:
    edge = torch.log(sizes.to(torch.float32))[:, None] / 3
    return torch.cat([edge.expand(-1, 3), torch.zeros(len(edge), 3)], 1)


def tensors(corpus: Corpus, rows: Sequence[int], scale: LatticeScale) -> Crystals:
    """Crystals of some rows, padded; kinds are atomic numbers, lattices standardised."""
    cells = [corpus.cells[k] for k in rows]
    most = max(len(cell.numbers) for cell in cells)
    kinds = torch.zeros(len(cells), most, dtype=torch.long)
    fractions = torch.zeros(len(cells), most, 3)
    here = torch.zeros(len(cells), most, dtype=torch.bool)
    for k, cell in enumerate(cells):
        n = len(cell.numbers)
        kinds[k, :n] = torch.as_tensor(cell.numbers)
        fractions[k, :n] = torch.as_tensor(codec.fractional(cell)).float()
        here[k, :n] = True
    lattices = scale.standard(torch.as_tensor(corpus.stretches[list(rows)]).float(), here.sum(1))
    return Crystals(kinds, fractions, lattices, here)


def cells_of(crystals: Crystals, scale: LatticeScale) -> list[Cell]:
    """Inverse of `tensors`."""
    stretches = scale.back(crystals.lattices, crystals.counts).double().numpy()
    out = []
    for k, stretch in enumerate(stretches):
        mine, lattice = crystals.here[k], codec.lattice_of(stretch)
        positions = crystals.fractions[k][mine].double().numpy() % 1.0 @ lattice
        out.append(Cell(crystals.kinds[k][mine].numpy(), positions, lattice))
    return out


def batches(corpus: Corpus, rows: Sequence[int], size: int, seed: str) -> Iterator[list[int]]:
    """One epoch's batches; crystals of like size share one, drawn from random pools of eight."""
    rng = random.Random(seed)
    order = list(rows)
    rng.shuffle(order)
    sizes, chunks = corpus.sizes, []
    for first in range(0, len(order), 8 * size):
        pool = sorted(order[first : first + 8 * size], key=lambda k: int(sizes[k]))
        chunks += [pool[k : k + size] for k in range(0, len(pool), size)]
    rng.shuffle(chunks)
    yield from chunks


def schedule_rows(corpus: Corpus, schedule: Schedule, first: int) -> Iterator[list[int]]:
    """Batches from step `first` to the schedule's end."""
    rows = corpus.training_rows()
    step = epoch = 0
    while step < schedule.steps:
        for batch in batches(corpus, rows, schedule.batch, f"{schedule.seed}:{epoch}"):
            if step >= schedule.steps:
                return
            if step >= first:
                yield batch
            step += 1
        epoch += 1
