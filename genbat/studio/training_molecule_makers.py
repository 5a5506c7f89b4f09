"""What `genbat train` needs to know of the systems of molecules beside chemvae."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import torch

from genbat.studio import registry
from genbat.studio.training import Lesson, Material, Progress, begin_from
from genbat.studio.training_molecules import gather
from genbat.systems import (
    latentgan,
    latentgan_training,
    moleculediffusion,
    moleculediffusion_training,
    moleculegpt,
    moleculegpt_training,
    npvae,
    npvae_training,
)
from genbat.systems.chemvae import ChemVAE

__all__ = ["PRESETS", "gather", "learn"]
PRESETS: dict[str, dict[str, Any]] = {
    "moleculegpt": moleculegpt_training.PRESETS,
    "moleculediffusion": moleculediffusion_training.PRESETS,
    "latentgan": latentgan_training.PRESETS,
    "npvae": npvae_training.PRESETS,
}
# Fields of a system's `Config` that differ from its defaults.
SIZES: dict[str, dict[str, dict[str, int]]] = {
    "moleculegpt": {"tiny": {"width": 32, "layers": 2, "heads": 2}, "base": {}},
    "moleculediffusion": {"tiny": {"hidden": 32, "layers": 2}, "base": {}},
    "latentgan": {"tiny": {"hidden": 32, "layers": 2}, "base": {"layers": 3}},
    "npvae": {"tiny": {"width": 32, "hidden": 64, "members": 3, "head_hidden": 16}, "base": {}},
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
    """Train a system; `start` is a checkpoint or, of the GPT and the diffusion, finished weights.
    Those that make latents need the shipped chemvae.

    Raises
    ------
    ValueError : a checkpoint that is none, no molecule, or no chemvae.
    """
    rules, table = PRESETS[name][preset], material.examples
    if start is not None:
        begin_from(start, folder, _GOES_ON.get(name), rules)
    options: dict[str, Any] = {"resume": start is not None, "minutes": minutes,
                               "progress": progress, **SIZES[name][preset]}  # fmt: skip
    if name == npvae.NAME:
        own = npvae_training.train(table, folder, schedule=rules, **options)
        return Lesson(npvae_training.finished(own, table, progress), rules)
    if name == moleculegpt.NAME:
        run: Any = moleculegpt_training.train(table, folder, schedule=rules, **options)
        kind: Any = moleculegpt.MoleculeGPT
    elif name == latentgan.NAME:
        run = latentgan_training.train(_vae(), table, folder, rules=rules, **options)
        kind = latentgan.LatentGAN
    else:
        run = moleculediffusion_training.train(_vae(), table, folder, schedule=rules, **options)
        kind = moleculediffusion.MoleculeDiffusion
    config = replace(run.config, steps_trained=run.steps_trained)
    return Lesson(kind(config, cast(torch.nn.Module, run.mean)), rules)


_GOES_ON: dict[str, Any] = {
    "moleculegpt": moleculegpt.MoleculeGPT,
    "moleculediffusion": moleculediffusion.MoleculeDiffusion,
}


def _vae() -> ChemVAE:
    """The shipped chemvae."""
    vae: ChemVAE = registry.load("chemvae")
    return vae
