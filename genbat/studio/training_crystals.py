"""What `genbat train` needs to know of crystals: ours, the user's own, and how they are learnt."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from genbat.domains.crystals.reading import read_crystals
from genbat.domains.crystals.splits import SPLITS, split_of
from genbat.domains.crystals.structure import reduced_formula, to_text
from genbat.studio.training import Lesson, Material, Progress, begin_from
from genbat.systems import (
    cdvae,
    cdvae_training,
    crystal_corpus,
    mattergen,
    mattergen_training,
    unimat,
    unimat_training,
)
from genbat.systems import cdvae_network as cdvae_parts
from genbat.systems import mattergen_diffusion as mattergen_parts
from genbat.systems import unimat_network as unimat_parts
from genbat.systems.base import part_of
from genbat.systems.crystal_corpus import MAX_ATOMS, TARGETS, Corpus

PRESETS = {
    "cdvae": cdvae_training.PRESETS,
    "mattergen": mattergen_training.PRESETS,
    "unimat": unimat_training.PRESETS,
}
# Fields of a system's `Config` that differ from its defaults.
_SMALL = {"width": 32, "layers": 2, "frequencies": 4}
SIZES: dict[str, dict[str, dict[str, int]]] = {
    "cdvae": {
        "tiny": {"latent": 8, "encoder_width": 24, "encoder_layers": 2, **_SMALL},
        "base": {},
    },
    "mattergen": {"tiny": _SMALL, "base": {}},
    "unimat": {"tiny": {"width": 32, "layers": 2}, "base": {}},
}
ADAPTER_SHARE = 0.3  # of the minutes and of the progress
HEADS_SHARE = 0.1  # of the progress: prior, heads and calibration follow the joint training
MANY = 10  # compositions below which a file is split by crystal, as carbon's polymorphs


# ---------------------------------------------------------------------- what is learnt from
def gather(data: Path | None) -> Material:
    """The shipped crystals (and Materials Project's, where they lie), or those of a file.

    Raises
    ------
    ValueError : nothing in the file can be used, or our data are missing.
    """
    if data is None:
        corpus, bad = _shipped(), 0
    else:
        corpus, bad = read_own(data)
    return Material(corpus, list(corpus.splits), bad)


def _shipped() -> Corpus:
    from genbat.core import paths
    from genbat.domains.crystals import data

    if not (table := paths.ASSETS / data.TABLE).exists():
        raise ValueError(f"data: {table} is missing; run genbat build crystals first")
    return crystal_corpus.embedded()


def read_own(path: Path) -> tuple[Corpus, int]:
    """A user's crystals of at most MAX_ATOMS atoms, and how many could not be used.

    The split is by composition, as for ours; by crystal where there are few compositions.

    Raises
    ------
    ValueError : nothing usable; names the file, what is wrong and where.
    """
    if path.name.lower().removesuffix(".xz").endswith(".csv"):
        cells, bad = crystal_corpus.read_csv(path), 0
    else:
        crystals, problems = read_crystals(path.read_bytes(), path.name)
        if not crystals:
            raise ValueError(f"{problems[0]} (and no good crystal in {path.name})")
        cells, bad = [c.cell for c in crystals], len(problems)
    groups, unknown = np.zeros(len(cells), int), np.full((len(cells), len(TARGETS)), np.nan)
    corpus = crystal_corpus.make(cells, groups, unknown, [SPLITS[0]] * len(cells))
    if not len(corpus):
        raise ValueError(f"{path.name}: holds no crystal of at most {MAX_ATOMS} atoms")
    return resplit(corpus), bad + len(cells) - len(corpus)


def resplit(corpus: Corpus) -> Corpus:
    """The corpus split by composition; by crystal where there are fewer than MANY compositions."""
    keys = [reduced_formula(cell) for cell in corpus.cells]
    if len(set(keys)) < MANY:
        keys = [to_text(cell) for cell in corpus.cells]
    splits = [split_of(key) for key in keys]
    if SPLITS[0] not in splits:  # of very few crystals none may fall there
        splits = [SPLITS[0]] * len(splits)
    return replace(corpus, splits=splits)


# ---------------------------------------------------------------------- how it is learnt
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
    """Train a system on a corpus; mattergen's adapters come after its pretraining."""
    schedule = PRESETS[name][preset]
    if start is not None:
        begin_from(start, folder, _KIND[name], schedule)
    options = {"schedule": schedule, "resume": start is not None, **SIZES[name][preset]}
    system = _LEARN[name](material.examples, folder, minutes, progress, options)
    return Lesson(system, schedule)


def _learn_cdvae(
    corpus: Corpus, folder: Path, minutes: float, progress: Progress | None, options: dict
) -> cdvae.CDVAE:
    joint = part_of(progress, 0.0, 1 - HEADS_SHARE)
    run = cdvae_training.train(corpus, folder, minutes=minutes, progress=joint, **options)
    last = part_of(progress, 1 - HEADS_SHARE, HEADS_SHARE)
    config = replace(cdvae_training.finish(run, corpus, last), steps_trained=run.steps_trained)
    network = cast(cdvae_parts.Network, run.mean)
    return cdvae.CDVAE(config, network)


def _learn_mattergen(
    corpus: Corpus, folder: Path, minutes: float, progress: Progress | None, options: dict
) -> mattergen.MatterGen:
    first = 1.0 - ADAPTER_SHARE
    run = mattergen_training.train(
        corpus, folder, minutes=first * minutes, progress=part_of(progress, 0.0, first), **options
    )
    config = mattergen_training.train_adapters(
        run,
        corpus,
        folder,
        schedule=options["schedule"],
        names=known_adapters(corpus),
        minutes=ADAPTER_SHARE * minutes,
        progress=part_of(progress, first, ADAPTER_SHARE),
    )
    config = replace(config, steps_trained=run.steps_trained)
    return mattergen.MatterGen(config, cast(mattergen_parts.Network, run.mean))


def _learn_unimat(
    corpus: Corpus, folder: Path, minutes: float, progress: Progress | None, options: dict
) -> unimat.UniMat:
    run = unimat_training.train(corpus, folder, minutes=minutes, progress=progress, **options)
    config = replace(run.config, steps_trained=run.steps_trained)
    return unimat.UniMat(config, cast(unimat_parts.Network, run.mean))


_LEARN: dict[str, Callable[..., Any]] = {
    "cdvae": _learn_cdvae,
    "mattergen": _learn_mattergen,
    "unimat": _learn_unimat,
}


def known_adapters(corpus: Corpus) -> tuple[str, ...]:
    """Adapters whose property is known of some training crystal."""
    names = mattergen_parts.INPUTS
    return tuple(n for n in names if mattergen_training.known_part(corpus, n).rows("train"))


class Pretrained(mattergen.MatterGen):
    """mattergen before its adapters and moulds, which come anew from what a pretraining ends
    with."""

    @classmethod
    def load(cls, folder: Path) -> Pretrained:
        """Without them, from a folder that may have them."""
        known = mattergen.MatterGen.load(folder)
        config = replace(known.config, adapters=(), moulds=(0, 0, 0))
        network = mattergen_parts.Network(config)
        own, state = network.state_dict(), known.network.state_dict()
        kept = {key: state[key] for key in own if not key.startswith("moulds.")}
        network.load_state_dict(own | kept)
        return cls(config, network)


_KIND = {"cdvae": cdvae.CDVAE, "mattergen": Pretrained, "unimat": unimat.UniMat}
