"""Some of the shipped binaries and ternaries as a corpus, and a crystalgan trained for seconds."""

from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import torch
from tiny_crystals import kept

from genbat.domains.crystals import data
from genbat.systems import crystal_corpus, crystalgan_training
from genbat.systems.crystalgan import CrystalGAN
from genbat.systems.crystalgan_pairs import SITES, pairs_of
from genbat.systems.duel import Rules

torch.set_num_threads(1)
SIZES = {"width": 24, "layers": 1, "frequencies": 4, "critic": 16}
RULES = Rules(steps=4, rounds=1, rate=1e-3)


@lru_cache
def corpus():
    """Some binaries and ternaries of the shipped set."""
    known = data.load()
    numbers = known.table["numbers"]
    kinds = [set(map(int, row)) for row in numbers]
    small = [k for k in range(len(known)) if len(numbers.iloc[k]) <= SITES]
    binaries = [k for k in small if len(kinds[k]) == 2 and kinds[k] & {1, 8}]
    learnt, unseen = binaries[:80], binaries[80:100]
    ternaries = [k for k in small if len(kinds[k]) == 3 and kinds[k] & {1, 8}][:10]
    rows = [*learnt, *unseen, *ternaries]
    return crystal_corpus.make(
        [known.cell(k) for k in rows],
        known.table.iloc[rows]["group"].to_numpy("i8"),
        np.full((len(rows), len(crystal_corpus.TARGETS)), np.nan),
        ["train"] * len(learnt) + ["test"] * (len(unseen) + len(ternaries)),
    )


@lru_cache
def system():
    """Trained for seconds."""
    folder = Path(mkdtemp())
    duel = crystalgan_training.train(corpus(), folder, rules=RULES, **SIZES)
    return kept(CrystalGAN(duel.config, duel.mean))


def some_pairs(count=4, seed=0):
    """Unions of binaries chosen at random."""
    stock, scale = system().network.stock, system().config.scale
    random = torch.Generator().manual_seed(seed)
    one, two = crystalgan_training.partners(stock, count, random)
    generators = [torch.Generator().manual_seed(k) for k in range(count)]
    return pairs_of(stock.crystals(one, scale), stock.crystals(two, scale), generators)
