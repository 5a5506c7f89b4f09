"""What takes minutes to find out of the training crystals, kept in the user's cache folder: their
reduced primitive cells, and their symmetry."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from genbat.core import paths
from genbat.core.logs import adding, read_rows
from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.symmetric import Orbit, Symmetric, described

VERSION = 1  # of how both are found
Arrays = dict[str, np.ndarray]


def cells_of_files(files: Iterable[Path], make: Callable[[], Arrays]) -> Arrays:
    """Arrays that are made of some files, made once."""
    print_ = hashlib.sha256(str(VERSION).encode())
    for file in files:
        print_.update(file.read_bytes())
    kept = paths.cache_folder() / f"crystals-{print_.hexdigest()[:16]}.npz"
    if kept.exists():
        with np.load(kept, allow_pickle=False) as found:
            return dict(found)
    made = make()
    partial = kept.with_suffix(f".{os.getpid()}.npz")
    np.savez(partial, **made)  # type: ignore[arg-type]
    partial.replace(kept)  # several processes may make it at once; the last one wins whole
    return made


def packed(cells: Sequence[Cell]) -> Arrays:
    """Crystals as arrays: atoms of all in a row, how many each has, lattices."""
    return {
        "sizes": np.array([len(cell.numbers) for cell in cells]),
        "numbers": np.concatenate([cell.numbers for cell in cells]),
        "positions": np.concatenate([cell.positions for cell in cells]),
        "cells": np.stack([cell.lattice for cell in cells]),
    }


def unpacked(arrays: Arrays) -> list[Cell]:
    """Inverse of `packed`."""
    ends = np.cumsum(arrays["sizes"])[:-1]
    rows = zip(
        np.split(arrays["numbers"], ends), np.split(arrays["positions"], ends), arrays["cells"],
        strict=True,
    )  # fmt: skip
    return [Cell(*row) for row in rows]


# ---------------------------------------------------------------------- symmetry
class Symmetries:
    """The symmetry of crystals, kept while the context lasts; one without any counts as found."""

    def __init__(self) -> None:
        log = paths.cache_folder() / f"symmetries-{VERSION}.jsonl"
        self.found = {row["key"]: row["symmetry"] for row in read_rows(log)}
        self.lines = adding(log)

    def __enter__(self) -> Symmetries:
        return self

    def __exit__(self, *_: object) -> None:
        self.lines.close()

    def of(self, cell: Cell) -> Symmetric | None:
        """Its symmetry, None where spglib finds none."""
        key = _key(cell)
        if key not in self.found:
            self.found[key] = _told(cell)
            self.lines.write(json.dumps({"key": key, "symmetry": self.found[key]}) + "\n")
        row = self.found[key]
        if row is None:
            return None
        orbits = tuple(Orbit(name, letter, tuple(free)) for name, letter, free in row["orbits"])
        return Symmetric(row["group"], orbits, tuple(row["cell"]))


def _key(cell: Cell) -> str:
    parts = (cell.numbers.astype("i8"), cell.positions.astype("f8"), cell.lattice.astype("f8"))
    return hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()[:24]


def _told(cell: Cell) -> dict[str, Any] | None:
    try:
        found = described(cell)
    except ValueError:
        return None
    orbits = [[orbit.element, orbit.letter, orbit.free] for orbit in found.orbits]
    return {"group": found.group, "orbits": orbits, "cell": found.cell}
