"""How an interphase gets the thickness, porosity and composition that are asked for.

The networks come near; what is left is counted, and taken off the next try by moving the condition
they are told. All tries have the same noise, so that it is one interphase that changes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from genbat.core.condition import Window
from genbat.domains.interphases.kmc import Sites
from genbat.domains.interphases.measures import label

CLOSE = 0.05  # spreads of the training set: nearer than this is near enough
STRIDE, DAMPED = 0.5, 0.6  # spreads that a try changes at most; share of what is missing
FURTHEST = 4.0  # spreads from the mean that are told at most


@dataclass(frozen=True)
class Asked:
    """A number that is asked for.

    Attributes
    ----------
    place : which coordinate of the condition.
    aim : what to count, within the window.
    spread : of the training set.
    """

    name: str
    place: int
    window: Window
    aim: float
    spread: float

    def missing(self, found: float) -> float:
        """To the aim, in spreads: nothing inside the window, the whole aim where none is found."""
        if self.window.low < self.window.high and self.window.holds(found):
            return 0.0
        return (self.aim - (0.0 if math.isnan(found) else found)) / self.spread


def settled(
    make: Callable[[np.ndarray], Sites],
    condition: np.ndarray,
    asked: Sequence[Asked],
    counts: int,
) -> tuple[float, Sites, np.ndarray]:
    """The nearest of 1 + counts tries: how far it is from what was asked at most, in spreads, its
    sites and its condition.

    Parameters
    ----------
    make : standardised condition -> sites.
    """
    c = condition
    tried: list[tuple[float, Sites, np.ndarray]] = []
    for _ in range(1 + counts):
        sites = make(c)
        found = label(sites)
        missing = [one.missing(found[one.name]) for one in asked]
        tried.append((max(map(abs, missing), default=0.0), sites, c))
        if tried[-1][0] < CLOSE:
            break
        c = c.copy()
        for one, m in zip(asked, missing, strict=True):
            c[one.place] += min(max(DAMPED * m, -STRIDE), STRIDE)
        c = c.clip(-FURTHEST, FURTHEST)
    return min(tried, key=lambda one: one[0])
