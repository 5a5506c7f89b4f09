"""Proposals of a system that takes no condition: decoded around the known ones nearest to a wish.

Starts are the known objects made of the wished elements that miss the windows least; each is left
by random steps in latent space, wider with every round.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from genbat.core.candidate import Candidate
from genbat.studio.explore import Atlas
from genbat.studio.question import Question

BLOCK = 24  # decoded together
STARTS = 48
WIDTH = 0.25  # of the spread of the data in latent space, in the first round


def near(question: Question, place: Atlas, system: Any) -> Iterator[Candidate]:
    """`question.count` candidates, the same ones for the same question."""
    for first in range(0, question.count, BLOCK):
        yield from near_block(question, place, system, first)[: question.count - first]


def near_block(question: Question, place: Atlas, system: Any, first: int) -> list[Candidate]:
    """The BLOCK of them that begins with number `first`, a multiple of BLOCK."""
    rows = starts(question, place)
    rng = np.random.default_rng((question.seed, first))
    numbers = np.arange(first, first + BLOCK)
    width = WIDTH * (1 + numbers // len(rows)) * place.latents[: place.n_known].std(0).mean()
    picked = rows[numbers % len(rows)]
    z = place.latents[picked]
    z = (z + width[:, None] * rng.standard_normal(z.shape)).astype("f4")
    made = system.decode(z, seed=question.seed + first)
    return [
        _told(question, candidate, int(number), place.names[row])
        for candidate, number, row in zip(made, numbers, picked, strict=True)
    ]


def starts(question: Question, place: Atlas) -> np.ndarray:
    """Known rows (m,) to start from, nearest to the wishes first."""
    wishes = place.rooms.read_wishes(question.condition)  # None where a domain knows none
    rows = np.flatnonzero(place.known.fulfil(wishes))
    if not len(rows):
        elements = place.elements[: place.n_known]
        made_of = np.array([wishes.require <= own <= wishes.allow for own in elements])
        rows = np.flatnonzero(made_of) if made_of.any() else np.arange(place.n_known)
    return rows[np.argsort(_misses(question, place)[rows], kind="stable")[:STARTS]]


def _misses(question: Question, place: Atlas) -> np.ndarray:
    """How far each known row is from all windows, in standard deviations (n,)."""
    total = np.zeros(place.n_known)
    for key, window in question.condition.windows.items():
        values = place.values(key)[: place.n_known]
        miss = np.maximum(np.maximum(window.low - values, values - window.high), 0.0)
        spread = np.nanstd(values)
        total += np.nan_to_num(miss / (spread if spread > 0 else 1.0), nan=10.0)
    return total


def _told(question: Question, candidate: Candidate, number: int, start: str) -> Candidate:
    story = replace(
        candidate.provenance,
        action="near",
        seed=question.seed,
        condition=question.condition.to_json(),
        arguments={"index": number, "start": start},
    )
    return replace(candidate, provenance=story)
