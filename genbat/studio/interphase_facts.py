"""What the card of an interphase says beyond its properties: what it is made of, layer by layer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from genbat.domains.interphases.kmc import SPECIES, Barriers
from genbat.domains.interphases.measures import SITE_NM
from genbat.domains.interphases.picture import COLOURS
from genbat.domains.interphases.texts import from_text, grown_barriers

__all__ = ["COLOURS", "SPECIES", "Facts", "facts"]


@dataclass(frozen=True)
class Facts:
    """Share of every species by distance from the electrode in nm (SPECIES, rows), and with what
    barriers it was grown, where it was."""

    distance: NDArray[np.float64]
    shares: NDArray[np.float64]
    barriers: Barriers | None


@lru_cache(maxsize=256)
def facts(text: str) -> Facts:
    """All of it.

    Raises
    ------
    ValueError : the text is no interphase.
    """
    sites = from_text(text)
    shares = np.stack([(sites == k).mean(1) for k in range(len(SPECIES))])
    distance = np.asarray((np.arange(len(sites)) + 0.5) * SITE_NM, np.float64)
    return Facts(distance, shares, grown_barriers(text))
