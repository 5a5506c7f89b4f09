"""Columns of a map: what is known about its points, packed for the browser.

A position takes 4 bytes, a number 2, a category 1, a yes or no 1 bit.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

_VIRIDIS = "#440154 #472d7b #3b528b #2c728e #21918c #28ae80 #5ec962 #addc30 #fde725"
_CIVIDIS = "#00224e #123570 #3b496c #575d6d #707173 #8a8678 #a59c74 #c3b369 #fee838"
_DIVERGING = "#1d4f9e #5a8ac6 #a3b8d1 #b3b3b3 #d9b48c #d98c3f #a8500a"
_TEN = "#4c78a8 #f58518 #54a24b #e45756 #72b7b2 #b279a2 #eeca3b #9d755d #ff9da6 #79706e"
VIRIDIS, CIVIDIS, DIVERGING, TEN = (
    tuple(text.split()) for text in (_VIRIDIS, _CIVIDIS, _DIVERGING, _TEN)
)

FULL = 65535  # steps of a position; as a value of a numeric column it means "missing"
MISSING = 255  # code of a category that is not known
MAX_NAMES = 50_000
MAX_CATEGORIES = 254


@dataclass(frozen=True)
class Column:
    """One array on its way to the browser.

    `id` is a hash of the content; `message` is the length of the header (4 bytes), the header
    (JSON) and the raw little-endian array.
    """

    id: str
    message: bytes

    @property
    def head(self) -> dict[str, Any]:
        """The header: dtype, name, unit, range, ..."""
        return json.loads(self.message[4 : self._start])

    @property
    def raw(self) -> bytes:
        """The array's bytes."""
        return self.message[self._start :]

    @property
    def _start(self) -> int:
        return 4 + int.from_bytes(self.message[:4], "little")


def pack(head: Mapping[str, Any], raw: bytes = b"") -> bytes:
    """A message: length of the header (4 bytes), header as JSON, raw bytes."""
    text = json.dumps(head).encode()
    return len(text).to_bytes(4, "little") + text + raw


def _column(head: Mapping[str, Any], raw: bytes) -> Column:
    ident = hashlib.blake2b(json.dumps(head).encode() + raw, digest_size=8).hexdigest()
    return Column(ident, pack({**head, "id": ident}, raw))


def positions(xy: ArrayLike) -> Column:
    """Points (n, 2), all finite -> 4 bytes a point."""
    xy = np.asarray(xy, float).reshape(-1, 2)
    if not np.isfinite(xy).all():
        raise ValueError("xy: got missing or infinite positions; every point needs a place")
    low, high = _extent(xy)
    q = np.round((xy - low) / (high - low) * FULL).astype("<u2")
    spans = [float(v) for pair in zip(low, high, strict=True) for v in pair]
    return _column({"dtype": "u2", "range": spans}, q.tobytes())


def _extent(xy: NDArray) -> tuple[NDArray, NDArray]:
    """Corners of the map; an axis without extent gets that of the other one."""
    if not len(xy):
        return np.zeros(2), np.ones(2)
    low, high = xy.min(0), xy.max(0)
    span = high - low
    pad = np.where(span > 0, 0.0, (span.max() or 1.0) / 2)
    return low - pad, high + pad


def numeric(
    values: ArrayLike,
    name: str,
    unit: str = "",
    colors: Sequence[str] = VIRIDIS,
    *,
    centre: float | None = None,
) -> Column:
    """Values (n,), NaN = missing -> 2 bytes a point.

    Colours span the 1st to 99th percentile; with `centre` (a target, say) they span equal
    distances on both sides of it, for a diverging map.
    """
    values = np.asarray(values, float).ravel()
    good = np.isfinite(values)
    low, high = _ends(values[good])
    q = np.full(len(values), FULL, "<u2")
    q[good] = np.round((values[good] - low) / (high - low or 1.0) * (FULL - 1))
    head = {
        "kind": "number",
        "dtype": "u2",
        "name": name,
        "unit": unit,
        "range": [low, high],
        "limits": _limits(values[good], centre),
        "colors": list(colors),
        "centred": centre is not None,
    }
    return _column(head, q.tobytes())


def _ends(values: NDArray) -> tuple[float, float]:
    return (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)


def _limits(values: NDArray, centre: float | None) -> list[float]:
    """Values at the two ends of the colours, never equal."""
    if not len(values):
        return [0.0, 1.0]
    low, high = (float(v) for v in np.percentile(values, [1, 99]))
    if low == high:
        low, high = _ends(values)
    if centre is not None:
        reach = max(abs(high - centre), abs(low - centre))
        low, high = centre - reach, centre + reach
    if low == high:
        half = 0.5 * (abs(low) or 1.0)
        low, high = low - half, high + half
    return [low, high]


def category(
    codes: ArrayLike, names: Sequence[str], name: str, colors: Sequence[str] = TEN
) -> Column:
    """Codes (n,) into `names`; anything else (-1, 255, NaN) = missing -> 1 byte a point."""
    if len(names) > MAX_CATEGORIES:
        raise ValueError(f"names: got {len(names)} categories; at most {MAX_CATEGORIES} are drawn")
    codes = np.asarray(codes, float).ravel()
    known = (codes >= 0) & (codes < len(names))
    q = np.where(known, codes, MISSING).astype("u1")
    head = {
        "kind": "category",
        "dtype": "u1",
        "name": name,
        "names": list(names),
        "colors": list(colors),
    }
    return _column(head, q.tobytes())


def mask(keep: ArrayLike, name: str = "") -> Column:
    """Booleans (n,) -> 1 bit a point; `name` is what the legend calls a grey background."""
    keep = np.asarray(keep, bool).ravel()
    return _column({"dtype": "u1", "n": len(keep), "name": name}, np.packbits(keep).tobytes())


def labels(names: Sequence[str]) -> Column:
    """A name a point for the tooltip; above 50,000 none is sent and tooltips show `#row`."""
    lines = [" ".join(str(v).split()) for v in names] if len(names) <= MAX_NAMES else []
    return _column({"dtype": "text", "n": len(lines)}, "\n".join(lines).encode())
