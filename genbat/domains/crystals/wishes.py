"""Discrete wishes on a crystal: formula, elements, number of atoms, symmetry."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pymatgen.core import Composition, Element

from genbat.core.candidate import Verdict
from genbat.core.condition import Condition
from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.structure import HEAVIEST, NOBLE, formula_counts, judge
from genbat.domains.crystals.symmetry import CRYSTAL_SYSTEMS, space_group_number

LEGAL = ("formula", "system", "allow", "require", "forbid", "atoms", "space_group",
         "crystal_system", "not_p1")  # fmt: skip
ELEMENTS = frozenset(Element.from_Z(z).symbol for z in range(1, HEAVIEST + 1)) - NOBLE
MOST_ATOMS = 20


@dataclass(frozen=True)
class Wishes:
    """What a crystal must be.

    Attributes
    ----------
    formula : element -> atoms of one formula unit; empty for any. The cell may hold several.
    require, allow : elements that must and that may be in it.
    atoms : fewest and most atoms of the primitive cell.
    groups : space groups (spglib, 0.1 Å) it may have; empty for any.
    """

    formula: Mapping[str, int] = field(default_factory=dict)
    require: frozenset[str] = frozenset()
    allow: frozenset[str] = ELEMENTS
    atoms: tuple[int, int] = (1, MOST_ATOMS)
    groups: frozenset[int] = frozenset()

    def unmet(self, cell: Cell) -> list[str]:
        """Wishes a crystal breaks, in words; empty where it honours all."""
        counts = formula_counts(cell)
        reasons = []
        if self.formula and not same_formula(counts, self.formula):
            reasons.append(f"is {_written(counts)}, not {_written(self.formula)}")
        if strange := sorted(set(counts) - self.allow):
            reasons.append(f"contains {', '.join(strange)}")
        if missing := sorted(self.require - set(counts)):
            reasons.append(f"lacks {', '.join(missing)}")
        low, high = self.atoms
        if not low <= len(cell.numbers) <= high:
            reasons.append(f"has {len(cell.numbers)} atoms, not {low} to {high}")
        if self.groups and (group := space_group_number(cell)) not in self.groups:
            reasons.append(f"has space group {group}")
        return reasons

    def verdict(self, cell: Cell) -> Verdict:
        """Whether a crystal belongs to the domain and honours all wishes."""
        found = judge(cell)
        reasons = self.unmet(cell) if found.ok else []
        return Verdict(False, tuple(reasons)) if reasons else found

    def sizes(self) -> list[int]:
        """Numbers of atoms a cell may have."""
        low, high = self.atoms
        unit = sum(self.formula.values()) or 1
        return [n for n in range(low, high + 1) if n % unit == 0]


def same_formula(one: Mapping[str, int], two: Mapping[str, int]) -> bool:
    """Whether two counts of atoms are the same compound."""
    return Composition(one).reduced_formula == Composition(two).reduced_formula


def _written(counts: Mapping[str, int]) -> str:
    return str(Composition(counts).reduced_formula)


def read_wishes(condition: Condition) -> Wishes:
    """The crystal's part of a condition.

    Raises
    ------
    ValueError : an unknown wish, element, formula, number of atoms or symmetry, with what is legal;
        also wishes that exclude each other.
    """
    wishes = condition.wishes
    if strange := sorted(set(wishes) - set(LEGAL)):
        raise ValueError(f"wish: unknown {', '.join(strange)}; crystals know {', '.join(LEGAL)}")
    formula = _formula(str(wishes.get("formula", "")))
    system = _elements("system", wishes.get("system", ()))
    allow = _elements("allow", wishes.get("allow", ())) or ELEMENTS
    require = _elements("require", wishes.get("require", ())) | system | frozenset(formula)
    allow = frozenset(formula) or system or (allow | require)
    allow -= _elements("forbid", wishes.get("forbid", ()))
    if clash := sorted(require - allow):
        raise ValueError(f"elements: {', '.join(clash)} required and forbidden at once")
    found = Wishes(formula, require, allow, _atoms(wishes.get("atoms")), _groups(wishes))
    if not found.sizes():
        low, high = found.atoms
        raise ValueError(f"atoms: no cell of {low} to {high} atoms holds {_written(formula)}")
    return found


def _elements(name: str, value: Any) -> frozenset[str]:
    parts = value.replace("-", ",").split(",") if isinstance(value, str) else list(value)
    found = frozenset(str(p).strip() for p in parts if str(p).strip())
    if strange := sorted(found - ELEMENTS):
        raise ValueError(
            f"{name}: {', '.join(s[:10] for s in strange)} is no element of this domain; legal are "
            "H to Bi without noble gases"
        )
    return found


def _formula(text: str) -> dict[str, int]:
    if not text.strip():
        return {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # noble gases have no electronegativity
            counts = Composition(text).reduced_composition.as_dict()
    except Exception as wrong:
        raise ValueError(f"formula: got {text[:40]!r}; write one like LiCoO2") from wrong
    if any(abs(n - round(n)) > 1e-6 for n in counts.values()) or not counts:
        raise ValueError(f"formula: got {text[:40]!r}; atoms must be whole numbers")
    _elements("formula", counts)
    return {element: round(n) for element, n in counts.items()}


def _atoms(value: Any) -> tuple[int, int]:
    if value is None:
        return 1, MOST_ATOMS
    ends = [value, value] if isinstance(value, int) else list(value)
    ok = len(ends) == 2 and all(isinstance(n, int) and not isinstance(n, bool) for n in ends)
    if not ok or not 1 <= ends[0] <= ends[1] <= MOST_ATOMS:
        raise ValueError(f"atoms: got {value!r}; legal are two numbers from 1 to {MOST_ATOMS}")
    return ends[0], ends[1]


def _groups(wishes: Mapping[str, Any]) -> frozenset[int]:
    groups: set[int] = set(range(1, 231))
    if (asked := wishes.get("space_group")) is not None:
        groups &= _numbers(asked)
    if (name := wishes.get("crystal_system")) is not None:
        if name not in CRYSTAL_SYSTEMS:
            raise ValueError(f"crystal_system: got {name!r}; legal are {list(CRYSTAL_SYSTEMS)}")
        groups &= set(CRYSTAL_SYSTEMS[name])
    if wishes.get("not_p1"):
        groups -= {1}
    if not groups:
        raise ValueError("symmetry: space group and crystal system exclude each other")
    return frozenset(groups) if len(groups) < 230 else frozenset()


def _numbers(asked: Any) -> set[int]:
    many: Iterable[Any] = asked if isinstance(asked, (list, tuple, set, frozenset)) else [asked]
    found = set()
    for one in many:
        if not isinstance(one, int) or isinstance(one, bool) or not 1 <= one <= 230:
            raise ValueError(f"space_group: got {one!r}; legal are numbers from 1 to 230")
        found.add(one)
    return found
