"""What is counted of an interphase: how thick, how porous, of what, how rough."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from genbat.domains.interphases.kmc import INORGANIC, ORGANIC, Sites

SITE_NM = 1.0
Numbers = dict[str, float]


def label(sites: Sites) -> Numbers:
    """Numbers of an interphase (rows from the electrode, columns; periodic along the columns).

    A column reaches to its outermost solid site that is connected to the electrode; the interphase
    is all that lies below these, and what drifts beyond is no part of it.

    thickness : mean reach in nm; `roughness` its standard deviation.
    porosity : share of the interphase that is no solid, NaN where there is no interphase.
    organic, inorganic : shares of the interphase; with the porosity they are 1.
    """
    grown = attached(sites >= ORGANIC)
    reach = np.where(grown.any(0), len(sites) - grown[::-1].argmax(0), 0)
    inside = np.arange(len(sites))[:, None] < reach
    area = int(inside.sum())
    share = lambda what: float((what & inside).sum() / area) if area else float("nan")  # noqa: E731
    return {
        "thickness": float(reach.mean() * SITE_NM),
        "porosity": share(sites < ORGANIC),
        "organic": share(sites == ORGANIC),
        "inorganic": share(sites == INORGANIC),
        "roughness": float(reach.std() * SITE_NM),
    }


def attached(solid: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The part of a solid (rows, columns) that is connected to the electrode below row 0 through
    sides of sites, also through the border between the last column and the first."""
    width = solid.shape[1]
    found, _ = ndimage.label(np.tile(solid, 3))  # a copy to either side makes the middle periodic
    ground = np.unique(found[0])
    held = np.isin(found, ground[ground > 0])
    return np.asarray(held.reshape(len(solid), 3, width).any(1), bool)
