"""`genbat build crystals`: relax and label every candidate, resumable, one process a core.

Rows go to a JSONL log as each chunk ends (under a minute), so a stopped build loses little; the
shipped table is made from the log at any time.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from genbat.core.logs import adding, read_rows
from genbat.domains.crystals.candidates import Start, all_candidates

CHUNK = 96
Progress = Callable[[float, str], None]
Row = dict[str, Any]


def _one_thread() -> None:
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = "1"


def start_worker() -> None:
    """What a process for CHGNet does first: one thread, no warnings, an end with its parent."""
    import warnings

    import torch

    _one_thread()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()


def _end_with(parent: int) -> None:
    """A worker whose build was killed hears nothing of it: it looks for itself."""
    while os.getppid() == parent:
        time.sleep(2.0)
    os._exit(1)


def _label_chunk(chunk: list[Start]) -> list[Row]:
    from genbat.domains.crystals.labelling import label_many

    return label_many(chunk)


def chunks_of(candidates: Sequence[Start], done: Container[str] = ()) -> list[list[Start]]:
    """Consecutive chunks without what is done: always the same ones, however often a build stopped.

    Crystals of one batch share their rounding, and an unstable crystal may amplify it into another
    minimum (one in forty): the same chunks give the same labels.
    """
    parts = [candidates[k : k + CHUNK] for k in range(0, len(candidates), CHUNK)]
    left = [[one for one in part if one.name not in done] for part in parts]
    return [part for part in left if part]


def label_all(chunks: Iterable[list[Start]], *, workers: int) -> Iterator[list[Row]]:
    """Rows of many candidates, a chunk at a time, in no fixed order."""
    _one_thread()  # before the workers start: they inherit it
    with ProcessPoolExecutor(
        workers, initializer=start_worker, mp_context=get_context("spawn")
    ) as pool:
        for future in as_completed([pool.submit(_label_chunk, c) for c in chunks]):
            yield future.result()


def read_log(log: Path) -> dict[str, Row]:
    """Rows already in the log, by name; a torn last line is dropped."""
    return {row["name"]: row for row in read_rows(log)}


def label_missing(
    log: Path, known: Iterable[str] = (), *, workers: int = 1, progress: Progress | None = None
) -> dict[str, Row]:
    """Label what is neither in the log nor `known`; returns the log's rows."""
    rows = read_log(log)
    done = {*rows, *known}
    candidates = all_candidates()
    with adding(log) as lines:
        for chunk in label_all(chunks_of(candidates, done), workers=workers):
            rows |= {row["name"]: row for row in chunk}
            lines.writelines(json.dumps(row, separators=(",", ":")) + "\n" for row in chunk)
            lines.flush()
            if progress:
                count = len(done | rows.keys())
                progress(count / len(candidates), f"{count} of {len(candidates)} crystals labelled")
    return rows
