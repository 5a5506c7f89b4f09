"""Does cubicgan make what it is asked for: group, elements, edge, held-out compounds?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from genbat.core.condition import Condition
from genbat.domains.crystals.catalogue import Catalogue
from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.ions import covalent_radius
from genbat.domains.crystals.measures import structurally_valid
from genbat.domains.crystals.structure import formula_counts, primitive
from genbat.domains.crystals.swaps import replaced
from genbat.domains.crystals.symmetric import Symmetric, built, described
from genbat.domains.crystals.symmetry import space_group_number
from genbat.studio.metrics import Metrics, metric
from genbat.studio.metrics_crystals import Made, Subject
from genbat.systems.base import part_of
from genbat.systems.by_symmetry import symmetric
from genbat.systems.cubicgan_network import is_ours

PER = 200  # samples of each group and elements asked for
MOST = 50  # held-out crystals that are asked for
ALONE, PATTERNS = "the generator alone", "training prototypes of the group"
BARS = {"valid_asked": 0.95, "rediscovered": 0.30, "edge_error": 0.03}


@dataclass(frozen=True)
class Answer:
    """A held-out crystal, and samples of its group and elements."""

    wanted: Symmetric
    cell: Cell
    made: Made
    alone: Made
    patterns: Made

    @cached_property
    def same(self) -> list[Cell]:
        """Its samples that have the held-out crystal's structure."""
        own = Catalogue([self.cell])
        return [cell for cell in self.made if cell is not None and own.holds(cell)]


def asked(subject: Subject) -> Metrics:
    """Groups and elements of held-out cubic crystals asked for, beside the generator alone and
    random training crystals of the group with these elements put in: valid ones of that group and
    elements, held-out structures that are found again among them, and how far the edges of those
    of the right prototype lie from the relaxed one, beside regressions of each prototype for the
    same crystals."""
    answers = answers_of(subject)
    kinds: dict[str, Callable[[Answer], Made]] = {
        "": lambda a: a.made,
        ALONE: lambda a: a.alone,
        PATTERNS: lambda a: a.patterns,
    }
    valid = {k: _mean([_valid(a, made(a)) for a in answers]) for k, made in kinds.items()}
    found = {name: _mean([_found(a, kinds[name](a)) for a in answers]) for name in kinds if name}
    found[""] = _mean([bool(a.same) for a in answers])
    misses = [_edge_error(a) for a in answers]
    others = {name: valid[name] for name in (ALONE, PATTERNS)}
    guesses = {name: found[name] for name in (ALONE, PATTERNS)}
    return {
        "valid_asked": metric(
            valid[""], "share", baselines=others, real=1.0, bar=BARS["valid_asked"]
        ),
        "rediscovered": metric(found[""], "share", baselines=guesses, bar=BARS["rediscovered"]),
        "edge_error": metric(
            _median(misses),
            "share",
            baselines=regressions(
                training_crystals(subject),
                [a.wanted for a, miss in zip(answers, misses, strict=True) if np.isfinite(miss)],
            ),
            bar=BARS["edge_error"],
        ),
        "asked_crystals": metric(float(len(answers))),
    }


def answers_of(subject: Subject) -> list[Answer]:
    """At most MOST held-out crystals that the system can be asked for, with its answers.

    Raises
    ------
    ValueError : there is none.
    """
    held = held_out(subject)
    if not held:
        raise ValueError("data: no held-out crystal is cubic with three base atoms")
    pick = subject.rng(7).permutation(len(held))[: min(MOST, subject.n)]
    out = []
    for done, k in enumerate(sorted(pick.tolist())):
        mine = subject.reporting(part_of(subject.report, done / len(pick), 1 / len(pick)))
        wanted, cell = held[k]
        elements = [orbit.element for orbit in wanted.orbits]
        condition = Condition(wishes={"space_group": wanted.group, "elements": elements})
        count = min(PER, max(2, subject.n))
        made = mine.draw(count, condition)
        alone = mine.draw(count, condition, plan=subject.system.bare_plan)
        out.append(Answer(wanted, cell, made, alone, _patterns(subject, wanted, count, k)))
    return out


def held_out(subject: Subject) -> list[tuple[Symmetric, Cell]]:
    """Held-out crystals of the system's groups and elements."""
    config, out = subject.system.config, []
    for cell, group in zip(subject.test.cells, subject.test.groups, strict=True):
        if int(group) in config.groups and len(formula_counts(cell)) == 3:
            try:
                wanted = described(cell)
            except ValueError:  # spglib finds no symmetry
                continue
            known = {orbit.element for orbit in wanted.orbits} <= set(config.elements)
            if is_ours(wanted) and wanted.group in config.groups and known:
                out.append((wanted, cell))
    return out


def training_crystals(subject: Subject) -> list[Symmetric]:
    """The crystals that the system learnt from."""
    if "cubic" not in subject.memory:
        groups = set(subject.system.config.groups)
        rows = [k for k, g in enumerate(subject.train.groups) if int(g) in groups]
        subject.memory["cubic"] = [c for c in symmetric(subject.train, rows) if is_ours(c)]
    return subject.memory["cubic"]


def _patterns(subject: Subject, wanted: Symmetric, count: int, purpose: int) -> Made:
    """Random training crystals of the group, the elements put in in random order."""
    alike = [c for c in training_crystals(subject) if c.group == wanted.group]
    rng = subject.rng(100 + purpose)
    elements = [orbit.element for orbit in wanted.orbits]
    made: Made = []
    for k in rng.integers(len(alike), size=count) if alike else []:
        old = [orbit.element for orbit in alike[k].orbits]
        new = [str(e) for e in rng.permutation(elements)]
        mapping = dict(zip(old, new, strict=True))
        made.append(replaced(primitive(built(alike[k])), mapping))
    return made or [None]


# ---------------------------------------------------------------------- what is counted
def _valid(answer: Answer, made: Made) -> float:
    return _mean([cell is not None and _is_as_asked(answer, cell) for cell in made])


def _is_as_asked(answer: Answer, cell: Cell) -> bool:
    same = set(formula_counts(cell)) == set(formula_counts(answer.cell))
    return same and structurally_valid(cell) and space_group_number(cell) == answer.wanted.group


def _found(answer: Answer, made: Made) -> bool:
    own = Catalogue([answer.cell])
    return any(cell is not None and own.holds(cell) for cell in made)


def _edge_error(answer: Answer) -> float:
    """Median miss of the edge, as a share, of samples with the held-out crystal's structure; NaN
    without any. Of one structure the edges are as the cube roots of the volumes of an atom."""
    misses = [abs(float(np.cbrt(_roomy(c) / _roomy(answer.cell))) - 1) for c in answer.same]
    return float(np.median(misses)) if misses else np.nan


def _roomy(cell: Cell) -> float:
    """Volume of an atom, Å³."""
    return float(abs(np.linalg.det(cell.lattice))) / len(cell.numbers)


def prototype_of(crystal: Symmetric) -> tuple:
    """Group and letters in the order of the elements."""
    return crystal.group, tuple(orbit.letter for orbit in crystal.orbits)


def radii_of(crystal: Symmetric) -> list[float]:
    """Covalent radii of the base atoms, Å."""
    return [covalent_radius(orbit.element) for orbit in crystal.orbits]


EDGES: dict[str, Callable[[Symmetric], list[float]]] = {
    "mean of the prototype": lambda crystal: [],
    "regression on the sum of radii": lambda crystal: [sum(radii_of(crystal))],
    "regression on three radii": radii_of,
}


def regressions(known: Sequence[Symmetric], wanted: Sequence[Symmetric]) -> dict[str, float]:
    """Median miss of the edge, as a share, of least squares on the training crystals of each
    prototype."""
    return {name: _median([_missed(known, one, inputs) for one in wanted])
            for name, inputs in EDGES.items()}  # fmt: skip


def _missed(
    known: Sequence[Symmetric], wanted: Symmetric, inputs: Callable[[Symmetric], list[float]]
) -> float:
    alike = [c for c in known if prototype_of(c) == prototype_of(wanted)]
    if not alike:
        return np.nan
    table = np.array([[1.0, *inputs(c)] for c in alike])
    fitted = np.linalg.lstsq(table, np.array([c.cell[0] for c in alike]), rcond=None)[0]
    guess = float(np.array([1.0, *inputs(wanted)]) @ fitted)
    return abs(guess / wanted.cell[0] - 1)


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if len(values) else np.nan


def _median(values: Sequence[float]) -> float:
    good = [v for v in values if np.isfinite(v)]
    return float(np.median(good)) if good else np.nan
