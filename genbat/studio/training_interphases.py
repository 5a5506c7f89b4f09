"""What `genbat train` needs to know of interphases: what they learn from, and how."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np

from genbat.core import paths
from genbat.domains.interphases import data
from genbat.studio.training import Lesson, Material, Progress, begin_from
from genbat.systems import seivae, seivae_training
from genbat.systems.seivae_network import TARGETS
from genbat.systems.seivae_training import Interphases

PRESETS = {"seivae": seivae_training.PRESETS}
SIZES: dict[str, dict[str, dict[str, int]]] = {
    "seivae": {"tiny": {"width": 8, "noise": 3, "hidden": 16}, "base": {}}
}


def gather(own: Path | None) -> Material:
    """The known interphases.

    Raises
    ------
    ValueError : a file of one's own, which nobody writes in our form; or our data are missing.
    """
    if own is not None:
        raise ValueError(f"{own.name}: seivae learns from GenBat's own interphases only")
    table = data.load().table
    sites = np.asarray(data.all_sites(paths.cache_folder())[table["seed"].to_numpy()])
    found = Interphases(sites, table[list(TARGETS)].to_numpy("f8"), table["split"].tolist())
    return Material(found, list(found.splits))


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
    """Train seivae; `start` is a checkpoint or finished weights."""
    schedule = PRESETS[name][preset]
    if start is not None:
        begin_from(start, folder, seivae.SEIVAE, schedule)
    run = seivae_training.train(
        material.examples, folder, schedule=schedule, resume=start is not None, minutes=minutes,
        progress=progress, **SIZES[name][preset],
    )  # fmt: skip
    network = seivae_training.finish(run, material.examples)
    system = seivae.SEIVAE(replace(run.config, steps_trained=run.steps_trained), network)
    if held := material.examples.rows("calibration"):
        system.config = system.calibrated(material.examples.values[held])
    return Lesson(system, schedule)
