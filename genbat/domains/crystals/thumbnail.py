"""A crystal as a small picture: balls, bonds, polyhedra and the cell, as one SVG element."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.chgnet_graph import Floats
from genbat.domains.crystals.colours import ball_radius, colour
from genbat.domains.crystals.coordination import Bond, Image, bonds, moved, polyhedra
from genbat.domains.crystals.hosts import symbols
from genbat.domains.crystals.placing import conventional, fractions, shown_places, tidy, upright

MOST = 40  # atoms of a conventional cell that is still easy to read this small
TURN, TILT = np.radians(-24.0), np.radians(14.0)  # about the vertical axis, towards the viewer
MARGIN = 0.05  # of the smaller side
PIECES = 5  # of a cell edge, so that atoms may hide parts of it
INK = {False: "#5b6472", True: "#aab3c2"}  # cell edges on light and on dark
RIM = {False: "#00000059", True: "#00000080"}


@dataclass(frozen=True)
class _Part:
    """A piece of SVG and how far it is from the viewer (larger is nearer)."""

    depth: float
    text: str


def svg(cell: Cell, width: int = 240, height: int = 160, dark: bool = False) -> str:
    """One `<svg>` of `width` x `height` pixels on a transparent background.

    The conventional cell where it is small, else the cell itself, c upwards; what is nearer hides
    what is farther. Names no font, file or address and needs no ids.
    """
    whole = conventional(cell)
    if len(cell.numbers) < len(whole.numbers) <= MOST:
        cell = whole
    stage = _Stage(cell, width, height)
    parts = [*_edges(stage, dark), *_faces(stage), *_sticks(stage), *_balls(stage, dark)]
    body = "".join(part.text for part in sorted(parts, key=lambda part: part.depth))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" stroke-linecap="round">{body}</svg>'
    )


class _Stage:
    """The atoms drawn and where the picture puts them: x, y in pixels, depth in pixels."""

    def __init__(self, cell: Cell, width: int, height: int) -> None:
        self.cell, self.names = tidy(cell), symbols(cell)
        self.lattice = upright(cell) @ _turned()
        self.fractions = fractions(cell)
        self.places = shown_places(cell)
        self.radii = np.array([ball_radius(self.names[k]) for k, _ in self.places])
        self._frame(width, height)

    def _frame(self, width: int, height: int) -> None:
        """Scale (pixels an Å) and origin so that everything fits with a margin."""
        atoms = np.array([self.fractions[k] + image for k, image in self.places]) @ self.lattice
        corners = np.array(list(np.ndindex(2, 2, 2))) @ self.lattice
        low = np.minimum((atoms - self.radii[:, None]).min(0), corners.min(0))
        high = np.maximum((atoms + self.radii[:, None]).max(0), corners.max(0))
        room = np.array([width, height]) - 2 * MARGIN * min(width, height)
        self.scale = float((room / (high - low)[:2]).min())
        x, y, _ = (low + high) / 2 * self.scale
        self.origin = np.array([width / 2 - x, height / 2 + y, 0.0])

    def at(self, atom: int, image: Image) -> Floats:
        """Place of an atom's image (3,)."""
        return self.point((self.fractions[atom] + image) @ self.lattice)

    def point(self, place: Floats) -> Floats:
        """A place (3,) in Å in the picture, whose y axis points down."""
        return np.asarray(self.scale * place * [1, -1, 1] + self.origin, float)


def _turned() -> Floats:
    c, s = np.cos(TURN), np.sin(TURN)
    about_y = np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]])
    c, s = np.cos(TILT), np.sin(TILT)
    return np.asarray(about_y @ np.array([[1, 0, 0], [0, c, s], [0, -s, c]]), float)


def _line(start: Floats, end: Floats, ink: str, width: float) -> str:
    return (
        f'<path d="M{start[0]:.1f} {start[1]:.1f}L{end[0]:.1f} {end[1]:.1f}" stroke="{ink}" '
        f'stroke-width="{width:.1f}"/>'
    )


def _edges(stage: _Stage, dark: bool) -> list[_Part]:
    parts = []
    for axis in range(3):
        for others in np.ndindex(2, 2):
            corner = np.insert(np.array(others, float), axis, 0.0)
            steps = np.linspace(0, 1, PIECES + 1)[:, None] * np.eye(3)[axis] + corner
            points = [stage.point(step @ stage.lattice) for step in steps]
            for one, two in pairwise(points):
                text = _line(one, two, INK[dark], 1.0)
                parts.append(_Part(float((one + two)[2] / 2), text))
    return parts


def _faces(stage: _Stage) -> list[_Part]:
    """Faces of the polyhedra whose corners are all drawn."""
    drawn = set(stage.places)
    parts = []
    shapes = {shape.atom: shape for shape in polyhedra(stage.cell)}
    for atom, image in stage.places:
        if atom not in shapes:
            continue
        corners = [(k, moved(to, image)) for k, to in shapes[atom].corners]
        if not drawn.issuperset(corners):
            continue
        ink = colour(stage.names[atom])
        points = np.array([stage.at(*corner) for corner in corners])
        for face in shapes[atom].faces:
            three = points[list(face)]
            path = "L".join(f"{x:.1f} {y:.1f}" for x, y, _ in three)
            text = f'<path d="M{path}Z" fill="{ink}" fill-opacity=".22"/>'
            parts.append(_Part(float(three[:, 2].mean()), text))
    return parts


def _sticks(stage: _Stage) -> list[_Part]:
    """Bonds between drawn atoms, half in the colour of each."""
    drawn = set(stage.places)
    width = max(1.0, 0.16 * stage.scale)
    by_first: dict[int, list[Bond]] = {}
    for bond in bonds(stage.cell):
        by_first.setdefault(bond.first, []).append(bond)
    parts = []
    for atom, image in stage.places:
        for bond in by_first.get(atom, ()):
            other = (bond.second, moved(bond.image, image))
            if other not in drawn:
                continue
            one, two = stage.at(atom, image), stage.at(*other)
            middle = (one + two) / 2
            for end, k in ((one, atom), (two, bond.second)):
                text = _line(end, middle, colour(stage.names[k]), width)
                parts.append(_Part(float((end + middle)[2] / 2), text))
    return parts


def _balls(stage: _Stage, dark: bool) -> list[_Part]:
    parts = []
    for place, radius in zip(stage.places, stage.radii * stage.scale, strict=True):
        x, y, depth = stage.at(*place)
        text = (
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" '
            f'fill="{colour(stage.names[place[0]])}" stroke="{RIM[dark]}" stroke-width=".7"/>'
        )
        if radius > 3:
            glint = (x - 0.32 * radius, y - 0.34 * radius, 0.3 * radius)
            text += '<circle cx="{:.1f}" cy="{:.1f}" r="{:.1f}" fill="#fff" '.format(*glint)
            text += 'fill-opacity=".45"/>'
        parts.append(_Part(float(depth + 0.1 * radius), text))
    return parts
