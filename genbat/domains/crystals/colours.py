"""Colours and names of the elements, as crystallographers know them."""

from __future__ import annotations

from functools import cache

from genbat.domains.crystals.ions import covalent_radius

# Jmol's colours; the working ions and oxygen a little darker.
_COLOURS = {
    "H": "#d0d0d0", "Li": "#9a4fd0", "Be": "#a8d800", "B": "#f0908f", "C": "#707070",
    "N": "#3050f8", "O": "#f03030", "F": "#60c030", "Na": "#8a3fe0", "Mg": "#5cc800",
    "Al": "#b09a9a", "Si": "#d8b080", "P": "#ff8000", "S": "#d8c020", "Cl": "#1fd01f",
    "K": "#8f40d4", "Ca": "#3dcc00", "Sc": "#b8b8b8", "Ti": "#9aa0a8", "V": "#8b8b95",
    "Cr": "#7a88b8", "Mn": "#9c7ac7", "Fe": "#e06633", "Co": "#e77b93", "Ni": "#4bbf4b",
    "Cu": "#c88033", "Zn": "#7d80b0", "Ga": "#c28f8f", "Ge": "#668f8f", "As": "#bd80e3",
    "Se": "#e09a00", "Br": "#a62929", "Rb": "#702eb0", "Sr": "#00d800", "Y": "#70c8c8",
    "Zr": "#76b5b5", "Nb": "#66a8b0", "Mo": "#54b5b5", "Tc": "#3b9e9e", "Ru": "#248f8f",
    "Rh": "#0a7d8c", "Pd": "#006985", "Ag": "#a8a8a8", "Cd": "#d9b56f", "In": "#a67573",
    "Sn": "#668080", "Sb": "#9e63b5", "Te": "#d47a00", "I": "#940094", "Cs": "#57178f",
    "Ba": "#00b300", "La": "#57a8d4", "Ce": "#b8b080", "Pr": "#a8bc80", "Nd": "#98c080",
    "Pm": "#80c090", "Sm": "#70c0a0", "Eu": "#50d0a8", "Gd": "#40c8a8", "Tb": "#30c0a8",
    "Dy": "#1fb8a8", "Ho": "#00c888", "Er": "#00c060", "Tm": "#00b848", "Yb": "#00a838",
    "Lu": "#009828", "Hf": "#4da8dd", "Ta": "#4d8fdd", "W": "#2194d6", "Re": "#267dab",
    "Os": "#266696", "Ir": "#175487", "Pt": "#8a8aa8", "Au": "#d8b000", "Hg": "#9898b8",
    "Tl": "#a6544d", "Pb": "#575961", "Bi": "#9e4fb5",
}  # fmt: skip
OTHER = "#8a9a9a"


def colour(element: str) -> str:
    """`#rrggbb` of an element symbol."""
    return _COLOURS.get(element, OTHER)


@cache
def long_name(element: str) -> str:
    """`Cobalt`."""
    from pymatgen.core import Element

    return str(Element(element).long_name)


def ball_radius(element: str) -> float:
    """Radius in Å of an atom's ball in a drawing: grows with the covalent radius."""
    return round(0.12 + 0.3 * covalent_radius(element), 3)
