"""How well a system makes electrode volumes: fractions, correlations, interfaces, transport.

Everything is measured on cubes of SIZE voxels an edge, beside the same on crops of the held-out
part of the tomogram (real) and on GenBat's own particles with the fractions of the training part
(trivial). What is wanted is said of the training part, whose crops also give the bands.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from genbat.core import paths
from genbat.domains.microstructures.generator import Recipe, make
from genbat.domains.microstructures.labelling import PORE
from genbat.domains.microstructures.statistics import (
    face_mismatch,
    fractions,
    specific_surface,
    triple_line,
    two_point,
)
from genbat.domains.microstructures.tomography import crops
from genbat.domains.microstructures.transport import METHOD, transport
from genbat.domains.microstructures.volume import Volume, from_text, to_text
from genbat.studio.keeping import kept
from genbat.studio.metrics import Metrics, Progress, metric

Floats = NDArray[np.float64]
SIZE, LAGS = 64, 32
PARTICLES = "particles of the same fractions"
LEARNT = "crops it was trained on"
BAND = (2.5, 97.5)  # per cent of the real crops
CHUNK = 8
COPIES = 16  # volumes whose nearest crop is looked for


class Measured(Protocol):
    """Whose volumes are solved."""

    @property
    def log(self) -> Path | None:
        """Where solved volumes are kept."""
        ...

    @property
    def report(self) -> Progress:
        """Told how far it is."""
        ...


@dataclass(frozen=True)
class Subject:
    """What is measured: a system, the real material's two parts, n volumes, one seed."""

    system: Any
    source: Any
    n: int
    seed: int
    report: Progress
    log: Path | None = None
    memory: dict[str, Any] = field(default_factory=dict)

    def reporting(self, report: Progress) -> Subject:
        """The same subject with another progress."""
        return replace(self, report=report)

    def drawn(self) -> list[Volume]:
        """n volumes of the system."""
        if "drawn" not in self.memory:
            made = self.system.sample(self.n, seed=self.seed, progress=self.report)
            self.memory["drawn"] = [from_text(candidate.text) for candidate in made]
        return self.memory["drawn"]

    @cached_property
    def learnt(self) -> list[Volume]:
        """Crops of the part it was trained on, at most n."""
        return self._some(self.source.train, 1)

    @cached_property
    def held(self) -> list[Volume]:
        """Crops of the held-out part, at most n."""
        return self._some(self.source.test, 2)

    def _some(self, volume: Volume, purpose: int) -> list[Volume]:
        found = crops(volume, SIZE)
        order = np.random.default_rng((self.seed, purpose)).permutation(len(found))
        return [found[k] for k in sorted(order[: self.n].tolist())]

    @cached_property
    def particles(self) -> list[Volume]:
        """n volumes of GenBat's own generator with the training part's fractions."""
        share = fractions(self.source.train)
        binder = float(share[2]) if len(share) > 2 else 0.0
        recipe = Recipe(porosity=float(share[PORE]), binder=binder, size=SIZE)
        return [make(recipe, self.seed * 1_000_003 + k) for k in range(self.n)]

    def groups(self) -> dict[str, list[Volume]]:
        """All that is measured, by name: "" is the system's."""
        return {"": self.drawn(), "real": self.held, LEARNT: self.learnt, PARTICLES: self.particles}


def subject_of(system: Any, source: Any, n: int, seed: int) -> Subject:
    """What `genbat evaluate` measures; transport is kept in the user's folder.

    Raises
    ------
    ValueError : there is no held-out part.
    """
    if source.test is None:
        raise ValueError("data: an image of your own has no held-out part; nothing can be measured")
    log = paths.home() / "evaluation" / "microstructures.jsonl"
    return Subject(system, source, n, seed, lambda fraction, text: None, log)


# ---------------------------------------------------------------------- counting
def morphology(subject: Subject) -> Metrics:
    """Fractions, two-point correlations, surfaces and triple line: means over the volumes."""
    groups, phases = subject.groups(), subject.source.train.phases
    out: Metrics = {}
    shares = {name: np.stack([fractions(v) for v in own]) for name, own in groups.items()}
    wanted = fractions(subject.source.train)
    for k, phase in enumerate(phases):
        bar = [float(wanted[k]) - 0.02, float(wanted[k]) + 0.02]
        out[f"share of {phase}"] = _means({n: s[:, k] for n, s in shares.items()}, "share", bar)
    present = {name: np.all(s > 0, axis=1).tolist() for name, s in shares.items()}
    out["all_phases"] = _means(present, "share", 1.0)
    subject.report(0.2, "two-point correlations")
    for k, phase in enumerate(phases):
        out[f"two-point of {phase}, lags outside"] = _outside(groups, k)
    subject.report(0.7, "interfaces")
    for k, phase in enumerate(phases):
        areas = {name: [specific_surface(v)[k] for v in own] for name, own in groups.items()}
        out[f"surface of {phase}"] = within(areas, _per(groups[""][0], 1))
    lines = {name: [triple_line(v) for v in own] for name, own in groups.items()}
    out["triple line"] = within(lines, _per(groups[""][0], 2))
    return out


def _per(volume: Volume, power: int) -> str:
    return f"per {volume.unit}" + ("²" if power == 2 else "")


def _means(
    values: Mapping[str, Sequence[float] | NDArray[Any]], unit: str, bar: float | list[float]
) -> dict[str, Any]:
    mean = {name: float(np.mean(own)) for name, own in values.items()}
    others = {name: m for name, m in mean.items() if name not in ("", "real")}
    return metric(mean[""], unit, baselines=others, real=mean["real"], bar=bar)


def within(values: Mapping[str, Sequence[float]], unit: str, share: float = 0.15) -> dict[str, Any]:
    """Means, wanted within a share of that of the crops trained on."""
    wanted = float(np.mean(values[LEARNT]))
    return _means(values, unit, [wanted * (1 - share), wanted * (1 + share)])


def curves(volumes: Sequence[Volume], phase: int) -> Floats:
    """Two-point correlations of a phase (volumes, 3, LAGS + 1)."""
    return np.stack([two_point(v.mask(phase), LAGS, v.periodic) for v in volumes])


def _outside(groups: Mapping[str, Sequence[Volume]], phase: int) -> dict[str, Any]:
    """Lags at which a mean curve leaves the band of the crops trained on, of all axes and lags."""
    low, high = np.percentile(curves(groups[LEARNT], phase), BAND, axis=0)
    found = {}
    for name in (n for n in groups if n != LEARNT):
        mean = curves(groups[name], phase).mean(0)
        found[name] = ((mean < low) | (mean > high)).astype(float).ravel()
    return _means(found, "share of lags", 0.0)


def repetition(subject: Subject) -> Metrics:
    """How much the pore's correlation rises at the generator's stride above that one half a stride
    to either side, means over the axes: a pattern that repeats shows as a peak."""
    stride = subject.system.stride
    rises = {name: _rise(own, stride) for name, own in subject.groups().items()}
    low, high = np.percentile(rises[LEARNT], BAND)
    return {f"rise at a lag of {stride}": _means(rises, "", [float(low), float(high)])}


def _rise(volumes: Sequence[Volume], stride: int) -> Floats:
    found = curves(volumes, PORE).mean(1)
    half = stride // 2
    rise = found[:, stride] - (found[:, stride - half] + found[:, stride + half]) / 2
    return np.asarray(rise, float)


def borders(subject: Subject) -> Metrics:
    """Periodic volumes: voxels that differ between opposite faces, against neighbouring slices
    inside, and the change of diffusivity against volumes that are not periodic."""
    made = [subject.system.volume(seed=subject.seed, index=k, periodic=True)
            for k in range(subject.n)]  # fmt: skip
    faces, inside = np.mean([face_mismatch(v) for v in made], axis=0)
    open_faces = float(np.mean([face_mismatch(v)[0] for v in subject.drawn()]))
    flow = diffusivities({"": made, "open": subject.drawn()}, subject)
    still = {"not periodic": float(np.mean(flow["open"]))}
    return {
        "face_mismatch": metric(
            float(faces), "share", baselines={"not periodic": open_faces}, real=float(inside),
            bar=float(inside),
        ),
        "periodic_diffusivity": metric(float(np.mean(flow[""])), "of bulk", baselines=still),
    }  # fmt: skip


# ---------------------------------------------------------------------- transport
def flow(subject: Subject) -> Metrics:
    """Effective diffusivity of the pore through the electrode, by TauFactor."""
    return {"pore diffusivity": within(diffusivities(subject.groups(), subject), "of bulk")}


def diffusivities(
    groups: Mapping[str, Sequence[Volume]], subject: Measured
) -> dict[str, list[float]]:
    """Effective diffusivity of the pore along z of volumes by group, of bulk, by TauFactor; what
    was solved before is read from the subject's log."""
    keys = {name: [_key(v) for v in own] for name, own in groups.items()}
    items = {k: v for name in groups for k, v in zip(keys[name], groups[name], strict=True)}
    rows = kept(subject.log, items, _solved, chunk=CHUNK, progress=subject.report,
                what="volumes solved by TauFactor")  # fmt: skip
    return {name: [rows[k]["relative"] for k in own] for name, own in keys.items()}


def _key(volume: Volume) -> str:
    return hashlib.sha256(f"{METHOD}\n{to_text(volume)}".encode()).hexdigest()[:24]


def _solved(chunks: Sequence[Sequence[Volume]]) -> Any:
    for chunk in chunks:
        yield [{"relative": transport(volume, (PORE,), 0).relative} for volume in chunk]


# ---------------------------------------------------------------------- copies
def copies(subject: Subject) -> Metrics:
    """Share of voxels that differ from the nearest crop of the training part, over all offsets:
    the smallest over the volumes, against held-out crops."""
    near: dict[str, list[float]] = {}
    field_of = spectrum(subject.source.train)
    for name, own in (("", subject.drawn()), ("real", subject.held)):
        near[name] = []
        for volume in own[:COPIES]:
            near[name].append(nearest(volume, subject.source.train, field_of))
            subject.report(len(near[name]) / COPIES, "looking for copies")
    least = {name: float(np.min(own)) for name, own in near.items()}
    return {
        "nearest training crop": metric(
            least[""], "share of voxels", real=least["real"], bar=least["real"]
        )
    }


def spectrum(volume: Volume) -> list[NDArray[Any]]:
    """Fourier transforms of a volume's phases."""
    return [np.fft.rfftn(volume.mask(k).astype("f4")) for k in range(len(volume.phases))]


def nearest(volume: Volume, among: Volume, fields: Sequence[NDArray[Any]]) -> float:
    """Smallest share of differing voxels between a volume and any equally large crop of another,
    by cross-correlation."""
    same = np.zeros(among.shape)
    for k, own in enumerate(fields):
        template = np.fft.rfftn(volume.mask(k).astype("f4"), among.shape)
        same += np.fft.irfftn(own * template.conj(), among.shape, axes=(0, 1, 2))
    inner = tuple(slice(0, a - b + 1) for a, b in zip(among.shape, volume.shape, strict=True))
    return 1.0 - float(same[inner].max()) / volume.labels.size
