"""Training of crystalgpt: texts of crystals after prompts that tell some of what they are."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor

from genbat.domains.crystals.symmetric import Symmetric
from genbat.domains.crystals.symmetric_text import (
    END,
    NUMBER,
    ORDERED,
    numbers_of,
    prompt_of,
    reduced,
    words_of,
)
from genbat.domains.crystals.wishes import MOST_ATOMS
from genbat.families.blocks import quickly
from genbat.families.transformer import GPT
from genbat.systems.base import Progress
from genbat.systems.by_symmetry import symmetric
from genbat.systems.crystal_corpus import Corpus
from genbat.systems.crystalgpt import Config, network_of
from genbat.systems.run import Run, Schedule, advance_all, begin

PRESETS = {
    "tiny": Schedule(steps=20, batch=16, rate=1e-3, warm_steps=5),
    "base": Schedule(steps=12_000, batch=64, rate=1.5e-3, warm_steps=200),
}
POOL = 8  # batches from which one of like lengths is taken
# Shares of the training in which a prompt tells the formula, the elements alone, the atoms.
FORMULA, ELEMENTS, ATOMS = 0.4, 0.15, 0.25


@dataclass(frozen=True)
class Texts:
    """What crystalgpt learns from: of each crystal the words' numbers with end, and the atoms of
    its primitive cell by element."""

    bodies: Sequence[list[int]]
    counts: Sequence[dict[str, int]]
    groups: tuple[int, ...]

    @classmethod
    def of(cls, crystals: Iterable[Symmetric], longest: int) -> Texts:
        """Texts of crystals; those that do not fit beside the longest prompt are left out."""
        bodies, counts, groups = [], [], set[int]()
        for crystal in crystals:
            own = crystal.counts()
            try:
                body = [*numbers_of(words_of(crystal)), NUMBER[END]]
            except ValueError:  # an edge that has no word
                continue
            if len(body) + len(prompt_of(own)) <= longest and sum(own.values()) <= MOST_ATOMS:
                bodies.append(body)
                counts.append(own)
                groups.add(crystal.group)
        return cls(bodies, counts, tuple(sorted(groups)))

    @property
    def elements(self) -> tuple[str, ...]:
        """Elements of the crystals, in the order of a text."""
        used = {element for own in self.counts for element in own}
        return tuple(element for element in ORDERED if element in used)


def train(
    corpus: Corpus,
    folder: Path,
    *,
    schedule: Schedule,
    resume: bool = False,
    minutes: float = math.inf,
    progress: Progress | None = None,
    **sizes: int,
) -> Run:
    """Train on the split "train"; with `resume`, go on from the folder's checkpoint.

    Raises
    ------
    ValueError : no crystal to train on.
    """
    return train_on(
        symmetric(corpus, corpus.training_rows(), progress), folder,
        schedule=schedule, resume=resume, minutes=minutes, progress=progress, **sizes,
    )  # fmt: skip


def train_on(
    crystals: Sequence[Symmetric],
    folder: Path,
    *,
    schedule: Schedule,
    resume: bool = False,
    minutes: float = math.inf,
    progress: Progress | None = None,
    **sizes: int,
) -> Run:
    """As `train`, on crystals whose symmetry is known."""
    config = replace(Config(), **sizes)  # type: ignore[arg-type]
    texts = Texts.of(crystals, config.longest)
    if not texts.bodies:
        raise ValueError("crystals: none that fits in a text")
    config = replace(config, groups=texts.groups, elements=texts.elements)
    run = begin(config, network_of, schedule, folder, resume=resume)
    loss = partial(batch_loss, cast(GPT, run.network), texts)
    batches = batches_of([len(body) for body in texts.bodies], schedule, run.step)
    return advance_all(run, batches, loss, minutes=minutes, progress=progress)


def batches_of(lengths: Sequence[int], schedule: Schedule, first: int) -> Iterator[list[int]]:
    """Batches from step `first` to the schedule's end: of POOL batches drawn at random, sorted by
    length, one at random. Every text comes as often as any other."""
    known = np.array(lengths)
    for step in range(first, schedule.steps):
        rng = np.random.default_rng((schedule.seed, step))
        pool = rng.integers(len(known), size=POOL * schedule.batch)
        pool = pool[np.argsort(known[pool], kind="stable")]
        yield np.split(pool, POOL)[rng.integers(POOL)].tolist()


def batch_loss(
    gpt: GPT, texts: Texts, rows: list[int], seed: int
) -> tuple[Tensor, dict[str, float]]:
    """Loss of a batch in nats a word: each text after a prompt that tells some of it."""
    torch.manual_seed(seed)  # of the dropout
    tokens, counted = rows_of(texts, rows, seed)
    with quickly(gpt.training):
        loss = gpt.loss(tokens, counted)
    return loss.float(), {"words": float(loss.detach())}


def rows_of(texts: Texts, rows: Sequence[int], seed: int) -> tuple[Tensor, Tensor]:
    """Tokens (B, T), padded with 0, and which of them count (B, T): those of the texts."""
    rng = random.Random(seed)
    prompts = [numbers_of(told(texts.counts[row], rng)) for row in rows]
    lines = [[*p, *texts.bodies[row]] for p, row in zip(prompts, rows, strict=True)]
    tokens = torch.zeros(len(lines), max(map(len, lines)), dtype=torch.long)
    counted = torch.zeros_like(tokens)
    for k, (prompt, line) in enumerate(zip(prompts, lines, strict=True)):
        tokens[k, : len(line)] = torch.tensor(line)
        counted[k, len(prompt) : len(line)] = 1
    return tokens, counted


def told(counts: dict[str, int], rng: random.Random) -> list[str]:
    """A prompt that tells some of a crystal with these atoms in its primitive cell."""
    draw = rng.random()
    formula = reduced(counts) if draw < FORMULA else None
    elements = counts if FORMULA <= draw < FORMULA + ELEMENTS else ()
    atoms = sum(counts.values()) if rng.random() < ATOMS else None
    return prompt_of(formula, elements, atoms)
