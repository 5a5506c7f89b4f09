"""xTB on three tiny solvents: known orders, invariances, and reasons instead of numbers."""

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from rdkit import Chem

from genbat.core.errors import PhysicsFailed
from genbat.domains.molecules import physics
from genbat.domains.molecules.physics import Geometry

SOLVENTS = {"EC": "O=C1OCCO1", "DMC": "COC(=O)OC", "DME": "COCCOC"}
IMPOSSIBLE = "[C@H]12C[C@@H]1C2"  # a trans-fused bicyclobutane of three-rings
Computed = dict[str, tuple[dict[str, float], Geometry]]


def parse(text: str) -> Chem.Mol:
    return Chem.MolFromSmiles(text)


def bond_lengths(geometry: Geometry) -> np.ndarray:
    return np.linalg.norm(geometry.positions[:, None] - geometry.positions, axis=-1)


@pytest.fixture(scope="module")
def computed() -> Computed:
    return {name: physics.compute(parse(smiles)) for name, smiles in SOLVENTS.items()}


@pytest.mark.parametrize(
    ("key", "rising"),
    [
        ("lumo_ev", ["EC", "DMC", "DME"]),  # reduced first: EC
        ("homo_ev", ["EC", "DMC", "DME"]),
        ("vip_ev", ["DME", "DMC", "EC"]),  # oxidised first: the ether
        ("dipole_d", ["DMC", "EC"]),
    ],
)
def test_solvents_come_in_the_known_order(computed: Computed, key: str, rising: list[str]) -> None:
    values = [computed[name][0][key] for name in rising]
    assert all(a < b for a, b in itertools.pairwise(values))


@pytest.mark.parametrize(
    ("name", "key", "value", "within"),
    [
        ("EC", "homo_ev", -12.38, 0.1),
        ("EC", "lumo_ev", -6.07, 0.1),
        ("EC", "dipole_d", 5.8, 0.2),
        ("EC", "vip_ev", 15.88, 0.2),
        ("DMC", "lumo_ev", -5.82, 0.1),
        ("DME", "homo_ev", -10.85, 0.1),
    ],
)
def test_values_measured_before(
    computed: Computed, name: str, key: str, value: float, within: float
) -> None:
    assert computed[name][0][key] == pytest.approx(value, abs=within)


@pytest.mark.parametrize("name", SOLVENTS)
def test_values_are_consistent(computed: Computed, name: str) -> None:
    values, _ = computed[name]
    assert tuple(values) == physics.COMPUTED
    assert values["homo_ev"] < values["lumo_ev"]
    assert values["gap_ev"] == pytest.approx(values["lumo_ev"] - values["homo_ev"])
    assert values["dipole_d"] >= 0
    assert values["vip_ev"] > 0


@pytest.mark.parametrize("name", SOLVENTS)
def test_geometry_has_all_atoms_and_sane_distances(computed: Computed, name: str) -> None:
    geometry = computed[name][1]
    full = Chem.AddHs(parse(SOLVENTS[name]))
    assert geometry.numbers.tolist() == [a.GetAtomicNum() for a in full.GetAtoms()]
    distances = bond_lengths(geometry)
    assert distances[np.triu_indices_from(distances, 1)].min() > 0.9
    carbonyls = full.GetSubstructMatches(Chem.MolFromSmarts("C=O"))
    assert all(1.15 < distances[pair] < 1.26 for pair in carbonyls)


@pytest.mark.parametrize(
    "move",
    [
        lambda g: Geometry(g.numbers, g.positions + np.array([3.0, -2.0, 7.0])),
        lambda g: Geometry(g.numbers, g.positions @ rotation(4)),
        lambda g: Geometry(g.numbers, -g.positions),
        lambda g: Geometry(g.numbers[::-1].copy(), g.positions[::-1].copy()),
    ],
    ids=["shift", "rotation", "mirror", "permutation"],
)
def test_electronic_is_invariant(computed: Computed, move: Callable[[Geometry], Geometry]) -> None:
    values, geometry = computed["EC"]
    assert physics.electronic(move(geometry)) == pytest.approx(values, abs=1e-3)


def rotation(seed: int) -> np.ndarray:
    q, r = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    q = q * np.sign(np.diag(r))
    return q * np.sign(np.linalg.det(q))


def test_same_seed_same_result(computed: Computed) -> None:
    again, geometry = physics.compute(parse(SOLVENTS["DMC"]))
    values, before = computed["DMC"]
    assert again == pytest.approx(values, abs=1e-6)
    np.testing.assert_allclose(geometry.positions, before.positions, atol=1e-6)


def test_embedding_follows_its_seed() -> None:
    first, same, other = (
        physics.embed(parse("CCOCC"), conformers=1, seed=seed).GetConformer().GetPositions()
        for seed in (7, 7, 8)
    )
    np.testing.assert_array_equal(first, same)
    assert not np.allclose(first, other)


def test_embedding_keeps_one_conformer_and_its_argument() -> None:
    mol = parse("CCOCC")
    full = physics.embed(mol)
    assert full.GetNumConformers() == 1
    assert full.GetNumAtoms() == 15
    assert mol.GetNumConformers() == 0


@pytest.mark.parametrize("step", [physics.embed, physics.optimise, physics.compute])
def test_impossible_structure_gives_a_reason(step: Callable[[Chem.Mol], object]) -> None:
    with pytest.raises(PhysicsFailed, match="no three-dimensional structure"):
        step(parse(IMPOSSIBLE))


def test_too_few_steps_give_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(physics, "MAX_STEPS", 1)
    with pytest.raises(PhysicsFailed, match="not converged after 1 steps"):
        physics.optimise(parse("CCOCC"))


def test_a_broken_bond_gives_a_reason() -> None:
    full = physics.embed(parse("CO"))
    positions = full.GetConformer().GetPositions()
    physics._check_bonds(full, positions)
    positions[1] += 5.0
    with pytest.raises(PhysicsFailed, match="a C-O bond broke"):
        physics._check_bonds(full, positions)


def test_xtb_failure_gives_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    clash = Chem.MolFromXYZBlock("2\n\nC 0 0 0\nC 0 0 0\n")
    monkeypatch.setattr(physics, "embed", lambda mol: clash)
    with pytest.raises(PhysicsFailed, match="GFN2-xTB gave no energy: Too close"):
        physics.optimise(parse("CC"))


def test_xyz_reads_back(computed: Computed) -> None:
    geometry = computed["EC"][1]
    count, comment, *rows = geometry.xyz("EC, GFN2-xTB").splitlines()
    assert (int(count), comment) == (10, "EC, GFN2-xTB")
    table = Chem.GetPeriodicTable()
    cells = [row.split() for row in rows]
    assert [table.GetAtomicNumber(c[0]) for c in cells] == geometry.numbers.tolist()
    positions = np.array([[float(x) for x in c[1:]] for c in cells])
    np.testing.assert_allclose(positions, geometry.positions, atol=1e-5)
    assert Chem.MolFromXYZBlock(geometry.xyz()).GetNumAtoms() == 10


def test_measurements_carry_unit_method_and_kind(computed: Computed) -> None:
    values = computed["EC"][0]
    known = physics.measurements(values)
    assert {k: m.value for k, m in known.items()} == values
    assert {m.kind for m in known.values()} == {"computed"}
    assert {k: m.unit for k, m in known.items()} == physics.UNITS
    assert known["vip_ev"].method.startswith("IPEA1-xTB")
    assert known["lumo_ev"].method.startswith("GFN2-xTB")
    assert set(physics.measurements({"lumo_ev": -1.0})) == {"lumo_ev"}
