"""The judge: relaxed crystals with numbers, or the reason why there are none."""

import numpy as np
import pytest

from genbat.domains.crystals import physics
from genbat.domains.crystals.candidates import Start, build_cell
from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.codec import turned
from genbat.domains.crystals.properties import BY_KEY, PROPERTIES
from genbat.domains.crystals.references import element_energy, elements


@pytest.fixture(scope="module")
def judged():
    host = build_cell(Start("o3|A=Li+1|M=Co+3|X=O-2", "layered"))
    positions = host.positions.copy()
    positions[1] = positions[0] + 0.1
    overlap = Cell(host.numbers, positions, host.lattice)
    argon = Cell(np.full(4, 18), host.positions, host.lattice)
    salt = build_cell(Start("rock salt|M=Mg+2|X=O-2", "binary"))
    return dict(physics.judge_many([host, overlap, argon, salt]))


def test_a_host_gets_its_voltage(judged):
    good = judged[0]
    assert good.verdict.ok
    assert good.properties["voltage_v"].value == pytest.approx(3.6, abs=0.4)
    assert good.properties["voltage_r2scan_v"].method == "CHGNet r2SCAN"
    assert good.properties["capacity_mah_g"].value == pytest.approx(273.8, abs=1)
    assert good.properties["formation_ev"].value < -1
    assert good.group in (12, 166)
    assert sorted(good.empty.numbers) == [8, 8, 27]
    assert good.moved < 0.2
    assert len(good.magmoms) == 4


def test_absurd_crystals_show_no_numbers(judged):
    for k, words in ((1, "covalent radii apart"), (2, "contains Ar")):
        assert not judged[k].verdict.ok
        assert words in judged[k].verdict.reasons[0]
        assert judged[k].properties is None


def test_no_voltage_without_a_host(judged):
    assert judged[3].verdict.ok
    assert "voltage_v" not in judged[3].properties
    assert judged[3].properties["formation_ev"].value == pytest.approx(-3.0, abs=0.25)


def test_every_measurement_has_a_property(judged):
    assert set(judged[0].properties) <= set(BY_KEY)
    for key, measured in judged[0].properties.items():
        assert measured.unit == BY_KEY[key].unit
    assert all(p.help for p in PROPERTIES)


def test_judging_can_be_stopped():
    def stop(fraction, text):
        raise KeyboardInterrupt

    salt = build_cell(Start("rock salt|M=Mg+2|X=O-2", "binary"))
    with pytest.raises(KeyboardInterrupt):
        list(physics.judge_many([salt], progress=stop))


def test_displacement_ignores_drift():
    salt = build_cell(Start("rock salt|M=Mg+2|X=O-2", "binary"))
    shifted = Cell(salt.numbers, salt.positions + 0.7, salt.lattice)
    assert physics.displacement(salt, shifted) == pytest.approx(0, abs=1e-9)
    moved = Cell(salt.numbers, salt.positions + np.array([[0.1, 0, 0], [-0.1, 0, 0]]), salt.lattice)
    assert physics.displacement(salt, moved) == pytest.approx(0.1, abs=1e-6)


def test_energy_does_not_depend_on_orientation():
    from genbat.domains.crystals.chgnet_batch import evaluator

    host = build_cell(Start("o3|A=Li+1|M=Co+3|X=O-2", "layered"))
    energies = evaluator().energies([host, turned(host, 1), turned(host, 2)])
    np.testing.assert_allclose(energies, energies[0], atol=1e-4)


def test_element_energies():
    assert len(elements()["0.3.0"]) == 78
    assert element_energy("Li") == pytest.approx(-1.88, abs=0.02)
    assert element_energy("O") == pytest.approx(-4.93, abs=0.03)
    with pytest.raises(ValueError, match="no reference energy for Ar"):
        element_energy("Ar")
