"""Your own micrograph: a SliceGAN trained on one image, in the background, kept as your own.

A training lies in a folder of its own under the user's folder: the checkpoint while it runs, and
the finished weights with a note once it has ended or was stopped. A training that was interrupted
goes on from its checkpoint.
"""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from genbat.core.candidate import Candidate, Verdict
from genbat.core.paths import home
from genbat.core.provenance import Provenance, file_hash, versions
from genbat.domains.microstructures.reading import (
    Stack,
    read_image,
    relabelled,
    segmented,
    suggested,
)
from genbat.domains.microstructures.statistics import fractions
from genbat.domains.microstructures.thumbnail import png
from genbat.domains.microstructures.volume import Volume, from_text, to_text
from genbat.studio.work import Report
from genbat.systems import checkpoint, slicegan_training
from genbat.systems.duel import Duel, Rules
from genbat.systems.slicegan import SliceGAN
from genbat.systems.slicegan_network import SIDE, Config, Generator, Images
from genbat.systems.slicegan_training import forged

NOTE, FINISHED = "note.json", "finished"
EVERY_S = 20.0  # between two looks at what it makes
MINUTES = (1.0, 240.0)  # the shortest and the longest training
MOST_NAME = 60
# Fields of the networks' sizes for a quick try instead of the usual ones.
SIZES: dict[str, dict[str, Any]] = {
    "tiny": {"channels": (8, 8, 8), "noise": 4, "critic": (4, 4, 4, 4)},
    "base": {},
}


@dataclass(frozen=True)
class Own:
    """A system of a person's own: folder's name, name, owner, steps, phases with their shares in
    the image."""

    ident: str
    name: str
    owner: str
    steps: int
    phases: tuple[str, ...]
    shares: tuple[float, ...]


# ---------------------------------------------------------------------- the image
def stack_of(data: bytes, filename: str) -> Stack:
    """An uploaded image.

    Raises
    ------
    ValueError : names the file, what is wrong and what is legal.
    """
    found = read_image(data, filename)
    if min(found.values.shape[1:]) < SIDE:
        shape = " x ".join(map(str, found.values.shape[1:]))
        raise ValueError(f"{filename}: {shape} pixels; legal are edges of {SIDE} at least")
    return found


def thresholds_of(stack: Stack, phases: int) -> list[float]:
    """Thresholds proposed for a grey image (Otsu)."""
    return suggested(stack, phases)


def phases_of(
    stack: Stack, names: Sequence[str], thresholds: Sequence[float], pixel_um: float | None
) -> Volume:
    """The image as a volume of one slice with its phases: labels as they are, grey ones cut at the
    thresholds.

    Raises
    ------
    ValueError : names, thresholds or pixel size that do not fit; a phase that no pixel has.
    """
    given = tuple(name.strip() for name in names)
    if not all(given):
        raise ValueError("names: one is empty; every phase needs a name")
    cut = stack.labelled and not thresholds
    found = relabelled(stack, given) if cut else segmented(stack, list(thresholds), given)
    if lacking := [n for k, n in enumerate(given) if not found.mask(k).any()]:
        raise ValueError(f"phases: no pixel is {', '.join(lacking)}; move the thresholds")
    if pixel_um is None:
        return replace(found, voxel_um=None)
    if not 0 < pixel_um < 1e6:
        raise ValueError(f"pixel: got {pixel_um:g} μm; legal is a length above 0")
    return replace(found, voxel_um=(pixel_um,) * 3)


def picture(volume: Volume) -> str:
    """The image, or the middle slice of a stack, in its phases' colours as PNG in base 64."""
    return png(volume.labels[len(volume.labels) // 2])


# ---------------------------------------------------------------------- the training
def arguments(
    volume: Volume, name: str, owner: str, minutes: float, preset: str = "base"
) -> dict[str, Any]:
    """What the job is told.

    Raises
    ------
    ValueError : no name, or too short or long a time.
    """
    name = " ".join(name.split())[:MOST_NAME]
    if not name:
        raise ValueError("name: is empty; your system needs one")
    if not MINUTES[0] <= minutes <= MINUTES[1]:
        raise ValueError(f"minutes: got {minutes:g}; legal are {MINUTES[0]:g} to {MINUTES[1]:g}")
    ident = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:24] or "own"
    ident = f"{ident}-{uuid.uuid4().hex[:6]}"
    return {
        "domain": "microstructures", "text": to_text(volume), "name": name, "owner": owner,
        "minutes": float(minutes), "ident": ident, "preset": preset,
    }  # fmt: skip


def train(told: Mapping[str, Any], report: Report) -> None:
    """The job: learn from the image until the time is over or somebody stops it.

    Emits `{"step", "shares", "wanted", "slices"}` every EVERY_S seconds: shares of the phases made
    and of the image, and slices across z, y and x of a volume as PNG in base 64. The weights are
    kept however it ends.
    """
    volume, place = from_text(told["text"]), folder(told["ident"])
    labels = torch.as_tensor(volume.labels[0].copy())
    config = Config(
        phases=volume.phases, voxel_um=volume.voxel_um or (), **SIZES[told.get("preset", "base")]
    )
    watch = _Watch(told, volume, report)
    resume = (place / checkpoint.TENSORS).exists()
    try:
        slicegan_training.train(
            Images([labels], len(volume.phases)), config, place, rules=Rules(steps=1_000_000),
            resume=resume, minutes=told["minutes"], watch=watch,
        )  # fmt: skip
    finally:
        if watch.last is not None:
            _keep(watch.last, told, volume, place)
    report(1.0, f"{watch.steps} steps")


class _Watch:
    """Tells how far a duel is, and shows now and then what it makes."""

    def __init__(self, told: Mapping[str, Any], volume: Volume, report: Report) -> None:
        self.wanted = [float(share) for share in fractions(volume)]
        self.minutes, self.report = told["minutes"], report
        self.begin = time.monotonic()
        self.shown = -EVERY_S
        self.last: Duel | None = None

    @property
    def steps(self) -> int:
        """Steps of the generator."""
        return self.last.step if self.last else 0

    def __call__(self, duel: Duel) -> None:
        """After each step; JobCancelled once somebody has stopped it."""
        self.last = duel
        past = time.monotonic() - self.begin
        self.report(min(0.999, past / (60 * self.minutes)), f"step {duel.step}")
        if past - self.shown >= EVERY_S:
            self.shown = past
            self.report.emit(shown(duel, self.wanted))


@torch.no_grad()
def shown(duel: Duel, wanted: Sequence[float]) -> dict[str, Any]:
    """What a duel makes now: see `train`."""
    random = torch.Generator().manual_seed(0)
    made = forged(duel.mean, duel.config, random)[0].argmax(0).to(torch.uint8).numpy()
    shares = np.bincount(made.ravel(), minlength=len(wanted)) / made.size
    middle = SIDE // 2
    slices = [png(np.ascontiguousarray(made.take(middle, axis))) for axis in range(3)]
    return {
        "step": duel.step,
        "shares": [round(float(s), 4) for s in shares],
        "wanted": [round(s, 4) for s in wanted],
        "slices": slices,
    }


def _keep(duel: Duel, told: Mapping[str, Any], volume: Volume, place: Path) -> None:
    """Weights and note of a training that has ended."""
    config = replace(duel.config, steps_trained=duel.step)
    generator = duel.mean
    assert isinstance(generator, Generator)
    SliceGAN(config, generator).save(place / FINISHED)
    note = {
        "name": told["name"], "owner": told["owner"], "steps": duel.step,
        "phases": list(volume.phases), "shares": [float(s) for s in fractions(volume)],
    }  # fmt: skip
    (place / NOTE).write_text(json.dumps(note) + "\n", "utf-8")


# ---------------------------------------------------------------------- one's own systems
def folder(ident: str) -> Path:
    """Where a training lies.

    Raises
    ------
    ValueError : no name of a folder.
    """
    if not re.fullmatch(r"[a-z0-9-]{1,40}", ident):
        raise ValueError(f"system: {ident!r} is no name of one; legal are a to z, 0 to 9 and -")
    return home() / "own" / ident


def owned(owner: str) -> list[Own]:
    """A person's own systems, the latest first."""
    notes = sorted((home() / "own").glob(f"*/{NOTE}"), key=lambda f: -f.stat().st_mtime)
    found = [_own(note) for note in notes]
    return [one for one in found if one is not None and one.owner == owner]


def _own(note: Path) -> Own | None:
    try:
        told = json.loads(note.read_text("utf-8"))
        return Own(
            note.parent.name, str(told["name"]), str(told["owner"]), int(told["steps"]),
            tuple(told["phases"]), tuple(told["shares"]),
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError):
        return None


@lru_cache(maxsize=4)
def _load(ident: str, changed: float) -> SliceGAN:
    return SliceGAN.load(folder(ident) / FINISHED)


def made(ident: str, size: int, seed: int) -> str:
    """The text of a volume of size^3 voxels by one's own system.

    Raises
    ------
    ValueError : no such system, or a size that is not legal.
    """
    place = folder(ident) / FINISHED / "weights.safetensors"
    if not place.exists():
        raise ValueError(f"system: {ident!r} is not here (any more)")
    return to_text(_load(ident, place.stat().st_mtime).volume(size, seed=seed))


def candidate(ident: str, size: int, seed: int) -> Candidate:
    """The same as a candidate with its story."""
    text = made(ident, size, seed)
    known = _own(folder(ident) / NOTE)
    weights = file_hash(folder(ident) / FINISHED / "weights.safetensors")
    story = Provenance(
        f"own SliceGAN {known.name if known else ident}", "sample", weights=weights, seed=seed,
        arguments={"size": size, "own": ident}, versions=versions(),
    )  # fmt: skip
    return Candidate(text, "microstructures", Verdict(True), story, name=f"{ident}, seed {seed}")
