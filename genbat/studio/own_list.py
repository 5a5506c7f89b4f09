"""A person's own molecules: read from her file and placed on the map."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from genbat.domains.molecules.reading import ENDINGS, read_molecules
from genbat.studio.explore import Atlas

MAX_PLACED = 1000
FILE_ENDINGS = tuple(e.removeprefix(".") for e in ENDINGS)


@dataclass(frozen=True)
class OwnList:
    """Molecules of a file: texts, names and places on the map, one a molecule.

    `problems` has one line for each thing that is wrong, naming file and line.
    """

    filename: str
    texts: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    known: tuple[bool, ...] = ()
    xy: np.ndarray = field(default_factory=lambda: np.empty((0, 2)))
    problems: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.texts)


def read(place: Atlas, data: bytes, filename: str) -> OwnList:
    """The good molecules of a file on the map, each once, and what is wrong with the rest."""
    try:
        rows, bad = read_molecules(data, filename)
    except ValueError as reason:
        return OwnList(filename, problems=(str(reason),))
    problems = [str(p) for p in bad]
    first = {row.text: row for row in reversed(rows)}  # the first of equal ones counts
    texts = [row.text for row in rows if first[row.text] is row]
    if len(texts) > MAX_PLACED:
        problems.append(f"{filename}: the first {MAX_PLACED:,} of {len(texts):,} are placed")
    points, strange = _encode(place.system, texts[:MAX_PLACED])
    for text in strange:
        problems.append(f"{filename}, line {first[text].line}: the model cannot write {text}")
    kept = list(points)
    xy = place.place(np.array([points[t] for t in kept])) if kept else np.empty((0, 2))
    names = tuple(first[t].name or _name(place, t) for t in kept)
    known = tuple(t in place.dataset.row_of for t in kept)
    return OwnList(filename, tuple(kept), names, known, xy, tuple(problems))


def _name(place: Atlas, text: str) -> str:
    row = place.row_of.get(text)
    return text if row is None else place.names[row]


def _encode(system: Any, texts: list[str]) -> tuple[dict[str, np.ndarray], list[str]]:
    """Latent points of the texts that the model can write, and the others."""
    if not texts:
        return {}, []
    try:
        return dict(zip(texts, system.encode(texts), strict=True)), []
    except ValueError:
        if len(texts) == 1:
            return {}, texts
    half = len(texts) // 2
    left, right = _encode(system, texts[:half]), _encode(system, texts[half:])
    return left[0] | right[0], left[1] + right[1]
