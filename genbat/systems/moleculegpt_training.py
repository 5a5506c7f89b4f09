"""Training of moleculegpt: spellings of molecules after the classes of their properties."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from genbat.domains.molecules.codec import Vocabulary, random_form
from genbat.families.blocks import quickly
from genbat.families.latent_net import thinned
from genbat.families.transformer import GPT
from genbat.systems.base import Progress
from genbat.systems.heads import known_scale
from genbat.systems.molecule_making import TOLD, told_values
from genbat.systems.moleculegpt import BORDERS, END, Config, network_of
from genbat.systems.run import Run, Schedule, advance_all, begin

PRESETS = {
    "tiny": Schedule(steps=4, batch=8, rate=1e-3, warm_steps=1),
    "base": Schedule(steps=12_000, batch=128, rate=1e-3, warm_steps=200),
}
FORMS = 4  # spellings of a molecule, the normal form among them


@dataclass(frozen=True)
class Spelt:
    """What moleculegpt learns from: of each molecule its spellings as token numbers, and the
    standardised values of TOLD (n, t), NaN unknown."""

    forms: Sequence[Sequence[list[int]]]
    values: Tensor


def make_config(table: pd.DataFrame, **sizes: int) -> Config:
    """Tokens, lengths, scales and borders of the classes, of molecules to train on."""
    values = told_values(table)
    mean, spread = known_scale(values)
    standard = (values - np.array(mean)) / np.array(spread)
    borders = np.nanpercentile(standard, BORDERS, axis=0).T.ravel().tolist()
    tokens = Vocabulary.from_smiles(table["smiles"]).tokens
    config = Config(tokens=tokens, borders=tuple(borders), mean=mean, spread=spread)
    return replace(config, **sizes)  # type: ignore[arg-type]


def spelt(table: pd.DataFrame, config: Config, seed: int = 0) -> Spelt:
    """Molecules of a table in several spellings each."""
    rng, known = random.Random(seed), Vocabulary(config.tokens)
    room = config.longest - len(TOLD) - 1
    forms = [_forms(smiles, known, room, rng) for smiles in table["smiles"]]
    values = (told_values(table) - np.array(config.mean)) / np.array(config.spread)
    kept = [k for k, own in enumerate(forms) if own]
    return Spelt([forms[k] for k in kept], torch.as_tensor(values[kept]).float())


def _forms(smiles: str, known: Vocabulary, room: int, rng: random.Random) -> list[list[int]]:
    found = []
    for text in (smiles, *(random_form(smiles, rng) for _ in range(FORMS - 1))):
        try:
            row = known.encode(text)
        except ValueError:  # a token that only this spelling needs
            continue
        if len(row) <= room:
            found.append(row)
    return found


def train(
    table: pd.DataFrame,
    folder: Path,
    *,
    schedule: Schedule,
    resume: bool = False,
    minutes: float = math.inf,
    progress: Progress | None = None,
    **sizes: int,
) -> Run:
    """Train on molecules of the split "train"; with `resume`, go on from the folder's checkpoint.

    Raises
    ------
    ValueError : no molecule to train on.
    """
    own = table[table["split"] == "train"]
    if not len(own):
        raise ValueError("molecules: none of the split train")
    run = begin(make_config(own, **sizes), network_of, schedule, folder, resume=resume)
    corpus = spelt(own, run.config, schedule.seed)
    loss = partial(batch_loss, cast(GPT, run.network), run.config, corpus)
    batches = batches_of(len(corpus.forms), schedule, run.step)
    return advance_all(run, batches, loss, minutes=minutes, progress=progress)


def batches_of(count: int, schedule: Schedule, first: int) -> Iterator[list[int]]:
    """Batches from step `first` to the schedule's end, every molecule as often as any other."""
    for step in range(first, schedule.steps):
        rng = np.random.default_rng((schedule.seed, step))
        yield rng.integers(count, size=schedule.batch).tolist()


def batch_loss(
    gpt: GPT, config: Config, corpus: Spelt, rows: list[int], seed: int
) -> tuple[Tensor, dict[str, float]]:
    """Loss of a batch: of each molecule one spelling at random, some of its properties told."""
    torch.manual_seed(seed)  # of the dropout
    tokens = written(config, corpus, rows, seed)
    counted = tokens > 0
    counted[:, : len(TOLD)] = False
    with quickly(gpt.training):
        loss = gpt.loss(tokens, counted)
    return loss.float(), {"tokens": float(loss.detach())}


def written(config: Config, corpus: Spelt, rows: Sequence[int], seed: int) -> Tensor:
    """Rows (B, T): words of the properties, tokens, the end, padding."""
    rng = random.Random(seed)
    generator = torch.Generator().manual_seed(seed)
    values = thinned(corpus.values[list(rows)], generator).tolist()
    lines = [
        [*config.words(own), *rng.choice(corpus.forms[row]), END]
        for row, own in zip(rows, values, strict=True)
    ]
    tokens = torch.zeros(len(lines), max(map(len, lines)), dtype=torch.long)
    for k, line in enumerate(lines):
        tokens[k, : len(line)] = torch.tensor(line)
    return tokens
