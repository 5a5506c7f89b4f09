"""Materials Project structures, relaxed with CHGNet: competing phases for the hull.

The structures are read from a folder that is no part of GenBat (environment variable GENBAT_DATA),
Materials Project, CC BY 4.0. What ships is their list with formula and CHGNet's formation energy,
so that the hull is the same without them.
"""

from __future__ import annotations

import json
import tarfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from pymatgen.core import Composition

from genbat.core.logs import adding, read_rows
from genbat.domains.crystals.chgnet_batch import Cell, evaluator
from genbat.domains.crystals.labelling import SETTINGS, crystal_row, unpack
from genbat.domains.crystals.relax import relax
from genbat.domains.crystals.table import amounts, formation

ARCHIVE = "crystals/mp_3202_cifs.tar.xz"
MAX_ATOMS = 20
Progress = Callable[[float, str], None]


def read_cells(archive: Path) -> Iterator[tuple[str, Cell]]:
    """(name, cell) of every structure of at most MAX_ATOMS atoms in an archive of CIFs."""
    from pymatgen.core import Structure

    with tarfile.open(archive) as files:
        for member in files:
            source = files.extractfile(member) if member.name.endswith(".cif") else None
            if source is None:
                continue
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = Structure.from_str(source.read().decode(), fmt="cif")
            found = found.get_primitive_structure()
            if len(found) <= MAX_ATOMS and found.is_ordered:
                numbers = np.array(found.atomic_numbers, np.int64)
                lattice = np.array(found.lattice.matrix)
                yield Path(member.name).stem, Cell(numbers, found.cart_coords, lattice)


def relax_known(archive: Path, log: Path, progress: Progress | None = None) -> Path:
    """Relax all structures of an archive; rows go to a JSONL log, a stopped run goes on."""
    done = {row["name"] for row in read_rows(log)}
    todo = [(name, cell) for name, cell in read_cells(archive) if name not in done]
    with adding(log) as lines:
        for count, result in enumerate(relax(evaluator(), todo, SETTINGS), 1):
            row = {"name": result.key, **crystal_row(result)}
            lines.write(json.dumps(row, separators=(",", ":")) + "\n")
            lines.flush()
            if progress:
                progress(count / len(todo), f"{count} of {len(todo)} known phases relaxed")
    return log


def hull_entries(log: Path) -> pd.DataFrame:
    """The relaxed phases of a log: name (Materials Project number), formula, formation_ev by
    CHGNet in eV/atom."""
    found = []
    for row in read_rows(log):
        if not row["failed"]:
            counts = amounts(unpack(row))
            try:
                energy = formation(row["energy"], counts)
            except ValueError:  # an element without reference: radioactive ones and noble gases
                continue
            formula = Composition(counts).reduced_formula
            found.append({"name": row["name"], "formula": formula, "formation_ev": energy})
    columns = ["name", "formula", "formation_ev"]
    return pd.DataFrame(found, columns=columns).sort_values("name", ignore_index=True)


def as_entries(table: pd.DataFrame) -> list[tuple[dict[str, float], float]]:
    """(atoms of each element, formation energy in eV/atom) of such a table."""
    atoms = [{e: float(n) for e, n in Composition(f).as_dict().items()} for f in table["formula"]]
    return list(zip(atoms, table["formation_ev"].astype(float), strict=True))
