"""A system's library of polymers: its own new ones, judged by the surrogate, placed on the map."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from genbat.core import paths
from genbat.domains.polymers import named
from genbat.studio import registry
from genbat.studio.metrics import Progress
from genbat.studio.rooms_polymers import sa_of
from genbat.systems.polymersurrogate import TARGETS

SIZE, SEED = 2_000, 0
MOST = 20  # draws a wanted polymer


def known_latents(system: Any) -> np.ndarray:
    """Latent points of the named polymers, in the order of their table (n, d); where the system
    lacks a token of one, the middle of the others."""
    points = [_latent(system, text) for text in named.load().table["text"]]
    middle = np.mean([z for z in points if z is not None], axis=0)
    return np.array([middle if z is None else z for z in points], "f4")


def _latent(system: Any, text: str) -> np.ndarray | None:
    try:
        found: np.ndarray = system.encode([text])[0]
        return found
    except ValueError:
        return None


def anchors() -> np.ndarray:
    """Latent points of all libraries of polymers, which lay the map out (m, d).

    Raises
    ------
    ValueError : there is no library yet.
    """
    shelves = [
        paths.ASSETS / "libraries" / f"{name}.parquet" for name in registry.names("polymers")
    ]
    found = [pd.read_parquet(shelf, columns=["latent"]) for shelf in shelves if shelf.exists()]
    if not found:
        raise ValueError("libraries: none of polymers; run genbat build library:polymergpt first")
    return np.array(pd.concat(found)["latent"].tolist(), "f4")


def make_library(
    system: Any,
    *,
    log: Path,
    size: int | None = None,
    workers: int = 1,
    progress: Progress | None = None,
    reference: Any = None,
) -> pd.DataFrame:
    """The first `size` new, valid and unique draws of a system that the map can place, seed 0; no
    `log` is needed, the surrogate is quick.

    Returns
    -------
    One row a polymer: `text`; `seed` and `index`, with which `sample(index + 1, seed=seed)` makes
    it as its last; `latent`, a list of float16; for each target `key_predicted` and `key_half` (the
    90 % interval) by the surrogate; `sa_score`.
    """
    size = SIZE if size is None else size
    report = progress or (lambda fraction, text: None)
    reference = reference or registry.load(registry.REFERENCE["polymers"])
    drawn = _draws(system, reference, size, report)
    table = pd.DataFrame(drawn, columns=["text", "index"]).astype({"index": "i4"})
    table.insert(1, "seed", np.int32(SEED))
    texts = table["text"].tolist()
    table["latent"] = list(reference.encode(texts).astype("f2"))
    values, halves = registry.load("polymersurrogate").predict_table(texts)
    for k, key in enumerate(TARGETS):
        table[f"{key}_predicted"] = values[:, k].astype("f4")
        table[f"{key}_half"] = halves[:, k].astype("f4")
    table["sa_score"] = np.array([sa_of(text) for text in texts], "f4")
    table.attrs = {"system": system.card.name, "weights": system.weights}
    return table


def _draws(system: Any, reference: Any, size: int, report: Progress) -> list[tuple[str, int]]:
    known = set(named.load().table["text"])
    found: dict[str, int] = {}
    for index, candidate in enumerate(system.sample(MOST * size, seed=SEED)):
        text = candidate.text
        if not candidate.verdict.ok or text in known or text in found:
            continue
        try:
            reference.config.row(text)
        except ValueError:  # a token that the map's system does not know
            continue
        found[text] = index
        report(len(found) / size, f"{len(found)} of {size} new polymers")
        if len(found) == size:
            return list(found.items())
    raise ValueError(f"library: {MOST * size} draws gave only {len(found)} of {size} new polymers")
