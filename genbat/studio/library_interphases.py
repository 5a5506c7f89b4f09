"""A system's library of interphases: its own, counted, with places on the map."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from genbat.core import paths
from genbat.domains.interphases import data
from genbat.domains.interphases.build import LABEL_VERSION
from genbat.domains.interphases.measures import label
from genbat.domains.interphases.properties import PROPERTIES
from genbat.domains.interphases.texts import from_text
from genbat.studio import registry
from genbat.studio.metrics import Progress

SIZE, SEED = 1_000, 0
MOST = 3  # draws a wanted interphase
CHUNK = 256


def known_latents(system: Any) -> np.ndarray:
    """Latent points of all known interphases, in the order of their table (n, d)."""
    sites = data.all_sites(paths.cache_folder())
    rows = data.load().table["seed"].tolist()
    parts = [
        system.encode_sites([np.asarray(sites[k]) for k in rows[at : at + CHUNK]])
        for at in range(0, len(rows), CHUNK)
    ]
    return np.concatenate(parts)


def make_library(
    system: Any,
    *,
    log: Path,
    size: int | None = None,
    workers: int = 1,
    progress: Progress | None = None,
    reference: Any = None,
) -> pd.DataFrame:
    """The first `size` of a system's draws that hold a solid, seed 0, counted at once: no `log` is
    needed.

    Returns
    -------
    One row an interphase: `text`; `seed` and `index`, with which `sample(index + 1, seed=seed)`
    makes it as its last; `latent`, a list of float16; every label.
    """
    size = SIZE if size is None else size
    draws = enumerate(system.sample(MOST * size, seed=SEED, progress=progress))
    drawn = list(islice(((k, c.text) for k, c in draws if c.verdict.ok), size))
    if len(drawn) < size:
        raise ValueError(f"library: {MOST * size} draws gave only {len(drawn)} of {size}")
    texts = [text for _, text in drawn]
    reference = reference or registry.load(registry.REFERENCE["interphases"])
    table = pd.DataFrame({"text": texts, "seed": SEED, "index": [index for index, _ in drawn]})
    table["latent"] = list(reference.encode(texts).astype("f2"))
    rows = [label(from_text(text)) for text in texts]
    for known in PROPERTIES:
        table[known.key] = np.array([row[known.key] for row in rows], "f4")
    table.attrs = {
        "system": system.card.name,
        "weights": system.weights,
        "label_version": LABEL_VERSION,
    }
    return table
