"""The fingerprints by which generated crystals are compared (Xie et al., ICLR 2022, App. B.5).

Structure: the mean of CrystalNN's site fingerprints with order parameters (Zimmermann and Jain, RSC
Adv. 2020, 10, 6063); composition: Magpie's element statistics (Ward et al., npj Comput. Mater.
2016, 2, 16028), in units of their spread over MP-20. Both as matminer computes them, whose release
does not go with this pandas; pymatgen has the order parameters, SMACT the element table.
"""

from __future__ import annotations

import csv
import warnings
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
from pymatgen.core import Element

from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.chgnet_graph import Floats
from genbat.domains.crystals.structure import formula_counts, structure_of

SCALE = "fingerprint_scale.csv"
MOST_NEIGHBOURS = 24
_BOND_ORDERS = ("q2", "q4", "q6")  # Steinhardt's


# ---------------------------------------------------------------------- structure
def structure_print(cell: Cell) -> Floats | None:
    """Mean site fingerprint (61,); None where it cannot be built, as of scattered atoms."""
    found = structure_of(cell)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            sites = [_site_print(found, k) for k in range(len(found))]
    except Exception:  # CrystalNN raises whatever its Voronoi cells trip over
        return None
    return np.asarray(np.mean(sites, axis=0))


def _site_print(structure: Any, k: int) -> list[float]:
    """For each number of neighbours its likelihood, and that times each motif's likeness."""
    found = _crystal_nn().get_nn_data(structure, k)
    numbers: list[float] = []
    for count in range(1, MOST_NEIGHBOURS + 1):
        weight = found.cn_weights.get(count, 0.0)
        numbers.append(weight)
        for likeness in _motifs().get(count, ()):
            numbers.append(weight and weight * _like(likeness, structure[k], found, count))
    return numbers


def _like(likeness: Any, site: Any, found: Any, count: int) -> float:
    around = [neighbour["site"] for neighbour in found.cn_nninfo[count]]
    places = list(range(1, len(around) + 1))
    (value,) = likeness.get_order_parameters([site, *around], 0, indices_neighs=places)
    return value or 0.0


@lru_cache(maxsize=1)
def _crystal_nn() -> Any:
    from pymatgen.analysis.local_env import CrystalNN

    return CrystalNN()


@lru_cache(maxsize=1)
def _motifs() -> dict[int, list[Any]]:
    """Neighbours -> order parameters of the motifs they may form."""
    from pymatgen.analysis.local_env import CN_OPT_PARAMS, LocalStructOrderParams

    plans: dict[int, list[list[Any]]] = {n: list(p.values()) for n, p in CN_OPT_PARAMS.items()}
    plans |= {1: [["sgl_bd"]]} | {n: [[q] for q in _BOND_ORDERS] for n in (9, 10, 11)}
    plans[12] = [*plans[12], *([q] for q in _BOND_ORDERS)]
    return {
        count: [
            LocalStructOrderParams([kind], parameters=[settings[0] if settings else None])
            for kind, *settings in plan
        ]
        for count, plan in plans.items()
    }


# ---------------------------------------------------------------------- composition
def composition_print(cell: Cell) -> Floats:
    """Least, most, range, mean, mean deviation and most frequent of 22 properties of the elements
    (132,), each in standard deviations from its mean over MP-20; 0 where unknown."""
    counts = formula_counts(cell)
    shares = np.array(list(counts.values()), float) / sum(counts.values())
    table = np.array([_elements().get(e, _UNKNOWN) for e in counts])  # (elements, 22)
    mean = shares @ table
    frequent = np.isclose(shares, shares.max())
    parts = [
        table.min(0),
        table.max(0),
        np.ptp(table, axis=0),
        mean,
        shares @ np.abs(table - mean),
        table[frequent].min(0),
    ]
    middle, spread = _scale()
    return np.nan_to_num((np.stack(parts, axis=1).ravel() - middle) / spread)


PROPERTIES = 22
FEATURES = 6 * PROPERTIES
_UNKNOWN = np.full(PROPERTIES, np.nan)


@lru_cache(maxsize=1)
def _elements() -> dict[str, Floats]:
    """Element -> Magpie's 22 properties, from SMACT's copy of its table."""
    text = (files("smact") / "data" / "magpie.csv").read_text("utf-8")
    rows = list(csv.reader(text.splitlines()))[1:]
    return {row[0]: np.array(row[1:], float) for row in rows if Element.is_valid_symbol(row[0])}


@lru_cache(maxsize=1)
def _scale() -> tuple[Floats, Floats]:
    """Mean and standard deviation (132,) of MP-20's compositions, as published with CDVAE."""
    text = (files("genbat.domains.crystals") / SCALE).read_text("utf-8")
    rows = np.array([row[1:] for row in csv.reader(text.splitlines()[1:])], float)
    return rows[:, 0], rows[:, 1]


# ---------------------------------------------------------------------- coverage
Prints = tuple[list[Floats | None], Floats]  # of structures, and of compositions (n, 132)


def coverage(
    made: Prints, real: Prints, structure_cut: float, composition_cut: float
) -> tuple[float, float]:
    """COV recall and precision (Xie et al., Eq. 13): the share of real crystals to which a made one
    is near, and of made ones near a real one, in structure and in composition.

    Made crystals without a fingerprint count as far from everything.
    """
    from scipy.spatial.distance import cdist

    kept = [k for k, one in enumerate(made[0]) if one is not None]
    truth = [k for k, one in enumerate(real[0]) if one is not None]
    if not kept or not truth:
        return 0.0, 0.0
    pairs = [
        cdist(np.array([made[0][k] for k in kept]), np.array([real[0][k] for k in truth])),
        cdist(made[1][kept], real[1][truth]),
    ]
    cuts = (structure_cut, composition_cut)
    recalled, precise = (
        np.all([p.min(axis) <= cut for p, cut in zip(pairs, cuts, strict=True)], axis=0)
        for axis in (0, 1)
    )
    return float(recalled.mean()), float(precise.sum() / len(made[0]))
