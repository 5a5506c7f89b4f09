"""What is kept of the training crystals is what was found."""

import json

import numpy as np
import pytest
from tiny_crystals import corpus

from genbat.domains.crystals.symmetric import described
from genbat.systems import crystal_cache
from genbat.systems.by_symmetry import symmetric


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GENBAT_HOME", str(tmp_path))


def test_crystals_come_back_from_arrays_bit_for_bit():
    cells = corpus().cells
    back = crystal_cache.unpacked(crystal_cache.packed(cells))
    assert len(back) == len(cells)
    for one, two in zip(cells, back, strict=True):
        for name in ("numbers", "positions", "lattice"):
            np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


def test_arrays_are_made_once_and_anew_when_a_file_changes(tmp_path):
    file, made = tmp_path / "a", []
    file.write_text("one")

    def make():
        made.append(1)
        return {"x": np.arange(3) + len(made), "names": np.array(["train", "held out"])}

    first, second = (crystal_cache.cells_of_files([file], make) for _ in range(2))
    assert len(made) == 1 and second["x"].tolist() == first["x"].tolist() == [1, 2, 3]
    assert second["names"].tolist() == ["train", "held out"]
    file.write_text("two")
    assert crystal_cache.cells_of_files([file], make)["x"].tolist() == [2, 3, 4]


def test_symmetry_is_found_once_and_the_same(monkeypatch):
    own = corpus()
    rows = own.training_rows()
    known = []
    for k in rows:
        try:
            known.append(described(own.cells[k]))
        except ValueError:
            continue
    assert symmetric(own, rows) == known and known
    monkeypatch.setattr(crystal_cache, "described", None)  # would be called again
    assert symmetric(own, rows) == known


def test_a_crystal_without_symmetry_is_not_asked_again(tmp_path, monkeypatch):
    def none(cell):
        raise ValueError("none")

    monkeypatch.setattr(crystal_cache, "described", none)
    assert symmetric(corpus(), [0, 1]) == []
    (log,) = (tmp_path / "cache").glob("symmetries-*.jsonl")
    assert [json.loads(line)["symmetry"] for line in log.read_text().splitlines()] == [None, None]
    monkeypatch.setattr(crystal_cache, "described", None)
    assert symmetric(corpus(), [0, 1]) == []
