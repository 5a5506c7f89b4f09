"""`genbat build interphases`: a design of experiments over the barriers, resumable.

Barriers fill their ranges evenly (a scrambled Sobol sequence); each run has its own number as the
seed, so that the table alone brings every interphase back. Rows go line by line to a JSONL log.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from genbat.core.designs import evenly, write_table
from genbat.core.logs import adding, read_rows
from genbat.domains.interphases.kmc import HEIGHT, WIDTH, Barriers, Grown, Sites, grow
from genbat.domains.interphases.measures import label

LABEL_VERSION = "1"
COUNT = 6000
TIME_S, MOST_EVENTS = 1e-3, 6_000_000
# What is varied, and between which ends, eV (nm for the last one).
VARIED = {
    "reduction": (0.38, 0.50),
    "radical_hop": (0.27, 0.40),
    "second_reduction": (0.38, 0.58),
    "dimerisation": (0.0, 0.35),
    "organic_hop": (0.35, 0.52),
    "bond": (0.04, 0.20),
    "conversion": (0.50, 0.66),
    "tunnel": (1.0, 3.0),
}
Row = dict[str, Any]
Progress = Callable[[float, str], None]


@lru_cache
def designs() -> tuple[Barriers, ...]:
    """COUNT sets of barriers; a beginning of them fills the ranges as evenly as all do."""
    return tuple(Barriers(**row) for row in evenly(VARIED, COUNT, 4))


def run(seed: int) -> Grown:
    """The interphase of a number."""
    return grow(designs()[seed], seed, time_s=TIME_S, most_events=MOST_EVENTS)


def label_one(seed: int, kept: Sites | None = None) -> Row:
    """The barriers of a number and the labels of its interphase, whose sites go to `kept`."""
    grown = run(seed)
    if kept is not None:
        kept[seed] = grown.sites
    told = {"time_s": grown.time_s, "events": grown.events, "finished": grown.finished}
    return {"seed": seed, **asdict(designs()[seed]), **told, **label(grown.sites)}


def label_missing(log: Path, folder: Path, progress: Progress | None = None) -> None:
    """Grow what the log does not hold yet, a third of a second each; the sites go to a file of 25
    MB in a folder of things that can be made again. Where that file is lost, all are grown anew."""
    place = folder / f"interphases-{LABEL_VERSION}.npy"
    shape = (COUNT, HEIGHT, WIDTH)
    done = {row["seed"] for row in read_rows(log)} if place.exists() else set()
    mode: Any = "r+" if place.exists() else "w+"
    kept = np.lib.format.open_memmap(place, mode=mode, dtype=np.uint8, shape=shape)
    with adding(log) as out:
        for count, seed in enumerate((s for s in range(COUNT) if s not in done), len(done) + 1):
            out.write(json.dumps(label_one(seed, kept)) + "\n")
            out.flush()
            if progress:
                progress(count / COUNT, f"{count} of {COUNT} interphases grown")
    kept.flush()


def make_table(log: Path, out: Path) -> Path:
    """The table of all rows of a log, in the order of their seeds, as parquet."""
    return write_table(read_rows(log), out, LABEL_VERSION)


def barriers_of(row: Row) -> Barriers:
    """The barriers of a row of the table."""
    return Barriers(**{field.name: float(row[field.name]) for field in fields(Barriers)})
