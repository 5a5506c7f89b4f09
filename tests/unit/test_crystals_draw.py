"""Drawings of crystals: which atoms, bonds and polyhedra there are, and that the SVG is sound."""

import json
import time
from xml.etree import ElementTree

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from genbat.domains.crystals import draw
from genbat.domains.crystals.coordination import bonds, polyhedra
from genbat.domains.crystals.placing import conventional, shown_places, upright
from genbat.domains.crystals.structure import cell_of
from genbat.domains.crystals.symmetry import space_group_number

LICOO2 = cell_of(
    Structure.from_spacegroup(
        "R-3m", Lattice.hexagonal(2.816, 14.05), ["Li", "Co", "O"],
        [[0, 0, 0.5], [0, 0, 0], [0, 0, 0.26]],
    ).get_primitive_structure()
)  # fmt: skip
SALT = cell_of(Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.64), ["Na", "Cl"],
                                         [[0, 0, 0], [0.5, 0.5, 0.5]]))  # fmt: skip
BATIO3 = cell_of(Structure(Lattice.cubic(4.0), ["Ba", "Ti"] + 3 * ["O"],
    [[0.5] * 3, [0] * 3, [0.5, 0, 0], [0, 0.5, 0], [0, 0, 0.5]]))  # fmt: skip


def test_cobalt_has_an_octahedron_of_oxygen():
    (shape,) = polyhedra(LICOO2)
    assert (shape.element, len(shape.corners)) == ("Co", 6)
    assert (len(shape.faces), len(shape.edges)) == (8, 12)
    points = np.array(
        [LICOO2.positions[k] + np.array(t) @ LICOO2.lattice for k, t in shape.corners]
    )
    centre = LICOO2.positions[shape.atom]
    assert np.linalg.norm(points - centre, axis=1) == pytest.approx([1.92] * 6, abs=0.05)
    for a, b, c in points[np.array(shape.faces)]:
        assert np.dot(np.cross(b - a, c - a), a - centre) > 0  # outwards


def test_flat_faces_have_no_diagonals():
    """A cube of eight: twelve triangles, twelve edges."""
    cscl = cell_of(Structure(Lattice.cubic(4.12), ["Rb", "Cl"], [[0] * 3, [0.5] * 3]))
    (shape,) = polyhedra(cscl)
    assert (len(shape.corners), len(shape.faces), len(shape.edges)) == (8, 12, 12)


def test_small_polyhedra_are_not_hidden_by_large_ones():
    assert [p.element for p in polyhedra(BATIO3)] == ["Ti"]


def test_each_bond_is_listed_once():
    found = bonds(SALT)
    assert len(found) == 24  # 6 neighbours of each of 4 sodium
    assert {round(b.length, 3) for b in found} == {2.82}
    assert len({(b.first, b.second, b.image) for b in found}) == 24


@pytest.mark.parametrize(("cell", "count"), [(SALT, 14 + 13), (BATIO3, 1 + 8 + 12)])
def test_atoms_on_faces_are_repeated(cell, count):
    """Corners 8, edges 4 and faces 2 times."""
    assert len(shown_places(cell)) == count


def test_conventional_and_upright():
    whole = conventional(LICOO2)
    assert len(whole.numbers) == 12
    assert space_group_number(whole) == 166
    lattice = upright(whole)
    assert lattice[2] == pytest.approx([0, 14.05, 0], abs=1e-6)
    assert lattice[0][0] > 0
    assert lattice @ lattice.T == pytest.approx(whole.lattice @ whole.lattice.T)
    assert np.linalg.det(lattice) == pytest.approx(np.linalg.det(whole.lattice))


def test_scene_is_json_and_complete():
    scene = json.loads(json.dumps(draw.scene(LICOO2)))
    assert scene["elements"][0]["symbol"] == "Li"
    assert {e["name"] for e in scene["elements"]} == {"Lithium", "Cobalt", "Oxygen"}
    whole, small = scene["cells"]
    assert (len(whole["atoms"]), len(small["atoms"])) == (12, 4)
    assert (len(whole["polyhedra"]), len(small["polyhedra"])) == (3, 1)
    lattice = np.array(whole["lattice"])
    places = np.array([atom[1:] for atom in whole["atoms"]])
    for i, j, *image, length in whole["bonds"]:
        step = (places[j] + image - places[i]) @ lattice
        assert np.linalg.norm(step) == pytest.approx(length, abs=2e-3)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("cell", [LICOO2, SALT, BATIO3])
def test_svg_stays_inside_and_is_quick(cell, dark):
    draw.svg(cell)
    start = time.perf_counter()
    text = draw.svg(cell, 150, 100, dark)
    assert time.perf_counter() - start < 0.2  # about 6 ms alone
    tree = ElementTree.fromstring(text)
    circles = [c.attrib for c in tree.iter() if c.tag.endswith("circle") and "stroke" in c.attrib]
    for c in circles:
        x, y, r = (float(c[k]) for k in ("cx", "cy", "r"))
        assert r <= x <= 150 - r
        assert r <= y <= 100 - r
    whole = conventional(cell)
    assert len(circles) == len(shown_places(whole))
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
    assert len(text) < 40_000


def test_lone_atoms_and_alloys_are_drawn():
    copper = cell_of(Structure(Lattice.cubic(3.61), ["Cu"] * 4,
                               [[0] * 3, [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]))  # fmt: skip
    assert polyhedra(copper) == []
    assert bonds(copper)
    assert "<circle" in draw.svg(copper)
