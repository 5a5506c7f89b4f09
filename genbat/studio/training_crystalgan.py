"""What `genbat train` needs to know of crystalgan, whose binaries are those of the corpus."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import cast

from genbat.studio.training import Lesson, Material, Progress
from genbat.studio.training_crystals import gather
from genbat.studio.training_volumes import begin_from
from genbat.systems import crystalgan, crystalgan_training
from genbat.systems.crystalgan_network import Generator

__all__ = ["PRESETS", "gather", "learn"]

PRESETS = {"crystalgan": crystalgan_training.PRESETS}
SIZES: dict[str, dict[str, int]] = {
    "tiny": {"width": 24, "layers": 1, "frequencies": 4, "critic": 16},
    "base": {},
}


def learn(
    name: str,
    material: Material,
    folder: Path,
    *,
    preset: str,
    start: Path | None = None,
    minutes: float = math.inf,
    progress: Progress | None = None,
) -> Lesson:
    """Train crystalgan on the binaries among the crystals.

    Raises
    ------
    ValueError : no two binaries that could be joined.
    """
    rules = PRESETS[name][preset]
    if start is not None:
        begin_from(start, folder)
    duel = crystalgan_training.train(
        material.examples, folder, rules=rules, resume=start is not None, minutes=minutes,
        progress=progress, **SIZES[preset],
    )  # fmt: skip
    config = replace(duel.config, steps_trained=duel.step)
    system = crystalgan.CrystalGAN(config, cast(Generator, duel.mean))
    return Lesson(system, rules)
