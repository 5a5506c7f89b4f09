"""A lattice kinetic Monte Carlo of the solid-electrolyte interphase, rejection-free.

After the solution-mediated growth of Esmaeilpour et al. (Adv. Energy Mater. 2023) and
Soleymanibrojeni et al. (J. Mater. Chem. A 2024, 12, 2249): a vertical cut through the interphase,
periodic along the electrode, which lies below row 0. Sites are one nanometre wide and hold

    electrolyte (ethylene carbonate), a radical of it, organic (lithium ethylene dicarbonate), or
    inorganic (lithium carbonate).

What may happen, with rates k = kT/h exp(-E/kT), and for what needs an electron from the electrode
times exp(-z / tunnel):

    electrolyte -> radical                    reduction, needs an electron
    radical hops to an electrolyte neighbour
    radical -> inorganic                      second reduction, needs an electron
    two neighbouring radicals -> organic      dimerisation; the other site becomes electrolyte
    organic hops to an electrolyte neighbour  each solid neighbour holds it back: aggregation
    organic -> inorganic                      conversion, needs an electron

Times are drawn as by Bortz, Kalos and Lebowitz (J. Comput. Phys. 1975, 17, 10). A run ends at a
physical time, not after so many events: fast hops would otherwise end it early.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass

import numba
import numpy as np
from numpy.typing import NDArray

Sites = NDArray[np.uint8]
Floats = NDArray[np.float64]
SPECIES = ("electrolyte", "radical", "organic", "inorganic")
ELECTROLYTE, RADICAL, ORGANIC, INORGANIC = range(4)
KT_EV, KT_H = 0.025852, 6.2509e12  # at 300 K: eV, and kT/h in 1/s
WIDTH, HEIGHT = 64, 64  # sites of a nanometre along and away from the electrode
AGAIN = 20_000  # events after which sums are made anew: differences add up their errors
LIMITS = {
    "reduction": (0.3, 0.7),
    "radical_hop": (0.2, 0.6),
    "second_reduction": (0.3, 0.8),
    "dimerisation": (0.0, 0.6),
    "organic_hop": (0.3, 0.8),
    "bond": (0.0, 0.3),
    "conversion": (0.4, 0.9),
    "tunnel": (0.5, 5.0),
}


@dataclass(frozen=True)
class Barriers:
    """Barriers in eV, and `tunnel`, the length in nm over which an electron's chance falls by e.

    The defaults are near those of RNMC's network of the same chemistry: ring opening .40, lithium
    transfers .27 to .30, reduction of the dicarbonate .59.
    """

    reduction: float = 0.44
    radical_hop: float = 0.30
    second_reduction: float = 0.50
    dimerisation: float = 0.20
    organic_hop: float = 0.40
    bond: float = 0.10
    conversion: float = 0.59
    tunnel: float = 1.7

    def __post_init__(self) -> None:
        """ValueError where a number is out of LIMITS."""
        for name, (low, high) in LIMITS.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"{name}: got {value:g}; legal is {low:g} to {high:g}")


@dataclass(frozen=True)
class Grown:
    """What a run ends with: sites (rows from the electrode, columns), time in s, events; whether
    the time that was asked for was reached."""

    sites: Sites
    time_s: float
    events: int
    finished: bool


def grow(
    barriers: Barriers, seed: int, *, time_s: float = 1e-3, most_events: int = 4_000_000
) -> Grown:
    """An interphase after a time; the same seed gives the same one.

    Raises
    ------
    ValueError : no positive time or number of events.
    """
    if not time_s > 0 or most_events < 1:
        raise ValueError(f"time_s, most_events: got {time_s:g}, {most_events}; legal are above 0")
    sites = np.zeros((HEIGHT, WIDTH), np.uint8)
    spent, events = _run(sites, np.array(astuple(barriers)), seed, time_s, most_events)
    return Grown(sites, float(spent), int(events), bool(spent >= time_s))


def rates_of(barriers: Barriers) -> tuple[Floats, Floats]:
    """Rates in 1/s: of reduction, second reduction and conversion by row (3, HEIGHT), and of
    radical hop, dimerisation and organic hop with 0 to 4 solid neighbours (3, 5)."""
    return _tables(np.array(astuple(barriers)))


@numba.njit(cache=True)
def _tables(barriers: Floats) -> tuple[Floats, Floats]:
    electron = np.zeros((3, HEIGHT))
    free = np.zeros((3, 5))
    for row in range(HEIGHT):
        reach = KT_H * np.exp(-row / barriers[7])
        electron[0, row] = reach * np.exp(-barriers[0] / KT_EV)
        electron[1, row] = reach * np.exp(-barriers[2] / KT_EV)
        electron[2, row] = reach * np.exp(-barriers[6] / KT_EV)
    for held in range(5):
        free[0, held] = KT_H * np.exp(-barriers[1] / KT_EV)
        free[1, held] = KT_H * np.exp(-barriers[3] / KT_EV)
        free[2, held] = KT_H * np.exp(-(barriers[4] + held * barriers[5]) / KT_EV)
    return electron, free


@numba.njit(cache=True)
def _neighbour(z: int, x: int, way: int) -> tuple[int, int]:
    """Row and column of a neighbour: up, down, right, left; row -1 where there is none."""
    if way == 0:
        return (z + 1 if z + 1 < HEIGHT else -1), x
    if way == 1:
        return z - 1, x
    if way == 2:
        return z, (x + 1 if x + 1 < WIDTH else 0)
    return z, (x - 1 if x > 0 else WIDTH - 1)


@numba.njit(cache=True)
def _held(sites: Sites, z: int, x: int) -> int:
    """Solid neighbours of a site; the electrode counts."""
    count = 0
    for way in range(4):
        near, side = _neighbour(z, x, way)
        if near < 0:
            count += way == 1
        elif sites[near, side] >= ORGANIC:
            count += 1
    return count


@numba.njit(cache=True)
def _total(sites: Sites, electron: Floats, free: Floats, z: int, x: int) -> float:
    """Rate of everything that may happen to a site."""
    own = sites[z, x]
    if own == ELECTROLYTE:
        return electron[0, z]
    if own == INORGANIC:
        return 0.0
    total = electron[1, z] if own == RADICAL else electron[2, z]
    hop = free[0, 0] if own == RADICAL else free[2, _held(sites, z, x)]
    for way in range(4):
        near, side = _neighbour(z, x, way)
        if near >= 0:
            if sites[near, side] == ELECTROLYTE:
                total += hop
            elif own == RADICAL and sites[near, side] == RADICAL:
                total += 0.5 * free[1, 0]  # each pair is met from both of its sites
    return total


@numba.njit(cache=True)
def _happen(
    sites: Sites, electron: Floats, free: Floats, z: int, x: int, pick: float
) -> tuple[int, int]:
    """What of a site's events lies at `pick` of its total rate; returns the other site it moved
    or used, -1 for none."""
    own = sites[z, x]
    if own == ELECTROLYTE:
        sites[z, x] = RADICAL
        return -1, -1
    pick -= electron[1, z] if own == RADICAL else electron[2, z]
    if pick < 0:
        sites[z, x] = INORGANIC
        return -1, -1
    hop = free[0, 0] if own == RADICAL else free[2, _held(sites, z, x)]
    last_z, last_x = -1, -1
    for way in range(4):
        near, side = _neighbour(z, x, way)
        if near < 0:
            continue
        if sites[near, side] == ELECTROLYTE:
            pick -= hop
        elif own == RADICAL and sites[near, side] == RADICAL:
            pick -= 0.5 * free[1, 0]
        else:
            continue
        last_z, last_x = near, side
        if pick < 0:
            break
    if last_z >= 0:  # rounding may leave a little of `pick`: then it was the last one
        if sites[last_z, last_x] == RADICAL:
            sites[z, x], sites[last_z, last_x] = ORGANIC, ELECTROLYTE
        else:
            sites[z, x], sites[last_z, last_x] = ELECTROLYTE, own
    return last_z, last_x


@numba.njit(cache=True)
def _renew(
    sites: Sites, electron: Floats, free: Floats, rate: Floats, rows: Floats, z: int, x: int
) -> None:
    """Rates of a site and its neighbours, and the sums of their rows."""
    new = _total(sites, electron, free, z, x)
    rows[z] += new - rate[z, x]
    rate[z, x] = new
    for way in range(4):
        near, side = _neighbour(z, x, way)
        if near >= 0:
            new = _total(sites, electron, free, near, side)
            rows[near] += new - rate[near, side]
            rate[near, side] = new


@numba.njit(cache=True)
def _run(
    sites: Sites, barriers: Floats, seed: int, time_s: float, most_events: int
) -> tuple[float, int]:
    np.random.seed(seed)
    electron, free = _tables(barriers)
    rate, rows = np.zeros((HEIGHT, WIDTH)), np.zeros(HEIGHT)
    spent, events = 0.0, 0
    while events < most_events:
        if events % AGAIN == 0:
            for z in range(HEIGHT):
                for x in range(WIDTH):
                    rate[z, x] = _total(sites, electron, free, z, x)
                rows[z] = rate[z].sum()
        total = rows.sum()
        spent -= np.log(1.0 - np.random.random()) / total
        if spent >= time_s:
            return time_s, events
        pick = np.random.random() * total
        z = 0
        while z < HEIGHT - 1 and pick >= rows[z]:
            pick -= rows[z]
            z += 1
        x = 0
        while x < WIDTH - 1 and pick >= rate[z, x]:
            pick -= rate[z, x]
            x += 1
        near, side = _happen(sites, electron, free, z, x, min(pick, rate[z, x]))
        _renew(sites, electron, free, rate, rows, z, x)
        if near >= 0:
            _renew(sites, electron, free, rate, rows, near, side)
        events += 1
    return spent, events
