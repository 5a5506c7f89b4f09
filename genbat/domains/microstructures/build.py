"""`genbat build microstructures`: generated electrodes with their labels, resumable.

Recipes fill the ranges evenly (a scrambled Sobol sequence); each is made with its own number as the
seed, so that a number alone brings a volume back. Rows go line by line to a JSONL log.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from genbat.core.designs import evenly, write_table
from genbat.core.logs import adding, read_rows
from genbat.domains.microstructures.generator import Recipe, make
from genbat.domains.microstructures.labelling import label
from genbat.domains.microstructures.volume import Labels

LABEL_VERSION = "1"
COUNT = 3000
SIZE = 64
CHUNK = 4
# What the recipes vary, and between which ends.
VARIED = {
    "porosity": (0.15, 0.65),
    "binder": (0.0, 0.2),
    "radius": (4.0, 12.0),
    "spread": (0.0, 0.5),
    "pressed": (0.0, 0.35),
    "roughness": (0.05, 0.3),
    "bridging": (0.3, 1.0),
}
Row = dict[str, Any]
Progress = Callable[[float, str], None]


@lru_cache
def recipes() -> tuple[Recipe, ...]:
    """COUNT recipes; a beginning of them fills the ranges as evenly as all do."""
    return tuple(replace(Recipe(size=SIZE), **row) for row in evenly(VARIED, COUNT, 3))


def volumes(folder: Path, progress: Progress | None = None) -> Labels:
    """The volumes of all recipes (COUNT, SIZE, SIZE, SIZE), read as they are needed from a file of
    800 MB in a folder of things that can be made again; what is missing of it is made, some tenths
    of a second each."""
    place = folder / f"microstructures-{LABEL_VERSION}.npy"
    note = place.with_suffix(".txt")
    done = int(note.read_text()) if note.exists() and place.exists() else 0
    shape = (COUNT, SIZE, SIZE, SIZE)
    mode: Any = "r+" if done else "w+"
    kept = np.lib.format.open_memmap(place, mode=mode, dtype=np.uint8, shape=shape)
    for seed in range(done, COUNT):
        kept[seed] = make(recipes()[seed], seed).labels
        if seed % 50 == 49 or seed == COUNT - 1:
            kept.flush()
            note.write_text(str(seed + 1))
            if progress:
                progress((seed + 1) / COUNT, f"{seed + 1} of {COUNT} volumes made")
    return kept


def label_one(seed: int) -> Row:
    """The recipe of a number and the labels of its volume."""
    recipe = recipes()[seed]
    return {"seed": seed, **asdict(recipe), **label(make(recipe, seed))}


def label_missing(log: Path, *, workers: int = 2, progress: Progress | None = None) -> None:
    """Label what the log does not hold yet."""
    done = {row["seed"] for row in read_rows(log)}
    todo = [seed for seed in range(COUNT) if seed not in done]
    with adding(log) as out:
        for count, row in enumerate(_labelled(todo, workers), len(done) + 1):
            out.write(json.dumps(row) + "\n")
            out.flush()
            if progress:
                progress(count / COUNT, f"{count} of {COUNT} volumes labelled")


def _labelled(seeds: list[int], workers: int) -> Iterator[Row]:
    chunks = [seeds[k : k + CHUNK] for k in range(0, len(seeds), CHUNK)]
    _one_thread()  # before the workers start: they inherit it
    with ProcessPoolExecutor(workers, initializer=_one_thread) as pool:
        for future in as_completed([pool.submit(_label_chunk, chunk) for chunk in chunks]):
            yield from future.result()


def _label_chunk(seeds: list[int]) -> list[Row]:
    return [label_one(seed) for seed in seeds]


def _one_thread() -> None:
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = "1"
    import torch

    torch.set_num_threads(1)


def make_table(log: Path, out: Path) -> Path:
    """The table of all rows of a log, in the order of their seeds, as parquet."""
    return write_table(read_rows(log), out, LABEL_VERSION)
