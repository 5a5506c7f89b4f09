"""What a crystal's card costs: python -m benchmarks.crystal_card."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from genbat.domains.crystals import conductors, data, diffraction, draw
from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.similarity import Nearest, features
from genbat.domains.crystals.structure import to_text
from genbat.studio import crystal_facts

HOW_MANY = 200
BARS = {"thumbnail": 20, "nearest of 20,000": 200}  # ms, median


def clock(name: str, task: Callable[[Cell], object], cells: Sequence[Cell]) -> None:
    """Print a task's milliseconds over crystals: median and 95 % of processor time."""
    times = []
    task(cells[0])
    for cell in cells:
        start = time.process_time()
        task(cell)
        times.append(1e3 * (time.process_time() - start))
    middle, most = np.percentile(times, [50, 95])
    bar = f"bar {BARS[name]}" if name in BARS else ""
    print(f"{name:24s} {middle:8.1f} {most:8.1f} {bar}", flush=True)


def main() -> None:
    """Time each part of the card on shipped crystals."""
    known = data.load()
    rows = np.linspace(0, len(known) - 1, HOW_MANY).astype(int)
    cells = [known.cell(int(row)) for row in rows]
    print(f"{'ms of one core':24s} {'median':>8s} {'95 %':>8s}")
    start = time.process_time()
    prints = features(cells)
    print(f"{'fingerprint':24s} {1e3 * (time.process_time() - start) / HOW_MANY:8.2f}")
    index = Nearest(np.tile(prints, (20_000 // HOW_MANY, 1)))
    clock("nearest of 20,000", index.find, cells)
    clock("thumbnail", lambda cell: draw.svg(cell, 150, 100), cells)
    clock("scene of the viewer", draw.scene, cells)
    clock("powder pattern", diffraction.pattern, cells)
    clock("measured conductivity", conductors.near, cells)
    clock("symmetry, charges, cost", lambda cell: crystal_facts.facts(to_text(cell)), cells)


if __name__ == "__main__":
    main()
