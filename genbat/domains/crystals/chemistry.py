"""What a chemist asks of a crystal first: charges, elements of concern, density."""

from __future__ import annotations

import warnings

from pymatgen.core import Composition, Element

from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.ions import balances
from genbat.domains.crystals.structure import formula_counts, reduced_formula, structure_of

# Supply at risk: the EU's critical raw materials of 2023 that batteries use, and scarce metals
# (below 0.01 ppm in the crust).
_CRITICAL = frozenset(
    [
        "Li",
        "Co",
        "Ni",
        "Mn",
        "Cu",
        "V",
        "Nb",
        "Ta",
        "W",
        "Ga",
        "Ge",
        "Sb",
        "Bi",
        "As",
        "P",
        "Mg",
        "Be",
        "Sc",
        "Y",
        "La",
        "Ce",
        "Pr",
        "Nd",
        "Sm",
        "Eu",
        "Gd",
        "Tb",
        "Dy",
        "Ho",
        "Er",
        "Tm",
        "Yb",
        "Lu",
        "Hf",
        "Sr",
        "Ba",
        "Ti",
        "Si",
        "Al",
        "B",
        "F",
        "Ru",
        "Rh",
        "Pd",
        "Os",
        "Ir",
        "Pt",
    ]
)
_SCARCE = frozenset(["Ru", "Rh", "Pd", "Re", "Os", "Ir", "Pt", "Au", "Te"])
MIXED, MANY = 5, 7  # elements
_RADIOACTIVE = frozenset(["Tc", "Pm"])
_TOXIC = frozenset(["Be", "As", "Cd", "Hg", "Tl", "Pb"])


def oxidation_states(cell: Cell) -> dict[str, float]:
    """Element -> most likely mean charge; empty where no charges balance.

    pymatgen's guess by the frequency of oxidation states in the ICSD.
    """
    composition = Composition(formula_counts(cell)).reduced_composition
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        guesses = composition.oxi_state_guesses(max_sites=-40)
    return {str(e): float(q) for e, q in guesses[0].items()} if guesses else {}


def is_balanced(cell: Cell) -> bool:
    """SMACT's judgement: neutral with charges that fit the electronegativities, or an alloy."""
    return balances(reduced_formula(cell))


def plausible(cell: Cell) -> bool | None:
    """`is_balanced` for pages that may not wait: None where it would take long.

    Mixed valences are tried with up to MIXED elements; beyond MANY nothing is.
    """
    kinds = len(formula_counts(cell))
    if kinds <= MIXED:
        return is_balanced(cell)
    simple = kinds <= MANY and balances(reduced_formula(cell), mixed_valence=False)
    return simple or None


def density(cell: Cell) -> float:
    """g/cm³."""
    return float(structure_of(cell).density)


def flags(cell: Cell) -> list[str]:
    """Warnings in words: cobalt, scarce, toxic, radioactive and critical elements."""
    found = set(formula_counts(cell))
    words = ["contains cobalt"] if "Co" in found else []
    for kind, elements in (
        ("scarce", _SCARCE),
        ("toxic", _TOXIC),
        ("radioactive", _RADIOACTIVE),
    ):
        hits = sorted(found & elements)
        words += [f"{kind}: {', '.join(hits)}"] if hits else []
    critical = sorted(found & _CRITICAL)
    return words + ([f"critical raw material (EU 2023): {', '.join(critical)}"] if critical else [])


def mass(cell: Cell) -> float:
    """Molar mass of the cell's content, g/mol."""
    return float(sum(Element.from_Z(int(z)).atomic_mass for z in cell.numbers))
