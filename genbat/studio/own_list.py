"""A person's own objects: read from her file and placed on the map."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from genbat.studio.explore import Atlas
from genbat.studio.rooms import Uploaded

MAX_PLACED = 1000


@dataclass(frozen=True)
class OwnList:
    """Objects of a file: texts, names and places on the map, one each.

    `problems` has one line for each thing that is wrong, naming file and line; `notes` say what
    was done to an object. What the model cannot place comes last and has no place: `xy` is shorter
    then.
    """

    filename: str
    texts: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    known: tuple[bool, ...] = ()
    xy: np.ndarray = field(default_factory=lambda: np.empty((0, 2)))
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.texts)


def read(place: Atlas, data: bytes, filename: str, order: bool = False) -> OwnList:
    """The good objects of a file on the map, each once, and what is wrong with the rest.

    Parameters
    ----------
    order : put disordered crystals in order instead of refusing them.
    """
    try:
        rows, bad = place.rooms.read(data, filename, order)
    except ValueError as reason:
        return OwnList(filename, problems=(str(reason),))
    problems = [str(p) for p in bad]
    first = {row.text: row for row in reversed(rows)}  # the first of equal ones counts
    texts = [row.text for row in rows if first[row.text] is row]
    if len(texts) > MAX_PLACED:
        problems.append(f"{filename}: the first {MAX_PLACED:,} of {len(texts):,} are placed")
    points, strange = _encode(place.system, texts[:MAX_PLACED])
    for text in strange:
        problems.append(f"{filename}, line {first[text].line}: {_unplaced(place, first[text])}")
    kept = [*points, *(strange if place.rooms.unplaced else [])]
    xy = place.place(np.array(list(points.values()))) if points else np.empty((0, 2))
    names = tuple(first[t].name or _name(place, t) for t in kept)
    known = tuple(place.known.match(t) is not None for t in kept)
    notes = tuple(first[t].note for t in kept)
    return OwnList(filename, tuple(kept), names, known, xy, tuple(problems), notes)


def _unplaced(place: Atlas, row: Uploaded) -> str:
    if place.rooms.unplaced:
        return f"{row.name} is kept, but has no place on the map: it is too large for the model"
    return f"the model cannot write {row.text}"


def _name(place: Atlas, text: str) -> str:
    row = place.row_of.get(text)
    return place.rooms.title(text) or text if row is None else place.names[row]


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
