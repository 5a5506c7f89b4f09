"""CHGNet as the domain's independent judge: relaxation, formation energy, voltage, second opinion.

CHGNet 0.3.0 (Deng et al., Nat. Mach. Intell. 2023, 5, 1031) relaxes a crystal; its r2SCAN weights
look at the same geometry; hosts are emptied and relaxed again for their average voltage. No number
leaves here that has not passed the gates: what fails says why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from genbat.core.candidate import Verdict
from genbat.core.properties import Measurement
from genbat.domains.crystals.chgnet_batch import Cell, evaluator
from genbat.domains.crystals.labelling import crystal_row, empty_hosts, second_opinion, unpack
from genbat.domains.crystals.properties import measurements
from genbat.domains.crystals.relax import Settings, perturbed, relax
from genbat.domains.crystals.structure import judge
from genbat.domains.crystals.table import NUMBERS, table_row, unpacked

SCREENING = Settings(fmax=0.05, steps=150, batch=24)
Progress = Callable[[float, str], object]


@dataclass(frozen=True)
class Judged:
    """What the physics says of one crystal.

    Attributes
    ----------
    verdict : whether its numbers may be shown, or why not.
    cell, empty : relaxed crystal, and relaxed host without its working ion, where there are such.
    properties : measurements by key (`genbat.domains.crystals.properties`).
    group : space group number (spglib, 0.1 Å); 0 where not relaxed.
    moved : root mean square displacement of the atoms in the relaxation, Å, cells overlaid.
    magmoms : absolute magnetic moments (n,) in μB.
    notes : what else a user should know ("emptied, ...": why there is no voltage).
    """

    verdict: Verdict
    cell: Cell | None = None
    empty: Cell | None = None
    properties: dict[str, Measurement] | None = None
    group: int = 0
    moved: float = float("nan")
    magmoms: tuple[float, ...] = ()
    notes: tuple[str, ...] = ()


def judge_many(
    cells: Sequence[Cell],
    *,
    settings: Settings = SCREENING,
    seed: int = 0,
    hosts: bool = True,
    progress: Progress | None = None,
) -> Iterator[tuple[int, Judged]]:
    """Judge crystals in batches; (number, result) pairs in no fixed order.

    Parameters
    ----------
    seed : of the noise every start gets, so that symmetric saddle points are left.
    hosts : also empty the hosts and give voltages (about half as much work again).
    progress : called with the fraction done; may raise to stop.
    """
    say = progress or (lambda fraction, text: None)
    possible = []
    for k, cell in enumerate(cells):
        verdict = judge(cell)
        if verdict.ok:
            possible.append((k, perturbed(cell, seed + k)))
        else:
            yield k, Judged(verdict)
    done = 0
    for part in _parts(possible, 4 * settings.batch):
        rows = {}
        say(done / len(cells), f"{done} of {len(cells)} crystals judged")
        for result in relax(evaluator(), part, settings):
            rows[result.key] = {"name": "", "family": "", **crystal_row(result)}
            relaxed = done + len(rows)
            say(0.9 * relaxed / len(cells), f"{relaxed} of {len(cells)} crystals relaxed")
        good = {k: unpack(row) for k, row in rows.items() if not row["failed"]}
        second_opinion(rows, good, "")
        if hosts:
            empty_hosts(rows, good, settings)
        for k, row in rows.items():
            yield k, _judged(row, cells[k])
        done += len(part)
    say(1.0, f"{len(cells)} of {len(cells)} crystals judged")


def _parts(items: list, size: int) -> Iterator[list]:
    for k in range(0, len(items), size):
        yield items[k : k + size]


def _judged(row: dict, start: Cell) -> Judged:
    labels = table_row(row)
    if labels["failed"]:
        return Judged(Verdict(False, (labels["failed"],)))
    cell = unpack(row)
    empty = None
    if "empty_cell" in labels:
        parts = (labels["empty_cell"], labels["empty_positions"], row["empty_numbers"])
        empty = unpacked(*parts)
    values = {k: float(labels[k]) for k in NUMBERS if k in labels}
    return Judged(
        Verdict(True),
        cell,
        empty,
        measurements(values),
        int(labels["group"]),
        displacement(start, cell),
        tuple(row["magmoms"]),
        (labels["host_failed"],) if labels.get("host_failed") else (),
    )


def displacement(start: Cell, end: Cell) -> float:
    """Root mean square move of the atoms in Å, in the mean cell, without the common drift.

    Atoms must stand in the same order in both.
    """
    lattice = (start.lattice + end.lattice) / 2
    moves = end.positions @ np.linalg.inv(end.lattice)
    moves = moves - start.positions @ np.linalg.inv(start.lattice)
    moves -= np.round(moves)
    moves -= moves.mean(axis=0)
    moves -= np.round(moves)
    return float(np.sqrt(((moves @ lattice) ** 2).sum(axis=1).mean()))
