"""Polymers: tokens, tables, splits that no near copy crosses."""

import numpy as np
import pandas as pd
import pytest

from genbat.core import paths
from genbat.domains.polymers import data
from genbat.domains.polymers.repeat_unit import normal
from genbat.domains.polymers.tokens import END, PAD, Vocabulary, split

UNITS = ["[Cu]CCO[Au]", "O=C([Au])OCCO[Cu]", "[Cu]CCSC(=O)N[Au]", "FC(F)(F)CN(CC[Cu])C(=O)[Au]"]


# ---------------------------------------------------------------------- tokens
def test_tokens_are_atoms_and_marks():
    assert split("[Cu]CCl(=O)c1%12[Si][Au]") == [
        "[Cu]", "C", "Cl", "(", "=", "O", ")", "c", "1", "%12", "[Si]", "[Au]",
    ]  # fmt: skip
    for wrong in ("CC?", "C C", "[Cu", "Xe"):
        with pytest.raises(ValueError, match="no part of one"):
            split(wrong)


def test_texts_come_back_from_their_numbers():
    known = Vocabulary.of(UNITS, said=("<low>", "<high>"))
    assert known.tokens[:4] == (PAD, END, "<low>", "<high>")
    for text in UNITS:
        numbers = known.numbers(text)
        assert min(numbers) >= 4
        assert known.text([*numbers, 1, 7, 7]) == text == known.text([*numbers, 0, 7])
    with pytest.raises(ValueError, match=r"'P' is not known here; legal are .*\[Cu\]"):
        known.numbers("[Cu]CP[Au]")


# ---------------------------------------------------------------------- tables
def write(tmp_path, rows):
    file = tmp_path / "mine.csv"
    pd.DataFrame(rows).to_csv(file, index=False)
    return file


def test_the_same_polymer_is_one_row_with_the_mean(tmp_path):
    rows = [
        {"smiles": "[Cu]CCO[Au]", "conductivity": 1e-4, "transference_number": 0.2},
        {"smiles": "[Cu]OCC[Au]", "conductivity": 1e-6, "transference_number": np.nan},
        {"smiles": "rubbish", "conductivity": 1e-6},
        {"smiles": "[Cu]CCS[Au]", "conductivity": -1.0},
    ]
    found = data.read(write(tmp_path, rows))
    assert found.table["text"].tolist() == [normal(rows[k]["smiles"]).text for k in (0, 3)]
    assert found.table["log_conductivity"][0] == pytest.approx(-5.0)
    assert found.table["transference"][0] == pytest.approx(0.2)
    assert np.isnan(found.table["log_conductivity"][1])
    assert len(found.bad) == 1 and found.bad[0].startswith("line 4: unit: 'rubbish'")


@pytest.mark.parametrize(
    ("rows", "named"),
    [([{"smiles": "x"}], "no row can be used; line 2"), ([{"a": 1}], "no column smiles; it has a")],
)
def test_tables_that_hold_nothing_are_told(tmp_path, rows, named):
    with pytest.raises(ValueError, match=rf"mine\.csv: .*{named}|mine\.csv: {named}"):
        data.read(write(tmp_path, rows))


def test_a_file_that_is_none(tmp_path):
    (tmp_path / "mine.csv").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(ValueError, match=r"mine\.csv"):
        data.read(tmp_path / "mine.csv")


# ---------------------------------------------------------------------- splits
def test_lengths_of_spacers_share_a_scaffold():
    short, long, other = (data.scaffold_of(normal(t)) for t in
                          ("[Cu]CCO[Au]", "[Cu]CCCO[Au]", "[Cu]CCS[Au]"))  # fmt: skip
    assert short == long != other
    assert data.split_of(short) == data.split_of(long)


def test_splits_have_their_shares():
    found = [data.split_of(f"scaffold {k}") for k in range(4000)]
    shares = [found.count(name) / 4000 for name in data.SPLITS]
    assert shares == pytest.approx([0.8, 0.1, 0.1], abs=0.02)


@pytest.mark.skipif(paths.beside() is None, reason="the simulated table does not ship")
def test_the_simulated_table():
    found = data.simulated()
    assert len(found.table) == 6025 and not found.bad
    parts = [set(found.rows(name)["scaffold"]) for name in data.SPLITS]
    assert not parts[0] & parts[2] and not parts[1] & parts[2]


@pytest.mark.skipif(paths.beside() is None, reason="the measured table does not ship")
def test_a_salt_is_the_same_however_it_is_spelt():
    found = data.measured()
    assert len(found) > 75  # one spelling alone gives 60
