"""`genbat train`: a system anew or further, on the shipped data or on the user's own."""

from __future__ import annotations

import importlib
import json
import math
import os
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import copyfile
from typing import Any

import torch

from genbat.core import paths
from genbat.studio import registry
from genbat.studio.model_card import write_card
from genbat.systems import checkpoint
from genbat.systems.run import Run

Progress = Callable[[float, str], None]
# System -> module with `PRESETS`, `gather` (data -> Material) and `learn` (Material -> Lesson).
TRAINERS: dict[str, str] = {
    "chemvae": "genbat.studio.training_molecules",
    "cdvae": "genbat.studio.training_crystals",
    "mattergen": "genbat.studio.training_crystals",
    "unimat": "genbat.studio.training_crystals",
    "cubicgan": "genbat.studio.training_crystal_makers",
    "crystalgpt": "genbat.studio.training_crystal_makers",
    "imatgen": "genbat.studio.training_images",
    "crystalgan": "genbat.studio.training_crystal_makers",
    "slicegan": "genbat.studio.training_volumes",
    "dcgan3d": "genbat.studio.training_volumes",
    "superres": "genbat.studio.training_superres",
    "microvae": "genbat.studio.training_micro",
    "microdiffusion": "genbat.studio.training_micro",
    "microgpt": "genbat.studio.training_micro",
    "seivae": "genbat.studio.training_interphases",
    "moleculegpt": "genbat.studio.training_molecule_makers",
    "moleculediffusion": "genbat.studio.training_molecule_makers",
    "latentgan": "genbat.studio.training_molecule_makers",
    "npvae": "genbat.studio.training_molecule_makers",
    "additivevae": "genbat.studio.training_additives",
    "polymervae": "genbat.studio.training_polymers",
    "polymergpt": "genbat.studio.training_polymers",
    "polymerdiffusion": "genbat.studio.training_polymers",
    "polymermasking": "genbat.studio.training_polymers",
    "polymersurrogate": "genbat.studio.training_polymers",
}


@dataclass(frozen=True)
class Material:
    """What a system learns from.

    Attributes
    ----------
    examples : as its training takes them: a table of molecules, a corpus of crystals.
    splits : "train", "calibration" or "test" of each example.
    bad : how many entries of the user's file could not be used.
    """

    examples: Any
    splits: Sequence[str]
    bad: int = 0


@dataclass(frozen=True)
class Lesson:
    """A trained system and the schedule it was trained by."""

    system: Any
    schedule: Any


def train(
    name: str,
    preset: str = "base",
    data: Path | None = None,
    start: Path | None = None,
    minutes: float | None = None,
    progress: Progress | None = None,
) -> Path:
    """Train a system and save it; returns the folder of the finished system.

    Parameters
    ----------
    preset : "tiny" (seconds, to try) or "base" (the shipped one, some two hours on two cores).
    data : instead of ours. Molecules: a CSV with a column smiles and any property columns.
        Crystals: a CSV with a column cif (as Perov-5 and Carbon-24 are published, .xz or not), or
        a CIF, POSCAR, extended XYZ or JSON file. Microstructures: a TIFF of labels; for superres
        also a folder with coarse.tif and fine.tif (or fine_z.tif, fine_y.tif and fine_x.tif), for
        slicegan one with z.tif, y.tif and x.tif, images across these axes. Polymers: a CSV with a
        column smiles of repeat units between [Cu] and [Au], and columns named as HTP-MD's.
    start : a checkpoint or a finished system to go on from; its vocabulary and scales stay.
    minutes : stop early after this time.

    The checkpoint stays in <home>/training/<name>, with the preset and the data's name where those
    are not ours (`cdvae-perov5_train`). The shipped system (preset "base", our data) is replaced
    only when GenBat runs from a checkout; every other training ends in the folder `finished`
    beside its checkpoint.

    Raises
    ------
    ValueError : unknown name or preset, no usable row in `data` (names file and line), no data.
    """
    trainer = _trainer(name, preset)
    start = _existing(start)
    material = gather(name, data)
    folder = own_folder(name, preset, data)
    threads = torch.get_num_threads()
    torch.set_num_threads(free_cores() if preset == "base" else 1)
    try:
        lesson = trainer.learn(
            registry.method_of(name),
            material,
            folder,
            preset=preset,
            start=start,
            minutes=math.inf if minutes is None else minutes,
            progress=progress,
        )
    finally:
        torch.set_num_threads(threads)
    target = target_folder(name, preset, data, folder)
    _save(name, lesson, target, material, data)
    return target


def gather(name: str, data: Path | None) -> Material:
    """What a system learns from: ours, a variant's own, or the user's.

    Raises
    ------
    ValueError : nothing usable; names the file, what is wrong and what is legal.
    """
    trainer = importlib.import_module(TRAINERS[registry.method_of(name)])
    files = registry.sources(name) if data is None else {}
    return trainer.gather_files(files, hold=True) if files else trainer.gather(data)


def own_folder(name: str, preset: str, data: Path | None) -> Path:
    """Where the checkpoint of a training lies: one folder a system, preset and data file."""
    kind = "" if preset == "base" else f"-{preset}"
    source = "" if data is None else f"-{re.sub(r'[^A-Za-z0-9_]+', '-', data.name.split('.')[0])}"
    return paths.home() / "training" / f"{name}{kind}{source}"


def resumed(start: Path | None, folder: Path) -> bool:
    """Whether a training goes on from a checkpoint, which is then put into its folder; not where it
    begins anew or with finished weights."""
    if start is None or not _kept(start):
        return False
    begin_from(start, folder)
    return True


def begin_from(start: Path, folder: Path, kind: Any = None, schedule: Any = None) -> None:
    """Put a checkpoint into the training's folder: a copy or, of a system's finished weights, one
    from which a new schedule begins.

    Parameters
    ----------
    kind : the system's class, where all that its training teaches is in its weights.

    Raises
    ------
    ValueError : neither a checkpoint nor weights from which this system could go on.
    """
    if not (kept := _kept(start)):
        if kind is None:
            raise ValueError(
                f"--from {start}: holds no checkpoint; finished weights are not enough"
            )
        known = kind.load(start)
        Run(known.network.requires_grad_(True), known.config, schedule, folder).save()
        return
    for file in kept:
        place = folder / file.relative_to(start)
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.resolve() != file.resolve():
            copyfile(file, place)


def _kept(start: Path) -> list[Path]:
    return [file for name in (checkpoint.TENSORS, checkpoint.NOTE) for file in start.rglob(name)]


def free_cores() -> int:
    """Cores that are idle now, at least 1: threads that have to wait for one another spin.

    `OMP_NUM_THREADS` lowers it: two trainings begun together both see all cores idle.
    """
    cores = os.cpu_count() or 1
    most = os.environ.get("OMP_NUM_THREADS", "")
    busy = int(os.getloadavg()[0]) if hasattr(os, "getloadavg") else 0
    free = max(1, cores - busy)
    return min(free, int(most)) if most.isdigit() and int(most) > 0 else free


def _trainer(name: str, preset: str) -> Any:
    method = registry.method_of(name)
    trainer = importlib.import_module(TRAINERS[method])
    if preset not in (presets := trainer.PRESETS[method]):
        raise ValueError(f"preset: unknown {preset!r}; legal are {', '.join(presets)}")
    return trainer


def target_folder(name: str, preset: str, data: Path | None, folder: Path) -> Path:
    """Where a finished system belongs: over the shipped one, or in the user's own folder."""
    shipped = preset == "base" and data is None and (paths.ROOT / ".git").exists()
    return registry.folder(name) if shipped else folder / "finished"


def _existing(start: Path | None) -> Path | None:
    if start is None:
        return None
    start = start if start.is_dir() else start.parent
    if not any([*start.rglob("checkpoint.safetensors"), *start.glob("weights.safetensors")]):
        raise ValueError(f"--from {start}: holds neither a checkpoint nor finished weights")
    return start


def _save(name: str, lesson: Lesson, target: Path, material: Material, data: Path | None) -> None:
    system = lesson.system
    parameters = sum(p.numel() for p in system.network.parameters())
    system.save(target)
    (target / "metrics.json").unlink(missing_ok=True)  # they were measured on other weights
    (target / "card.json").write_text(json.dumps({"parameters": parameters}) + "\n", "utf-8")
    card = replace(registry.card(name), parameters=parameters)
    if data is not None:
        count, what = len(material.splits), card.domain
        card = replace(card, trained_on=f"{count:,} {what} of the user's own file {data.name}")
    counts = Counter(material.splits)
    write_card(target / "card.md", card, system.config, lesson.schedule, counts, material.bad)
