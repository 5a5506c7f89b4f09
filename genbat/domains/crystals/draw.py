"""What a page shows of a crystal: the viewer's scene and small pictures."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from genbat.core.candidate import ViewSpec
from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.colours import ball_radius, colour, long_name
from genbat.domains.crystals.coordination import bonds, polyhedra
from genbat.domains.crystals.hosts import symbols
from genbat.domains.crystals.ions import WORKING_IONS
from genbat.domains.crystals.placing import conventional, fractions, tidy, upright
from genbat.domains.crystals.structure import formula_counts, reduced_formula, to_text
from genbat.domains.crystals.thumbnail import svg

__all__ = ["legend", "scene", "svg", "view"]

Scene = dict[str, Any]
MOST_CONVENTIONAL = 120  # atoms; larger conventional cells are not offered


def view(cell: Cell) -> ViewSpec:
    """The cell for a viewer that reads CIF, and the style of each element."""
    style: dict[str, Any] = {
        "sphere": {"scale": 0.3}, "colours": legend(cell), "unit_cell": True,
    }  # fmt: skip
    return ViewSpec(to_text(cell), "cif", style, reduced_formula(cell))


def legend(cell: Cell) -> Mapping[str, str]:
    """Element -> colour, working ions first."""
    counts = formula_counts(cell)
    first = [e for e in WORKING_IONS if e in counts]
    return {e: colour(e) for e in [*first, *(e for e in counts if e not in first)]}


def scene(cell: Cell) -> Scene:
    """All that the crystal viewer draws, as plain JSON; supercells are made in the browser.

    `elements` : symbol, name, colour, radius of the ball in Å. `cells` : the conventional cell
    first, then the cell itself where it is another one; each with

    - `lattice` rows in Å, c upwards and a to the right; `atoms` [element, x, y, z] in fractions;
    - `bonds` [atom, atom, its cell a, b, c, length in Å];
    - `polyhedra` {atom, corners [atom, a, b, c], faces, edges}.
    """
    colours = legend(cell)
    elements = [
        {"symbol": e, "name": long_name(e), "colour": c, "radius": ball_radius(e)}
        for e, c in colours.items()
    ]
    whole = conventional(cell)
    cells = [_part(cell, list(colours), "primitive cell")]
    if len(cell.numbers) < len(whole.numbers) <= MOST_CONVENTIONAL:
        cells.insert(0, _part(whole, list(colours), "conventional cell"))
    ident = hashlib.sha256(to_text(cell).encode()).hexdigest()[:16]
    return {"id": ident, "title": reduced_formula(cell), "elements": elements, "cells": cells}


def _part(cell: Cell, elements: list[str], name: str) -> Scene:
    cell = tidy(cell)
    kinds = [elements.index(e) for e in symbols(cell)]
    return {
        "name": name,
        "lattice": np.round(upright(cell), 5).tolist(),
        "atoms": [[k, *point] for k, point in zip(kinds, fractions(cell).tolist(), strict=True)],
        "bonds": [[b.first, b.second, *b.image, round(b.length, 4)] for b in bonds(cell)],
        "polyhedra": [
            {
                "atom": p.atom,
                "corners": [[atom, *image] for atom, image in p.corners],
                "faces": [list(face) for face in p.faces],
                "edges": [list(edge) for edge in p.edges],
            }
            for p in polyhedra(cell)
        ],
    }
