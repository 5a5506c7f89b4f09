"""Energies of the elements, the zero of every formation energy, and of the metals behind voltages.

CHGNet's own: each element relaxed in the structures that elements like, the lowest kept. Made
once by `genbat build crystals:elements` and kept beside this file as `elements.csv`.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

import numpy as np
from pymatgen.core import Element

from genbat.domains.crystals.chgnet_batch import Cell, evaluator
from genbat.domains.crystals.chgnet_graph import Floats, find_bonds
from genbat.domains.crystals.ions import covalent_radius
from genbat.domains.crystals.relax import Settings, perturbed, relax

TABLE = "elements.csv"
COLUMNS = ("element", "prototype", "0.3.0", "r2scan")
# Structures of elements by AFLOW's labels; molecular ones for the elements that make molecules.
_METALLIC = (
    "A_cF4_225_a", "A_cI2_229_a", "A_hP2_194_c", "A_cF8_227_a", "A_cP1_221_a", "A_hR2_166_c",
    "A_hR1_166_a", "A_tI2_139_a", "A_tI4_141_a", "A_oC8_64_f", "A_hP4_194_ac", "A_oC4_63_c",
    "A_hP3_152_a", "A_hP4_194_bc", "A_cI16_220_c",
)  # fmt: skip
_MOLECULAR = ("A_mC4_12_i", "A_hR2_166_c", "A_oC8_64_f", "A_cP8_205_c", "A_tP4_136_f")
_MOLECULES = {"H": 0.75, "N": 1.11, "O": 1.23, "F": 1.42, "Cl": 2.0, "Br": 2.3, "I": 2.7}  # Å
_SCALES = (0.82, 0.88, 0.94, 1.0, 1.06, 1.12)  # of the covalent diameter
_OWN = {"B": ("A_hR12_166_2h",), "Mn": ("A_cP20_213_cd",)}
HEAVIEST = 83  # bismuth: what lies beyond is radioactive
SETTINGS = Settings(fmax=0.02, steps=200)
NOISE = (0.01, 0.02)  # strain, Å


@lru_cache
def elements() -> Mapping[str, Mapping[str, float]]:
    """Weights -> element -> energy in eV/atom."""
    text = (files("genbat.domains.crystals") / TABLE).read_text("utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    return {
        weights: {row["element"]: float(row[weights]) for row in rows}
        for weights in ("0.3.0", "r2scan")
    }


def element_energy(element: str, weights: str = "0.3.0") -> float:
    """Energy of an element in its own lowest structure, eV/atom.

    Raises
    ------
    ValueError : an element without reference, naming it.
    """
    known = elements()[weights]
    if element not in known:
        raise ValueError(
            f"element: no reference energy for {element}; legal are {', '.join(known)}"
        )
    return known[element]


def make_table(out: Path) -> Path:
    """Relax every element's structures and write the lowest (some minutes)."""
    with out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for name in used_elements():
            writer.writerow(_lowest(name))
            file.flush()
    return out


def _lowest(name: str) -> tuple[str, str, str, str]:
    """One row; r2SCAN relaxes what 0.3.0 found."""
    ends = [r for r in relax(evaluator(), _starts(name), SETTINGS) if not r.failed]
    ends.sort(key=lambda end: end.energy)
    again = [(end.key, end.cell) for end in ends[:8]]
    second = min(r.energy for r in relax(evaluator("r2scan"), again, SETTINGS) if not r.failed)
    return name, ends[0].key, f"{ends[0].energy:.5f}", f"{second:.5f}"


def used_elements() -> list[str]:
    """Every element up to bismuth but the noble gases, by atomic number."""
    noble = {"He", "Ne", "Ar", "Kr", "Xe"}
    found = [Element.from_Z(z).symbol for z in range(1, HEAVIEST + 1)]
    return [symbol for symbol in found if symbol not in noble]


def _starts(name: str) -> list[tuple[str, Cell]]:
    """Starts of one element: molecules; else every structure at its best scale. All with noise:
    the lowest structure need not be the lowest before it relaxes, nor keep its symmetry."""
    if name in _MOLECULES:
        return [(label, perturbed(_cell(label, name), 0, *NOISE)) for label in _MOLECULAR]
    scaled = [
        (label, _cell(label, name, scale))
        for label in (*_METALLIC, *_OWN.get(name, ()))
        for scale in _SCALES
    ]
    energies = evaluator().energies([cell for _, cell in scaled])
    energies /= np.array([len(cell.numbers) for _, cell in scaled])
    best = [int(row.argmin()) + len(_SCALES) * k for k, row in
            enumerate(energies.reshape(-1, len(_SCALES)))]  # fmt: skip
    return [(scaled[k][0], perturbed(scaled[k][1], 0, *NOISE)) for k in best]


@lru_cache
def _shapes() -> dict[str, tuple[Floats, Floats]]:
    """AFLOW label -> (lattice rows, fractional positions) of the one-element prototypes."""
    from pymatgen.analysis.prototypes import AFLOW_PROTOTYPE_LIBRARY

    shapes: dict[str, tuple[Floats, Floats]] = {}
    for entry in AFLOW_PROTOTYPE_LIBRARY:
        structure = entry["snl"].structure
        if len(structure.composition) == 1:
            small = structure.get_primitive_structure()
            shapes.setdefault(
                entry["tags"]["aflow"], (np.array(small.lattice.matrix), small.frac_coords)
            )
    return shapes


def _cell(label: str, name: str, swell: float = 1.0) -> Cell:
    lattice, positions = _shapes()[label]
    cell = Cell(np.full(len(positions), Element(name).Z, np.int64), positions @ lattice, lattice)
    nearest = find_bonds(cell.positions, lattice, 8.0).distance.min()
    wanted = _MOLECULES.get(name) or 2 * covalent_radius(name)
    scale = swell * wanted / nearest
    return Cell(cell.numbers, cell.positions * scale, lattice * scale)
