"""What the elements of a crystal cost, by the list of element prices in pymatgen."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from pymatgen.core import Element

from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.structure import formula_counts

SOURCE = "pymatgen's CostDB (2013)"
CAVEAT = (
    "Prices of pure elements as pymatgen lists them, collected in 2013: orders of magnitude, not "
    "quotations. Na, K and F are far cheaper as salts than as elements."
)


@dataclass(frozen=True)
class Share:
    """An element: its share of the mass (0 to 1), its price and what it adds, in $/kg."""

    element: str
    mass: float
    price: float
    adds: float


@dataclass(frozen=True)
class Cost:
    """Elements of one kilogram.

    Attributes
    ----------
    total : $/kg of crystal; NaN where an element has no price.
    shares : the dearest contribution first.
    unknown : elements without a price.
    """

    total: float
    shares: tuple[Share, ...]
    unknown: tuple[str, ...]


def cost(cell: Cell) -> Cost:
    """Price of the elements in one kilogram of a crystal; no synthesis, no purity."""
    counts = formula_counts(cell)
    masses = {e: n * float(Element(e).atomic_mass) for e, n in counts.items()}
    whole = sum(masses.values())
    shares = []
    for element, mass in masses.items():
        price = price_per_kg(element)
        if price is not None:
            shares.append(Share(element, mass / whole, price, price * mass / whole))
    unknown = tuple(e for e in counts if price_per_kg(e) is None)
    total = float("nan") if unknown else sum(share.adds for share in shares)
    return Cost(total, tuple(sorted(shares, key=lambda share: -share.adds)), unknown)


@cache
def price_per_kg(element: str) -> float | None:
    """$/kg of an element; None where pymatgen's list has none."""
    from pymatgen.analysis.cost import CostDBElements

    one = Element(element)
    entries = CostDBElements().get_entries([one])
    if not entries:
        return None
    return float(min(e.energy_per_atom for e in entries)) * 1000 / float(one.atomic_mass)
