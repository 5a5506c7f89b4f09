"""The list of crystals that `genbat build crystals` relaxes: always the same, in the same order.

The patient ones come first; the order of the others is a fixed shuffle, so that any first part of
them is a balanced set.
"""

from __future__ import annotations

import itertools
import random
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from pymatgen.core import Element

from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.ions import WORKING_IONS, Ion, balances, plausible
from genbat.domains.crystals.prototypes import Prototype, aflow, own, prototype
from genbat.domains.crystals.random_crystals import random_crystal
from genbat.domains.crystals.recipes import Recipe, Slots, aflow_recipes, own_recipes
from genbat.domains.crystals.substitution import fill
from genbat.domains.crystals.symmetry import FIRST_CUBIC, space_group_number

SEED = 3
VANADIUM_OXIDES = (  # V, O, share of the random crystals; all with at most 14 atoms a cell
    (1, 2, 6), (2, 5, 4), (2, 3, 4), (1, 1, 3), (3, 5, 3), (4, 7, 2), (3, 7, 2), (4, 9, 2),
    (5, 9, 1), (2, 1, 1), (3, 4, 1), (3, 1, 1), (1, 3, 1),
)  # fmt: skip
RANDOM_CRYSTALS = 3600
VOLUME_V_O = 11.5  # Å³ an atom, of vanadium oxides
MAX_RANDOM = 14
# Random crystals have far to go: some get more than the usual steps.
PATIENT_OXIDES = ((1, 2, 6), (2, 5, 4), (3, 5, 4), (2, 3, 3), (3, 7, 3), (4, 7, 2), (4, 9, 2))
PATIENT_CRYSTALS = 960  # a whole number of chunks (`build.CHUNK`)
IDEAL = "|ideal"
PATIENT = "|patient"
V_O_SEEDS = 2  # starts of each prototype
V_O_FAMILY = "vanadium oxide"


@dataclass(frozen=True)
class Start:
    """One crystal to relax: where it comes from, and its seed for everything random.

    `name` is its identity: prototype and ions ("o3|A=Li+1|M=Co+3|X=O-2"), or "random|V2O5|17".
    One that ends in "|ideal" starts without noise and keeps its symmetry on the way; one that
    ends in "|patient" may take more steps.
    """

    name: str
    family: str

    @property
    def seed(self) -> int:
        """From the name alone."""
        return zlib.crc32(self.name.encode())

    @property
    def ideal(self) -> bool:
        """Whether it relaxes within the symmetry of its prototype: perhaps onto a saddle point."""
        return self.name.endswith(IDEAL)

    @property
    def patient(self) -> bool:
        """Whether its relaxation may take many steps."""
        return self.name.endswith(PATIENT)

    @property
    def prototype(self) -> str:
        """Name of the prototype, or "random"."""
        return self.name.partition("|")[0]


def build_cell(candidate: Start) -> Cell:
    """The start of a candidate's relaxation, before noise; ValueError where there is none."""
    head, *parts = candidate.name.split("|")
    if head == "random":
        return _random_cell(parts[0], candidate.seed)
    filled = {}
    for part in parts:
        slot, _, text = part.partition("=")
        if len(slot) == 1:
            filled[slot] = _ion(text)
    return fill(prototype(head), filled)


def _ion(text: str) -> Ion:
    at = next((k for k, c in enumerate(text) if c in "+-"), len(text))
    return Ion(text[:at], float(text[at:] or 0))


def _random_cell(formula: str, seed: int) -> Cell:
    v, o = (int(n) for n in formula[1:].split("O"))
    found = random_crystal({"V": v, "O": o}, seed, volume_per_atom=VOLUME_V_O, max_atoms=MAX_RANDOM)
    return Cell(
        np.array(found.atomic_numbers, np.int64), found.cart_coords, np.array(found.lattice.matrix)
    )


def all_candidates() -> list[Start]:
    """Every candidate, the patient ones first, the others shuffled; takes about half a minute."""
    chosen: dict[str, Start] = {}
    for recipe in (*own_recipes(), *aflow_recipes(aflow())):
        for one in _chosen(recipe):
            chosen.setdefault(one.name, one)
            if _is_cubic_ternary(one.prototype):
                twin = Start(one.name + IDEAL, one.family)
                chosen.setdefault(twin.name, twin)
    for one in _vanadium_oxides():
        chosen.setdefault(one.name, one)
    found = list(chosen.values())
    random.Random(SEED).shuffle(found)
    return [*_random_oxides(PATIENT_OXIDES, PATIENT_CRYSTALS, PATIENT), *found]


# ---------------------------------------------------------------------- substitution
def _chosen(recipe: Recipe) -> Iterator[Start]:
    """A recipe's quotas, spread evenly over its prototypes as far as they reach."""
    rng = random.Random(f"{SEED} {recipe.family} {len(recipe.patterns)}")
    pools: dict[bool, list[list[str]]] = {True: [], False: []}
    for name, slots in sorted(recipe.patterns.items()):
        fillings = list(_fillings(prototype(name), slots, recipe.rule))
        for working in (True, False):
            pool = [f for f in fillings if _has_working(f) == working]
            rng.shuffle(pool)
            pools[working].append([_name(name, f) for f in pool])
    for working, quota in ((True, recipe.working), (False, recipe.other)):
        for name in _round_robin(pools[working], quota):
            yield Start(name, recipe.family)


def _round_robin(pools: list[list[str]], quota: int) -> Iterator[str]:
    """The first `quota` names that SMACT accepts, one of each pool in turn."""
    turns = itertools.zip_longest(*pools)
    names = (name for turn in turns for name in turn if name is not None and _accepted(name))
    return itertools.islice(names, quota)


@cache
def _is_cubic_ternary(name: str) -> bool:
    """Most alloys and perovskites leave their cubic cell at 0 K: they get a second start."""
    pattern = prototype(name)
    letters = sorted(pattern.counts)
    numbers = np.array([letters.index(slot) + 1 for slot in pattern.slots])
    cell = Cell(numbers, pattern.positions @ pattern.lattice, pattern.lattice)
    return len(letters) == 3 and space_group_number(cell, 0.01) >= FIRST_CUBIC


Filling = dict[str, Ion]


def _fillings(pattern: Prototype, slots: Slots, rule: str) -> Iterator[Filling]:
    """All ways to fill the slots with different elements that obey the rule."""
    counts = pattern.counts
    letters = sorted(counts)
    *front, last = letters
    partners: dict[float, list[Ion]] = {}
    for ion in slots[last]:
        partners.setdefault(ion.charge, []).append(ion)
    for head in itertools.product(*(slots[letter] for letter in front)):
        if len({ion.element for ion in head}) < len(head):
            continue
        charge = sum(ion.charge * counts[s] for ion, s in zip(head, front, strict=True))
        tail = partners.get(-charge / counts[last], ()) if rule == "neutral" else slots[last]
        for ion in tail:
            filling = dict(zip(letters, (*head, ion), strict=True))
            if ion.element not in {i.element for i in head} and _obeys(filling, rule):
                yield filling


def _obeys(filling: Filling, rule: str) -> bool:
    if rule == "electrons 8 or 18":
        return sum(_valence_electrons(ion.element) for ion in filling.values()) in (8, 18)
    if rule == "neutral":
        positive = [ion for ion in filling.values() if ion.charge > 0]
        negative = [ion for ion in filling.values() if ion.charge < 0]
        return bool(positive) and all(plausible(c, a) for c in positive for a in negative)
    return True


def _valence_electrons(element: str) -> int:
    """By group; d electrons count for transition metals, not for zinc's group and beyond."""
    group = Element(element).group
    return group - 10 if group >= 12 else group


def _has_working(filling: Mapping[str, Ion]) -> bool:
    return any(ion.element in WORKING_IONS for ion in filling.values())


def _name(pattern: str, filling: Mapping[str, Ion]) -> str:
    return "|".join([pattern, *(f"{slot}={ion}" for slot, ion in sorted(filling.items()))])


def _accepted(name: str) -> bool:
    """SMACT's judgement of an ionic composition; alloys and hydrides have other rules."""
    head, *parts = name.split("|")
    filled = {part[0]: _ion(part[2:]) for part in parts}
    if not any(ion.charge for ion in filled.values()):
        return True
    counts = prototype(head).counts
    return balances("".join(f"{filled[s].element}{counts[s]}" for s in sorted(filled)))


# ---------------------------------------------------------------------- vanadium oxides
def _vanadium_oxides() -> Iterator[Start]:
    """Every prototype with V on its cation and O on its anion sites, and random crystals."""
    for pattern in (*own().values(), *aflow().values()):
        anionic = [s for s in pattern.counts if s == ("X" if "X" in pattern.counts else "A")]
        oxygen = sum(pattern.counts[s] for s in anionic)
        if 0.24 <= oxygen / len(pattern.slots) <= 0.78 and len(pattern.slots) <= MAX_RANDOM:
            charge = 2 * oxygen / (len(pattern.slots) - oxygen)
            filled = {
                s: Ion("O", -2) if s in anionic else Ion("V", round(min(max(charge, 2), 5)))
                for s in pattern.counts
            }
            for seed in range(V_O_SEEDS):
                yield Start(f"{_name(pattern.name, filled)}|seed={seed}", V_O_FAMILY)
    yield from _random_oxides(VANADIUM_OXIDES, RANDOM_CRYSTALS)


def _random_oxides(
    formulas: Sequence[tuple[int, int, int]], count: int, ending: str = ""
) -> Iterator[Start]:
    """Random crystals of (V, O, share) formulas, about `count` of them."""
    shares = sum(share for *_, share in formulas)
    for v, o, share in formulas:
        for k in range(round(count * share / shares)):
            yield Start(f"random|V{v}O{o}|{k}{ending}", V_O_FAMILY)
