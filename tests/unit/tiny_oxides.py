"""A few vanadium oxides as a corpus, and imatgen small enough for a test."""

from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp

import torch
from tiny_crystals import kept

from genbat.domains.crystals import data
from genbat.studio.training_images import SIZES
from genbat.systems import crystal_corpus, imatgen_training
from genbat.systems.imatgen import IMatGen
from genbat.systems.run import Schedule

torch.set_num_threads(1)
SCHEDULE = Schedule(steps=40, batch=8, rate=5e-3, warm_steps=5)
TINY = SIZES["tiny"]


@lru_cache
def oxides() -> crystal_corpus.Corpus:
    """Forty of at most eight atoms: 28 to train on, 4 to calibrate, 8 to test."""
    table = data.load().table
    small = table[(table["family"] == "vanadium oxide") & (table["numbers"].map(len) <= 8)]
    rows = small.index[::9][:40]
    splits = ["train"] * 28 + ["calibration"] * 4 + ["test"] * 8
    return crystal_corpus.make(
        [data.load().cell(int(k)) for k in rows],
        table.loc[rows, "group"].to_numpy("i8"),
        table.loc[rows, list(crystal_corpus.TARGETS)].to_numpy("f8"),
        splits,
    )


@lru_cache
def imatgen() -> IMatGen:
    """Trained for seconds."""
    folder = Path(mkdtemp())
    run = imatgen_training.train(oxides(), folder, schedule=SCHEDULE, **TINY)
    return kept(IMatGen(imatgen_training.finish(run, oxides()), run.mean))
