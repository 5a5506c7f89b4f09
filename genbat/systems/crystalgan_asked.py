"""What is asked of crystalgan: two binaries by name, or elements, as pairs of known binaries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pymatgen.core import Element

from genbat.core.condition import Condition
from genbat.domains.crystals.wishes import read_wishes
from genbat.systems.crystalgan_pairs import ANIONS_OF, number_of

NAMED, ELEMENTS = ("binaries", "system"), ("require", "allow", "forbid")  # legal wishes
Known = Mapping[int, Mapping[int, Sequence[int]]]  # anion -> metal -> rows of its binaries


@dataclass(frozen=True)
class Ends:
    """Two metals' binaries with one anion: rows of the stock, any of which may be joined."""

    one: Sequence[int]
    two: Sequence[int]


def choices(condition: Condition, known: Known) -> list[Ends]:
    """The pairs of metals that fit a condition.

    Raises
    ------
    ValueError : a window, another wish than the legal ones, or one that no known pair fits.
    """
    if condition.windows:
        raise ValueError(f"crystalgan: cannot aim at {sorted(condition.windows)}; ask mattergen")
    wishes, legal = condition.wishes, (*NAMED, *ELEMENTS)
    if strange := sorted(set(wishes) - set(legal)):
        raise ValueError(f"crystalgan: cannot honour {', '.join(strange)}; legal are "
                         f"{', '.join(legal)}")  # fmt: skip
    named = [_read_binaries(wishes["binaries"])] if "binaries" in wishes else []
    named += [_read_system(wishes["system"])] if "system" in wishes else []
    if len(named) == 2 and {*named[0][:2]} != {*named[1][:2]}:
        raise ValueError("system: is not that of the binaries; one of them is enough")
    own = {key: value for key, value in wishes.items() if key in ELEMENTS}
    return _fitting([_ends(known, *named[0])] if named else _all(known), Condition(wishes=own))


def metals(known: Known, anion: str) -> list[str]:
    """Symbols of the metals whose binaries with an anion are known."""
    return sorted(Element.from_Z(z).symbol for z in known.get(number_of(anion), {}))


Named = tuple[frozenset[str], Ends]


def _all(known: Known) -> list[Named]:
    return [
        (_symbols(one, two, anion), Ends(rows[one], rows[two]))
        for anion, rows in known.items() for one in sorted(rows) for two in sorted(rows)
        if one != two
    ]  # fmt: skip


def _fitting(pairs: Sequence[Named], condition: Condition) -> list[Ends]:
    """Those of the elements that are required and allowed."""
    asked = read_wishes(condition)
    found = [ends for own, ends in pairs if asked.require <= own <= asked.allow]
    if not found:
        raise ValueError("elements: no two known binaries hold what was asked for; crystalgan "
                         "joins hydrides or oxides of two metals")  # fmt: skip
    return found


def _symbols(*numbers: int) -> frozenset[str]:
    return frozenset(Element.from_Z(z).symbol for z in numbers)


def _ends(known: Known, one: str, two: str, anion: str) -> Named:
    own = known[number_of(anion)]
    for metal in (one, two):
        if number_of(metal) not in own:
            raise ValueError(f"binaries: no known {metal}-{anion}; legal metals with {anion} "
                             f"are {', '.join(metals(known, anion)) or 'none'}")  # fmt: skip
    return frozenset((one, two, anion)), Ends(own[number_of(one)], own[number_of(two)])


def _read_binaries(value: object) -> tuple[str, str, str]:
    """Two metals and their anion of "Li-O, Co-O"."""
    parts = value.split(",") if isinstance(value, str) else value
    words = [str(p).strip().split("-") for p in parts] if isinstance(parts, (list, tuple)) else []
    ok = len(words) == 2 and all(len(w) == 2 for w in words) and words[0][1] == words[1][1]
    if not ok or words[0][0] == words[1][0] or words[0][1] not in ANIONS_OF.values():
        raise ValueError(f"binaries: got {value!r}; write two like 'Li-O, Co-O' or 'Mg-H, Ni-H'")
    return _metal(words[0][0]), _metal(words[1][0]), words[0][1]


def _read_system(value: object) -> tuple[str, str, str]:
    """Two metals and their anion of "Li-Co-O"."""
    parts = value.replace("-", ",").split(",") if isinstance(value, str) else value
    names = [str(p).strip() for p in parts] if isinstance(parts, (list, tuple)) else []
    anions = [name for name in names if name in ANIONS_OF.values()]
    metals = [name for name in names if name not in ANIONS_OF.values()]
    if len(anions) != 1 or len(set(metals)) != 2 or len(names) != 3:
        raise ValueError(f"system: got {value!r}; write two metals and H or O, like Li-Co-O")
    return _metal(metals[0]), _metal(metals[1]), anions[0]


def _metal(symbol: str) -> str:
    if not Element.is_valid_symbol(symbol):
        raise ValueError(f"binaries: {symbol!r} is no element; legal are symbols like Li or Co")
    return symbol
