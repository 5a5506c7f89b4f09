"""A few dozen of the shipped crystals as a corpus, and systems small enough for a test."""

from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import torch

from genbat.domains.crystals import data
from genbat.systems import cdvae_training, crystal_corpus, mattergen_training
from genbat.systems.cdvae import CDVAE
from genbat.systems.mattergen import MatterGen
from genbat.systems.run import Schedule

torch.set_num_threads(1)
SCHEDULE = Schedule(steps=60, batch=16, rate=3e-3, warm_steps=5)
MATTERGEN = {"width": 56, "layers": 2, "frequencies": 4}
CDVAE_SIZES = {"latent": 8, "encoder_width": 24, "encoder_layers": 2, "width": 32,
               "layers": 2, "frequencies": 4, "head_hidden": 16}  # fmt: skip


@lru_cache
def corpus(count: int = 64) -> crystal_corpus.Corpus:
    """Small crystals with known voltage among them, all but a few to train on."""
    known = data.load()
    sizes = known.table["numbers"].map(len)
    small = known.table[sizes <= 8]
    hosts = small.index[small["voltage_v"].notna()][: count // 2]
    rows = [*hosts, *small.index.difference(hosts)[: count - len(hosts)]]
    rows = rows[::2] + rows[1::2]  # hosts on both sides of the split
    return crystal_corpus.make(
        [known.cell(int(k)) for k in rows],
        known.table.loc[rows, "group"].to_numpy("i8"),
        known.table.loc[rows, list(crystal_corpus.TARGETS)].to_numpy("f8"),
        ["train"] * (count - 8) + ["test"] * 8,
    )


def kept(system):
    """A system as it comes back from its files."""
    folder = Path(mkdtemp()) / "finished"
    system.save(folder)
    return type(system).load(folder)


@lru_cache
def mattergen() -> MatterGen:
    """Trained for seconds, with all adapters."""
    folder = Path(mkdtemp())
    run = mattergen_training.train(corpus(), folder, schedule=SCHEDULE, **MATTERGEN)
    config = mattergen_training.train_adapters(
        run, corpus(), folder, schedule=Schedule(steps=4, batch=16, warm_steps=1)
    )
    return kept(MatterGen(config, run.mean))


@lru_cache
def cdvae() -> CDVAE:
    """Trained for seconds."""
    folder = Path(mkdtemp())
    run = cdvae_training.train(corpus(), folder, schedule=SCHEDULE, **CDVAE_SIZES)
    return kept(CDVAE(run.config, run.mean))


def same(one, two) -> bool:
    """Whether two cells are the same numbers."""
    return all(
        np.array_equal(getattr(one, name), getattr(two, name))
        for name in ("numbers", "positions", "lattice")
    )
