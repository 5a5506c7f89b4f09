"""What the systems that make volumes share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from typing import Any

import numpy as np
import torch
from torch import Tensor

from genbat.core.candidate import Candidate, Verdict
from genbat.core.condition import Condition, Window
from genbat.domains.microstructures.volume import Labels, Volume, to_text
from genbat.systems.base import Progress, at_least_one, counted, refuse


def made_in_turn(
    system: Any,
    n: int,
    seed: int,
    condition: Condition | None,
    progress: Progress | None,
    options: Mapping[str, Any],
) -> Iterator[Candidate]:
    """n volumes of a system that makes them one by one and follows its images alone.

    Parameters
    ----------
    system : has `volume(seed=, index=, **options)`.

    Raises
    ------
    ValueError : n below 1, or any wish.
    """
    at_least_one(n)
    refuse(system.card.name, condition, "microdiffusion can be asked")
    made = (
        candidate(system, system.volume(seed=seed, index=k, **options), seed,
                  {"index": k, **options})
        for k in count()
    )  # fmt: skip
    yield from counted(made, n, "volumes", progress)


def volume_of(labels: Labels, config: Any, *, periodic: bool = False) -> Volume:
    """Labels as a volume of a system's phases and voxels."""
    edges = config.voxel_um
    voxel = (edges[0], edges[1], edges[2]) if edges else None
    return Volume(np.ascontiguousarray(labels), config.phases, voxel, periodic)


def candidate(
    system: Any,
    volume: Volume,
    seed: int,
    arguments: Mapping[str, Any],
    **story: Any,
) -> Candidate:
    """A made volume with its verdict and story (see `Trained.made`); valid where it holds all its
    phases."""
    lacking = [name for k, name in enumerate(volume.phases) if not volume.mask(k).any()]
    verdict = Verdict(not lacking, tuple(f"holds no {name}" for name in lacking))
    made: Candidate = system.made(to_text(volume), verdict, seed, arguments, **story)
    return made


def check_aims(name: str, asked: Condition, targets: Sequence[str]) -> None:
    """Whether a system that aims at some targets can honour a condition.

    Raises
    ------
    ValueError : a wish that is none of them, or a share that cannot be.
    """
    if strange := [*sorted(set(asked.windows) - set(targets)), *sorted(asked.wishes)]:
        raise ValueError(f"{name}: cannot aim at {strange}; legal are {list(targets)}")
    for share in ("porosity", "binder"):
        window = asked.windows.get(share)
        if window and not (window.low < 1 and window.high > 0):
            raise ValueError(f"{share}: no share lies in {window.low:g} to {window.high:g}")


def shares_of(logits: Tensor, phases: tuple[str, ...], windows: Mapping[str, Window]) -> Tensor:
    """Fractions of the phases (B, phases) that the logits expect, those of pore and binder moved
    into their windows; the active material takes what is left."""
    shares = torch.softmax(logits, 1).mean((2, 3, 4))
    for phase, name in ((0, "porosity"), (2, "binder")):
        window = windows.get(name)
        if window is not None and phase < len(phases):
            shares[:, phase] = shares[:, phase].clamp(max(0.0, window.low), min(1.0, window.high))
    others = [k for k in range(len(phases)) if k != 1]
    rest = shares[:, others].sum(1)
    shares[:, others] /= rest.clamp(min=1.0)[:, None]  # asked for more than everything
    shares[:, 1] = 1 - shares[:, others].sum(1)
    return shares
