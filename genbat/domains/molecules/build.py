"""`genbat build molecules`: label every known molecule with xTB, resumable, parallel over cores.

Results go line by line to a JSONL log, so a stopped build loses at most the molecules in flight;
the finished table is `assets/data/molecules.parquet`.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import pandas as pd
from rdkit import Chem

from genbat.core.errors import PhysicsFailed
from genbat.core.logs import adding, read_rows
from genbat.domains.molecules import descriptors, physics
from genbat.domains.molecules.sources import Source, all_sources
from genbat.domains.molecules.splits import assign_splits

LABEL_VERSION = "1"
CHUNK = 16
PENDING = "not labelled yet"
Progress = Callable[[float, str], None]


def label(smiles: str) -> dict[str, Any]:
    """Every label of one molecule; `failed` holds the reason where xTB gave none."""
    mol = Chem.MolFromSmiles(smiles)
    row: dict[str, Any] = {"smiles": smiles, **descriptors.describe(mol), "failed": ""}
    try:
        values, _ = physics.compute(mol)
        row.update(values)
    except PhysicsFailed as reason:
        row["failed"] = str(reason)
    return row


def _label_chunk(chunk: list[str]) -> list[dict[str, Any]]:
    return [label(smiles) for smiles in chunk]


def _one_thread() -> None:
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = "1"


def read_log(log: Path) -> dict[str, dict[str, Any]]:
    """Rows already in the log, by SMILES; a torn last line is dropped."""
    return {row["smiles"]: row for row in read_rows(log)}


def label_all(smiles: Iterable[str], *, workers: int) -> Iterator[dict[str, Any]]:
    """Labels of many molecules as they come, in no fixed order."""
    todo = list(smiles)
    chunks = [todo[k : k + CHUNK] for k in range(0, len(todo), CHUNK)]
    _one_thread()  # before the workers start: they inherit it
    with ProcessPoolExecutor(workers, initializer=_one_thread) as pool:
        for future in as_completed([pool.submit(_label_chunk, c) for c in chunks]):
            yield from future.result()


def build(out: Path, log: Path, *, workers: int = 2, progress: Progress | None = None) -> Path:
    """Label what is not labelled yet and write the table.

    Parameters
    ----------
    out : the parquet file; rows already in it are not computed again.
    log : JSONL log of finished rows, the checkpoint.
    """
    sources = all_sources()
    rows = {**_shipped_rows(out), **read_log(log)}
    todo = [s.smiles for s in sources if s.smiles not in rows]
    random.Random(0).shuffle(todo)  # a partial table is then a fair sample
    with adding(log) as lines:
        for done, row in enumerate(label_all(todo, workers=workers), 1):
            rows[row["smiles"]] = row
            lines.write(json.dumps(row) + "\n")
            lines.flush()
            if progress:
                progress(done / len(todo), f"{done} of {len(todo)} molecules labelled")
    write_table(sources, rows, out)
    return out


def _shipped_rows(out: Path) -> dict[str, dict[str, Any]]:
    if not out.exists():
        return {}
    table = pd.read_parquet(out)
    if table.attrs.get("label_version", LABEL_VERSION) != LABEL_VERSION:
        return {}
    columns = ["smiles", *label_columns(), "failed"]
    done = table[table["failed"] != PENDING]
    records: list[dict[str, Any]] = done[columns].to_dict("records")  # type: ignore[assignment]
    return {row["smiles"]: row for row in records}


def label_columns() -> list[str]:
    """Names of the numeric label columns, computed first."""
    return [
        *physics.COMPUTED,
        "sa_score",
        "logp",
        "mass_g_mol",
        "h_donors",
        "pfas",
        "hazards",
    ]


def _table_row(smiles: str, row: dict[str, Any] | None) -> dict[str, Any]:
    values = row or {"smiles": smiles, "failed": PENDING}
    return {**values, **descriptors.describe(Chem.MolFromSmiles(smiles))}


def write_table(sources: list[Source], rows: dict[str, dict[str, Any]], out: Path) -> None:
    """Join sources and labels, assign splits, write parquet with method and version.

    What RDKit reads off a structure is made anew, so that it follows the installed patterns.
    """
    table = pd.DataFrame([_table_row(s.smiles, rows.get(s.smiles)) for s in sources])
    for column in label_columns():
        table[column] = table.get(column, pd.Series(index=table.index, dtype=float)).astype("f4")
    table.insert(1, "cas", [s.cas for s in sources])
    table["named"] = [bool(s.role) for s in sources]
    table["split"] = assign_splits(table["smiles"].tolist(), table["named"].tolist())
    table = table.sort_values("smiles", ignore_index=True)
    table.attrs = {
        "label_version": LABEL_VERSION,
        "methods": {"orbitals": physics.GFN2, "ip": physics.IPEA1, "rest": descriptors.METHOD},
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    table.to_parquet(out, compression="zstd", index=False)
