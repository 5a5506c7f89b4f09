"""What `genbat train` needs to know of molecules: ours, the user's own, and how they are learnt."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from genbat.core import paths
from genbat.core.errors import InputProblem
from genbat.domains.molecules.codec import survives
from genbat.domains.molecules.reading import MAX_BYTES, Row, read_molecules
from genbat.domains.molecules.splits import assign_splits
from genbat.studio.training import Lesson, Material, Progress
from genbat.systems import chemvae_training
from genbat.systems.chemvae_targets import LOGARITHMIC, TARGETS

PRESETS = {"chemvae": chemvae_training.PRESETS}


def gather(data: Path | None) -> Material:
    """The shipped molecules, or those of a CSV with a column smiles."""
    table, problems = _shipped() if data is None else read_own(data)
    return Material(table, table["split"].tolist(), len(problems))


def learn(
    name: str,
    material: Material,
    folder: Path,
    *,
    preset: str,
    start: Path | None = None,
    minutes: float = math.inf,
    progress: Progress | None = None,
) -> Lesson:
    """Train chemvae; see `genbat.systems.chemvae_training.train`."""
    schedule = chemvae_training.PRESETS[preset]
    system = chemvae_training.train(
        material.examples,
        folder,
        schedule=schedule,
        sizes=chemvae_training.SIZES[preset],
        start=start,
        minutes=minutes,
        progress=progress,
    )
    return Lesson(system, schedule)


def _shipped() -> tuple[pd.DataFrame, list[InputProblem]]:
    from genbat.domains.molecules import data

    table = paths.ASSETS / data.TABLE
    if not table.exists():
        raise ValueError(f"data: {table} is missing; run genbat build molecules first")
    return data.load().table, []


# ---------------------------------------------------------------------- the user's own data
def read_own(path: Path) -> tuple[pd.DataFrame, list[InputProblem]]:
    """A user's molecules as a table to train on, and what was wrong with single rows.

    Property columns are named as TARGETS, units as in the names; empty cells are unknown. A
    molecule that stands twice counts once, known values averaged. The split is made as for the
    shipped data.

    Raises
    ------
    ValueError : nothing usable; names the file and the first bad line.
    """
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(f"{path.name}: at most {MAX_BYTES // 1_000_000} MB are read")
    rows, problems = read_molecules(path.read_bytes(), path.name)
    good = []
    for row in rows:
        try:
            good.append(_own_row(row))
        except ValueError as wrong:
            problems.append(InputProblem(path.name, row.line, str(wrong)))
    if not good:
        raise ValueError(f"{problems[0]} (and no good row in {path.name})")
    table = pd.DataFrame(good).groupby("smiles", as_index=False).mean()
    texts = table["smiles"].tolist()
    table["split"] = assign_splits(texts, [False] * len(texts))
    if not (table["split"] == "train").any():  # of very few molecules none may fall there
        table["split"] = "train"
    return table, sorted(problems, key=lambda p: p.line)


def _own_row(row: Row) -> dict[str, Any]:
    if not survives(row.text):
        raise ValueError(f"SMILES: {row.text!r} does not come back unchanged from SELFIES")
    return {"smiles": row.text, **{key: _number(row, key) for key in TARGETS}}


def _number(row: Row, key: str) -> float:
    text = row.cells.get(key, "").strip()
    if text.lower() in ("", "nan", "na", "n/a", "-"):
        return math.nan
    try:
        value = float(text)
    except ValueError:
        value = math.inf
    if not np.isfinite(value) or (key in LOGARITHMIC and value <= 0):
        legal = "a number above 0" if key in LOGARITHMIC else "a number"
        raise ValueError(f"{key}: got {text[:40]!r}; legal is {legal} or an empty cell")
    return value
