"""How unimat makes a crystal out of noise on the periodic table, step by step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from genbat.core.candidate import Candidate
from genbat.core.condition import Condition
from genbat.domains.crystals import periodic
from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.structure import reduced_formula, to_text
from genbat.studio import registry
from genbat.systems.unimat import NAME, Frame, UniMat
from genbat.systems.unimat_table import NUMBERS

STEPS = 26  # frames of a way, both ends counted
MOST_ATOMS = 100  # of a crystal that is drawn
MOST_INDEX = 1000
SEEN = 0.05  # atoms that count as some


@dataclass(frozen=True)
class Step:
    """One frame.

    Attributes
    ----------
    time : 1 is noise, 0 the crystal.
    atoms : element -> expected number of atoms.
    formula, text : of the crystal that the network sees, as CIF; "" where it cannot be drawn.
    sites : how many atoms that crystal has.
    """

    time: float
    atoms: Mapping[str, float]
    formula: str
    text: str
    sites: int


@dataclass(frozen=True)
class Way:
    """A way from noise, and the crystal at its end."""

    steps: tuple[Step, ...]
    candidate: Candidate

    def leading(self, many: int) -> list[str]:
        """The elements that had most atoms at some step, in the order of how many at the end."""
        most = {e: max(step.atoms[e] for step in self.steps) for e in self.steps[0].atoms}
        best = sorted((e for e in most if most[e] >= SEEN), key=lambda e: -most[e])[:many]
        return sorted(best, key=lambda e: -self.steps[-1].atoms[e])


def condition(made_of: str) -> Condition:
    """What is asked: elements ("Li-Co-O"), a formula ("LiCoO2"), or nothing."""
    words = made_of.strip()
    if not words:
        return Condition()
    return Condition(wishes={"system" if "-" in words or "," in words else "formula": words})


def way(made_of: str, seed: int, index: int) -> Way:
    """The way to the crystal that a sample of this seed has at this index.

    Raises
    ------
    ValueError : a formula or elements that cannot be read or kept, or an index out of range.
    """
    if not 0 <= index <= MOST_INDEX:
        raise ValueError(f"index: got {index}; legal are 0 to {MOST_INDEX}")
    system: UniMat = registry.load(NAME)
    asked = condition(made_of)
    frames = system.frames(STEPS, index=index, condition=asked, seed=seed)
    made = system.candidate(frames[-1].cell, seed, index, asked)
    return Way(tuple(map(_step, frames)), made)


def _step(frame: Frame) -> Step:
    names = {row.number: row.symbol for row in periodic.rows()}
    atoms = {names[z]: float(n) for z, n in zip(NUMBERS, frame.atoms, strict=True)}
    sites = len(frame.cell.numbers)
    drawn = 0 < sites <= MOST_ATOMS
    formula = reduced_formula(frame.cell) if drawn else ""
    return Step(frame.time, atoms, formula, _text(frame.cell) if drawn else "", sites)


def _text(cell: Cell) -> str:
    return to_text(cell) if len(cell.numbers) else ""
