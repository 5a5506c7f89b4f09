"""What `genbat train` needs to know of polymers: simulated ones, the user's own, how to learn."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import torch

from genbat.domains.polymers import data as tables
from genbat.domains.polymers.data import Polymers
from genbat.studio.training import Lesson, Material, Progress, begin_from
from genbat.systems import (
    polymerdiffusion,
    polymerdiffusion_training,
    polymergpt,
    polymergpt_training,
    polymermasking,
    polymersurrogate,
    polymervae,
    polymervae_training,
)
from genbat.systems.polymer_corpus import Texts
from genbat.systems.polymer_words import TARGET

PRESETS: dict[str, dict[str, Any]] = {
    "polymervae": polymervae_training.PRESETS,
    "polymergpt": polymergpt_training.PRESETS,
    "polymerdiffusion": polymerdiffusion_training.PRESETS,
    "polymermasking": polymerdiffusion_training.PRESETS,
    "polymersurrogate": polymersurrogate.PRESETS,
}
# Fields of a network's sizes that differ from the usual ones.
SMALL = {"width": 32, "layers": 2, "heads": 2}
SIZES: dict[str, dict[str, dict[str, int]]] = {
    "polymergpt": {"tiny": SMALL, "base": {"width": 96, "layers": 3}},  # writes by the thousand
    "polymerdiffusion": {"tiny": SMALL, "base": {}},
    "polymermasking": {"tiny": SMALL, "base": {}},
}
VAE_SIZES: dict[str, dict[str, int]] = {
    "tiny": {"latent": 8, "encoder_hidden": 16, "decoder_hidden": 24, "members": 2},
    "base": {},
}
Train = Callable[..., Any]
_TRAIN: dict[str, Train] = {
    "polymergpt": polymergpt_training.train,
    "polymerdiffusion": lambda *a, **k: polymerdiffusion_training.train(
        "polymerdiffusion", *a, **k
    ),
    "polymermasking": lambda *a, **k: polymerdiffusion_training.train("polymermasking", *a, **k),
}
_KIND: dict[str, Any] = {
    "polymervae": polymervae.PolymerVAE,
    "polymergpt": polymergpt.PolymerGPT,
    "polymerdiffusion": polymerdiffusion.PolymerDiffusion,
    "polymermasking": polymermasking.PolymerMasking,
}


def gather(data: Path | None) -> Material:
    """The simulated polymers, or a CSV of the user's own with a column smiles: repeat units between
    [Cu] and [Au], and any of the columns of `data.COLUMNS`.

    Raises
    ------
    ValueError : nothing usable; names the file, what is wrong and what is legal.
    """
    polymers = tables.simulated() if data is None else _learnable(tables.read(data))
    return Material(polymers, polymers.table["split"].tolist(), len(polymers.bad))


def _learnable(polymers: Polymers) -> Polymers:
    """Of very few polymers none may fall to the split train: all do then."""
    if len(polymers.rows("train")):
        return polymers
    return replace(polymers, table=polymers.table.assign(split="train"))


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
    """Train a system that writes polymers, or the surrogate, which takes a minute and starts anew;
    `start` is a checkpoint or finished weights."""
    polymers: Polymers = material.examples
    schedule = PRESETS[name][preset]
    if name == polymersurrogate.NAME:
        return Lesson(polymersurrogate.train(polymers, schedule, progress), schedule)
    if start is not None:
        begin_from(start, folder, _KIND[name], schedule)
    if name == "polymervae":
        trained = polymervae_training.train(
            polymers, folder, schedule=schedule, resume=start is not None, minutes=minutes,
            progress=progress, **VAE_SIZES[preset],
        )  # fmt: skip
        return Lesson(polymervae_training.finished(trained, polymers, progress), schedule)
    own = polymers.rows("train")
    run = _TRAIN[name](
        Texts.of(own["text"].tolist(), own[TARGET].tolist()),
        folder,
        schedule=schedule,
        resume=start is not None,
        minutes=minutes,
        progress=progress,
        **SIZES[name][preset],
    )
    config = replace(run.config, steps_trained=run.steps_trained)
    return Lesson(_KIND[name](config, cast(torch.nn.Module, run.mean)), schedule)
