"""The facts on a crystal's card, recomputed: Bragg's law, density, charges, price, voltage."""

import math
import time

import numpy as np
import pandas as pd
import pytest
from pymatgen.core import Composition, Lattice, Structure

from genbat.core.candidate import Candidate, Verdict
from genbat.core.properties import Measurement
from genbat.core.provenance import Provenance
from genbat.domains.crystals import conductors, cost, diffraction, periodic, symmetry
from genbat.domains.crystals import voltage_profile as volts
from genbat.domains.crystals.structure import cell_of, to_text
from genbat.domains.crystals.wishes import ELEMENTS
from genbat.studio import crystal_facts

A, C = 2.816, 14.05  # Å, LiCoO2
SALT_A = 5.6402  # Å, NaCl


def grown(group, lattice, species, places):
    whole = Structure.from_spacegroup(group, lattice, species, places)
    return cell_of(whole.get_primitive_structure())


LICOO2 = grown("R-3m", Lattice.hexagonal(A, C), ["Li", "Co", "O"],
               [[0, 0, 0.5], [0, 0, 0], [0, 0, 0.26]])  # fmt: skip
SALT = grown("Fm-3m", Lattice.cubic(SALT_A), ["Na", "Cl"], [[0] * 3, [0.5] * 3])


def bragg(spacing):
    """2 theta in degrees for a spacing in Å, lambda = 2 d sin(theta)."""
    return 2 * math.degrees(math.asin(1.54184 / (2 * spacing)))


def test_salt_reflects_by_braggs_law():
    lines = diffraction.pattern(SALT)
    unmixed = [(1, 1, 1), (2, 0, 0), (2, 2, 0), (3, 1, 1), (2, 2, 2), (4, 0, 0), (3, 3, 1),
               (4, 2, 0), (4, 2, 2)]  # fmt: skip
    expected = [bragg(SALT_A / math.sqrt(h * h + k * k + m * m)) for h, k, m in unmixed]
    assert [line.two_theta for line in lines] == pytest.approx(expected, abs=1e-3)
    assert [line.label for line in lines] == ["{} {} {}".format(*hkl) for hkl in unmixed]
    strongest = max(lines, key=lambda line: line.intensity)
    assert (strongest.label, strongest.intensity) == ("2 0 0", pytest.approx(100))


def test_layered_oxide_reflects_in_hexagonal_indices():
    lines = {line.label.split(" / ")[0]: line for line in diffraction.pattern(LICOO2)}
    assert lines["0 0 3"].two_theta == pytest.approx(bragg(C / 3), abs=1e-3)
    spacing = 1 / math.sqrt(4 / 3 / A**2 + 16 / C**2)  # (1 0 4)
    assert lines["1 0 4"].spacing == pytest.approx(spacing, abs=1e-4)
    assert lines["1 0 4"].two_theta == pytest.approx(bragg(spacing), abs=1e-3)
    for label in lines:
        h, k, m = map(int, label.split())
        assert (-h + k + m) % 3 == 0  # what a rhombohedral lattice lets through
        assert min(h, k) >= 0


def test_noise_of_a_relaxation_does_not_split_lines():
    rng = np.random.default_rng(0)
    moved = cell_of(Structure.from_spacegroup("Fm-3m", Lattice.cubic(SALT_A), ["Na", "Cl"],
                                              [[0] * 3, [0.5] * 3]))  # fmt: skip
    noisy = type(moved)(moved.numbers, moved.positions + rng.normal(0, 0.005, (8, 3)),
                        moved.lattice)  # fmt: skip
    assert len(diffraction.pattern(noisy)) == len(diffraction.pattern(SALT))


def test_curve_peaks_where_the_lines_are():
    lines = diffraction.pattern(SALT)
    x, y = diffraction.profile(lines)
    assert y.max() == pytest.approx(100)
    assert x[y.argmax()] == pytest.approx(bragg(SALT_A / 2), abs=0.05)
    assert diffraction.profile([])[1].max() == 0


def test_facts_of_licoo2():
    known = crystal_facts.facts(to_text(LICOO2))
    assert (known.group.symbol, known.group.number, known.group.system) == ("R-3m", 166, "trigonal")
    assert (known.formula, known.units) == ("LiCoO2", 3)
    assert known.lengths == pytest.approx((A, A, C), abs=1e-3)
    assert known.angles == pytest.approx((90, 90, 120), abs=1e-3)
    volume = A * A * math.sqrt(3) / 2 * C
    assert known.volume == pytest.approx(volume, rel=1e-4)
    mass = 6.94 + 58.933 + 2 * 15.999
    assert known.density == pytest.approx(3 * mass / volume / 0.602214, rel=1e-3)
    assert known.charges == {"Li": 1, "Co": 3, "O": -2}
    assert known.charge_words() == "Li⁺ Co³⁺ O²⁻"
    assert known.plausible
    assert "contains cobalt" in known.flags


def test_mixed_valence_and_alloys():
    spinel = grown("Fd-3m", Lattice.cubic(8.24), ["Li", "Mn", "O"],
                   [[0] * 3, [0.625] * 3, [0.388] * 3])  # fmt: skip
    known = crystal_facts.facts(to_text(spinel))
    assert known.group.symbol == "Fd-3m"
    assert known.charge_words() == "Li⁺ Mn³·⁵⁺ O²⁻"
    alloy = grown("Pm-3m", Lattice.cubic(2.98), ["Ti", "Fe"], [[0] * 3, [0.5] * 3])
    assert crystal_facts.facts(to_text(alloy)).charges == {}


def test_many_elements_do_not_make_a_page_wait():
    names = ["Na", "Li", "Hf", "Fe", "Co", "Ni", "Ba", "P", "H", "S", "N", "Cl", "O"]
    places = [[k / 13, (5 * k % 13) / 13, (3 * k % 13) / 13] for k in range(13)]
    many = cell_of(Structure(Lattice.cubic(9), names, places))
    start = time.perf_counter()
    assert crystal_facts.facts(to_text(many)).plausible is None
    assert time.perf_counter() - start < 20  # below a second alone; SMACT would take half a minute


@pytest.mark.parametrize("number", [1, 2, 3, 15, 16, 74, 75, 142, 143, 167, 168, 194, 195, 230])
def test_crystal_systems(number):
    from pymatgen.symmetry.groups import SpaceGroup

    assert symmetry.crystal_system(number) == SpaceGroup.from_int_number(number).crystal_system


def test_cost_adds_up():
    found = cost.cost(LICOO2)
    assert sum(share.mass for share in found.shares) == pytest.approx(1)
    prices = {share.element: share.price for share in found.shares}
    whole = 6.94 + 58.933 + 2 * 15.999
    by_hand = (6.94 * prices["Li"] + 58.933 * prices["Co"] + 2 * 15.999 * prices["O"]) / whole
    assert found.total == pytest.approx(by_hand, rel=1e-3)
    assert found.shares[0].element == "Co"
    unknown = grown("Pm-3m", Lattice.cubic(3.5), ["Pm", "O"], [[0] * 3, [0.5] * 3])
    assert cost.cost(unknown).unknown == ("Pm",)
    assert math.isnan(cost.cost(unknown).total)


def host(voltage=3.5, formation=-2.0):
    method = ("CHGNet 0.3.0", "computed")
    values = {
        "voltage_v": Measurement(voltage, "V", *method, 0.5),
        "formation_ev": Measurement(formation, "eV/atom", *method),
    }
    return Candidate(
        to_text(LICOO2), "crystals", Verdict(True), Provenance("data", "known"), values
    )


def test_average_step_ends_at_the_capacity():
    found = crystal_facts.profile(host())
    faraday = 96485.33 / 3.6  # mAh/mol
    assert found.average.end == pytest.approx(faraday / (6.94 + 58.933 + 2 * 15.999), rel=1e-4)
    assert found.average.voltage == 3.5
    assert found.ion == "Li"


def test_steps_follow_the_hull_and_keep_the_average():
    """Half-filled phase 0.4 eV per formula below the line: V changes by 0.8 V on each side."""
    full, voltage = -2.0, 3.5
    middle = (4 * full + (4 * full + voltage)) / 2 - 0.4  # eV per Li0.5CoO2
    known = [({"Li": 1, "Co": 2, "O": 4}, 2 * middle / 7, "LiCo2O4"),
             ({"Li": 1, "Co": 1, "O": 1}, -9.0, "another framework"),
             ({"Li": 2, "Co": 1, "O": 2}, -9.0, "overfull")]  # fmt: skip
    found = volts.profile(LICOO2, voltage, full, known)
    assert [step.voltage for step in found.steps] == pytest.approx([voltage + 0.8, voltage - 0.8])
    assert [step.phases for step in found.steps] == [("CoO2", "LiCo2O4"), ("LiCo2O4", "LiCoO2")]
    charge = sum((s.end - s.start) * s.voltage for s in found.steps)
    assert charge / found.average.end == pytest.approx(voltage)


def test_an_unstable_phase_between_makes_no_step():
    known = [({"Li": 1, "Co": 2, "O": 4}, 0.5, "LiCo2O4")]
    assert volts.profile(LICOO2, 3.5, -2.0, known).steps == ()


@pytest.mark.parametrize("voltage", [-0.1, 6.1, float("nan"), float("inf")])
def test_voltages_outside_the_gates_are_never_drawn(voltage):
    assert volts.profile(LICOO2, voltage, -2.0) is None
    assert crystal_facts.profile(host(voltage)) is None


def test_no_profile_without_a_host():
    assert volts.profile(SALT, 3.0, -2.0) is None
    bare = Candidate(to_text(LICOO2), "crystals", Verdict(True), Provenance("data", "known"))
    assert crystal_facts.profile(bare) is None
    refused = Candidate(to_text(LICOO2), "crystals", Verdict(False, ("swells",)),
                        Provenance("data", "known"), host().properties)  # fmt: skip
    assert crystal_facts.profile(refused) is None


def test_periodic_table_holds_the_domains_elements_once():
    rows = periodic.rows()
    assert {row.symbol for row in rows} == set(ELEMENTS)
    assert len({(row.row, row.column) for row in rows}) == len(rows)
    places = {row.symbol: (row.row, row.column) for row in rows}
    assert [places[e] for e in ("H", "Li", "Co", "O", "La", "Lu", "Bi")] == [
        (1, 1), (2, 1), (4, 9), (2, 16), (8, 3), (8, 17), (6, 15)]  # fmt: skip
    assert next(row for row in rows if row.symbol == "Co").battery


# ---------------------------------------------------------------------- known electrolytes
def argyrodite(chlorine=1.0):
    """A made-up cell with the composition of Li6PS5Cl; its atoms stand on a grid."""
    names = ["Li"] * 6 + ["P"] + ["S"] * 5 + ["Cl"]
    grid = [[(k % 3 + 0.1) / 3, (k // 3 % 3 + 0.1) / 3, (k // 9 + 0.1) / 3] for k in range(13)]
    return cell_of(Structure(Lattice.cubic(10), names, grid))


def test_neighbours_in_composition_are_found():
    found = conductors.near(argyrodite())
    assert found
    assert found[0].formula == "Li6PS5Cl"
    assert found[0].apart == pytest.approx(0, abs=0.005)
    assert all(-6 < one.log10_s_cm < -1 for one in found)
    assert not found[0].same_group  # F-43m in nature
    assert all(one.doi.startswith("10.") for one in found)
    assert [one.apart for one in found] == sorted(one.apart for one in found)


def test_other_elements_have_no_neighbour():
    assert conductors.near(SALT) == []
    assert conductors.near(LICOO2) == []


def test_table_keeps_bounds_apart(tmp_path):
    source = tmp_path / "obelix.csv"
    columns = ["Reduced Composition", "True Composition", "Ionic conductivity (S cm-1)",
               "Space group #", "Family", "DOI"]  # fmt: skip
    rows = [["Li3N", "Li6.0N2.0", "1e-3", 191, "nitride", "10.1/a"],
            ["LiF", "Li4.0F4.0", "<1E-10", 225, "fluorides", "10.1/b"],
            ["odd", "1.0*", "1e-5", 1, "x", "10.1/c"]]  # fmt: skip
    pd.DataFrame(rows, columns=columns).to_csv(source, index=False)
    table = pd.read_csv(conductors.make_table(source, tmp_path / "out.csv"))
    assert len(table) == 2
    by_formula = table.set_index("formula")
    assert by_formula.loc["Li3N", "log10_s_cm"] == -3
    assert bool(by_formula.loc["LiF", "bound"])
    assert by_formula.loc["LiF", "log10_s_cm"] == -10
    assert Composition(by_formula.loc["Li3N", "composition"]).reduced_formula == "Li3N"


def test_shipped_table():
    table = pd.read_csv(conductors.ASSETS / conductors.TABLE)
    assert len(table) >= 590
    assert table["bound"].sum() == 37
    assert table["log10_s_cm"].between(-18, 0).all()
    assert table["doi"].str.startswith("10.").mean() > 0.95
