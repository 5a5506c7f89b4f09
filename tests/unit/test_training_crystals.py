"""`genbat train` of the crystal systems: own files, splits, going on, what the card says."""

import csv
import json
import lzma
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny_crystals import corpus

from genbat.domains.crystals.splits import split_of
from genbat.domains.crystals.structure import reduced_formula, to_text
from genbat.studio import registry, training, training_crystals
from genbat.systems.cdvae import CDVAE
from genbat.systems.crystal_corpus import Corpus
from genbat.systems.mattergen import MatterGen
from genbat.systems.unimat import UniMat


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GENBAT_HOME", str(tmp_path))
    return tmp_path


def written(path, cells):
    """A CSV with a column cif, compressed where its name says so."""
    opener = lzma.open if path.suffix == ".xz" else open
    with opener(path, "wt", encoding="utf-8", newline="") as lines:
        rows = csv.writer(lines)
        rows.writerow(["material_id", "cif"])
        rows.writerows([k, to_text(cell)] for k, cell in enumerate(cells))
    return path


@pytest.fixture
def own(tmp_path):
    return written(tmp_path / "mine.csv.xz", corpus().cells[:40])


def test_own_csv_is_split_by_composition(own):
    found, bad = training_crystals.read_own(own)
    assert bad == 0
    assert len(found) == 40
    assert isinstance(found, Corpus)
    assert np.isnan(found.values).all()
    assert list(found.splits) == [split_of(reduced_formula(c)) for c in found.cells]


def test_polymorphs_of_one_composition_fall_on_all_sides():
    """Carbon-24 holds one composition: a split by it would leave nothing to train on."""
    part = corpus().part(list(range(40)))
    carbon = [replace(c, numbers=np.full_like(c.numbers, 6)) for c in part.cells]
    found = training_crystals.resplit(replace(part, cells=carbon))
    assert {"train", "test"} <= set(found.splits)
    assert 0.6 < np.mean([s == "train" for s in found.splits]) < 0.95
    assert training_crystals.resplit(replace(part.part([0]), splits=["test"])).splits == ["train"]


def test_own_cif(tmp_path):
    path = tmp_path / "mine.cif"
    broken = "data_broken\n_cell_length_a x\n"
    path.write_text("".join(to_text(c) + "\n" for c in corpus().cells[:3]) + broken)
    found, bad = training_crystals.read_own(path)
    assert (len(found), bad) == (3, 1)


@pytest.mark.parametrize(
    ("name", "text", "part"),
    [
        ("mine.csv", "smiles\nC\n", "mine.csv: has no column cif"),
        ("mine.csv", "cif\nnonsense\n", "mine.csv, row 2"),
        ("mine.csv", "cif\n", "mine.csv"),
        ("mine.cif", "data_x\nnothing\n", "mine.cif"),
    ],
)
def test_own_data_without_a_good_crystal(tmp_path, name, text, part):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(ValueError, match=part):
        training.train("cdvae", "tiny", path)


@pytest.mark.parametrize(
    ("name", "cls"), [("cdvae", CDVAE), ("mattergen", MatterGen), ("unimat", UniMat)]
)
def test_training_on_own_data(own, home, name, cls):
    threads, told = torch.get_num_threads(), []
    folder = training.train(name, "tiny", own, progress=lambda f, text: told.append(f))
    assert torch.get_num_threads() == threads
    assert told == sorted(told)
    assert folder == home / f"training/{name}-tiny-mine/finished"
    system = cls.load(folder)
    assert system.config.steps_trained == 20
    count = json.loads((folder / "card.json").read_text())["parameters"]
    assert count == sum(p.numel() for p in system.network.parameters())
    card = (folder / "card.md").read_text()
    for part in (registry.card(name).paper, "40 crystals of the user's own file mine.csv.xz",
                 "20 steps", f"genbat train {name} --data", "Limits", "MIT"):  # fmt: skip
        assert part in card
    assert "scaffold" not in card
    assert sum(c.text.startswith("data_") for c in system.sample(3)) == 3


def test_adapters_are_those_whose_property_is_known(own):
    unknown, _ = training_crystals.read_own(own)
    assert training_crystals.known_adapters(unknown) == ("space_group", "elements")
    assert "voltage_v" in training_crystals.known_adapters(corpus())


def test_going_on_from_a_checkpoint_ends_as_if_never_stopped(own):
    whole = training.train("cdvae", "tiny", own)
    whole_state = CDVAE.load(whole).network.state_dict()
    checkpoint = whole.parent
    stopped = training.train("cdvae", "tiny", own, minutes=0)
    assert CDVAE.load(stopped).config.steps_trained == 1
    again = training.train("cdvae", "tiny", own, start=checkpoint)
    system = CDVAE.load(again)
    assert system.config.steps_trained == 20
    for key, value in system.network.state_dict().items():
        assert torch.equal(value, whole_state[key]), key


@pytest.mark.parametrize(
    ("name", "cls"), [("cdvae", CDVAE), ("mattergen", MatterGen), ("unimat", UniMat)]
)
def test_going_on_from_finished_weights_keeps_their_scales(own, tmp_path, name, cls):
    first = training.train(name, "tiny", own)
    moved = first.rename(tmp_path / "moved")
    other = written(tmp_path / "other.csv", corpus().cells[20:60])
    system = cls.load(training.train(name, "tiny", other, start=moved, minutes=0))
    assert system.config.scale == cls.load(moved).config.scale
    assert system.config.steps_trained == 21  # those before count too


def test_shipped_crystals_must_be_there(monkeypatch, tmp_path):
    monkeypatch.setattr("genbat.core.paths.ASSETS", tmp_path)
    with pytest.raises(ValueError, match="genbat build crystals"):
        training.train("cdvae", "tiny")


def test_cards_read_the_modules_own_words(own):
    folder = training.train("mattergen", "tiny", own, minutes=0)
    said = (folder / "card.md").read_text()
    assert (sys.modules["genbat.systems.mattergen"].__doc__ or "").strip() in said
