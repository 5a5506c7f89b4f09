"""The batched CHGNet gives the package's own numbers, and its relaxer finds the same minima."""

import warnings

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from genbat.domains.crystals.chgnet_batch import BatchedCHGNet, Cell, evaluator
from genbat.domains.crystals.chgnet_graph import neighbours
from genbat.domains.crystals.ions import Ion
from genbat.domains.crystals.prototypes import own, prototype
from genbat.domains.crystals.relax import Settings, gate, perturbed, relax
from genbat.domains.crystals.substitution import fill

EV_A3_GPA = 160.21766
IONS = {"A": Ion("Li", 1), "B": Ion("Na", 1), "M": Ion("Ti", 4), "X": Ion("O", -2)}
METALS = ("Ti", "V", "Mn", "Co", "Zr", "Al", "Sn")


def cell_of(structure):
    lattice = np.array(structure.lattice.matrix)
    return Cell(np.array(structure.atomic_numbers), structure.cart_coords, lattice)


def structure_of(cell):
    return Structure(Lattice(cell.lattice), cell.numbers, cell.positions, coords_are_cartesian=True)


def samples(n):
    """Distorted crystals of all own prototypes with various metals."""
    names = list(own())
    for k in range(n):
        ions = IONS | {"M": Ion(METALS[k % len(METALS)], 4)}
        pattern = prototype(names[k % len(names)])
        yield perturbed(fill(pattern, {s: ions[s] for s in pattern.counts}), seed=k)


def stock(weights):
    from chgnet.model.model import CHGNet

    return CHGNet.load(model_name=weights, use_device="cpu", verbose=False)


def compare(weights, cells):
    reference = stock(weights).predict_structure([structure_of(c) for c in cells], batch_size=8)
    for cell, ours, theirs in zip(cells, evaluator(weights)(cells), reference, strict=True):
        n = len(cell.numbers)
        volume = abs(np.linalg.det(cell.lattice))
        assert ours.energy / n == pytest.approx(float(theirs["e"]), abs=1e-5)
        np.testing.assert_allclose(ours.forces, theirs["f"], atol=1e-3)
        stress = ours.virial / volume * EV_A3_GPA
        np.testing.assert_allclose(stress, theirs["s"], atol=5e-3)
        np.testing.assert_allclose(ours.magmoms, theirs["m"], atol=1e-4)


@pytest.mark.parametrize("weights", ["0.3.0", "r2scan"])
def test_evaluator_agrees_with_chgnet(weights):
    compare(weights, list(samples(8)))


@pytest.mark.slow
def test_evaluator_agrees_with_chgnet_on_200_structures():
    compare("0.3.0", list(samples(200)))


def test_energies_alone_are_the_same():
    cells = list(samples(4))
    whole = [one.energy for one in evaluator()(cells)]
    np.testing.assert_allclose(evaluator().energies(cells), whole, atol=1e-4)


def test_batch_does_not_matter():
    cells = list(samples(5))
    together = evaluator()(cells)
    for cell, one in zip(cells, together, strict=True):
        (alone,) = evaluator()([cell])
        assert alone.energy == pytest.approx(one.energy, abs=2e-4)
        np.testing.assert_allclose(alone.forces, one.forces, atol=5e-4)


def test_forces_and_virial_are_slopes_of_the_energy():
    (cell,) = samples(1)
    (here,) = evaluator()([cell])
    step = 0.01
    for atom, axis in ((0, 0), (3, 2)):
        ends = []
        for sign in (1, -1):
            positions = cell.positions.copy()
            positions[atom, axis] += sign * step
            ends.append(evaluator()([Cell(cell.numbers, positions, cell.lattice)])[0].energy)
        slope = (ends[0] - ends[1]) / (2 * step)
        assert -slope == pytest.approx(here.forces[atom, axis], abs=0.02)
    ends = []
    for sign in (1, -1):
        deform = np.diag([1 + sign * 1e-3, 1, 1])
        moved = Cell(cell.numbers, cell.positions @ deform, cell.lattice @ deform)
        ends.append(evaluator()([moved])[0].energy)
    assert (ends[0] - ends[1]) / 2e-3 == pytest.approx(here.virial[0, 0], abs=0.1)


def test_weights_are_named():
    with pytest.raises(ValueError, match=r"weights: got '0.1'; legal are 0.3.0, r2scan"):
        BatchedCHGNet("0.1")


def test_relaxes_to_the_minimum_of_chgnet():
    """Same minimum as the package's own optimiser on a simple oxide."""
    from chgnet.model.dynamics import StructOptimizer

    cell = perturbed(fill(prototype("rock salt"), {"M": Ion("Mg", 2), "X": Ion("O", -2)}), 1)
    (ours,) = relax(evaluator(), [("MgO", cell)], Settings(fmax=0.01))
    optimizer = StructOptimizer(model=stock("0.3.0"), use_device="cpu")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = optimizer.relax(structure_of(cell), fmax=0.01, verbose=False)
    energy = theirs["trajectory"].energies[-1] / 2
    assert not ours.failed
    assert ours.energy == pytest.approx(energy, abs=5e-4)
    assert ours.key == "MgO"
    volume = abs(np.linalg.det(ours.cell.lattice))
    assert volume == pytest.approx(theirs["final_structure"].volume, rel=0.01)


def test_bad_crystals_leave_the_batch_alone():
    good = fill(prototype("rock salt"), {"M": Ion("Mg", 2), "X": Ion("O", -2)})
    positions = good.positions.copy()
    positions[1] = positions[0] + 0.2
    overlap = Cell(good.numbers, positions, good.lattice)
    alone = Cell(good.numbers[:1], good.positions[:1], np.eye(3) * 20)
    found = {
        r.key: r
        for r in relax(evaluator(), [("overlap", overlap), ("good", good), ("alone", alone)])
    }
    assert not found["good"].failed
    assert "apart" in found["overlap"].failed
    assert "no neighbour" in found["alone"].failed
    assert np.isnan(found["overlap"].energy)


def test_steps_run_out_in_words():
    cell = perturbed(fill(prototype("rock salt"), {"M": Ion("Mg", 2), "X": Ion("O", -2)}), 2)
    (end,) = relax(evaluator(), [(0, cell)], Settings(fmax=1e-4, steps=1))
    assert end.failed.startswith("not converged after 1 steps")


def test_settings_are_checked():
    with pytest.raises(ValueError, match="fmax: got 0; it must be above 0"):
        Settings(fmax=0)


def test_progress_may_stop_it():
    class Stop(Exception):
        pass

    def progress(fraction, text):
        raise Stop

    cell = fill(prototype("rock salt"), {"M": Ion("Mg", 2), "X": Ion("O", -2)})
    with pytest.raises(Stop):
        list(relax(evaluator(), [(0, cell)], progress=progress))


@pytest.mark.parametrize(
    ("change", "words"),
    [(lambda m: m * 0.1, "collapsed"), (lambda m: m * [[1], [1], [0.05]], "collapsed"),
     (lambda m: m * np.nan, "collapsed"), (lambda m: m * 2.5, "no neighbour|volume")],
)  # fmt: skip
def test_gate_names_what_is_wrong(change, words):
    import re

    cell = fill(prototype("rock salt"), {"M": Ion("Mg", 2), "X": Ion("O", -2)})
    lattice = change(cell.lattice)
    bent = Cell(cell.numbers, cell.positions @ np.linalg.inv(cell.lattice) @ lattice, lattice)
    found = gate(bent, abs(np.linalg.det(cell.lattice)))
    assert isinstance(found, str)
    assert re.search(words, found)


def test_neighbours_agree_with_pymatgen():
    (cell,) = samples(1)
    center, _, _, distance = structure_of(cell).get_neighbor_list(6.0)
    ours = neighbours(cell.positions, cell.lattice)
    assert len(ours.center) == len(center)
    np.testing.assert_allclose(np.sort(ours.distance), np.sort(distance), atol=1e-8)
