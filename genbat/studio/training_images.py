"""What `genbat train imatgen` needs to know: the crystals of two elements, and how they are
learnt."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import cast

from genbat.core import paths
from genbat.domains.crystals import data as known
from genbat.studio.training import Lesson, Material, Progress, begin_from
from genbat.studio.training_crystals import HEADS_SHARE, read_own, resplit
from genbat.systems import checkpoint, imatgen_corpus, imatgen_training
from genbat.systems.base import part_of
from genbat.systems.crystal_corpus import Corpus
from genbat.systems.imatgen import NAME, IMatGen, symbol
from genbat.systems.imatgen_network import Network

PRESETS = {NAME: imatgen_training.PRESETS}
SIZES: dict[str, dict[str, int]] = {
    "tiny": {"filters": 4, "channels": 2, "latent": 16, "hidden": 24, "head_hidden": 8},
    "base": {},
}


def gather(data: Path | None) -> Material:
    """The shipped vanadium oxides, or those crystals of a file that consist of its commonest pair
    of elements.

    Raises
    ------
    ValueError : nothing in the file can be used, or our data are missing.
    """
    if data is None:
        if not (table := paths.ASSETS / known.TABLE).exists():
            raise ValueError(f"data: {table} is missing; run genbat build crystals first")
        corpus, bad = imatgen_corpus.embedded(), 0
    else:
        whole, bad = read_own(data)
        corpus = resplit(imatgen_corpus.of_pair(whole, imatgen_corpus.pair_of(whole)))
        bad += len(whole) - len(corpus)
    return Material(corpus, list(corpus.splits), bad)


def learn(
    name: str,
    material: Material,
    folder: Path,
    *,
    preset: str,
    start: Path | None = None,
    minutes: float = math.inf,
    progress: Progress | None = None,
) -> Lesson:
    """Train imatgen on a corpus of two elements.

    Raises
    ------
    ValueError : what it is to go on from has learnt other elements.
    """
    schedule, corpus = PRESETS[name][preset], material.examples
    if start is not None:
        begin_from(start, folder, IMatGen, schedule)
        _check_elements(folder, corpus)
    joint = part_of(progress, 0.0, 1 - HEADS_SHARE)
    run = imatgen_training.train(
        corpus,
        folder,
        schedule=schedule,
        resume=start is not None,
        minutes=minutes,
        progress=joint,
        **SIZES[preset],
    )
    last = part_of(progress, 1 - HEADS_SHARE, HEADS_SHARE)
    config = replace(imatgen_training.finish(run, corpus, last), steps_trained=run.steps_trained)
    return Lesson(IMatGen(config, cast(Network, run.mean)), schedule)


def _check_elements(folder: Path, corpus: Corpus) -> None:
    """Images of one pair of elements cannot hold another's atoms: they would be left out."""
    learnt = checkpoint.read_note(folder)["config"]["elements"]
    given = imatgen_corpus.pair_of(corpus)
    if set(learnt) != set(given):
        named, legal = ("-".join(map(symbol, pair)) for pair in (given, learnt))
        raise ValueError(f"data: crystals of {named}; what --from names has learnt {legal} alone")
