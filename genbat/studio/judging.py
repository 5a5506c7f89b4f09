"""CHGNet's judgement of many crystals, kept in a log so that a stopped run goes on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from genbat.domains.crystals import physics
from genbat.domains.crystals.build import start_worker
from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.labelling import pack, unpack
from genbat.domains.crystals.structure import to_text
from genbat.studio.keeping import Progress, Row, kept

CHUNK = 96  # crystals between two entries in the log: under a minute


@dataclass(frozen=True)
class Ruling:
    """What CHGNet said of a crystal.

    Attributes
    ----------
    failed : why it has no numbers, or "".
    cell : relaxed; None where it failed.
    values : property key -> number in the property's unit.
    group : space group of the relaxed crystal (spglib, 0.1 Å), 0 where it failed.
    moved : root mean square displacement of the atoms, Å.
    noise : seed of the start's noise, with which `judge_many([cell], seed=noise)` does it again.
    note : why there is no voltage, where that is known.
    """

    failed: str
    cell: Cell | None = None
    values: Mapping[str, float] = field(default_factory=dict)
    group: int = 0
    moved: float = float("nan")
    noise: int = 0
    note: str = ""

    def get(self, key: str) -> float:
        """A value, NaN where there is none."""
        return self.values.get(key, float("nan"))


def rule(
    cells: Sequence[Cell | None],
    log: Path | None = None,
    *,
    workers: int = 1,
    progress: Progress | None = None,
) -> list[Ruling]:
    """Rulings on crystals in their order; None stands for one that could not be written.

    Parameters
    ----------
    log : JSONL file of earlier rulings, by the crystal's text; new ones are added.
    workers : processes; 1 stays in this one.
    """
    keys = ["" if cell is None else key_of(cell) for cell in cells]
    known = {key: cell for key, cell in zip(keys, cells, strict=True) if cell is not None}
    rows = kept(
        log,
        known,
        partial(_in_turn, workers=workers),
        chunk=CHUNK,
        progress=progress,
        what="crystals judged by CHGNet",
    )
    lost = Ruling("cannot be written as a crystal")
    return [_ruling(rows[key]) if key else lost for key in keys]


def key_of(cell: Cell) -> str:
    """A crystal's name in the log, from its text."""
    return hashlib.sha256(to_text(cell).encode()).hexdigest()[:16]


def _in_turn(chunks: Sequence[Sequence[Cell]], workers: int) -> Iterator[list[Row]]:
    if workers == 1 or len(chunks) < 2:
        yield from map(_judged, chunks)
        return
    context = get_context("spawn")
    with ProcessPoolExecutor(workers, context, initializer=start_worker) as pool:
        try:
            yield from pool.map(_judged, chunks)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _judged(cells: Sequence[Cell]) -> list[Row]:
    found: dict[int, Row] = {}
    for k, judged in physics.judge_many(cells):
        if judged.cell is None:
            found[k] = {"failed": "; ".join(judged.verdict.reasons) or "not relaxed"}
        else:
            values = {key: m.value for key, m in (judged.properties or {}).items()}
            found[k] = {"failed": "", "group": judged.group, "moved": judged.moved, "noise": k,
                        "note": "; ".join(judged.notes), "values": values,
                        **pack(judged.cell)}  # fmt: skip
    return [found[k] for k in range(len(cells))]


def _ruling(row: Row) -> Ruling:
    if row["failed"]:
        return Ruling(row["failed"])
    values = {key: np.nan if v is None else float(v) for key, v in row["values"].items()}
    rest = int(row["group"]), float(row["moved"]), int(row["noise"]), row["note"]
    return Ruling("", unpack(row), values, *rest)
