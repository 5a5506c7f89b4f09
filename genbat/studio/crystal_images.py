"""What imatgen sees: a crystal's images, one an element, and how stable its classifier thinks it.

Only crystals of imatgen's two elements can be seen by it.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image

from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.chgnet_graph import Floats
from genbat.domains.crystals.colours import colour, long_name
from genbat.domains.crystals.structure import from_text, primitive
from genbat.domains.crystals.views import settled
from genbat.studio import registry
from genbat.studio.explore import Atlas
from genbat.systems.crystal_corpus import MAX_ATOMS
from genbat.systems.imatgen import NAME, IMatGen, symbol

SLABS = 4  # of an image along the third axis, each shown by its densest voxels
BATCH = 64


@dataclass(frozen=True)
class Pictures:
    """An element's image: slabs of the crystal's own, and of the one that is decoded at its latent
    point, as PNG in base 64."""

    element: str
    name: str
    own: tuple[str, ...]
    decoded: tuple[str, ...]


@dataclass(frozen=True)
class Seen:
    """A crystal as imatgen sees it.

    Attributes
    ----------
    depths : where along the third axis each slab begins, as shares of it.
    stable : the classifier's probability.
    """

    pictures: tuple[Pictures, ...]
    depths: tuple[float, ...]
    stable: float


def _can(system: IMatGen, cell: Cell) -> bool:
    return set(cell.numbers.tolist()) == set(system.config.elements) and (
        len(cell.numbers) <= MAX_ATOMS
    )


@lru_cache(maxsize=256)
def seen(text: str) -> Seen | None:
    """A crystal's images; None where imatgen is not here or the crystal is none of its."""
    if not registry.trained(NAME):
        return None
    system: IMatGen = registry.load(NAME)
    cell = primitive(from_text(text))
    if not _can(system, cell):
        return None
    z = system.encode_cells([cell])
    own = system.images(settled(cell, system.config.elements[0]))
    (decoded,), _ = system.imagined(z)
    both = zip(system.config.elements, own, decoded, strict=True)
    pictures = tuple(_pictures(n, one, two) for n, one, two in both)
    depths = tuple(k / SLABS for k in range(SLABS))
    return Seen(pictures, depths, float(system.stability(z)[0]))


def _pictures(number: int, own: Floats, decoded: Floats) -> Pictures:
    """Slabs in the element's colour, opaque where the crystal's own image is densest."""
    element, top = symbol(number), max(float(own.max()), 1e-6)
    rows = [tuple(_png(slab / top, colour(element)) for slab in _slabs(image))
            for image in (own, decoded)]  # fmt: skip
    return Pictures(element, long_name(element), *rows)


def _slabs(image: Floats) -> list[Floats]:
    """The densest voxels of each slab of an image (side, side, side)."""
    return [part.max(2) for part in np.array_split(image, SLABS, axis=2)]


def _png(shares: Floats, ink: str) -> str:
    pixels = np.empty((*shares.shape, 4), np.uint8)
    pixels[..., :3] = [int(ink[k : k + 2], 16) for k in (1, 3, 5)]
    pixels[..., 3] = np.round(255 * shares.clip(0, 1))
    out = io.BytesIO()
    Image.fromarray(pixels, "RGBA").save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode("ascii")


# ---------------------------------------------------------------------- the map
def stability(place: Atlas) -> np.ndarray:
    """The classifier's probability of being stable of all rows of the map, NaN where imatgen cannot
    see the crystal (n,)."""
    system: IMatGen = registry.load(NAME)
    wanted = {symbol(number) for number in system.config.elements}
    rows = [k for k, elements in enumerate(place.elements) if elements == wanted]
    out = np.full(len(place), np.nan)
    for k in range(0, len(rows), BATCH):
        some = dict(_cells(place, system, rows[k : k + BATCH]))
        if some:
            out[list(some)] = system.stability(system.encode_cells(list(some.values())))
    return out


def _cells(place: Atlas, system: IMatGen, rows: Iterable[int]) -> Iterable[tuple[int, Cell]]:
    for row in rows:
        known = row < place.n_known
        cell = primitive(place.dataset.cell(row) if known else from_text(place.texts[row]))
        if _can(system, cell):
            yield row, cell
