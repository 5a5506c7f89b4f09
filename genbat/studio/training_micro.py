"""What `genbat train` needs to know of microvae, microdiffusion and microgpt: GenBat's own
electrodes, or volumes of the user's own."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from genbat.core import paths
from genbat.core.designs import split_of
from genbat.domains.microstructures import build, data
from genbat.domains.microstructures.tomography import crops
from genbat.studio import registry
from genbat.studio.training import Lesson, Material, Progress, begin_from
from genbat.studio.training_volumes import read_own
from genbat.systems import (
    microdiffusion,
    microdiffusion_training,
    microgpt,
    microgpt_training,
    microvae,
    microvae_training,
)
from genbat.systems.microvae_network import SIDE, TARGETS, Network
from genbat.systems.microvae_training import Volumes

PRESETS: dict[str, dict[str, Any]] = {
    "microvae": microvae_training.PRESETS,
    "microdiffusion": microdiffusion_training.PRESETS,
    "microgpt": microgpt_training.PRESETS,
}
SIZES: dict[str, dict[str, dict[str, int]]] = {
    "microvae": {
        "tiny": {"width": 8, "local": 2, "latent": 4, "hidden": 16, "head_hidden": 8},
        "base": {},
    },
    "microdiffusion": {"tiny": {"hidden": 16, "width": 8}, "base": {}},
    "microgpt": {
        "tiny": {"coder_width": 8, "width": 16, "layers": 1, "heads": 2},
        "base": {},
    },
}
OWN_STEP = 16  # between the corners of crops of a user's volume


def gather(data_file: Path | None) -> Material:
    """The generated electrodes with what is known of them, or crops of a TIFF of labels.

    Raises
    ------
    ValueError : nothing usable; names the file, what is wrong and what is legal.
    """
    volumes = _generated() if data_file is None else _own(data_file)
    return Material(volumes, list(volumes.splits))


def _generated() -> Volumes:
    labels = build.volumes(paths.cache_folder())
    values = np.full((build.COUNT, len(TARGETS)), np.nan)
    if (paths.ASSETS / data.TABLE).exists():
        table = data.load().table
        values[table["seed"].to_numpy()] = table[list(TARGETS)].to_numpy()
    return Volumes(labels, values, [split_of(seed) for seed in range(build.COUNT)])


def _own(path: Path) -> Volumes:
    volume = read_own(path)
    if min(volume.shape) < SIDE:
        raise ValueError(f"{path.name}: {volume.shape} voxels; {SIDE} along each edge are needed")
    found = crops(volume, SIDE, OWN_STEP)
    unknown = np.full((len(found), len(TARGETS)), np.nan)
    return Volumes(np.stack([v.labels for v in found]), unknown, ["train"] * len(found))


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
    """Train microvae, microgpt, or microdiffusion on the latents of the shipped microvae; `start`
    is a checkpoint or, of the VAE and the diffusion, finished weights."""
    schedule = PRESETS[name][preset]
    if start is not None:
        begin_from(start, folder, _GOES_ON.get(name), schedule)
    options = {"schedule": schedule, "resume": start is not None, "minutes": minutes,
               "progress": progress, **SIZES[name][preset]}  # fmt: skip
    return Lesson(_LEARN[name](material.examples, folder, options), schedule)


def _learn_vae(volumes: Volumes, folder: Path, options: dict[str, Any]) -> microvae.MicroVAE:
    run = microvae_training.train(volumes, folder, **options)
    config = replace(microvae_training.finish(run, volumes), steps_trained=run.steps_trained)
    return microvae.MicroVAE(config, cast(Network, run.mean))


def _learn_diffusion(
    volumes: Volumes, folder: Path, options: dict[str, Any]
) -> microdiffusion.MicroDiffusion:
    vae = registry.load("microvae")
    run = microdiffusion_training.train(vae, volumes, folder, **options)
    config = replace(run.config, steps_trained=run.steps_trained)
    return microdiffusion.MicroDiffusion(config, cast(Any, run.mean), vae=vae)


def _learn_gpt(volumes: Volumes, folder: Path, options: dict[str, Any]) -> microgpt.MicroGPT:
    return microgpt_training.finished(microgpt_training.train(volumes, folder, **options))


_GOES_ON: dict[str, Any] = {
    "microvae": microvae.MicroVAE,
    "microdiffusion": microdiffusion.MicroDiffusion,
}
_LEARN: dict[str, Callable[..., Any]] = {
    "microvae": _learn_vae,
    "microdiffusion": _learn_diffusion,
    "microgpt": _learn_gpt,
}
