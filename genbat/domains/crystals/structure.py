"""A crystal as text and as pymatgen's structure; the limits of the domain.

The domain's text is a CIF of the primitive cell in space group P1, sites sorted: complete, readable
by every program, and the same for the same cell.
"""

from __future__ import annotations

import warnings

import numpy as np
from pymatgen.core import Composition, Element, Lattice, Structure

from genbat.core.candidate import Verdict
from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.labelling import closest
from genbat.domains.crystals.relax import heights
from genbat.domains.crystals.symmetry import fractional

MAX_ATOMS = 200  # of a crystal that is read and judged
HEAVIEST = 83
NOBLE = frozenset({"He", "Ne", "Ar", "Kr", "Xe"})
SHORTEST = 0.5  # sums of covalent radii; below it nothing is judged
LONGEST, THINNEST = 200.0, 1.0  # Å, edge of a cell and distance of its faces
_HEAD = """data_{formula}
_symmetry_space_group_name_H-M 'P 1'
_cell_length_a {a:.5f}
_cell_length_b {b:.5f}
_cell_length_c {c:.5f}
_cell_angle_alpha {alpha:.4f}
_cell_angle_beta {beta:.4f}
_cell_angle_gamma {gamma:.4f}
_chemical_formula_sum '{sum}'
loop_
_symmetry_equiv_pos_as_xyz
'x, y, z'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
"""


def structure_of(cell: Cell) -> Structure:
    """pymatgen's structure of a cell."""
    numbers = [int(z) for z in cell.numbers]
    return Structure(Lattice(cell.lattice), numbers, cell.positions, coords_are_cartesian=True)


def cell_of(structure: Structure) -> Cell:
    """The cell of an ordered pymatgen structure, all atoms inside it."""
    lattice = np.array(structure.lattice.matrix, float)
    positions = np.array(structure.frac_coords, float) % 1.0 @ lattice
    return Cell(np.array(structure.atomic_numbers, np.int64), positions, lattice)


def to_text(cell: Cell) -> str:
    """CIF in P1: lengths to 1e-5 Å, fractions to 1e-5, sites sorted by element and place."""
    counts = formula_counts(cell)
    lattice = Lattice(cell.lattice)
    parameters = dict(zip(("a", "b", "c", "alpha", "beta", "gamma"), lattice.parameters,
                          strict=True))  # fmt: skip
    total = " ".join(f"{element}{n}" for element, n in counts.items())
    head = _HEAD.format(formula=reduced_formula(cell), sum=total, **parameters)
    points = np.round(fractional(cell), 5) % 1.0
    names = [Element.from_Z(int(z)).symbol for z in cell.numbers]
    order = sorted(range(len(names)), key=lambda k: (int(cell.numbers[k]), *points[k]))
    lines = []
    for count, k in enumerate(order):
        x, y, z = points[k]
        lines.append(f"{names[k]}{count} {names[k]} {x:.5f} {y:.5f} {z:.5f} 1")
    return head + "\n".join(lines) + "\n"


def from_text(text: str) -> Cell:
    """Cell of a CIF that `to_text` wrote, or of any ordered one; ValueError where it is none."""
    from pymatgen.io.cif import CifParser

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            (found,) = CifParser.from_str(text, occupancy_tolerance=1.0).parse_structures(
                primitive=False
            )
    except Exception as wrong:
        raise ValueError(f"CIF: {_short(wrong)}") from wrong
    if not found.is_ordered:
        raise ValueError("CIF: some sites are shared or partly empty; an ordered crystal is needed")
    return cell_of(found)


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def formula_counts(cell: Cell) -> dict[str, int]:
    """Element -> atoms of the cell, in the order of falling metal character (as formulas go)."""
    symbols = [Element.from_Z(int(z)).symbol for z in cell.numbers]
    order = sorted(set(symbols), key=lambda e: (Element(e).X, e))
    return {e: symbols.count(e) for e in order}


def reduced_formula(cell: Cell) -> str:
    """`LiCoO2`."""
    return str(Composition(formula_counts(cell)).reduced_formula)


def primitive(cell: Cell, symprec: float = 0.01) -> Cell:
    """Niggli-reduced primitive cell; the cell itself where symmetry search fails."""
    from genbat.domains.crystals.symmetry import as_spglib, ask_spglib

    found = ask_spglib("find_primitive", as_spglib(cell), symprec=symprec)
    lattice, positions, numbers = found if found is not None else as_spglib(cell)
    plain = Structure(Lattice(lattice), [int(z) for z in numbers], positions)
    return cell_of(plain.get_reduced_structure())


def judge(cell: Cell, max_atoms: int = MAX_ATOMS) -> Verdict:
    """Whether a crystal belongs to the domain, before any physics."""
    reasons = []
    names = set(formula_counts(cell))
    strange = sorted(e for e in names if e in NOBLE or Element(e).Z > HEAVIEST)
    if strange:
        reasons.append(f"contains {', '.join(strange)}; legal are H to Bi without noble gases")
    if not 1 <= len(cell.numbers) <= max_atoms:
        reasons.append(f"has {len(cell.numbers)} atoms; legal are 1 to {max_atoms}")
    if not reasons:
        reasons = [reason for reason in (_cell_reason(cell) or _distance_reason(cell),) if reason]
    return Verdict(not reasons, tuple(reasons))


def _cell_reason(cell: Cell) -> str:
    edges = np.linalg.norm(cell.lattice, axis=1)
    volume = float(abs(np.linalg.det(cell.lattice)))
    if not np.isfinite(cell.positions).all() or not np.isfinite(volume):
        return "has a cell or positions that are no numbers"
    if volume < 1.0 * len(cell.numbers):
        return f"has a cell of {volume:.2f} Å³, too small for its atoms"
    if edges.max() > LONGEST or heights(cell.lattice).min() < THINNEST:
        return (
            f"has a cell with edges up to {edges.max():.4g} Å and {heights(cell.lattice).min():.2g}"
            f" Å between two faces; legal are {LONGEST:g} and {THINNEST:g}"
        )
    return ""


def _distance_reason(cell: Cell) -> str:
    found = closest(cell)
    if found >= SHORTEST:
        return ""
    return (
        f"has two atoms {found:.2f} times their covalent radii apart (at least {SHORTEST:g} is "
        "legal)"
    )
