"""What `genbat train` needs to know of the crystal systems that learn from crystals alone."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from genbat.families.transformer import GPT
from genbat.studio.training import Lesson, Material, Progress, begin_from
from genbat.studio.training_crystals import gather
from genbat.systems import (
    crystalgan,
    crystalgan_training,
    crystalgpt,
    crystalgpt_training,
    cubicgan,
    cubicgan_training,
)

__all__ = ["PRESETS", "gather", "learn"]
PRESETS: dict[str, dict[str, Any]] = {
    "crystalgan": crystalgan_training.PRESETS,
    "crystalgpt": crystalgpt_training.PRESETS,
    "cubicgan": cubicgan_training.PRESETS,
}
# Fields of a system's `Config` that differ from its defaults.
SIZES: dict[str, dict[str, dict[str, int]]] = {
    "crystalgan": {
        "tiny": {"width": 24, "layers": 1, "frequencies": 4, "critic": 16},
        "base": {},
    },
    "crystalgpt": {"tiny": {"width": 32, "layers": 2, "heads": 2}, "base": {}},
    "cubicgan": {"tiny": {"width": 32, "layers": 1}, "base": {}},
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
    """Train a system on a corpus; `start` is a checkpoint or, of the GPT, finished weights.

    Raises
    ------
    ValueError : a checkpoint that is none, no crystal that the system can write, or no two binaries
        that could be joined.
    """
    rules, corpus = PRESETS[name][preset], material.examples
    if start is not None:
        kind = crystalgpt.CrystalGPT if name == crystalgpt.NAME else None
        begin_from(start, folder, kind, rules)
    options: dict[str, Any] = {"resume": start is not None, "minutes": minutes,
                               "progress": progress, **SIZES[name][preset]}  # fmt: skip
    if name == crystalgpt.NAME:
        run = crystalgpt_training.train(corpus, folder, schedule=rules, **options)
        config = replace(run.config, steps_trained=run.steps_trained)
        return Lesson(crystalgpt.CrystalGPT(config, cast(GPT, run.mean)), rules)
    training, system = _DUELS[name]
    duel = training.train(corpus, folder, rules=rules, **options)
    config = replace(duel.config, steps_trained=duel.step)
    return Lesson(system(config, duel.mean), rules)


_DUELS: dict[str, tuple[Any, Any]] = {
    "crystalgan": (crystalgan_training, crystalgan.CrystalGAN),
    "cubicgan": (cubicgan_training, cubicgan.CubicGAN),
}
