"""What the systems that write repeat units learn from: texts after the class of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from genbat.domains.polymers.repeat_unit import normal, views
from genbat.domains.polymers.tokens import Vocabulary
from genbat.systems.polymer_words import BORDERS, SAID, UNTOLD, Config
from genbat.systems.run import Schedule

FORGET = 0.25  # share of the training in which the class is not told


@dataclass(frozen=True)
class Texts:
    """What polymergpt learns from.

    Attributes
    ----------
    ways : of each polymer all its texts, which differ in the cut and the direction.
    values : log10 of the conductivity in S/cm (n,), NaN where unknown.
    """

    ways: Sequence[Sequence[str]]
    values: np.ndarray

    @classmethod
    def of(cls, texts: Sequence[str], values: Sequence[float]) -> Texts:
        """Of repeat units in their normal form."""
        return cls([views(normal(text)) for text in texts], np.asarray(values, float))


def make_config(texts: Texts, **sizes: int) -> Config:
    """Tokens, lengths and borders of the classes."""
    every = [text for ways in texts.ways for text in ways]
    known = Vocabulary.of(every, SAID)
    longest = 2 + max(len(known.numbers(text)) for text in every)
    borders = np.nanpercentile(texts.values, BORDERS).tolist()
    config = Config(tokens=known.tokens, longest=longest, borders=tuple(borders))
    return replace(config, **sizes)  # type: ignore[arg-type]


def batches_of(count: int, schedule: Schedule, first: int) -> Iterator[list[int]]:
    """Batches from step `first` to the schedule's end, every polymer as often as any other."""
    for step in range(first, schedule.steps):
        rng = np.random.default_rng((schedule.seed, step))
        yield rng.integers(count, size=schedule.batch).tolist()


def written(
    config: Config, texts: Texts, rows: Sequence[int], rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Tokens of some polymers (B, T), each with its class before and the end behind, and which of
    them count."""
    known, lines = Vocabulary(config.tokens), []
    for row in rows:
        ways = texts.ways[row]
        text = ways[int(rng.integers(len(ways)))]
        told = UNTOLD if rng.random() < FORGET else config.class_of(texts.values[row])
        lines.append([told, *known.numbers(text), 1])
    tokens = torch.zeros(len(lines), max(map(len, lines)), dtype=torch.long)
    for k, line in enumerate(lines):
        tokens[k, : len(line)] = torch.tensor(line)
    counted = tokens > 0
    counted[:, 0] = False
    return tokens, counted
