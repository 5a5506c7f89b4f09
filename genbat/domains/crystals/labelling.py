"""Labels of many crystals by CHGNet: relaxed from a noisy start, hosts emptied, r2SCAN beside.

One row a candidate, plain JSON, complete enough that every derived number (formation energy,
voltage, hull distance) is made from it later without another relaxation.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from genbat.domains.crystals.candidates import Start, build_cell
from genbat.domains.crystals.chgnet_batch import Cell, evaluator
from genbat.domains.crystals.chgnet_graph import find_bonds
from genbat.domains.crystals.hosts import without, working_ion
from genbat.domains.crystals.ions import covalent_radius
from genbat.domains.crystals.relax import Relaxed, Settings, perturbed, relax
from genbat.domains.crystals.symmetry import fractional, space_group_number

SETTINGS = Settings(fmax=0.03, steps=150, batch=24)
PATIENT = replace(SETTINGS, steps=400)
CLOSEST = 0.6  # shortest distance over the sum of covalent radii that is worth emptying a host for
EMPTY_NOISE = (0.01, 0.02)  # strain, Å

Row = dict[str, Any]
Key = TypeVar("Key", bound=Hashable)


def label_many(candidates: Sequence[Start]) -> list[Row]:
    """Rows of candidates, in their order; `failed` says why one has no numbers."""
    rows: dict[str, Row] = {c.name: {"name": c.name, "family": c.family} for c in candidates}
    starts = {}
    for one in candidates:
        try:
            cell = build_cell(one)
            starts[one.name] = cell if one.ideal else perturbed(cell, one.seed)
        except ValueError as wrong:
            rows[one.name]["failed"] = str(wrong)
    patient = {one.name for one in candidates if one.patient}
    relaxed: dict[str, Relaxed[str]] = {}
    for settings, names in (
        (SETTINGS, starts.keys() - patient),
        (PATIENT, starts.keys() & patient),
    ):
        todo = [(name, cell) for name, cell in starts.items() if name in names]
        relaxed |= {r.key: r for r in relax(evaluator(), todo, settings)}
    for name, result in relaxed.items():
        rows[name] |= crystal_row(result)
    good = {name: r.cell for name, r in relaxed.items() if not r.failed}
    second_opinion(rows, good, "")
    empty_hosts(rows, good, SETTINGS)
    return list(rows.values())


def crystal_row(result: Relaxed[Key]) -> Row:
    """What one relaxation found; lattice rows in Å, energy in eV/atom, moments in μB."""
    row: Row = {"failed": result.failed, "steps": result.steps}
    if result.failed or result.evaluation is None:
        return row
    return row | {
        **pack(result.cell),
        "energy": round(result.energy, 6),
        "fmax": round(result.fmax, 4),
        "magmoms": [round(float(m), 2) for m in result.evaluation.magmoms],
        "group": space_group_number(result.cell),
        "closest": round(closest(result.cell), 4),
    }


def pack(cell: Cell) -> Row:
    """A cell as plain lists: numbers, lattice rows (Å), fractional positions."""
    return {
        "numbers": [int(z) for z in cell.numbers],
        "lattice": np.round(cell.lattice, 6).tolist(),
        "positions": np.round(fractional(cell), 6).tolist(),
    }


def unpack(row: Row) -> Cell:
    """Inverse of `pack`."""
    lattice = np.array(row["lattice"], float)
    positions = np.array(row["positions"], float).reshape(-1, 3) @ lattice
    return Cell(np.array(row["numbers"], np.int64), positions, lattice)


def closest(cell: Cell) -> float:
    """Shortest distance of two atoms, in sums of their covalent radii (infinite beyond 6 Å)."""
    from pymatgen.core import Element

    radii = np.array([covalent_radius(Element.from_Z(int(z)).symbol) for z in cell.numbers])
    bonds = find_bonds(cell.positions, cell.lattice, 6.0)
    ratios = bonds.distance / (radii[bonds.center] + radii[bonds.other])
    return float(ratios.min(initial=np.inf))


def second_opinion(rows: dict[Key, Row], cells: dict[Key, Cell], prefix: str) -> None:
    """r2SCAN energy in eV/atom at the same geometry."""
    names = list(cells)
    for k in range(0, len(names), SETTINGS.batch):
        part = names[k : k + SETTINGS.batch]
        energies = evaluator("r2scan").energies([cells[name] for name in part])
        for name, energy in zip(part, energies, strict=True):
            rows[name][f"{prefix}r2scan"] = round(float(energy) / len(cells[name].numbers), 6)


def empty_hosts(rows: dict[Key, Row], cells: dict[Key, Cell], settings: Settings) -> None:
    """Take the working ion out of every host and relax what is left; rows gain `empty_...`."""
    starts = {}
    for name, cell in cells.items():
        ion = working_ion(cell)
        if ion and rows[name]["closest"] > CLOSEST:
            rows[name]["ion"] = ion
            starts[name] = perturbed(without(cell, ion), 0, *EMPTY_NOISE)
    good = {}
    for result in relax(evaluator(), starts.items(), settings):
        row = crystal_row(result)
        rows[result.key] |= {f"empty_{key}": value for key, value in row.items()}
        if not result.failed:
            good[result.key] = result.cell
    second_opinion(rows, good, "empty_")
