"""Two binary hydrides or oxides become ternaries, by crystalgan; from and to POSCAR."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from genbat.core.candidate import Candidate
from genbat.domains.crystals.contacts import contacts
from genbat.domains.crystals.export import poscar_text
from genbat.domains.crystals.structure import from_text, reduced_formula, to_text
from genbat.domains.crystals.symmetry import space_group_number
from genbat.studio import registry
from genbat.studio.rooms import rooms
from genbat.studio.rooms_crystals_text import group_symbol
from genbat.systems.crystalgan import NAME, CrystalGAN
from genbat.systems.crystalgan_pairs import ANIONS_OF

MOST = 32  # ternaries at once
FIRST = ("Li2O", "CoO", "Co3O4")  # what a first visit joins, as far as it is known


@dataclass(frozen=True)
class Limit:
    """One part of the distance constraint: what was found in sums of covalent radii, what is
    legal, and whether it holds."""

    label: str
    found: str
    legal: str
    holds: bool


@lru_cache(maxsize=2)
def _binaries(system: CrystalGAN) -> dict[str, str]:
    stock = system.network.stock
    rows = []
    for cell in map(stock.cell, range(len(stock))):
        group = space_group_number(cell)
        rows.append((reduced_formula(cell), -group, to_text(cell)))
    out: dict[str, str] = {}
    for formula, group, text in sorted(rows, key=lambda row: row[:2]):
        out.setdefault(f"{formula} · {group_symbol(-group)}", text)
    return out


def binaries() -> Mapping[str, str]:
    """The known binaries, one of a formula and space group, by name ("Li2O · Fm-3m"), the most
    symmetric of a formula first, as CIF."""
    return _binaries(registry.load(NAME))


def usual() -> tuple[str, str]:
    """Names of the two binaries that a first visit joins."""
    names = list(binaries())
    known = [n for f in FIRST for n in names if n.startswith(f"{f} ")]
    one = known[0] if known else names[0]
    return one, next((n for n in [*known, *names] if _partner(one, n)), one)


def _partner(one: str, two: str) -> bool:
    """Whether two known binaries can be joined: of other metals, with the same anion."""
    kinds = [set(from_text(binaries()[name]).numbers.tolist()) for name in (one, two)]
    return len(kinds[0] & kinds[1]) == 1 and bool(kinds[0] & kinds[1] & set(ANIONS_OF))


def stays() -> tuple[float, float] | None:
    """Share of measured ternaries that are the same structure when CHGNet has relaxed them, and how
    far their atoms move (median, Å); None where it is not measured."""
    found = [registry.card(NAME).metrics.get(key) for key in ("relaxed_same", "displacement_a")]
    values = [entry["value"] for entry in found if entry]
    return (float(values[0]), float(values[1])) if len(values) == 2 else None


def poscar(text: str) -> str:
    """A crystal as POSCAR."""
    return poscar_text(from_text(text))


def read(data: bytes, filename: str) -> str:
    """The one crystal of a person's file (POSCAR, CIF, ...) as CIF.

    Raises
    ------
    ValueError : what is wrong in which line, or more than one crystal.
    """
    found, problems = rooms("crystals").read(data, filename)
    if problems:
        raise ValueError(str(problems[0]))
    if len(found) != 1:
        raise ValueError(f"{filename[:60]}: holds {len(found)} crystals; legal is one")
    return found[0].text


def joined(one: str, two: str, n: int, seed: int) -> list[Candidate]:
    """n ternaries of two binaries given as CIF.

    Raises
    ------
    ValueError : n beyond MOST, or what cannot be joined, and why.
    """
    if not 1 <= n <= MOST:
        raise ValueError(f"n: got {n}; legal are 1 to {MOST}")
    system: CrystalGAN = registry.load(NAME)
    return system.join_texts(one, two, n, seed=seed)


def keeps(text: str) -> bool:
    """Whether a ternary keeps the distance constraint, as the system judges it."""
    system: CrystalGAN = registry.load(NAME)
    return system.keeps(from_text(text))


def limits(text: str) -> list[Limit]:
    """The distance constraint of a ternary, part by part; none where it has no such anion."""
    cell, system = from_text(text), registry.load(NAME)
    anion = next((z for z in ANIONS_OF if z in cell.numbers), 0)
    legal = system.config.limits(anion) if anion else None
    if legal is None:
        return []
    found, name = contacts(cell, anion), ANIONS_OF[anion]
    low, high = float(found.partners.min()), float(found.partners.max())
    return [
        Limit("nearest partner, shortest", f"{low:.2f}", f"≥ {legal.low:.2f}", low >= legal.low),
        Limit("nearest partner, longest", f"{high:.2f}", f"≤ {legal.high:.2f}", high <= legal.high),
        Limit("metal to metal", _far(found.metals), f"≥ {legal.metals:.2f}",
              found.metals >= legal.metals),
        Limit(f"{name} to {name}", _far(found.anions), f"≥ {legal.anions:.2f}",
              found.anions >= legal.anions),
    ]  # fmt: skip


def _far(value: float) -> str:
    return f"{value:.2f}" if value < 100 else "none near"
