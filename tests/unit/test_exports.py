"""Exports: complete, read back by other programs, harmless in a spreadsheet."""

import csv
import io
import json

import pytest
from rdkit import Chem

from genbat.core.candidate import Candidate, Verdict
from genbat.core.properties import Measurement
from genbat.core.provenance import Provenance
from genbat.domains.molecules import export as molecules
from genbat.studio.exports import export, formats, safe_cell, write

STORY = Provenance("selfies-vae", "sample", "abc", 7, {"n": 3}, {}, ("CO",), {"torch": "2"})
PROPERTIES = {
    "lumo_ev": Measurement(-6.74, "eV", "GFN2-xTB", "computed"),
    "vip_ev": Measurement(16.3, "eV", "ensemble", "predicted", 0.2),
}


def candidate(text="O=C1OCCO1", name="ethylene carbonate", **more):
    return Candidate(
        text, "molecules", **{"verdict": Verdict(True), "provenance": STORY, "name": name, **more}
    )


FULL = candidate(properties=PROPERTIES, latent=(0.5, -1.0), novel=False)
BARE = candidate("COC(=O)OC", "")


def rows(data):
    return list(csv.DictReader(io.StringIO(data.decode("utf-8"), newline="")))


def molecules_of(data):
    supplier = Chem.SDMolSupplier()
    supplier.SetData(data.decode("utf-8"), removeHs=False)
    return list(supplier)


def test_csv_holds_the_whole_story():
    full, bare = rows(export([FULL, BARE], "csv"))
    assert full["smiles"] == "O=C1OCCO1"
    assert float(full["lumo_ev"]) == -6.74
    assert full["lumo_ev_uncertainty"] == ""
    assert [full[f"vip_ev_{part}"] for part in ("uncertainty", "unit", "method", "kind")] == [
        "0.2",
        "eV",
        "ensemble",
        "predicted",
    ]
    assert Provenance.from_json(json.loads(full["provenance"])) == STORY
    assert full["novel"] == "no"
    assert bare["lumo_ev"] == bare["lumo_ev_unit"] == bare["novel"] == ""


@pytest.mark.parametrize(
    "evil", ["=1+1", "+cmd", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "  =1", "＝1+1", "=HYPERLINK()"]
)
def test_csv_starts_no_formula(evil):
    (row,) = rows(export([candidate(name=evil)], "csv", [{"note": evil, "tags": "fine"}]))
    assert row["name"] == row["note"] == f"'{evil}".replace("\r", "\n")
    assert row["tags"] == "fine"


def test_csv_carriage_returns_begin_no_row():
    (row,) = rows(export([candidate(name="a\r=1+1\r\nb")], "csv"))
    assert row["name"] == "a\n=1+1\nb"


def test_csv_numbers_keep_their_sign():
    (row,) = rows(export([FULL], "csv"))
    assert row["lumo_ev"] == "-6.74"
    assert safe_cell("1 - 2") == "1 - 2"


def test_json_comes_back():
    content = json.loads(export([FULL, BARE], "json", [{"note": "a"}, {"note": "b"}]))
    assert [Candidate.from_json(c) for c in content["candidates"]] == [FULL, BARE]
    assert [c["note"] for c in content["candidates"]] == ["a", "b"]


def test_json_is_strict():
    broken = candidate(properties={"x": Measurement(float("nan"), "", "m", "computed")})
    text = export([broken], "json").decode()
    assert json.loads(text, parse_constant=pytest.fail)["candidates"]


def test_smi():
    assert export([FULL, BARE], "smi").decode() == "O=C1OCCO1 ethylene carbonate\nCOC(=O)OC\n"
    assert export([candidate(name="two\nlines")], "smi").decode().count("\n") == 1


def test_sdf_has_hydrogens_depth_and_fields():
    full, bare = molecules_of(export([FULL, BARE], "sdf", [{"note": "good"}, {"note": ""}]))
    assert full.GetNumAtoms() == 10
    assert full.GetConformer().Is3D()
    assert max(abs(z) for _, _, z in full.GetConformer().GetPositions()) > 0.5
    assert full.GetProp("_Name") == "ethylene carbonate"
    assert full.GetDoubleProp("lumo_ev") == -6.74
    assert full.GetProp("vip_ev_method") == "ensemble"
    assert full.GetProp("geometry") == molecules.FORCE_FIELD
    assert json.loads(full.GetProp("provenance"))["seed"] == 7
    assert full.GetProp("note") == "good"
    assert bare.GetProp("_Name") == "COC(=O)OC"
    assert not bare.HasProp("note")


def test_sdf_falls_back_to_a_flat_drawing(monkeypatch):
    def fail(mol):
        raise molecules.PhysicsFailed("no three-dimensional structure")

    monkeypatch.setattr(molecules.physics, "embed", fail)
    (flat,) = molecules_of(export([FULL], "sdf"))
    assert flat.GetNumAtoms() == 6
    assert not flat.GetConformer().Is3D()
    assert flat.GetProp("geometry") == molecules.FLAT


def test_sdf_users_cannot_end_a_record():
    evil = "first\n\n$$$$\n> <lumo_ev>\n-99"
    found = molecules_of(export([candidate(name=evil), BARE], "sdf", [{"note": evil}, {}]))
    assert len(found) == 2
    assert not found[0].HasProp("lumo_ev")
    assert found[0].GetProp("note") == "first $$$ $ > <lumo_ev> -99"


def test_sdf_keeps_what_is_no_molecule():
    broken, fine = molecules_of(export([candidate("C1CC"), FULL], "sdf"))
    assert broken.GetNumAtoms() == 0
    assert "cannot be read" in broken.GetProp("geometry")
    assert fine.GetNumAtoms() == 10


def test_legal_formats_are_named():
    assert formats("molecules") == ["csv", "json", "sdf", "smi"]
    with pytest.raises(ValueError, match=r"format: got 'cif'.*'csv', 'json', 'sdf', 'smi'"):
        export([FULL], "cif")
    with pytest.raises(ValueError, match="domain: got 'moons'"):
        formats("moons")
    with pytest.raises(ValueError, match="candidates: got none"):
        export([], "csv")
    with pytest.raises(ValueError, match="extras: got 1 for 2"):
        export([FULL, BARE], "csv", [{}])


@pytest.mark.parametrize("ending", ["csv", "json", "smi", "sdf", "CSV"])
def test_write_takes_the_format_from_the_ending(tmp_path, ending):
    file = tmp_path / f"out.{ending}"
    write([FULL, BARE], file)
    assert file.read_bytes() == export([FULL, BARE], ending.lower())
    assert [f.name for f in tmp_path.iterdir()] == [file.name]


def test_write_names_the_legal_endings(tmp_path):
    with pytest.raises(ValueError, match=r"xyz.*csv.*json.*sdf.*smi"):
        write([FULL], tmp_path / "out.xyz")
    assert list(tmp_path.iterdir()) == []


def test_write_makes_a_folder_with_a_table(tmp_path):
    evil = candidate("COC", "../../etc/passwd\n<b>")
    broken = candidate("C(", "", verdict=Verdict(False, ("cannot be read",)))
    write([FULL, evil, BARE, broken], tmp_path / "out")
    names = {f.name for f in (tmp_path / "out").iterdir()}
    files = ["0001_ethylene_carbonate.sdf", "0002_etc_passwd_b.sdf", "0003.sdf", ""]
    assert names == {*files, "candidates.csv"} - {""}
    table = rows((tmp_path / "out" / "candidates.csv").read_bytes())
    assert [row["file"] for row in table] == files
    assert [row["valid"] for row in table] == ["yes", "yes", "yes", "no"]
    assert table[3]["reasons"] == "cannot be read"
    assert Provenance.from_json(json.loads(table[0]["provenance"])) == STORY
    first = molecules_of((tmp_path / "out" / files[0]).read_bytes())
    assert len(first) == 1
    assert first[0].GetProp("SMILES") == FULL.text


def test_write_fills_a_folder_that_is_there(tmp_path):
    write([FULL], tmp_path)
    write([FULL], tmp_path)
    assert {f.name for f in tmp_path.iterdir()} == {"0001_ethylene_carbonate.sdf", "candidates.csv"}
