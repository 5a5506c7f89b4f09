"""All numbers of a volume, the quick ones first, so that a card can fill while they come."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from genbat.domains.microstructures.properties import COUNTED, PROPERTIES
from genbat.domains.microstructures.statistics import (
    chords,
    fractions,
    percolated_share,
    surfaces,
    triple_line,
)
from genbat.domains.microstructures.transport import METHOD, transport
from genbat.domains.microstructures.volume import AXES, Volume

PORE, ACTIVE, BINDER = 0, 1, 2
SOLVED = ("tau_z", "tau_y", "tau_x", "diffusivity_z", "conductivity_z", "anisotropy")
# (key, unit, method) of every label.
MEASURED = tuple((p.key, p.unit, METHOD if p.key in SOLVED else COUNTED) for p in PROPERTIES)
Numbers = dict[str, float]


def label(volume: Volume) -> Numbers:
    """Every property of a volume whose phases are pore, active material and, maybe, binder; a
    tortuosity factor is infinite where nothing percolates."""
    out: Numbers = {}
    for part in in_turn(volume):
        out |= part
    return out


def in_turn(volume: Volume) -> Iterator[Numbers]:
    """The same, part by part as they are computed.

    Raises
    ------
    ValueError : the volume has fewer than two phases.
    """
    if len(volume.phases) < 2:
        raise ValueError(f"phases: {volume.phases} alone; pore and a solid are needed")
    parts: list[Callable[[Volume], Numbers]] = [_counted, _lengths, _through, _solids, _across]
    known: Numbers = {}
    for part in parts:
        found = part(volume)
        known |= found
        yield found
    across = (known["tau_y"] + known["tau_x"]) / 2
    yield {"anisotropy": known["tau_z"] / across if np.isfinite(across) else np.nan}


def _counted(volume: Volume) -> Numbers:
    share = [*fractions(volume), 0.0]
    return {
        "porosity": float(share[PORE]),
        "active": float(share[ACTIVE]),
        "binder": float(share[BINDER]),
        "surface": float(surfaces(volume)[PORE, ACTIVE]),
        "triple_line": triple_line(volume),
        "reached": percolated_share(volume.mask(PORE), 0),
    }


def _lengths(volume: Volume) -> Numbers:
    return {"chord": mean_chord(volume, PORE), "grain": mean_chord(volume, ACTIVE)}


def mean_chord(volume: Volume, phase: int) -> float:
    """Mean chord of a phase over the three axes, in the volume's unit; NaN where there is none."""
    mask = volume.mask(phase)
    found = [chords(mask, axis) * volume.edges[axis] for axis in range(3)]
    lengths = np.concatenate(found)
    return float(lengths.mean()) if len(lengths) else float("nan")


def _through(volume: Volume) -> Numbers:
    pore = transport(volume, (PORE,), 0)
    return {"tau_z": pore.tortuosity, "diffusivity_z": pore.relative}


def _solids(volume: Volume) -> Numbers:
    solids = tuple(range(1, len(volume.phases)))
    return {"conductivity_z": transport(volume, solids, 0).relative}


def _across(volume: Volume) -> Numbers:
    return {f"tau_{AXES[k]}": transport(volume, (PORE,), k).tortuosity for k in (1, 2)}
