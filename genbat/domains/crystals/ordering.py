"""Disordered crystals: refused with their sites named, or put in order, with a note of what was
done.

Each shared site takes its most frequent element; sites that are mostly empty are left out; of split
sites, which exclude each other, the fullest stays. The result is one plausible arrangement, not the
average that was measured, and its formula may differ.
"""

from __future__ import annotations

import numpy as np
from pymatgen.core import Structure

from genbat.domains.crystals.chgnet_graph import find_bonds
from genbat.domains.crystals.ions import covalent_radius

MOSTLY_EMPTY = 0.5  # occupancy below which a site is left out
SPLIT = 0.6  # sums of covalent radii within which two sites cannot both be filled


def ordered(structure: Structure, order: bool) -> tuple[Structure, str]:
    """The structure with whole sites, and what was done ("" where nothing was).

    Raises
    ------
    ValueError : some sites are shared or partly empty and `order` is not asked for.
    """
    shared = [site for site in structure if not site.is_ordered]
    if not shared:
        return structure, ""
    kinds = sorted({site.species_string for site in shared})
    listed = "; ".join(kinds[:4]) + (" and more" if len(kinds) > 4 else "")
    if not order:
        raise ValueError(
            f"{len(shared)} of {len(structure)} sites are disordered ({listed}); order the crystal "
            "first, or let each site take its most frequent element"
        )
    plain, shares, empty = _filled(structure)
    split = _split(plain, shares)
    plain.remove_sites(split)
    note = f"ordered by GenBat: {len(shared)} shared sites ({listed}) took their most frequent "
    note += "element"
    note += f", {empty} mostly empty ones were left out" if empty else ""
    note += f", {len(split)} beside a fuller one were left out" if split else ""
    return plain, note


def _filled(structure: Structure) -> tuple[Structure, np.ndarray, int]:
    """Every site with its most frequent element, how full it was (n,), and how many went."""
    plain = structure.copy()
    empty, shares = [], []
    for k, site in enumerate(structure):
        element, share = max(site.species.items(), key=lambda pair: pair[1])
        if share < MOSTLY_EMPTY and site.species.num_atoms < MOSTLY_EMPTY:
            empty.append(k)
        else:
            plain[k] = element
            shares.append(site.species.num_atoms)
    plain.remove_sites(empty)
    return plain, np.array(shares), len(empty)


def _split(structure: Structure, shares: np.ndarray) -> list[int]:
    """Partly filled sites too near to a fuller one; the first of equal ones stays."""
    if not len(structure):
        return []
    radii = np.array([covalent_radius(site.specie.symbol) for site in structure])
    reach = float(2 * radii.max() * SPLIT)
    found = find_bonds(structure.cart_coords, structure.lattice.matrix, reach)
    near = found.distance < SPLIT * (radii[found.center] + radii[found.other])
    rivals: dict[int, list[int]] = {}
    for one, two in zip(found.center[near], found.other[near], strict=True):
        rivals.setdefault(int(one), []).append(int(two))
    gone: list[int] = []
    kept: set[int] = set()
    for k in sorted(range(len(structure)), key=lambda k: (-shares[k], k)):
        if shares[k] < 1 - 1e-3 and kept.intersection(rivals.get(k, ())):
            gone.append(k)
        else:
            kept.add(k)
    return gone
