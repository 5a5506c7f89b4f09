"""Physically absurd crystals never show a voltage, however they are absurd."""

import numpy as np
import pytest

from genbat.domains.crystals import data, gates, physics
from genbat.domains.crystals.candidates import Start, build_cell
from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.structure import structure_of
from genbat.studio import crystal_facts

HOST = build_cell(Start("o3|A=Li+1|M=Co+3|X=O-2", "layered"))


def with_lattice(lattice):
    """The host in another cell, atoms at the same fractions."""
    fractions = HOST.positions @ np.linalg.inv(HOST.lattice)
    return Cell(HOST.numbers, fractions @ lattice, np.asarray(lattice, float))


def moved(atom, to):
    positions = HOST.positions.copy()
    positions[atom] = to
    return Cell(HOST.numbers, positions, HOST.lattice)


def hopeless():
    """Crystals that no relaxation can save: name -> cell."""
    yield "nan in a place", moved(0, [np.nan, 0, 0])
    yield "infinite place", moved(0, [np.inf, 0, 0])
    yield "nan in the cell", with_lattice(HOST.lattice * np.nan)
    yield "flat cell", with_lattice(HOST.lattice * [1, 1, 0])
    yield "no cell", with_lattice(HOST.lattice * 0)
    for factor in (0.1, 0.5):
        yield f"pressed to {factor}", with_lattice(HOST.lattice * factor)
    for factor in (3, 6, 100):
        yield f"exploded {factor}-fold", with_lattice(HOST.lattice * factor)
    for k in range(1, 4):
        yield f"atom {k} on atom 0", moved(k, HOST.positions[0])
        yield f"atom {k} beside atom 0", moved(k, HOST.positions[0] + 0.3)
        yield f"atom {k} on an image of atom 0", moved(k, HOST.positions[0] + HOST.lattice[1])
    yield "all on one place", Cell(HOST.numbers, np.zeros((4, 3)), HOST.lattice)
    yield "noble gas", Cell(np.array([3, 18, 8, 8]), HOST.positions, HOST.lattice)


def doubtful():
    """Crystals that may relax to something sensible, and hosts known to fall apart."""
    rng = np.random.default_rng(4)
    for k in range(5):
        yield f"atoms thrown in {k}", Cell(HOST.numbers, rng.random((4, 3)) @ HOST.lattice,
                                           HOST.lattice)  # fmt: skip
    for factor in (0.75, 1.3, 1.8):
        yield f"scaled by {factor}", with_lattice(HOST.lattice * factor)
    yield "layers apart", with_lattice(HOST.lattice @ np.diag([1, 1, 1.7]))
    known = data.load()
    failed = np.flatnonzero((known.table["host_failed"] != "") & (known.table["ion"] == "Li"))
    small = [int(k) for k in failed if len(known.cell(int(k)).numbers) <= 6]
    for k in small[:3]:
        yield f"swollen host {known.table['formula'].iloc[k]}", known.cell(k)


HOPELESS, DOUBTFUL = dict(hopeless()), dict(doubtful())


def test_hopeless_crystals_get_a_reason_and_no_number():
    names = list(HOPELESS)
    judged = dict(physics.judge_many(list(HOPELESS.values())))
    assert len(judged) == len(names) >= 20
    for k, name in enumerate(names):
        assert not judged[k].verdict.ok, name
        assert len(judged[k].verdict.reasons[0]) > 10
        assert not judged[k].properties, name


@pytest.fixture(scope="module")
def doubted():
    judged = dict(physics.judge_many(list(DOUBTFUL.values())))
    return {name: judged[k] for k, name in enumerate(DOUBTFUL)}


def test_hosts_that_fall_apart_say_so(doubted):
    swollen = [one for name, one in doubted.items() if name.startswith("swollen")]
    assert swollen
    for one in swollen:
        assert "voltage_v" not in (one.properties or {})
        assert one.notes or not one.verdict.ok


def test_whoever_shows_a_voltage_is_sane(doubted):
    """The gates, measured anew on the crystals themselves."""
    for name, one in doubted.items():
        if "voltage_v" not in (one.properties or {}):
            continue
        assert 0 <= one.properties["voltage_v"].value <= 6, name
        change = abs(np.linalg.det(one.empty.lattice)) / abs(np.linalg.det(one.cell.lattice)) - 1
        assert abs(change) <= 0.30, name
        for cell in (one.cell, one.empty):
            d = structure_of(cell).distance_matrix + 10 * np.eye(len(cell.numbers))
            assert d.min() > 0.6 * 1.3, name  # twice oxygen's covalent radius is 1.32 Å
            assert 2.5 < abs(np.linalg.det(cell.lattice)) / len(cell.numbers) < 120, name


@pytest.mark.parametrize("seed", range(20))
def test_the_gates_let_only_sane_hosts_through(seed):
    rng = np.random.default_rng(seed)
    voltage, swelling = rng.uniform(-4, 12), rng.uniform(-1, 3)
    closest = rng.uniform(0.1, 1.2)
    sane = 0 <= voltage <= 6 and abs(swelling) <= 0.3 and closest >= 0.6
    assert (gates.host_reason(voltage, swelling, closest) == "") == sane
    assert gates.host_reason(float("nan"), 0.0, 1.0)
    assert gates.host_reason(3.0, float("nan"), 1.0)
    assert gates.host_reason(3.0, 0.0, float("nan"))


def test_cards_of_refused_crystals_draw_no_voltage():
    from genbat.core.candidate import Candidate, Verdict
    from genbat.core.properties import Measurement
    from genbat.core.provenance import Provenance
    from genbat.domains.crystals.structure import to_text

    voltage = {"voltage_v": Measurement(13.65, "V", "CHGNet 0.3.0", "computed")}
    for verdict in (Verdict(True), Verdict(False, ("two atoms overlap",))):
        one = Candidate(to_text(HOST), "crystals", verdict, Provenance("user", "given"), voltage)
        assert crystal_facts.profile(one) is None
