"""A system's library of volumes: its own new ones, measured, with places on the map."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from genbat.core import paths
from genbat.core.candidate import Candidate
from genbat.domains.microstructures import data
from genbat.domains.microstructures.build import LABEL_VERSION, volumes
from genbat.domains.microstructures.labelling import MEASURED, label
from genbat.domains.microstructures.texts import read
from genbat.domains.microstructures.volume import Volume
from genbat.studio import registry
from genbat.studio.keeping import Row, kept
from genbat.studio.metrics import Progress

SIZE, SEED = 64, 0
MOST = 3  # draws a wanted volume
CHUNK = 2


def known_latents(system: Any) -> np.ndarray:
    """Latent points of all known electrodes, in the order of their table (n, d)."""
    labels = volumes(paths.cache_folder())
    rows = data.load().table["seed"].tolist()
    parts = [
        system.encode_volumes([Volume(np.asarray(labels[k])) for k in rows[at : at + 16]])
        for at in range(0, len(rows), 16)
    ]
    return np.concatenate(parts)


def make_library(
    system: Any,
    *,
    log: Path,
    size: int | None = None,
    workers: int = 2,
    progress: Progress | None = None,
    reference: Any = None,
) -> pd.DataFrame:
    """The first `size` of a system's draws that hold all their phases, seed 0, measured.

    Parameters
    ----------
    log : JSONL of labels, the checkpoint of a stopped build.
    size : volumes, SIZE of them.
    reference : the system whose encoder places them; by default the domain's.

    Returns
    -------
    One row a volume: `text`; `seed` and `index`, with which `sample(index + 1, seed=seed)` makes it
    as its last; `latent`, a list of float16; every label, infinite where nothing percolates.
    """
    size = SIZE if size is None else size
    drawn = list(islice(_whole(system, size), size))
    if len(drawn) < size:
        raise ValueError(f"library: {MOST * size} draws gave only {len(drawn)} of {size} volumes")
    texts = [candidate.text for _, candidate in drawn]
    rows = _labels(texts, log, workers, progress)
    reference = reference or registry.load(registry.REFERENCE["microstructures"])
    table = pd.DataFrame({"text": texts, "seed": SEED, "index": [index for index, _ in drawn]})
    table["latent"] = list(reference.encode(texts).astype("f2"))
    for name, *_ in MEASURED:
        table[name] = np.array([row[name] for row in rows], "f4")
    table.attrs = {
        "system": system.card.name,
        "weights": system.weights,
        "label_version": LABEL_VERSION,
    }
    return table


def _whole(system: Any, size: int) -> Iterator[tuple[int, Candidate]]:
    """Draws that hold all their phases, with their numbers."""
    for index, candidate in enumerate(system.sample(MOST * size, seed=SEED)):
        if candidate.verdict.ok:
            yield index, candidate


def _labels(texts: Sequence[str], log: Path, workers: int, progress: Progress | None) -> list[Row]:
    keys = [hashlib.sha256(text.encode()).hexdigest()[:24] for text in texts]
    with ProcessPoolExecutor(workers, initializer=_one_thread) as pool:
        rows = kept(
            log, dict(zip(keys, texts, strict=True)),
            lambda chunks: pool.map(_label_chunk, chunks),
            chunk=CHUNK, progress=progress, what="volumes measured",
        )  # fmt: skip
    return [{k: np.nan if v is None else v for k, v in rows[key].items()} for key in keys]


def _label_chunk(texts: Iterable[str]) -> list[Row]:
    return [label(read(text)) for text in texts]


def _one_thread() -> None:
    os.environ["OMP_NUM_THREADS"] = "1"
    import torch

    torch.set_num_threads(1)
