"""The grammar of a crystal's text: which words may follow, and the crystal that a text says.

Besides the order of words it knows how many atoms a Wyckoff position holds: a word is legal only
where the atoms that the composition still owes can be placed, positions without a free parameter
once each. What is asked (formula, elements, atoms, groups) bars words in the same way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache

from genbat.domains.crystals.symmetric import FREE_CELL, Orbit, Symmetric, rank
from genbat.domains.crystals.symmetric_text import (
    ANGLES,
    AT,
    CELL,
    COUNTS,
    END,
    LENGTHS,
    ORDERED,
    REST,
    TENTHS,
    number_of,
)
from genbat.domains.crystals.symmetry import crystal_system
from genbat.domains.crystals.wishes import Wishes
from genbat.domains.crystals.wyckoff import space_group

EDGES, CORNERS = LENGTHS[1:], ANGLES[30:151]


@dataclass(frozen=True)
class Limits:
    """What a text may say: groups and elements that are known, and wishes."""

    groups: tuple[int, ...] = tuple(range(1, 231))
    elements: tuple[str, ...] = ORDERED
    wishes: Wishes = field(default_factory=Wishes)

    @cached_property
    def formula(self) -> dict[str, int]:
        """The formula asked for, in the order of a text."""
        return {e: self.wishes.formula[e] for e in sorted(self.wishes.formula, key=rank)}

    @cached_property
    def legal_elements(self) -> tuple[str, ...]:
        """Elements that may be written, in order."""
        return tuple(e for e in self.elements if e in self.wishes.allow)

    @cached_property
    def legal_groups(self) -> tuple[str, ...]:
        """Words of the groups that may be written."""
        asked = self.wishes.groups
        return tuple(f"sg{n}" for n in self.groups if not asked or n in asked)


@dataclass(frozen=True)
class Text:
    """A text that is being written.

    Attributes
    ----------
    group : 0 before it is said.
    counts : element -> atoms of the primitive cell, as far as said; 0 where the number follows.
    placing : whether the composition is said.
    orbits : those said, the last one perhaps without some of its free parameters.
    cell : cell parameters, as far as said; None before they begin.
    pending : the first word of a number, or the element of an orbit whose letter follows.
    """

    group: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    placing: bool = False
    orbits: tuple[Orbit, ...] = ()
    cell: tuple[float, ...] | None = None
    pending: str = ""

    # ------------------------------------------------------------------ what follows
    def legal(self, limits: Limits) -> tuple[str, ...]:
        """Words that may follow; none where the text has come to a dead end."""
        if not self.group:
            return limits.legal_groups
        if not self.placing:
            return self._composition(limits)
        if self.pending:
            return tuple(self._letters()) if self.pending[0].isalpha() else REST
        if self.cell is not None or self._unsaid():
            return TENTHS if self.cell is None else self._edges()
        owing = next((e for e, n in self.owed.items() if n), None)
        return (owing or CELL,)

    def _composition(self, limits: Limits) -> tuple[str, ...]:
        last = next(reversed(self.counts), None) if self.counts else None
        if last and not self.counts[last]:
            return tuple(f"x{n}" for n in self._numbers(last, limits))
        needed = [e for e in limits.legal_elements if e in limits.wishes.require]
        missing = [e for e in needed if e not in self.counts]
        names = self._next_elements(last, missing, limits)
        ended = not missing and sum(self.counts.values()) in limits.wishes.sizes()
        return (*names, AT) if ended else tuple(names)

    def _next_elements(self, last: str | None, missing: list[str], limits: Limits) -> list[str]:
        """Elements come in order, and none that is required is left out."""
        own = limits.legal_elements
        first = own.index(last) + 1 if last else 0
        stop = own.index(missing[0]) + 1 if missing else len(own)
        if limits.formula and not missing:
            return []
        if limits.formula:
            return [e for e in missing[:1] if self._numbers(e, limits)]
        able: dict[tuple[bool, bool], bool] = {}  # of elements that are alike to `_numbers`
        out = []
        for e in own[first:stop]:
            kind = e in limits.wishes.require, e == own[-1]
            if kind not in able:
                able[kind] = bool(self._numbers(e, limits))
            out += [e] if able[kind] else []
        return out

    def _numbers(self, element: str, limits: Limits) -> list[int]:
        """How many atoms an element can have, the next of the composition."""
        said = {e: n for e, n in self.counts.items() if n}
        if limits.formula:
            return [n for n in _multiples(element, said, limits) if self._room((*said.values(), n))]
        least, most = limits.wishes.atoms
        total, own = sum(said.values()), limits.wishes.require - {*said, element}
        last = element == limits.legal_elements[-1]  # no atoms can follow
        legal = range(max(1, least - total) if last else 1, most - total - len(own) + 1)
        return [n for n in legal
                if self._room((*said.values(), n), len(own), most - total - n)]  # fmt: skip

    def _room(self, needs: tuple[int, ...], more: int = 0, left: int = 0) -> bool:
        """Whether the positions that are free can hold atoms of several elements, and those of some
        `more` elements among at most so many atoms `left`."""
        if more:
            each = range(1, left - more + 2)
            return any(self._room((*needs, n), more - 1, left - n) for n in each)
        fixed, free = _capacity(self.group)
        used = {o.letter for o in self.orbits}
        vacant = tuple(sorted(n for letter, n in fixed.items() if letter not in used))
        return fits(vacant, free, tuple(sorted(n for n in needs if n)))

    def _letters(self) -> Iterable[str]:
        group, owed = space_group(self.group), self.owed
        for letter, position in group.positions.items():
            count = position.count // group.centrings
            spent = not position.freedom and any(o.letter == letter for o in self.orbits)
            if spent or count > owed[self.pending]:
                continue
            after = self.after(letter)
            if after._room(tuple(after.owed.values())):
                yield letter

    def _edges(self) -> tuple[str, ...]:
        names = FREE_CELL[crystal_system(self.group)]
        done = len(self.cell or ())
        if done == len(names):
            return (END,)
        return EDGES if len(names[done]) == 1 else CORNERS

    @cached_property
    def owed(self) -> dict[str, int]:
        """Element -> atoms that have no place yet."""
        placed = Symmetric(self.group, self.orbits, ()).counts()
        return {e: n - placed.get(e, 0) for e, n in self.counts.items()}

    def _unsaid(self) -> bool:
        """Whether the last orbit still needs a free parameter."""
        if not self.orbits:
            return False
        last = self.orbits[-1]
        return len(last.free) < space_group(self.group).positions[last.letter].freedom

    # ------------------------------------------------------------------ how it goes on
    def after(self, word: str) -> Text:
        """The text with one more word, which must be legal."""
        if not self.group:
            return replace(self, group=int(word[2:]))
        if not self.placing:
            return self._composed(word)
        if self.pending and self.pending[0].isalpha():
            orbits = (*self.orbits, Orbit(self.pending, word))
            return replace(self, orbits=orbits, pending="")
        if self.pending:
            return self._numbered(number_of(self.pending, word))
        if word == CELL and self.cell is None:
            return replace(self, cell=())
        return replace(self, pending=word)

    def _composed(self, word: str) -> Text:
        if word == AT:
            return replace(self, placing=True)
        if word in COUNTS:
            last = next(reversed(self.counts))
            return replace(self, counts={**self.counts, last: int(word[1:])})
        return replace(self, counts={**self.counts, word: 0})

    def _numbered(self, value: float) -> Text:
        if self.cell is not None:
            return replace(self, cell=(*self.cell, value), pending="")
        last = self.orbits[-1]
        longer = replace(last, free=(*last.free, value))
        return replace(self, orbits=(*self.orbits[:-1], longer), pending="")


def _multiples(element: str, said: Mapping[str, int], limits: Limits) -> list[int]:
    """Numbers of atoms that keep to the formula."""
    unit = limits.formula
    if said:
        first = next(iter(said))
        return [said[first] // unit[first] * unit[element]]
    whole = sum(unit.values())
    return [n // whole * unit[element] for n in limits.wishes.sizes()]


def read(words: Iterable[str], limits: Limits | None = None) -> Symmetric:
    """The crystal that a whole text says.

    Raises
    ------
    ValueError : a word that may not stand where it does, with its place, or a text that breaks off.
    """
    text, known = Text(), limits or Limits()
    for place, word in enumerate(words):
        if word not in text.legal(known):
            raise ValueError(f"text: {word!r} may not stand at place {place + 1}")
        text = text.after(word)
    if text.legal(known) != (END,):
        raise ValueError("text: breaks off")
    return Symmetric(text.group, text.orbits, text.cell or ())


# ---------------------------------------------------------------------- room for atoms
@lru_cache(maxsize=230)
def _capacity(number: int) -> tuple[dict[str, int], tuple[int, ...]]:
    """Atoms in the primitive cell of each position without freedom, and of those with some."""
    group = space_group(number)
    sizes = {k: p.count // group.centrings for k, p in group.positions.items()}
    fixed = {k: n for k, n in sizes.items() if not group.positions[k].freedom}
    free = {n for k, n in sizes.items() if group.positions[k].freedom}
    return fixed, tuple(sorted(free))


def possible(number: int, wishes: Wishes) -> bool:
    """Whether a group has positions for a formula, or for elements that are required."""
    fixed, free = _capacity(number)
    unit = tuple(wishes.formula.values()) or (1,) * len(wishes.require)
    whole = sum(unit)
    if not wishes.formula or not whole:
        return True
    return any(
        fits(tuple(sorted(fixed.values())), free, tuple(sorted(size // whole * n for n in unit)))
        for size in wishes.sizes()
    )


@lru_cache(maxsize=200_000)
def fits(fixed: tuple[int, ...], free: tuple[int, ...], needs: tuple[int, ...]) -> bool:
    """Whether numbers of atoms can be placed: `fixed` positions once each, `free` ones again and
    again, none shared. All sorted."""
    if not needs:
        return True
    if 1 in free:
        return True
    need, rest = needs[-1], needs[:-1]
    if need == 0:
        return fits(fixed, free, rest)
    for size in {n for n in free if n <= need}:
        if fits(fixed, free, tuple(sorted((*rest, need - size)))):
            return True
    for size in {n for n in fixed if n <= need}:
        left = list(fixed)
        left.remove(size)
        if fits(tuple(left), free, tuple(sorted((*rest, need - size)))):
            return True
    return False
