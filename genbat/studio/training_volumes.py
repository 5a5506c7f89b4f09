"""What `genbat train` needs to know of microstructures: ours, the user's own, how to learn."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from genbat.domains.microstructures import tomography
from genbat.domains.microstructures.reading import read_tiff, relabelled
from genbat.domains.microstructures.volume import Volume
from genbat.studio.training import Lesson, Material, Progress, resumed
from genbat.systems import (
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
IMAGE = "image.tif"
SIDES = ("z.tif", "y.tif", "x.tif")  # images across these axes


@dataclass(frozen=True)
class Source:
    """What a system learns from: a volume or, one voxel deep, an image; what is held out.

    `sides` are images across y and x, where those of `train` lie across z and others differ;
    `held` are images held out, one for all axes or three.
    """

    train: Volume
    test: Volume | None = None
    sides: tuple[Volume, ...] = ()
    held: tuple[Volume, ...] = ()

    @property
    def flat(self) -> bool:
        """Whether it is an image."""
        return self.train.shape[0] == 1


def gather(data: Path | None) -> Material:
    """The tomogram (see `tomography`); the labelled TIFF of a file, a stack or one image; or a
    folder's images across z, y and x.

    Raises
    ------
    ValueError : nothing usable; names the file, what is wrong and what is legal.
    """
    if data is not None and data.is_dir():
        return gather_files({name: data / name for name in SIDES})
    if data is not None:
        return gather_files({IMAGE: data})
    parts = tomography.load()
    held = ["test"] * parts.test.shape[1]
    return Material(Source(parts.train, parts.test), ["train"] * parts.train.shape[1] + held)


def gather_files(files: Mapping[str, Path], *, hold: bool = False) -> Material:
    """Labels of `IMAGE`, or of all `SIDES`; with `hold`, a part of each is held out; ValueError as
    in `gather`."""
    names = (IMAGE,) if IMAGE in files else SIDES
    images = [read_own(files[name]) for name in names]
    if any(len(one.phases) != len(images[0].phases) for one in images):
        raise ValueError(f"{files[SIDES[0]].parent.name}: the images differ in their phases")
    held: tuple[Volume, ...] = ()
    if hold:
        images, held = zip(*map(parted, images), strict=True)  # type: ignore[assignment]
    source = Source(images[0], sides=tuple(images[1:]), held=held)
    return Material(
        source, ["train"] * images[0].shape[1] + ["test"] * sum(v.shape[1] for v in held[:1])
    )


def parted(images: Volume) -> tuple[Volume, Volume]:
    """Images to learn from and to hold out: the last of several; or the last quarter of one, with
    a gap of 32 pixels."""
    labels, rows = images.labels, images.shape[1]
    if len(labels) > 1:
        end = max(1, round(0.8 * len(labels)))
        return replace(images, labels=labels[:end]), replace(images, labels=labels[end:])
    first, begin = labels[:, : 3 * rows // 4 - 32], labels[:, 3 * rows // 4 :]
    return replace(images, labels=first), replace(images, labels=begin)


def read_own(path: Path) -> Volume:
    """A user's TIFF of labels: a stack, or an image one voxel deep; ValueError says what is
    wrong."""
    try:
        raw = path.read_bytes()
    except OSError as wrong:
        raise ValueError(f"{path.name}: cannot be read ({wrong.strerror})") from wrong
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
    """Train slicegan or dcgan3d; `start` is a checkpoint or finished weights, whose critics are
    new.

    Raises
    ------
    ValueError : finished weights of more phases or fewer.
    """
    source: Source = material.examples
    resume = resumed(start, folder)
    kind: Any = {"slicegan": slicegan.SliceGAN, "dcgan3d": dcgan3d.DCGAN3D}[name]
    taught = kind.load(start) if start is not None and not resume else None
    if taught and len(taught.config.phases) != (own := len(source.train.phases)):
        legal = len(taught.config.phases)
        raise ValueError(f"--from {start}: the data have {own} phases; legal are {legal}")
    rules = PRESETS[name][preset]
    options = {"rules": rules, "resume": resume, "minutes": minutes, "progress": progress,
               "taught": taught and taught.network}  # fmt: skip
    sizes = SIZES[name][preset]
    if taught:
        kept = (*SIZES[name]["tiny"], "steps_trained")
        sizes = {field: getattr(taught.config, field) for field in kept}
    duel = _LEARN[name](source, folder, sizes, options)
    config = replace(duel.config, steps_trained=duel.steps_trained)
    return Lesson(kind(config, duel.mean), rules)


def _learn_slicegan(source: Source, folder: Path, sizes: dict, options: dict) -> Any:
    volume = source.train
    plain = (0, 0, 0) if source.flat else TRANSVERSE
    judged_by = (0, 1, 2) if source.sides else plain
    config = slicegan_network.Config(
        phases=volume.phases, voxel_um=volume.voxel_um or (), judged_by=judged_by, **sizes
    )
    labels = [plane(one) for one in (volume, *source.sides)]
    images = slicegan_network.Images(labels, len(volume.phases))
    return slicegan_training.train(images, config, folder, **options)


def plane(volume: Volume) -> torch.Tensor:
    """Labels (H, W) of an image, (D, H, W) of a volume."""
    return torch.as_tensor(volume.labels[0] if volume.shape[0] == 1 else volume.labels)


def _learn_dcgan3d(source: Source, folder: Path, sizes: dict, options: dict) -> Any:
    volume = source.train
    config = dcgan3d.Config(phases=volume.phases, voxel_um=volume.voxel_um or (), **sizes)
    crops = dcgan3d_training.Crops(torch.as_tensor(volume.labels), len(volume.phases))
    return dcgan3d_training.train(crops, config, folder, **options)


_LEARN: dict[str, Callable[..., Any]] = {"slicegan": _learn_slicegan, "dcgan3d": _learn_dcgan3d}
