"""The shipped table of crystals: rows of the log -> labels, gates, duplicates, hull, split.

Structures are stored compactly: lattice parameters, and fractional positions as 16-bit steps (below
2e-4 Å, far inside the labels' noise).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pymatgen.core import Composition, Element, Lattice

from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.chgnet_graph import Floats
from genbat.domains.crystals.duplicates import Entry, find_duplicates
from genbat.domains.crystals.gates import average_voltage, capacity, crystal_reason, host_reason
from genbat.domains.crystals.hosts import symbols, without, working_ion
from genbat.domains.crystals.hull import Hull
from genbat.domains.crystals.labelling import unpack
from genbat.domains.crystals.references import element_energy
from genbat.domains.crystals.splits import split_of

LABEL_VERSION = "2"  # 1: the relaxer could stall
STEPS = 65536
NUMBERS = (
    "energy_ev", "formation_ev", "hull_ev", "r2scan_formation_ev", "volume_a3", "closest",
    "voltage_v", "voltage_r2scan_v", "capacity_mah_g", "swelling",
)  # fmt: skip
LISTS = ("numbers", "cell", "positions", "magmoms_cub", "empty_cell", "empty_positions")
TEXTS = ("family", "failed", "ion", "host_failed", "split")
DUPLICATE = "the same structure as another entry"
Row = dict[str, Any]
Progress = Callable[[float, str], None]


def table_row(row: Row) -> Row:
    """Labels of one row of the log; `failed` says why there are none."""
    out: Row = {"name": row["name"], "family": row["family"], "failed": row["failed"], "ion": "",
                "host_failed": "", "formula": "", "group": 0}  # fmt: skip
    if row["failed"]:
        return out
    cell = unpack(row)
    counts = amounts(cell)
    n = len(cell.numbers)
    out |= {
        "formula": Composition(counts).reduced_formula,
        "group": row["group"],
        "energy_ev": row["energy"],
        "formation_ev": formation(row["energy"], counts),
        "r2scan_formation_ev": formation(row["r2scan"], counts, "r2scan"),
        "volume_a3": volume(cell) / n,
        "closest": row["closest"],
        "magmoms_cub": [round(100 * m) for m in row["magmoms"]],
        **packed(cell, ""),
    }
    out["failed"] = crystal_reason(out["closest"], out["formation_ev"], out["volume_a3"])
    return out | (host_labels(row, cell) if not out["failed"] else {})


def host_labels(row: Row, cell: Cell) -> Row:
    """Voltage (CHGNet 0.3.0 and r2SCAN at its geometries), capacity and volume change of a host."""
    ion = working_ion(cell)
    if not ion or "empty_failed" not in row:
        return {"ion": ""}
    if row["empty_failed"]:
        return {"ion": ion, "host_failed": f"emptied, {row['empty_failed']}"}
    empty = unpack({key: row[f"empty_{key}"] for key in ("numbers", "lattice", "positions")})
    n, m = len(cell.numbers), len(empty.numbers)
    voltage, second = (
        average_voltage(row[key] * n, row[f"empty_{key}"] * m, element_energy(ion, weights), n - m)
        for key, weights in (("energy", "0.3.0"), ("r2scan", "r2scan"))
    )
    swelling = volume(empty) / volume(cell) - 1
    reason = host_reason(voltage, swelling, row["empty_closest"])
    labels: Row = {"ion": ion, "host_failed": reason}
    if reason:
        return labels
    mass = sum(float(Element.from_Z(int(z)).atomic_mass) for z in cell.numbers)
    return labels | {
        "voltage_v": voltage,
        "voltage_r2scan_v": second,
        "capacity_mah_g": capacity(n - m, mass),
        "swelling": swelling,
        **packed(empty, "empty_"),
    }


def formation(energy: float, counts: Mapping[str, float], weights: str = "0.3.0") -> float:
    """Formation energy from the elements, eV/atom; `energy` in eV/atom."""
    total = sum(counts.values())
    return energy - sum(n * element_energy(e, weights) for e, n in counts.items()) / total


def amounts(cell: Cell) -> dict[str, float]:
    """Element -> number of atoms."""
    names = symbols(cell)
    return {name: float(names.count(name)) for name in sorted(set(names))}


def volume(cell: Cell) -> float:
    """Volume of the cell, Å³."""
    return float(abs(np.linalg.det(cell.lattice)))


# ---------------------------------------------------------------------- structures as columns
def packed(cell: Cell, prefix: str) -> Row:
    """Columns of a structure: numbers, (a, b, c, alpha, beta, gamma), positions in 16-bit steps."""
    parameters = Lattice(cell.lattice).parameters
    inverse = np.linalg.inv(cell.lattice)
    steps = np.round((cell.positions @ inverse) * STEPS).astype(int) % STEPS
    row: Row = {
        f"{prefix}cell": np.array(parameters, "f4"),
        f"{prefix}positions": steps.astype("u2").ravel(),
    }
    return row if prefix else row | {"numbers": cell.numbers.astype("u1")}


def unpacked(parameters: Sequence[float], positions: Sequence[int], numbers: Sequence[int]) -> Cell:
    """Inverse of `packed`."""
    lattice: Floats = np.array(Lattice.from_parameters(*(float(x) for x in parameters)).matrix)
    fractions = np.asarray(positions, float).reshape(-1, 3) / STEPS
    return Cell(np.asarray(numbers, np.int64), fractions @ lattice, lattice)


# ---------------------------------------------------------------------- the whole table
def make_table(
    rows: Mapping[str, Row],
    out: Path,
    *,
    known: pd.DataFrame | None = None,
    others: Sequence[tuple[dict[str, float], float]] = (),
    progress: Progress | None = None,
) -> Path:
    """Write the table of all rows of a log.

    Parameters
    ----------
    known : an older table; its rows stay where the log says nothing newer.
    others : (atoms of each element, formation energy in eV/atom) of further hull entries.
    """
    say = progress or (lambda fraction, text: None)
    say(0.0, "gates and labels")
    table = pd.DataFrame([table_row(rows[name]) for name in rows])
    if known is not None:
        older = known[~known["name"].isin(rows)].astype(dict.fromkeys(TEXTS, object))
        table = pd.concat([older.drop(columns=["hull_ev", "split"]), table], ignore_index=True)
    table = table.sort_values("name", ignore_index=True)
    say(0.2, "looking for duplicates")
    mark_duplicates(table)
    say(0.6, "distances to the hull")
    add_hull(table, others)
    table["split"] = [split_of(f) if f else "" for f in table["formula"]]
    for column in NUMBERS:
        table[column] = table.get(column, pd.Series(index=table.index, dtype=float)).astype("f4")
    for column in TEXTS:
        table[column] = table[column].fillna("").astype("category")
    table.loc[table["failed"] != "", [*LISTS, *NUMBERS]] = None
    table["group"] = table["group"].astype("i2")
    table.attrs = {"label_version": LABEL_VERSION, "hull_entries_from_elsewhere": len(others)}
    partial = out.with_suffix(".part")
    out.parent.mkdir(parents=True, exist_ok=True)
    table.to_parquet(partial, compression="zstd", index=False)
    partial.replace(out)
    return out


def mark_duplicates(table: pd.DataFrame) -> None:
    """`failed` becomes DUPLICATE for repeated structures; ideal starts yield to noisy ones."""
    rows: list[Row] = table[table["failed"] == ""].reset_index().to_dict("records")  # type: ignore[assignment]
    rows.sort(key=lambda row: (row["name"].endswith("|ideal"), row["name"]))
    entries = [
        Entry(
            row["formula"],
            row["energy_ev"],
            row["volume_a3"],
            unpacked(row["cell"], row["positions"], row["numbers"]),
        )
        for row in rows
    ]
    table.loc[[rows[k]["index"] for k in find_duplicates(entries)], "failed"] = DUPLICATE


def add_hull(table: pd.DataFrame, others: Sequence[tuple[dict[str, float], float]]) -> None:
    """Column `hull_ev`: distance to the hull of the table's entries, `others` and the elements."""
    hull = Hull()
    for counts, energy in others:
        hull.add(counts, energy)
    good = table["failed"] == ""
    formulas: list[str] = table.loc[good, "formula"].tolist()
    energies = table.loc[good, "formation_ev"].astype(float).to_numpy()
    atoms = {f: {e: float(n) for e, n in Composition(f).as_dict().items()} for f in set(formulas)}
    for formula, value in zip(formulas, energies, strict=True):
        hull.add(atoms[formula], float(value))
    floor = {formula: hull.energy(counts) for formula, counts in atoms.items()}
    table["hull_ev"] = float("nan")
    above = energies - np.array([floor[f] for f in formulas])
    table.loc[good, "hull_ev"] = np.where(above < 1e-6, 0.0, above)  # the solver's last digits


def emptied(cell: Cell, ion: str) -> list[int]:
    """Atomic numbers left when a host gives up its working ion."""
    return [int(z) for z in without(cell, ion).numbers]
