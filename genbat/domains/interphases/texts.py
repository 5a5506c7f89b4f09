"""Interphases as text: one line of JSON that says how large, one of the sites in base 85; or a
line of JSON with the barriers and the seed that grow it again."""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import asdict

import numpy as np

from genbat.domains.interphases.build import MOST_EVENTS, TIME_S
from genbat.domains.interphases.kmc import HEIGHT, SPECIES, WIDTH, Barriers, Sites, grow


def to_text(sites: Sites) -> str:
    """Two lines, complete, the same for the same interphase."""
    raw = np.ascontiguousarray(sites, np.uint8).tobytes()
    packed = base64.b85encode(zlib.compress(raw, 9)).decode("ascii")
    return json.dumps({"interphase": list(sites.shape)}) + "\n" + packed


def grown_text(barriers: Barriers, seed: int) -> str:
    """One line: an interphase that is grown again when it is read, some tenths of a second."""
    return json.dumps({"grown": asdict(barriers), "seed": seed})


def grown_barriers(text: str) -> Barriers | None:
    """The barriers of an interphase that is grown when it is read; None of another."""
    head = json.loads(text.partition("\n")[0])
    return Barriers(**head["grown"]) if "grown" in head else None


def from_text(text: str) -> Sites:
    """Sites (rows from the electrode, columns) of either form.

    Raises
    ------
    ValueError : the text is no interphase; says which part is wrong.
    """
    first, _, second = text.partition("\n")
    try:
        head = json.loads(first)
        if "grown" in head:
            own = Barriers(**{key: float(value) for key, value in head["grown"].items()})
            return grow(own, int(head["seed"]), time_s=TIME_S, most_events=MOST_EVENTS).sites
        shape = tuple(int(n) for n in head["interphase"])
    except (ValueError, KeyError, TypeError) as wrong:
        raise ValueError(f"interphase: its first line is no header ({wrong})") from wrong
    if shape != (HEIGHT, WIDTH):
        raise ValueError(f"interphase: {shape} sites; legal are {HEIGHT} rows of {WIDTH}")
    return _sites(second)


def _sites(packed: str) -> Sites:
    size = HEIGHT * WIDTH
    try:
        raw = zlib.decompressobj().decompress(base64.b85decode(packed.strip()), size + 1)
    except (ValueError, zlib.error) as wrong:
        raise ValueError(f"interphase: its sites cannot be unpacked ({wrong})") from wrong
    sites = np.frombuffer(raw, np.uint8)
    if len(sites) != size or (size and sites.max() >= len(SPECIES)):
        raise ValueError(f"interphase: {len(sites)} sites, or a species that is none")
    return sites.reshape(HEIGHT, WIDTH)
