"""Finer voxels for a user's coarse scan, by SuperRes, in the background."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from genbat.core.candidate import Candidate
from genbat.domains.microstructures.reading import Stack, read_tiff
from genbat.domains.microstructures.statistics import fractions, surfaces
from genbat.domains.microstructures.volume import Volume, from_text, to_text
from genbat.studio import registry
from genbat.studio.work import Report
from genbat.systems.superres import FACTOR

LEAST, MOST = 16, 64  # coarse voxels along an edge that are made finer; more are cut off


@dataclass(frozen=True)
class Compared:
    """A phase before and after: shares of the volume, faces of voxels by volume and its unit."""

    phase: str
    share: tuple[float, float]
    surface: tuple[float, float]
    unit: str


def stack_of(data: bytes, filename: str) -> Stack:
    """An uploaded coarse scan.

    Raises
    ------
    ValueError : names the file, what is wrong and what is legal.
    """
    found = read_tiff(data, filename)
    if min(found.values.shape) < LEAST:
        shape = " x ".join(map(str, found.values.shape))
        raise ValueError(f"{filename}: {shape} voxels; legal are edges of {LEAST} at least")
    return found


def middle(volume: Volume) -> Volume:
    """The middle of a volume, at most MOST voxels along each edge."""
    cut = tuple(slice((n - min(n, MOST)) // 2, (n + min(n, MOST)) // 2) for n in volume.shape)
    return replace(volume, labels=np.ascontiguousarray(volume.labels[cut]), periodic=False)


def able(phases: int) -> dict[str, str]:
    """Systems that make volumes of so many phases finer, with their titles."""
    here = [n for n in registry.names("microstructures") if registry.trained(n)]
    found = {n: registry.card(n).title for n in here if "enhance" in registry.card(n).capabilities}
    return {n: title for n, title in found.items() if _phases(n) == phases}


def _phases(name: str) -> int:
    return len(registry.load(name).config.coarse)


def arguments(volume: Volume, system: str, name: str, seed: int) -> dict[str, Any]:
    """What the job is told.

    Raises
    ------
    ValueError : a system that does not make such a volume finer.
    """
    legal = able(len(volume.phases))
    if system not in legal:
        raise ValueError(f"system: {system!r} cannot; legal are {', '.join(legal) or 'none here'}")
    return {
        "domain": "microstructures", "text": to_text(middle(volume)), "system": system,
        "name": name, "seed": int(seed),
    }  # fmt: skip


def enhance(told: Mapping[str, Any], report: Report) -> None:
    """The job: emits `{"candidate"}`, the fine volume as a candidate's JSON."""
    system, coarse = registry.load(told["system"]), from_text(told["text"])
    made = system.finer(coarse, seed=told["seed"], progress=report)
    report.emit({"candidate": replace(made, name=f"{told['name']}, finer").to_json()})


def result(payload: Mapping[str, Any]) -> Candidate:
    """The candidate of the job's result."""
    return Candidate.from_json(payload["candidate"])


def compared(coarse: str, fine: str) -> Sequence[Compared]:
    """Phases before and after, by both volumes' texts."""
    before, after = from_text(coarse), from_text(fine)
    if not before.voxel_um:  # lengths in fine voxels
        before = replace(before, voxel_um=(FACTOR,) * 3)
        after = replace(after, voxel_um=(1.0,) * 3)
        unit = "per fine voxel"
    else:
        unit = "per μm"
    shares = fractions(before), fractions(after)
    faces = surfaces(before).sum(1), surfaces(after).sum(1)
    return [
        Compared(phase, (float(shares[0][k]), float(shares[1][k])),
                 (float(faces[0][k]), float(faces[1][k])), unit)
        for k, phase in enumerate(after.phases)
    ]  # fmt: skip
