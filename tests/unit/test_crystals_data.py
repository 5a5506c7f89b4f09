"""Prototypes, ions, candidates, hull, table: how the crystals' data set comes about."""

import json

import numpy as np
import pytest

from genbat.domains.crystals import build, data
from genbat.domains.crystals.candidates import Start, build_cell
from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.gates import average_voltage, capacity, crystal_reason, host_reason
from genbat.domains.crystals.hosts import without, working_ion
from genbat.domains.crystals.hull import Hull
from genbat.domains.crystals.ions import Ion, balances, cations, plausible, radius
from genbat.domains.crystals.labelling import pack, unpack
from genbat.domains.crystals.prototypes import MAX_ATOMS, own, prototype
from genbat.domains.crystals.random_crystals import random_crystal
from genbat.domains.crystals.splits import split_of
from genbat.domains.crystals.substitution import distances, fill
from genbat.domains.crystals.symmetry import space_group_number
from genbat.domains.crystals.table import packed, unpacked, volume

GROUPS = {
    "o3": 166, "p2": 194, "o1": 164, "o2": 186, "delafossite": 166, "rock salt": 225,
    "gamma-LiFeO2": 141, "lithiated spinel": 227, "Li2MnO3": 12, "beta-NaFeO2": 33, "spinel": 227,
    "V2O5": 59, "NaV2O5": 59, "perovskite": 221, "2H perovskite": 194, "K2PtCl6": 225,
    "elpasolite": 225, "cryolite": 225, "fluorite": 225, "half-Heusler": 216, "Heusler": 225,
    "inverse Heusler": 216, "MH3": 225, "rock salt L1_2": 221,
}  # fmt: skip
NAME = "o3|A=Li+1|M=Co+3|X=O-2"


def numbered(pattern):
    letters = sorted(pattern.counts)
    numbers = np.array([letters.index(s) + 1 for s in pattern.slots])
    return Cell(numbers, pattern.positions @ pattern.lattice, pattern.lattice)


@pytest.mark.parametrize(("name", "group"), GROUPS.items())
def test_prototypes_have_their_space_group(name, group):
    assert space_group_number(numbered(prototype(name)), 0.01) == group


@pytest.mark.parametrize("name", list(own()))
def test_prototypes_are_small_and_loose(name):
    assert 2 <= len(prototype(name).slots) <= MAX_ATOMS
    assert distances(name).min() > 1.5


def test_unknown_prototype_names_the_legal_ones():
    with pytest.raises(ValueError, match="unknown 'o9'; legal are o3, p2"):
        prototype("o9")


def test_filled_cells_have_touching_ions():
    salt = fill(prototype("rock salt"), {"M": Ion("Mg", 2), "X": Ion("O", -2)})
    edge = volume(salt) ** (1 / 3) * 4 ** (1 / 3)
    assert edge == pytest.approx(2 * (radius(Ion("Mg", 2)) + radius(Ion("O", -2))), rel=1e-6)
    assert edge == pytest.approx(4.21, abs=0.1)


@pytest.mark.parametrize(("ion", "value"), [(Ion("Li", 1), 0.76), (Ion("O", -2), 1.40),
                                            (Ion("As", -3), 2.0), (Ion("Pd"), 1.37)])  # fmt: skip
def test_radii(ion, value):
    assert radius(ion) == pytest.approx(value, abs=0.02)


def test_every_cation_has_a_sensible_radius():
    assert all(0.1 < radius(ion) < 2.0 for ion in cations())


def test_charge_rules():
    assert balances("LiCoO2")
    assert balances("LiMn2O4")
    assert not balances("LiO3")
    assert plausible(Ion("Ni", 4), Ion("O", -2))
    assert not plausible(Ion("Ni", 4), Ion("Te", -2))


def test_candidates_come_back_from_their_names():
    cell = build_cell(Start(NAME, "layered"))
    assert sorted(cell.numbers) == [3, 8, 8, 27]
    ideal = build_cell(Start(NAME + "|ideal", "layered"))
    np.testing.assert_allclose(ideal.positions, cell.positions)
    mixed = build_cell(Start("spinel|A=Li+1|M=Mn+3.5|X=O-2", "spinel"))
    assert len(mixed.numbers) == 14
    alloy = build_cell(Start("Heusler|A=Cu|M=Mn|X=Al", "Heusler"))
    assert sorted(alloy.numbers) == [13, 25, 29, 29]


@pytest.mark.slow
def test_the_list_of_candidates_is_complete_and_always_the_same():
    from genbat.domains.crystals.candidates import all_candidates

    found = all_candidates()
    names = [c.name for c in found]
    assert len(set(names)) == len(names) > 30_000
    assert names == [c.name for c in all_candidates()]
    patient = [c for c in found if c.patient]
    assert found[: len(patient)] == patient
    assert len(patient) % build.CHUNK == 0  # so that the chunks of the others stay what they are
    others = found[len(patient) :]
    first = others[:4000]  # any first part of these is a balanced set
    families = {c.family for c in others}
    for family in families:
        share = sum(c.family == family for c in others) / len(others)
        assert sum(c.family == family for c in first) / len(first) == pytest.approx(share, abs=0.02)
    assert sum("Li+" in n or "Na+" in n for n in names) > 6_000
    assert len([c for c in found if c.family == "vanadium oxide"]) > 2_500


def test_random_crystals_are_symmetric_and_repeatable():
    groups = []
    for seed in range(6):
        one = random_crystal({"V": 1, "O": 2}, seed, volume_per_atom=11.5, max_atoms=12)
        two = random_crystal({"V": 1, "O": 2}, seed, volume_per_atom=11.5, max_atoms=12)
        assert one == two
        assert len(one) <= 12
        assert one.composition.reduced_formula == "VO2"
        cell = Cell(np.array(one.atomic_numbers), one.cart_coords, np.array(one.lattice.matrix))
        groups.append(space_group_number(cell, 0.01))
    assert max(groups) > 1


def test_hull_of_a_binary():
    hull = Hull()
    hull.add({"Li": 2, "O": 1}, -2.0)
    hull.add({"Li": 1, "O": 1}, -1.6)
    assert hull.energy({"Li": 2, "O": 1}) == pytest.approx(-2.0)
    assert hull.distance({"Li": 1, "O": 1}, -1.6) == pytest.approx(0.0)
    middle = hull.energy({"Li": 3, "O": 1})  # between Li and Li2O
    assert middle == pytest.approx(-2.0 * 3 / 4)
    assert hull.distance({"Li": 1, "O": 2}, 0.0) > 0
    assert hull.energy({"Na": 1, "Cl": 1}) == pytest.approx(0.0)


def test_hull_agrees_with_pymatgen():
    from pymatgen.analysis.phase_diagram import PDEntry, PhaseDiagram
    from pymatgen.core import Composition

    rng = np.random.default_rng(1)
    entries = [("LiO2", -0.4), ("Li2O", -2.0), ("MnO", -2.0), ("MnO2", -1.9), ("LiMnO2", -2.2),
               ("Li2MnO3", -2.15), ("LiMn2O4", -2.1), ("Li5Mn", 0.1)]  # fmt: skip
    entries = [(f, e + rng.normal(0, 0.05)) for f, e in entries]
    hull = Hull()
    for formula, energy in entries:
        hull.add({e: float(n) for e, n in Composition(formula).as_dict().items()}, energy)
    phases = [PDEntry(Composition(f), e * Composition(f).num_atoms) for f, e in entries]
    diagram = PhaseDiagram([*phases, *(PDEntry(Composition(x), 0.0) for x in ("Li", "Mn", "O"))])
    for (formula, energy), phase in zip(entries, phases, strict=True):
        counts = {e: float(n) for e, n in Composition(formula).as_dict().items()}
        ours = hull.distance(counts, energy)
        assert ours == pytest.approx(diagram.get_e_above_hull(phase), abs=1e-6)


def test_hosts_are_recognised():
    host = build_cell(Start(NAME, "layered"))
    assert working_ion(host) == "Li"
    assert sorted(without(host, "Li").numbers) == [8, 8, 27]
    salt = build_cell(Start("rock salt|M=Li+1|X=Cl-1", "binary"))
    assert working_ion(salt) == ""


def test_voltage_and_capacity():
    # LiCoO2: 274 mAh/g
    assert capacity(1, 6.94 + 58.93 + 32.0) == pytest.approx(273.8, abs=0.2)
    assert average_voltage(-10.0, -4.0, -1.9, 1) == pytest.approx(4.1)


def test_gates_say_why():
    assert crystal_reason(0.9, -1.0, 12.0) == ""
    assert "covalent radii" in crystal_reason(0.4, -1.0, 12.0)
    assert "not credible" in crystal_reason(0.9, 4.0, 12.0)
    assert host_reason(3.9, -0.05, 0.9) == ""
    assert "volume by +50%" in host_reason(3.9, 0.5, 0.9)
    assert "outside 0 to 6 V" in host_reason(13.65, 0.0, 0.9)


def test_structures_survive_packing():
    cell = build_cell(Start("V2O5|M=V+5|X=O-2", "vanadium oxide"))
    row = packed(cell, "")
    back = unpacked(row["cell"], row["positions"], row["numbers"])
    assert volume(back) == pytest.approx(volume(cell), rel=1e-5)
    gaps = back.positions @ np.linalg.inv(back.lattice)
    gaps -= cell.positions @ np.linalg.inv(cell.lattice)
    gaps -= np.round(gaps)
    assert np.abs(gaps @ cell.lattice).max() < 4e-4
    plain = unpack(json.loads(json.dumps(pack(cell))))
    np.testing.assert_allclose(plain.lattice, cell.lattice, atol=1e-6)


def test_polymorphs_share_a_split():
    assert split_of("LiCoO2") == split_of("LiCoO2")
    shares = [split_of(f"X{k}") for k in range(3000)]
    assert shares.count("train") / 3000 == pytest.approx(0.8, abs=0.03)
    assert shares.count("test") / 3000 == pytest.approx(0.1, abs=0.02)


def test_chunks_stay_the_same_when_a_build_goes_on():
    starts = [Start(f"x|{k}", "") for k in range(3 * build.CHUNK)]
    whole = build.chunks_of(starts)
    assert [len(chunk) for chunk in whole] == [build.CHUNK] * 3
    first = {one.name for one in whole[0]}
    assert build.chunks_of(starts, first) == whole[1:]


def test_torn_lines_of_the_log_are_dropped(tmp_path):
    log = tmp_path / "log.jsonl"
    log.write_text('{"name": "a", "failed": ""}\n{"name": "b", "fai')
    assert list(build.read_log(log)) == ["a"]


@pytest.mark.skipif(not (data.ASSETS / data.TABLE).exists(), reason="no shipped crystals")
class TestShipped:
    def test_labels_are_whole(self):
        table = data.load().table
        assert table["formation_ev"].notna().all()
        assert table["hull_ev"].min() > -1e-5
        assert table["voltage_v"].dropna().between(0, 6).all()
        assert set(table["split"]) == {"train", "calibration", "test"}
        assert not table["name"].duplicated().any()

    def test_no_composition_on_two_sides(self):
        table = data.load().table
        assert (table.groupby("formula", observed=True)["split"].nunique() == 1).all()

    def test_structures_come_back(self):
        known = data.load()
        for row in range(0, len(known), max(1, len(known) // 20)):
            cell = known.cell(row)
            n = len(cell.numbers)
            assert n <= MAX_ATOMS
            stored = known.table.iloc[row]["volume_a3"]
            assert volume(cell) / n == pytest.approx(stored, rel=1e-3)
            assert len(known.magmoms(row)) == n

    @pytest.mark.slow
    def test_labels_are_reproduced(self):
        """A stored crystal has its stored energy: within 5 meV/atom, for a random sample."""
        from genbat.domains.crystals.chgnet_batch import evaluator

        known = data.load()
        rows = np.random.default_rng(0).choice(len(known), 60, replace=False)
        energies = evaluator().energies([known.cell(k) for k in rows])
        for row, energy in zip(rows, energies, strict=True):
            one = known.table.iloc[row]
            assert energy / len(one["numbers"]) == pytest.approx(one["energy_ev"], abs=0.005)
