"""The field's measures of crystals, against matminer's own numbers and recomputed by hand."""

import csv
import json
import time
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Composition, Element
from smact.screening import smact_validity

from genbat.core.paths import ASSETS
from genbat.domains.crystals import data, fingerprints, stability, swaps
from genbat.domains.crystals.catalogue import Catalogue, first_of_each
from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.ions import covalent_radius
from genbat.domains.crystals.measures import neutral, smact_valid, structurally_valid
from genbat.domains.crystals.structure import from_text, structure_of


def cells(count=12):
    known = data.load()
    return [known.cell(k) for k in range(0, 40 * count, 40)]


def published_scale():
    text = (files("genbat.domains.crystals") / fingerprints.SCALE).read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))


@pytest.mark.filterwarnings("ignore")
def test_neutral_is_smacts_answer():
    """Random compositions of up to four elements; both answers must come up often."""
    rng = np.random.default_rng(0)
    names = [Element.from_Z(z).symbol for z in range(1, 85) if not Element.from_Z(z).is_noble_gas]
    found = []
    for _ in range(400):
        kinds = rng.choice(names, size=rng.integers(1, 5), replace=False)
        counts = tuple((str(e), int(n)) for e, n in zip(kinds, rng.integers(1, 9, 4), strict=False))
        found.append(neutral(counts))
        assert found[-1] == smact_validity("".join(f"{e}{n}" for e, n in counts)), counts
    assert 0.2 < np.mean(found) < 0.8


def test_many_elements_take_no_time():
    begin = time.process_time()
    counts = tuple((str(e), 1) for e in Composition("LiNaMgAlTiVCrMnFeCoNiCuMoWSSeFO"))
    neutral(counts)
    assert time.process_time() - begin < 5.0


def test_prints_are_matminers():
    """The numbers in the file are matminer 0.10.1's."""
    rows = published_scale()
    middle, spread = (np.array([float(r[k]) for r in rows]) for k in ("mean", "standard_deviation"))
    entries = json.loads(Path(__file__).with_name("matminer_prints.json").read_text())
    for entry in entries:
        cell = from_text(entry["cif"])
        found = fingerprints.structure_print(cell)
        np.testing.assert_allclose(found, entry["structure"], atol=1e-6)
        wanted = (np.array(entry["composition"]) - middle) / spread
        np.testing.assert_allclose(fingerprints.composition_print(cell), wanted, atol=1e-6)
    assert len(entries) == 3


def test_published_scale_agrees_with_itself():
    """Mean range is mean largest minus mean smallest, of every property of the elements."""
    mean = {row["feature"]: float(row["mean"]) for row in published_scale()}
    assert len(mean) == 6 * fingerprints.PROPERTIES
    for name in {feature.split()[0] for feature in mean}:
        ends = mean[f"{name} maximum"] - mean[f"{name} minimum"]
        assert mean[f"{name} range"] == pytest.approx(ends, abs=1e-4), name


def test_prints_do_not_depend_on_the_cell():
    cell = cells(1)[0]
    twice = structure_of(cell) * (2, 1, 1)
    double = Cell(np.array(twice.atomic_numbers), twice.cart_coords, twice.lattice.matrix)
    np.testing.assert_allclose(
        fingerprints.structure_print(cell), fingerprints.structure_print(double), atol=1e-6
    )
    np.testing.assert_allclose(
        fingerprints.composition_print(cell), fingerprints.composition_print(double), atol=1e-9
    )


def test_a_crystal_without_print_is_none():
    far = Cell(np.array([3]), np.zeros((1, 3)), 60.0 * np.eye(3))
    found = fingerprints.structure_print(far)
    assert found is None or np.isfinite(found).all()
    broken = Cell(np.array([3, 8]), np.full((2, 3), np.nan), np.eye(3))
    assert fingerprints.structure_print(broken) is None


def test_coverage_by_hand():
    made = ([np.array([0.0]), None, np.array([5.0])], np.array([[0.0], [0.0], [0.0]]))
    real = ([np.array([0.1]), np.array([3.0])], np.array([[0.0], [9.0]]))
    recall, precision = fingerprints.coverage(made, real, 0.2, 4.0)
    assert recall == 0.5  # the second real one is 2 away in structure
    assert precision == pytest.approx(1 / 3)  # the one without print counts as far
    assert fingerprints.coverage(made, real, 3.0, 10.0) == (1.0, pytest.approx(2 / 3))
    assert fingerprints.coverage(([None], np.zeros((1, 1))), real, 1.0, 1.0) == (0.0, 0.0)


def test_catalogue_agrees_with_structure_matcher():
    known = cells()
    found = Catalogue(known)
    moved = Cell(known[3].numbers[::-1], known[3].positions[::-1] + 0.7, known[3].lattice)
    assert found.holds(moved)
    assert not found.add(moved)
    other = Cell(np.where(moved.numbers == moved.numbers[0], 33, moved.numbers), *_shape(moved))
    assert found.holds(other) == any(
        StructureMatcher().fit(structure_of(other), structure_of(one)) for one in known
    )
    assert first_of_each([*known, moved]) == [True] * len(known) + [False]


def _shape(cell):
    return cell.positions, cell.lattice


def test_landscape_gives_the_tables_distances():
    known = data.load()
    found = stability.landscape()
    for row in range(0, len(known), len(known) // 20):
        energy = float(known.table["formation_ev"][row])
        above = found.above(known.cell(row), energy)
        assert above == pytest.approx(float(known.table["hull_ev"][row]), abs=1e-5)


def test_known_phases_are_told_by_energy():
    phases = pd.read_csv(ASSETS / stability.PHASES)
    formula, energy = phases.iloc[0]["formula"], phases.iloc[0]["formation_ev"]
    numbers = [e.Z for e, n in Composition(formula).items() for _ in range(int(n))]
    cell = Cell(np.array(numbers), np.zeros((len(numbers), 3)), 5 * np.eye(3))
    found = stability.landscape()
    assert found.is_known_phase(cell, energy + 0.005)
    assert not found.is_known_phase(cell, energy + 5.0)


def test_replaced_keeps_contacts_in_radii():
    rock_salt = from_text(
        "data_x\n_cell_length_a 5.6\n_cell_length_b 5.6\n_cell_length_c 5.6\n_cell_angle_alpha 90\n"
        "_cell_angle_beta 90\n_cell_angle_gamma 90\nloop_\n_atom_site_label\n_atom_site_fract_x\n"
        "_atom_site_fract_y\n_atom_site_fract_z\nNa 0 0 0\nCl 0.5 0.5 0.5\n"
    )
    made = swaps.replaced(rock_salt, {"Na": "Li", "Cl": "F"})
    assert made.numbers.tolist() == [3, 9]
    radii = [covalent_radius(e) for e in ("Li", "F", "Na", "Cl")]
    scale = (radii[0] + radii[1]) / (radii[2] + radii[3])
    np.testing.assert_allclose(made.lattice, rock_salt.lattice * scale)
    np.testing.assert_allclose(made.positions, rock_salt.positions * scale)


def test_substituted_crystals_are_other_compounds():
    known = cells(30)
    made = list(swaps.substituted(known, 40, seed=1))
    again = list(swaps.substituted(known, 40, seed=1))
    assert all(np.array_equal(a.positions, b.positions) for a, b in zip(made, again, strict=True))
    sizes = {len(cell.numbers) for cell in known}
    assert all(len(cell.numbers) in sizes for cell in made)
    assert np.mean([structurally_valid(cell) for cell in made]) > 0.9
    assert np.mean([smact_valid(cell) for cell in made]) > 0.8
    assert np.mean([Catalogue(known).holds(cell) for cell in made]) < 0.2


def test_partners_share_a_charge():
    found = swaps.partners(["Li", "Na", "O", "S", "F"])
    assert found["Li"] == ["Na"]
    assert found["O"] == ["S"]
    assert found["F"] == []
