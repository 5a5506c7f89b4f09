"""Physics on many molecules: a user's file, a library, a search's finds."""

from __future__ import annotations

import csv
import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

from genbat.core.errors import InputProblem
from genbat.domains.molecules import build, descriptors, physics
from genbat.domains.molecules.reading import ENDINGS, MAX_BYTES, Row, read_molecules
from genbat.studio.exports import safe_cell

Progress = Callable[[float, str], None]
CHUNK = 4
LOST = "the calculation ended without a result"
COLUMNS = ("line", "name", "smiles", *build.label_columns(), "failed", "methods")
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def label_file(
    path: Path, out: Path, progress: Progress | None = None, order: bool = False
) -> list[InputProblem]:
    """Physics on a user's file: of molecules as below, of crystals (any other ending) as
    `genbat.studio.labelling_crystals.label_file`, which also takes `order`.

    xTB and RDKit values of every molecule in a user's file, written as CSV; ~0.3 s a molecule.

    The table has one row a row of the file, in its order, units in the column names
    (`lumo_ev`, `dipole_d`); rows that could not be read stand in it with the reason in `failed`.

    Returns
    -------
    What was wrong with single rows.

    Raises
    ------
    ValueError : the file cannot be used at all, or none of its rows; names file and line.
    """
    if path.suffix.lower() not in ENDINGS:
        from genbat.studio import labelling_crystals

        return labelling_crystals.label_file(path, out, order=order, progress=progress)
    if out.suffix.lower() != ".csv":
        raise ValueError(f"out: got {out.name!r}; molecules are written as .csv")
    if out.exists() and out.samefile(path):
        raise ValueError(f"out: got the input file {path.name} itself; name another one")
    if path.stat().st_size > MAX_BYTES:  # asked before it is read into memory
        raise ValueError(f"{path.name}: at most {MAX_BYTES // 1_000_000} MB are read")
    rows, problems = read_molecules(path.read_bytes(), path.name)
    if not rows:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise ValueError(f"{problems[0]}{more}")
    found = label_many([row.text for row in rows], progress=progress)
    _write(out, rows, problems, found)
    return problems


def label_many(
    texts: Iterable[str],
    *,
    workers: int = 0,
    progress: Progress | None = None,
) -> dict[str, dict[str, Any]]:
    """Label rows (see `genbat.domains.molecules.build.label`) of normal-form SMILES, by SMILES."""
    todo = list(dict.fromkeys(texts))
    found = {}
    for row in label_stream(todo, workers=workers):
        found[row["smiles"]] = row
        if progress:
            progress(len(found) / len(todo), f"{len(found)} of {len(todo)} molecules labelled")
    return found


def label_stream(texts: Sequence[str], *, workers: int = 0) -> Iterator[dict[str, Any]]:
    """Label rows as they come, computed by `workers` processes (0: one a core).

    A molecule that brings its process down is tried once more alone; closing the iterator stops
    the processes after the molecules in flight.
    """
    chunks = [list(texts[k : k + CHUNK]) for k in range(0, len(texts), CHUNK)]
    workers = min(workers or os.cpu_count() or 1, max(1, len(chunks)))
    lost: list[str] = []
    yield from _pooled(chunks, workers, lost)
    for text in lost:
        again: list[str] = []
        yield from _pooled([[text]], 1, again)
        if again:
            yield _empty(text, LOST)


def _pooled(chunks: list[list[str]], workers: int, lost: list[str]) -> Iterator[dict[str, Any]]:
    # Fresh processes: forked ones would inherit torch's threads in an unusable state.
    for name in _THREADS:
        os.environ[name] = "1"
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"))
    futures = {pool.submit(_label_chunk, chunk): chunk for chunk in chunks}
    try:
        for future in as_completed(futures):
            try:
                yield from future.result()
            except BrokenProcessPool:
                lost += futures[future]
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _label_chunk(chunk: list[str]) -> list[dict[str, Any]]:
    return [_label(text) for text in chunk]


def _label(text: str) -> dict[str, Any]:
    try:
        return build.label(text)
    except Exception as error:  # whatever a molecule does, the others are still labelled
        return _empty(text, str(error).strip()[:200] or type(error).__name__)


def _empty(text: str, reason: str) -> dict[str, Any]:
    return {"smiles": text, "failed": reason}


def methods_text() -> str:
    """Which method gave which columns, in one line."""
    orbitals = ", ".join(key for key in physics.COMPUTED if key != "vip_ev")
    return f"{orbitals}: {physics.GFN2}; vip_ev: {physics.IPEA1}; rest: {descriptors.METHOD}"


def _write(
    out: Path,
    rows: Sequence[Row],
    problems: Sequence[InputProblem],
    found: dict[str, dict[str, Any]],
) -> None:
    lines: list[dict[str, Any]] = [{"line": p.line, "failed": p.message} for p in problems]
    for row in rows:
        lines.append({**found[row.text], "line": row.line, "name": row.name})
    partial = out.with_name(out.name + ".part")
    with partial.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, COLUMNS, lineterminator="\n", restval="")
        table.writeheader()
        for line in sorted(lines, key=lambda line: line["line"]):
            line["methods"] = methods_text() if "lumo_ev" in line else ""
            table.writerow({key: _cell(value) for key, value in line.items()})
    partial.replace(out)


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return safe_cell(value)
    return round(value, 5) if isinstance(value, float) else value
