"""Some shipped cubic crystals of three elements, and cubicgan trained on them for seconds."""

from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
from tiny_crystals import kept

from genbat.domains.crystals import data
from genbat.domains.crystals.symmetric import described
from genbat.systems import cubicgan_training
from genbat.systems.cubicgan import CubicGAN
from genbat.systems.cubicgan_network import is_ours
from genbat.systems.duel import Rules

SIZES = {"width": 48, "layers": 1, "noise": 8, "embedding": 8}
RULES = Rules(steps=4, rounds=1, rate=1e-3)


@lru_cache
def cubic_cells(count=90):
    """Shipped cubic crystals of three elements, of all groups."""
    known = data.load()
    three = known.table["numbers"].map(lambda z: len(set(z))) == 3
    rows = known.table.index[three & (known.table["group"] >= 195)]
    some = np.random.default_rng(0).permutation(rows)[:count]
    return [known.cell(int(k)) for k in some]


@lru_cache
def cubic_crystals():
    """Those of one base atom an element."""
    return [c for c in map(described, cubic_cells()) if is_ours(c)]


@lru_cache
def cubicgan():
    """Trained for seconds."""
    folder = Path(mkdtemp())
    rules = replace(RULES, steps=500, rate=2e-3)
    duel = cubicgan_training.train_on(cubic_crystals(), folder, rules=rules, **SIZES)
    return kept(CubicGAN(duel.config, duel.mean))
