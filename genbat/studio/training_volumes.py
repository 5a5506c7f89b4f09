"""What `genbat train` needs to know of microstructures: ours, the user's own, how to learn."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import copyfile
from typing import Any

import torch

from genbat.domains.microstructures import tomography
from genbat.domains.microstructures.reading import read_tiff, relabelled
from genbat.domains.microstructures.volume import Volume
from genbat.studio.training import Lesson, Material, Progress
from genbat.systems import (
    checkpoint,
    dcgan3d,
    dcgan3d_training,
    slicegan,
    slicegan_network,
    slicegan_training,
)

PRESETS = {"slicegan": slicegan_training.PRESETS, "dcgan3d": dcgan3d_training.PRESETS}
# Fields of a system's `Config` that differ from its defaults.
SIZES: dict[str, dict[str, dict[str, Any]]] = {
    "slicegan": {
        "tiny": {"channels": (8, 8, 8), "noise": 4, "critic": (4, 4, 4, 4)},
        "base": {},
    },
    "dcgan3d": {"tiny": {"channels": (8, 8, 4, 4), "noise": 8}, "base": {}},
}
TRANSVERSE = (0, 1, 1)  # slices across z are unlike those across y and x, which are alike


@dataclass(frozen=True)
class Source:
    """What a system learns from: a volume or, one voxel deep, an image; what is held out."""

    train: Volume
    test: Volume | None = None

    @property
    def flat(self) -> bool:
        """Whether it is an image."""
        return self.train.shape[0] == 1


def gather(data: Path | None) -> Material:
    """The tomogram (see `tomography`), or the labelled TIFF of a file: a stack, or one image.

    Raises
    ------
    ValueError : nothing usable; names the file, what is wrong and what is legal.
    """
    if data is None:
        parts = tomography.load()
        source = Source(parts.train, parts.test)
    else:
        source = Source(read_own(data))
    held = source.test.shape[1] if source.test else 0
    return Material(source, ["train"] * source.train.shape[1] + ["test"] * held)


def read_own(path: Path) -> Volume:
    """A user's TIFF of labels: a stack, or an image one voxel deep; ValueError says what is
    wrong."""
    raw = path.read_bytes()
    try:
        stack = read_tiff(raw, path.name)
    except ValueError as wrong:
        try:
            stack = read_tiff(raw, path.name, flat=True)
        except ValueError:
            raise wrong from wrong
    if not stack.labelled:
        raise ValueError(
            f"{path.name}: is grey; legal are labels, one value a phase (the app cuts grey images "
            "at thresholds)"
        )
    return relabelled(stack, tuple(f"phase {int(level)}" for level in stack.levels))


# ---------------------------------------------------------------------- how it is learnt
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
    """Train slicegan or dcgan3d; `start` is a checkpoint: finished weights lack the critics."""
    if start is not None:
        begin_from(start, folder)
    rules = PRESETS[name][preset]
    source: Source = material.examples
    options = {"rules": rules, "resume": start is not None, "minutes": minutes,
               "progress": progress}  # fmt: skip
    duel = _LEARN[name](source, folder, SIZES[name][preset], options)
    config = replace(duel.config, steps_trained=duel.step)
    system = {"slicegan": slicegan.SliceGAN, "dcgan3d": dcgan3d.DCGAN3D}[name]
    return Lesson(system(config, duel.mean), rules)


def _learn_slicegan(source: Source, folder: Path, sizes: dict, options: dict) -> Any:
    volume = source.train
    judged_by = (0, 0, 0) if source.flat else TRANSVERSE
    config = slicegan_network.Config(
        phases=volume.phases, voxel_um=volume.voxel_um or (), judged_by=judged_by, **sizes
    )
    labels = torch.as_tensor(volume.labels[0] if source.flat else volume.labels)
    images = slicegan_network.Images([labels], len(volume.phases))
    return slicegan_training.train(images, config, folder, **options)


def _learn_dcgan3d(source: Source, folder: Path, sizes: dict, options: dict) -> Any:
    volume = source.train
    config = dcgan3d.Config(phases=volume.phases, voxel_um=volume.voxel_um or (), **sizes)
    crops = dcgan3d_training.Crops(torch.as_tensor(volume.labels), len(volume.phases))
    return dcgan3d_training.train(crops, config, folder, **options)


_LEARN: dict[str, Callable[..., Any]] = {"slicegan": _learn_slicegan, "dcgan3d": _learn_dcgan3d}


def begin_from(start: Path, folder: Path) -> None:
    """Put a checkpoint into the training's folder.

    Raises
    ------
    ValueError : the folder holds finished weights only.
    """
    kept = [file for name in (checkpoint.TENSORS, checkpoint.NOTE) for file in start.rglob(name)]
    if not kept:
        raise ValueError(f"--from {start}: holds no checkpoint; finished weights are not enough")
    for file in kept:
        place = folder / file.relative_to(start)
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.resolve() != file.resolve():
            copyfile(file, place)
