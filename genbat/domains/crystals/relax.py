"""Relaxing many crystals at once with CHGNet: cell and atoms together, in small batches.

Each crystal has its own BFGS; only the evaluations are shared, so one bad structure leaves the
others alone. Variables are the atoms' positions and n times the cell's logarithmic strain, as in
ASE's FrechetCellFilter (Tadmor et al. 1999, with the size scaling of ASE). The starting curvature
is 40 eV/Å² for atoms and 15/n for the cell: with ASE's 70 for both the cell would crawl, and the
whole would take 1.6 times as many evaluations.

A curvature matrix that a rough start has spoilt can hold a crystal still far from its minimum:
one whose largest force has not fallen for STALL steps gets the starting curvature again.

A symmetric start stays symmetric and may stop on a saddle point: begin with `perturbed`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from scipy.linalg import expm

from genbat.domains.crystals.chgnet_batch import BatchedCHGNet, Cell, Evaluation
from genbat.domains.crystals.chgnet_graph import MAX_IMAGE, Floats, Neighbours, neighbours

ATOM_CURVATURE = 40.0  # eV/Å²
CELL_CURVATURE = 15.0  # divided by the number of atoms
MAX_MOVE = 0.2  # Å a step
STALL = 20  # steps
MAX_BONDS = 20_000  # directed bonds of one crystal
VOLUME_RATIOS = (0.3, 3.0)  # of the start's volume
MIN_DISTANCE = 0.5  # Å

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Settings:
    """When a relaxation ends: largest force (and cell force) in eV/Å, steps, crystals at once."""

    fmax: float = 0.03
    steps: int = 200
    batch: int = 24

    def __post_init__(self) -> None:
        for name in ("fmax", "steps", "batch"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name}: got {getattr(self, name)}; it must be above 0")


@dataclass(frozen=True)
class Relaxed(Generic[Key]):
    """One crystal at the end of its relaxation.

    `failed` is empty where it converged, else the reason in words; energy (eV/atom) and
    `evaluation` are then those of the last step, if there was one.
    """

    key: Key
    cell: Cell
    energy: float
    evaluation: Evaluation | None
    fmax: float
    steps: int
    failed: str = ""


class _Walker(Generic[Key]):
    """One crystal under way: its cell, its curvature matrix, its last step."""

    def __init__(self, key: Key, cell: Cell) -> None:
        self.key, self.cell, self.n = key, cell, len(cell.numbers)
        self.start_volume = _volume(cell)
        self.steps = 0
        self._begin()

    def _begin(self) -> None:
        cell = CELL_CURVATURE / max(self.n, 1)
        self.curvature = np.diag([ATOM_CURVATURE] * (3 * self.n) + [cell] * 9)
        self.last: tuple[Floats, Floats] | None = None  # forces and move of the step before
        self.lowest, self.since = np.inf, 0  # largest force so far, steps since it last fell

    def forces(self, evaluation: Evaluation) -> Floats:
        """Forces on the atoms and, below them, on the cell (n + 3, 3), eV/Å."""
        virial = evaluation.virial
        return np.vstack([evaluation.forces, -(virial + virial.T) / 2 / self.n])

    def advance(self, forces: Floats) -> None:
        """One BFGS step down: curvature updated, the longest move cut to MAX_MOVE."""
        flat = forces.ravel()
        self._watch(float(np.linalg.norm(forces, axis=1).max()))
        if self.last:
            self._learn(flat)
        values, vectors = np.linalg.eigh(self.curvature)
        softest = np.maximum(np.abs(values), 1e-3)
        move = (vectors @ ((flat @ vectors) / softest)).reshape(-1, 3)
        move *= min(1.0, MAX_MOVE / np.linalg.norm(move, axis=1).max())
        self.last = flat.copy(), move.ravel().copy()
        deform = expm(move[self.n :] / self.n)
        positions = (self.cell.positions + move[: self.n]) @ deform
        self.cell = Cell(self.cell.numbers, positions, self.cell.lattice @ deform)
        self.steps += 1

    def _watch(self, fmax: float) -> None:
        self.lowest, self.since = (fmax, 0) if fmax < self.lowest else (self.lowest, self.since + 1)
        if self.since >= STALL:
            self._begin()

    def _learn(self, flat: Floats) -> None:
        assert self.last
        change, move = flat - self.last[0], self.last[1]
        bent = self.curvature @ move
        along, expected = move @ change, move @ bent
        if min(abs(along), abs(expected)) > 1e-12:
            self.curvature -= np.outer(change, change) / along + np.outer(bent, bent) / expected


def relax(
    model: BatchedCHGNet,
    cells: Iterable[tuple[Key, Cell]],
    settings: Settings | None = None,
    progress: Callable[[float, str], None] | None = None,
) -> Iterator[Relaxed[Key]]:
    """Relax crystals as they come; results come as they finish, in no fixed order.

    Parameters
    ----------
    cells : (key, cell) pairs; the iterable is read only as far as the batch has room.
    progress : called once a batch step with the number under way; may raise to stop.
    """
    settings = settings or Settings()
    waiting = iter(cells)
    walkers: list[_Walker[Key]] = []
    while True:
        while len(walkers) < settings.batch and (pair := next(waiting, None)) is not None:
            walkers.append(_Walker(*pair))
        if not walkers:
            return
        if progress:
            progress(0.0, f"{len(walkers)} crystals relaxing")
        ready: list[_Walker[Key]] = []
        lists: list[Neighbours] = []
        for walker in walkers:
            found = gate(walker.cell, walker.start_volume)
            if isinstance(found, str):
                yield _stopped(walker, found)
            else:
                ready.append(walker)
                lists.append(found)
        walkers = []
        if ready:
            for walker, result in zip(ready, model([w.cell for w in ready], lists), strict=True):
                end = _step(walker, result, settings)
                if end:
                    yield end
                else:
                    walkers.append(walker)


def _step(walker: _Walker[Key], result: Evaluation, settings: Settings) -> Relaxed[Key] | None:
    """Move on, or say how it ended."""
    forces = walker.forces(result)
    fmax = float(np.linalg.norm(forces, axis=1).max())
    energy = result.energy / walker.n
    if not np.isfinite(fmax) or not np.isfinite(energy):
        return _stopped(walker, "CHGNet gave no finite forces")
    if fmax > settings.fmax and walker.steps < settings.steps:
        walker.advance(forces)
        return None
    failed = (
        ""
        if fmax <= settings.fmax
        else (f"not converged after {walker.steps} steps (largest force {fmax:.2f} eV/Å)")
    )
    return Relaxed(walker.key, walker.cell, energy, result, fmax, walker.steps, failed)


def _stopped(walker: _Walker[Key], reason: str) -> Relaxed[Key]:
    return Relaxed(walker.key, walker.cell, np.nan, None, np.nan, walker.steps, reason)


def gate(cell: Cell, start_volume: float | None = None) -> Neighbours | str:
    """The bonds of a cell that CHGNet can judge, or why it cannot.

    CHGNet's numbers for overlapping or scattered atoms look harmless and mean nothing.
    """
    if reason := _bad_cell(cell, start_volume):
        return reason
    bonds = neighbours(cell.positions, cell.lattice)
    if len(np.unique(bonds.center)) < len(cell.numbers):
        return "an atom has no neighbour within 6 Å"
    if bonds.distance.min() < MIN_DISTANCE:
        return f"two atoms are {bonds.distance.min():.2f} Å apart"
    if len(bonds.center) > MAX_BONDS or np.abs(bonds.image).max() > MAX_IMAGE:
        return "the cell is too dense"
    return bonds


def _bad_cell(cell: Cell, start_volume: float | None) -> str:
    volume = _volume(cell)
    if not np.isfinite(volume) or volume < 0.5 * len(cell.numbers):
        return "the cell has collapsed"
    if start_volume and not VOLUME_RATIOS[0] < volume / start_volume < VOLUME_RATIOS[1]:
        return f"the volume changed {volume / start_volume:.1f}-fold"
    if heights(cell.lattice).min() < 0.5:
        return "the cell is thinner than 0.5 Å"
    return ""


def _volume(cell: Cell) -> float:
    return float(abs(np.linalg.det(cell.lattice)))


def heights(lattice: Floats) -> Floats:
    """Distances between opposite faces (3,), Å."""
    volume = abs(np.linalg.det(lattice))
    areas = [np.linalg.norm(np.cross(lattice[k - 2], lattice[k - 1])) for k in range(3)]
    return volume / np.maximum(areas, 1e-9)


def perturbed(cell: Cell, seed: int, strain: float = 0.02, shift: float = 0.03) -> Cell:
    """The cell with symmetric random strain (standard deviation) and shifts in Å, off its saddle
    points.
    """
    rng = np.random.default_rng(seed)
    random = rng.normal(0.0, strain, (3, 3))
    deform = np.eye(3) + (random + random.T) / 2
    noise = rng.normal(0.0, shift, cell.positions.shape)
    return Cell(cell.numbers, cell.positions @ deform + noise, cell.lattice @ deform)
