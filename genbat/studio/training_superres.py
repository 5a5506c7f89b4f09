"""What `genbat train superres` needs: coarse volumes, fine images beside them, how to learn."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import torch

from genbat.domains.microstructures import tomography
from genbat.domains.microstructures.volume import Volume
from genbat.studio.training import Lesson, Material, Progress, resumed
from genbat.studio.training_volumes import TRANSVERSE, parted, plane, read_own
from genbat.systems import superres, superres_training
from genbat.systems.slicegan_network import Images
from genbat.systems.superres import FACTOR, coarsened

PRESETS = {"superres": superres_training.PRESETS}
# Fields of the system's `Config` that differ from its defaults.
SIZES: dict[str, dict[str, Any]] = {
    "tiny": {"width": 8, "noise": 1, "critic": (4, 4, 4, 4)},
    "base": {},
}
COARSE, FINE = "coarse.tif", "fine.tif"
SIDES = ("fine_z.tif", "fine_y.tif", "fine_x.tif")  # slices across z, y and x


@dataclass(frozen=True)
class Pair:
    """What it learns from.

    Attributes
    ----------
    coarse : a volume.
    fine : volumes or images (one voxel deep) of FACTOR times as many voxels an edge, of the same
        material, not of the same place: one for all axes, or one each for slices across z, y, x.
    judged_by : which critic sees slices across z, y and x.
    test : a fine volume that is held out; its coarse one is made from it.
    held : fine images that are held out, as `fine`.
    """

    coarse: Volume
    fine: tuple[Volume, ...]
    judged_by: tuple[int, int, int]
    test: Volume | None = None
    held: tuple[Volume, ...] = ()


def gather(data: Path | None) -> Material:
    """The tomogram with its own coarse copy; a TIFF of fine labels, likewise; or a folder with
    coarse.tif and fine.tif or fine_z.tif, fine_y.tif and fine_x.tif.

    Raises
    ------
    ValueError : nothing usable; names the file, what is wrong and what is legal.
    """
    if data is not None and data.is_dir():
        return gather_files(_files_of(data))
    if data is not None:
        pair = _from_fine(read_own(data), None, (0, 0, 0))
    else:
        parts = tomography.load()
        pair = _from_fine(parts.train, parts.test, TRANSVERSE)
    held = pair.test.shape[1] if pair.test else 0
    return Material(pair, ["train"] * pair.fine[0].shape[1] + ["test"] * held)


def gather_files(files: Mapping[str, Path], *, hold: bool = False) -> Material:
    """COARSE with FINE, or with all SIDES; with `hold`, a part of the fine images is held out;
    ValueError as in `gather`."""
    sides = [files.get(name, files.get(FINE)) for name in SIDES]
    apart = list(dict.fromkeys(sides))  # one critic judges slices of the same images
    z, y, x = (apart.index(file) for file in sides)
    fine = [read_own(files[name]) for name in ((FINE,) if FINE in files else SIDES)]
    held: tuple[Volume, ...] = ()
    if hold:
        fine, held = zip(*map(parted, fine), strict=True)  # type: ignore[assignment]
    pair = Pair(read_own(files[COARSE]), tuple(fine), (z, y, x), held=held)
    return Material(
        pair, ["train"] * fine[0].shape[1] + ["test"] * sum(v.shape[1] for v in held[:1])
    )


def _files_of(folder: Path) -> dict[str, Path]:
    fine = (FINE,) if (folder / FINE).exists() else SIDES
    files = {name: folder / name for name in (COARSE, *fine)}
    if lacking := [name for name, file in files.items() if not file.exists()]:
        legal = f"{COARSE} with {FINE}, or with {', '.join(SIDES)}"
        raise ValueError(f"{folder.name}: holds no {lacking[0]}; legal are {legal}")
    return files


def _from_fine(fine: Volume, test: Volume | None, judged_by: tuple[int, int, int]) -> Pair:
    if fine.shape[0] < FACTOR:
        raise ValueError(f"data: {fine.shape} voxels; a coarse copy needs a volume")
    return Pair(coarse_of(fine), (fine,), judged_by, test)


def coarse_of(fine: Volume) -> Volume:
    """What a scan FACTOR times as coarse shows of a volume."""
    labels = coarsened(fine.labels, len(fine.phases))
    voxel = tuple(FACTOR * edge for edge in fine.edges) if fine.voxel_um else None
    return Volume(labels, fine.phases, voxel)  # type: ignore[arg-type]


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
    """Train superres; `start` is a checkpoint or finished weights, whose critics are new."""
    pair: Pair = material.examples
    resume = resumed(start, folder)
    taught = _taught(start, pair) if start is not None and not resume else None
    rules = PRESETS[name][preset]
    duel = superres_training.train(
        superres_training.Coarse(torch.as_tensor(pair.coarse.labels), len(pair.coarse.phases)),
        Images([plane(v) for v in pair.fine], len(pair.fine[0].phases)),
        taught.config if taught else config_of(pair, SIZES[preset]),
        folder,
        rules=rules,
        resume=resume,
        taught=taught.network if taught else None,
        minutes=minutes,
        progress=progress,
    )
    config = replace(duel.config, steps_trained=duel.steps_trained)
    return Lesson(superres.SuperRes(config, cast(superres.Generator, duel.mean)), rules)


def _taught(start: Path, pair: Pair) -> superres.SuperRes:
    """Finished weights for a pair's phases; ValueError where they know more of them or fewer."""
    system = superres.SuperRes.load(start)
    own = config_of(pair, {})
    for known, given in (
        (system.config.coarse, own.coarse),
        (system.config.phases, own.phases),
    ):
        if len(known) != len(given):
            raise ValueError(f"--from {start}: data of {given}; legal are {len(known)} phases")
    origin = ("coarse", "phases", "voxel_um", "judged_by")
    system.config = replace(system.config, **{name: getattr(own, name) for name in origin})
    return system


def config_of(pair: Pair, sizes: dict[str, Any]) -> superres.Config:
    """Sizes with a pair's phases and voxels."""
    return superres.Config(
        coarse=pair.coarse.phases,
        phases=pair.fine[0].phases,
        voxel_um=pair.coarse.voxel_um or (),
        judged_by=pair.judged_by,
        **sizes,
    )
