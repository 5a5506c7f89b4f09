"""From the log's rows to the shipped table, and known phases into the hull."""

import io
import tarfile

import numpy as np
import pandas as pd
import pytest
from pymatgen.core import Lattice, Structure

from genbat.domains.crystals import data, known_phases
from genbat.domains.crystals.candidates import Start, build_cell
from genbat.domains.crystals.hosts import without
from genbat.domains.crystals.labelling import label_many, pack
from genbat.domains.crystals.references import element_energy
from genbat.domains.crystals.relax import perturbed
from genbat.domains.crystals.table import DUPLICATE, amounts, formation, make_table

NAMES = ("o3|A=Li+1|M=Co+3|X=O-2", "o1|A=Li+1|M=Ti+3|X=S-2", "rock salt|M=Mg+2|X=O-2")


def row(name, formation_ev=-1.5, voltage=3.9, seed=None, **more):
    """A row as the build writes it, with energies that give these labels."""
    cell = build_cell(Start(name, ""))
    if seed is not None:
        cell = perturbed(cell, seed, 0.002, 0.003)
    n = len(cell.numbers)
    counts = amounts(cell)
    zero = sum(k * element_energy(e) for e, k in counts.items()) / n
    made = {"name": name, "family": "test", "failed": "", "steps": 9, **pack(cell)}
    made |= {"energy": zero + formation_ev, "r2scan": -11.0, "fmax": 0.02, "group": 1,
             "magmoms": [0.5] * n, "closest": 0.9}  # fmt: skip
    if "Li" in counts and counts.get("Co"):
        empty = without(cell, "Li")
        m = len(empty.numbers)
        energy = (made["energy"] * n - element_energy("Li") + voltage) / m
        fields = {**pack(empty), "failed": "", "energy": energy, "r2scan": -12.0, "group": 1,
                  "closest": 0.9, "magmoms": [0.0] * m}  # fmt: skip
        made |= {"ion": "Li"} | {f"empty_{k}": v for k, v in fields.items()}
    return made | more


@pytest.fixture
def rows():
    twin = row(NAMES[0], seed=1) | {"name": NAMES[0] + "|ideal"}
    high = row(NAMES[1], formation_ev=5.0)
    bad = {"name": "x|1", "family": "test", "failed": "the cell has collapsed", "steps": 3}
    found = [row(NAMES[0]), twin, high, row(NAMES[2], formation_ev=-3.0), bad]
    return {one["name"]: one for one in found}


def test_table_of_a_log(rows, tmp_path):
    out = make_table(rows, tmp_path / "t.parquet")
    known = data.load(out)
    assert sorted(known.table["name"]) == [NAMES[0], NAMES[2]]
    host = known.table.iloc[known.row_of[NAMES[0]]]
    assert host["voltage_v"] == pytest.approx(3.9, abs=1e-3)
    assert host["formula"] == "LiCoO2"
    assert host["formation_ev"] == pytest.approx(-1.5, abs=1e-4)
    assert host["hull_ev"] == 0
    assert list(known.empty(known.row_of[NAMES[0]]).numbers.tolist()) != []
    assert known.empty(known.row_of[NAMES[2]]) is None
    assert known.measurements(0)["formation_ev"].unit == "eV/atom"
    reasons = data.attempted(out).set_index("name")["failed"]
    assert reasons[NAMES[0] + "|ideal"] == DUPLICATE
    assert "not credible" in reasons[NAMES[1]]
    assert reasons["x|1"] == "the cell has collapsed"


def test_other_phases_raise_the_hull_distance(rows, tmp_path):
    others = [({"Mg": 1.0, "O": 1.0}, -3.2)]
    table = data.load(make_table(rows, tmp_path / "t.parquet", others=others)).table
    oxide = table[table["formula"] == "MgO"].iloc[0]
    assert oxide["hull_ev"] == pytest.approx(0.2, abs=1e-4)


def test_a_table_grows(rows, tmp_path):
    names = list(rows)
    first = make_table({n: rows[n] for n in names[:3]}, tmp_path / "a.parquet")
    both = make_table(
        {n: rows[n] for n in names[3:]}, tmp_path / "b.parquet", known=pd.read_parquet(first)
    )
    whole = pd.read_parquet(make_table(rows, tmp_path / "c.parquet"))
    grown = pd.read_parquet(both)
    assert list(grown["name"]) == list(whole["name"])
    assert list(grown["failed"]) == list(whole["failed"])
    np.testing.assert_allclose(grown["hull_ev"], whole["hull_ev"], atol=1e-6)


def test_absurd_voltages_are_not_shown(tmp_path):
    wild = row(NAMES[0], voltage=13.65)
    table = data.load(make_table({wild["name"]: wild}, tmp_path / "t.parquet")).table
    assert np.isnan(table.iloc[0]["voltage_v"])
    assert "13.65 V is outside" in table.iloc[0]["host_failed"]


def test_formation_energy_of_an_element_is_zero():
    assert formation(element_energy("Mg"), {"Mg": 2.0}) == pytest.approx(0)


def test_labels_of_two_starts():
    host, salt = label_many([Start(NAMES[0], "layered"), Start(NAMES[2], "binary")])
    assert host["ion"] == "Li"
    assert not host["failed"]
    assert not host["empty_failed"]
    assert {"energy", "r2scan", "group", "closest", "empty_energy", "empty_r2scan"} <= set(host)
    assert "ion" not in salt


def test_known_phases_are_read_and_relaxed(tmp_path):
    salt = Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.25), ["Mg", "O"],
                                     [[0, 0, 0], [0.5, 0.5, 0.5]])  # fmt: skip
    text = salt.to(fmt="cif").encode()
    archive = tmp_path / "cifs.tar.xz"
    with tarfile.open(archive, "w:xz") as files:
        info = tarfile.TarInfo("a/mp-1265.cif")
        info.size = len(text)
        files.addfile(info, io.BytesIO(text))
    ((name, cell),) = known_phases.read_cells(archive)
    assert name == "mp-1265"
    assert len(cell.numbers) == 2
    log = known_phases.relax_known(archive, tmp_path / "log.jsonl")
    table = known_phases.hull_entries(log)
    ((counts, energy),) = known_phases.as_entries(table)
    assert counts == {"Mg": 1.0, "O": 1.0}
    assert energy == pytest.approx(-3.0, abs=0.2)
    known_phases.relax_known(archive, log)  # nothing left to do
    assert len(log.read_text().splitlines()) == 1
