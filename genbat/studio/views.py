"""Pictures of objects for pages: 3D, drawing, flags; each asks the domain's rooms."""

from __future__ import annotations

from genbat.core.candidate import ViewSpec
from genbat.studio.rooms import rooms


def view(domain: str, text: str) -> ViewSpec:
    """An object for the 3D viewer.

    Raises
    ------
    PhysicsFailed : where no three-dimensional structure could be made.
    """
    return rooms(domain).view(text)


def drawing(domain: str, text: str, width: int, height: int, dark: bool) -> str:
    """A small picture as SVG; ValueError where the text is no object of the domain."""
    return rooms(domain).drawing(text, width, height, dark)


def labels(domain: str, text: str) -> list[str]:
    """Facts in words: a crystal's space group, say."""
    return rooms(domain).labels(text)


def flags(domain: str, text: str) -> list[str]:
    """Warnings a specialist wants before anything else."""
    return rooms(domain).flags(text)
