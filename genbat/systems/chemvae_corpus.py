"""What chemvae's training reads: its schedule, its molecules in several spellings, its batches."""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass

import pandas as pd
import torch
from rdkit import Chem
from torch import Tensor

from genbat.domains.molecules.codec import Vocabulary, random_form
from genbat.domains.molecules.structure import judge
from genbat.systems.chemvae import Config
from genbat.systems.chemvae_targets import standardise, target_values

MAX_MUTANT_HEAVY = 12  # as in the data


@dataclass(frozen=True)
class Schedule:
    """How long and how hard to train."""

    steps: int = 20_000
    batch: int = 128
    rate: float = 1e-3
    beta: float = 0.05
    warm_steps: int = 2_000
    head_weight: float = 6.0
    forms: int = 6
    canonical_share: float = 0.8
    mutants: int = 300_000
    mutant_share: float = 0.6
    mutant_phase: float = 0.9
    head_steps: int = 3_000
    seed: int = 0


PRESETS = {
    "tiny": Schedule(
        steps=30,
        batch=32,
        warm_steps=10,
        forms=2,
        mutants=40,
        head_steps=20,
    ),
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
    """Training molecules: several spellings each, targets (n, t) standardised, NaN unknown.

    The first `real` rows are data, the rest are mutants of them without targets.
    """

    inputs: list[list[list[int]]]
    outputs: list[list[int]]
    targets: Tensor
    real: int

    def __len__(self) -> int:
        return len(self.outputs)


def make_corpus(
    table: pd.DataFrame, config: Config, schedule: Schedule, held_out: Container[str] = frozenset()
) -> Corpus:
    """Spell every molecule several times, the normal form first, and add mutants.

    `held_out` are molecules that no mutant may be.
    """
    rng = random.Random(schedule.seed)
    vocabulary = Vocabulary(config.tokens)
    known = table["smiles"].tolist()
    outputs = [vocabulary.encode(s) for s in known]
    inputs = [
        [own, *_spellings(smiles, vocabulary, schedule.forms - 1, rng)]
        for smiles, own in zip(known, outputs, strict=True)
    ]
    extra = mutants(outputs, set(known), held_out, vocabulary, schedule.mutants, rng)
    targets = torch.full((len(known) + len(extra), len(config.mean)), torch.nan)
    targets[: len(known)] = torch.tensor(standardise(target_values(table), config)).float()
    return Corpus([*inputs, *([m] for m in extra)], [*outputs, *extra], targets, len(known))


def mutants(
    rows: list[list[int]],
    known: Container[str],
    held_out: Container[str],
    vocabulary: Vocabulary,
    count: int,
    rng: random.Random,
) -> list[list[int]]:
    """New legal molecules one to three token edits away from the data, as token numbers.

    Random edits of SELFIES stay molecules (STONED, Nigam et al., Chem. Sci. 2021, 12, 7079).
    They teach structures that the data lacks; nobody needs their properties. Long parents are
    preferred: the number of molecules grows with their size, and the share that is known falls.
    """
    found: dict[str, list[int]] = {}
    for _ in range(3 * count):
        if len(found) >= count:
            break
        parent = max(rng.choice(rows), rng.choice(rows), key=len)
        smiles = vocabulary.decode(_edit(parent, len(vocabulary), rng))
        if smiles is None or smiles in found or smiles in known or smiles in held_out:
            continue
        mol = Chem.MolFromSmiles(smiles)
        if mol is not None and judge(mol, MAX_MUTANT_HEAVY).ok:
            try:
                found[smiles] = vocabulary.encode(smiles)
            except ValueError:  # the normal form needs a token or a length nothing known has
                continue
    return list(found.values())


def _edit(row: list[int], words: int, rng: random.Random) -> list[int]:
    out = list(row)
    for _ in range(rng.randint(1, 3)):
        place, token = rng.randrange(len(out)), rng.randrange(3, words)
        kind = rng.random()
        if kind < 0.4:
            out[place] = rng.choice(row)
        elif kind < 0.55:
            out[place] = token
        elif kind < 0.8:
            out.insert(place, rng.choice(row))
        elif len(out) > 2:
            del out[place]
    return out


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
    order = _epoch_rows(corpus, schedule, epoch, rng)
    pool, size = 8 * schedule.batch, schedule.batch
    chunks = []
    for first in range(0, len(order), pool):
        rows = sorted(order[first : first + pool], key=lambda k: len(corpus.outputs[k]))
        chunks += [rows[k : k + size] for k in range(0, len(rows), size)]
    rng.shuffle(chunks)
    yield from chunks


def steps_an_epoch(corpus: Corpus, schedule: Schedule) -> int:
    """Optimiser steps an epoch: as many rows as there are real molecules."""
    return math.ceil(corpus.real / schedule.batch)


def _epoch_rows(corpus: Corpus, schedule: Schedule, epoch: int, rng: random.Random) -> list[int]:
    """Real molecules in random order, of which a share gives way to mutants; a sixth of that share
    in the last phase, so that what the prior draws resembles the data again."""
    early = epoch * steps_an_epoch(corpus, schedule) < schedule.mutant_phase * schedule.steps
    share = schedule.mutant_share / (1 if early else 6)
    spare = range(corpus.real, len(corpus))
    guests = min(int(share * corpus.real), len(spare))
    rows = [*rng.sample(range(corpus.real), corpus.real - guests), *rng.sample(spare, guests)]
    rng.shuffle(rows)
    return rows


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
