"""What chemvae's training reads: its schedule, its molecules in several spellings, its batches."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pandas as pd
import torch
from torch import Tensor

from genbat.domains.molecules.codec import Vocabulary, random_form
from genbat.systems.chemvae import Config
from genbat.systems.chemvae_targets import standardise, target_values


@dataclass(frozen=True)
class Schedule:
    """How long and how hard to train."""

    steps: int = 10_000
    batch: int = 128
    rate: float = 1e-3
    beta: float = 0.05
    warm_steps: int = 2_000
    head_weight: float = 3.0
    forms: int = 6
    canonical_share: float = 0.8
    seed: int = 0


PRESETS = {
    "tiny": Schedule(steps=30, batch=32, warm_steps=10, forms=2),
    "base": Schedule(),
}
# Where a preset's networks differ from `Config`'s own sizes.
SIZES: dict[str, dict[str, int]] = {
    "tiny": {
        "latent": 16,
        "embedding": 16,
        "encoder_hidden": 32,
        "decoder_hidden": 48,
        "members": 3,
        "head_hidden": 16,
    },
    "base": {},
}


@dataclass(frozen=True)
class Corpus:
    """Training molecules: several spellings each, targets (n, t) standardised, NaN unknown."""

    inputs: list[list[list[int]]]
    outputs: list[list[int]]
    targets: Tensor

    def __len__(self) -> int:
        return len(self.outputs)


def make_corpus(table: pd.DataFrame, config: Config, schedule: Schedule) -> Corpus:
    """Spell every molecule several times; the first spelling is the normal form."""
    rng = random.Random(schedule.seed)
    vocabulary = Vocabulary(config.tokens)
    outputs = [vocabulary.encode(s) for s in table["smiles"]]
    inputs = []
    for smiles, own in zip(table["smiles"], outputs, strict=True):
        inputs.append([own, *_spellings(smiles, vocabulary, schedule.forms - 1, rng)])
    targets = torch.tensor(standardise(target_values(table), config), dtype=torch.float32)
    return Corpus(inputs, outputs, targets)


def _spellings(
    smiles: str, vocabulary: Vocabulary, count: int, rng: random.Random
) -> list[list[int]]:
    found = []
    for _ in range(count):
        try:
            found.append(vocabulary.encode(random_form(smiles, rng)))
        except ValueError:  # a token that only this spelling needs
            continue
    return found


def batches(corpus: Corpus, schedule: Schedule, epoch: int) -> Iterator[list[int]]:
    """Row numbers of one epoch's batches; molecules of like length share one (less padding),
    drawn from random pools of eight batches, so that batches differ from epoch to epoch."""
    rng = random.Random(f"{schedule.seed}:{epoch}")
    order = rng.sample(range(len(corpus)), len(corpus))
    pool, size = 8 * schedule.batch, schedule.batch
    chunks = []
    for first in range(0, len(order), pool):
        rows = sorted(order[first : first + pool], key=lambda k: len(corpus.outputs[k]))
        chunks += [rows[k : k + size] for k in range(0, len(rows), size)]
    rng.shuffle(chunks)
    yield from chunks


def writable(table: pd.DataFrame, vocabulary: Vocabulary) -> pd.DataFrame:
    """Rows the vocabulary can write."""
    known = []
    for smiles in table["smiles"]:
        try:
            vocabulary.encode(smiles)
            known.append(True)
        except ValueError:
            known.append(False)
    return table[known]


def fingerprint(smiles: Iterable[str]) -> str:
    """Which molecules a training learns from, in 16 hex digits."""
    return hashlib.sha256("\n".join(smiles).encode()).hexdigest()[:16]
