"""Results that take long, kept in a log line by line, so that a stopped run goes on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from genbat.core.logs import adding, read_rows

Progress = Callable[[float, str], None]
Row = dict[str, Any]
T = TypeVar("T")


def kept(
    log: Path | None,
    items: Mapping[str, T],
    compute: Callable[[Sequence[Sequence[T]]], Iterable[Sequence[Row]]],
    *,
    chunk: int,
    progress: Progress | None = None,
    what: str = "done",
) -> dict[str, Row]:
    """Rows of items by key: from the log where they stand in it, else computed and added to it.

    Parameters
    ----------
    log : JSONL file, or None to keep nothing.
    compute : chunks of items -> for each chunk its rows, in order.
    what : the end of "96 of 1000 ...", for progress, which may raise to stop.
    """
    rows = {row["key"]: row for row in read_rows(log)} if log else {}
    names = [name for name in items if name not in rows]
    parts = [names[k : k + chunk] for k in range(0, len(names), chunk)]
    done = 0
    if progress and names:
        progress(0.0, f"0 of {len(names)} {what}")
    for part, found in zip(parts, compute([[items[n] for n in p] for p in parts]), strict=True):
        fresh = [{"key": name, **row} for name, row in zip(part, found, strict=True)]
        rows |= {row["key"]: row for row in fresh}
        if log:
            _append(log, fresh)
        done += len(part)
        if progress:
            progress(done / len(names), f"{done} of {len(names)} {what}")
    return {name: rows[name] for name in items}


def _append(log: Path, rows: Sequence[Row]) -> None:
    with adding(log) as lines:
        lines.writelines(json.dumps(row, separators=(",", ":")) + "\n" for row in rows)
