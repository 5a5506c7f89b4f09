"""unimat trained for seconds on the tiny corpus of crystals."""

from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp

from tiny_crystals import SCHEDULE, corpus, kept

from genbat.systems import unimat_training
from genbat.systems.unimat import UniMat

SIZES = {"width": 24, "layers": 2, "heads": 2}


@lru_cache
def known():
    """The corpus as unimat lays it out."""
    return unimat_training.laid_out(corpus())


@lru_cache
def unimat():
    """Trained for seconds."""
    folder = Path(mkdtemp())
    run = unimat_training.train(corpus(), folder, schedule=SCHEDULE, **SIZES)
    return kept(UniMat(run.config, run.mean))
