"""`genbat build library:mattergen` and `map:crystals` on tiny systems, with made-up physics."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from fake_judge import fake_judge
from tiny_crystals import cdvae, corpus, mattergen

from genbat.core import paths
from genbat.domains.crystals import data, physics
from genbat.domains.crystals.structure import from_text, primitive, reduced_formula
from genbat.domains.crystals.table import amounts
from genbat.latent.maps import LatentMap
from genbat.studio import building, judging, library_crystals, registry


@pytest.fixture(autouse=True)
def studio(tmp_path, monkeypatch):
    """A home and assets of their own, tiny systems, and a few known crystals."""
    monkeypatch.setenv("GENBAT_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(paths, "ASSETS", tmp_path / "assets")
    monkeypatch.setattr(physics, "judge_many", fake_judge)
    monkeypatch.setattr(library_crystals, "BLOCK", 24)
    monkeypatch.setattr(library_crystals, "known_cells", lambda: list(corpus().cells[:20]))
    systems = {"cdvae": cdvae(), "mattergen": mattergen()}
    for name, system in systems.items():
        system.card = registry.card(name)
    monkeypatch.setattr(registry, "load", systems.__getitem__)
    return systems


def test_library_rows(studio, tmp_path):
    told = []
    made = library_crystals.make_library(
        studio["mattergen"], log=tmp_path / "log.jsonl", size=8, workers=1,
        progress=lambda fraction, text: told.append(fraction),
    )  # fmt: skip
    assert len(made) == made["text"].nunique() == 8
    assert told == sorted(told)
    drawn = [c.text for c in studio["mattergen"].sample(int(made["index"].max()) + 1, seed=0)]
    for _, row in made.iterrows():
        start, end = from_text(drawn[row["index"]]), from_text(row["text"])
        assert len(start.numbers) % 2 == 0  # the made-up physics fails odd ones
        assert reduced_formula(start) == reduced_formula(end)
        assert row["formation_ev"] == pytest.approx(-0.1 * len(start.numbers), rel=1e-4)
        hull = library_crystals.landscape().hull.energy(amounts(end))
        assert row["hull_ev"] == pytest.approx(row["formation_ev"] - hull, abs=1e-4)
        assert row["kinds"] == len(set(end.numbers.tolist()))
    cells = [primitive(from_text(text)) for text in made["text"]]
    places = np.array(made["latent"].tolist(), "f4")
    np.testing.assert_allclose(places, studio["cdvae"].encode_cells(cells), atol=0.02)
    assert made.attrs["system"] == "mattergen"
    assert made.attrs["draws"] == made["index"].max() + 1


def test_the_noise_is_that_of_the_relaxation(studio, tmp_path):
    log = tmp_path / "log.jsonl"
    made = library_crystals.make_library(studio["mattergen"], log=log, size=4, workers=1)
    drawn = [c.text for c in studio["mattergen"].sample(24, seed=0)]
    asked = [t for t in dict.fromkeys(drawn) if library_crystals._cell(t) is not None]
    for _, row in made.iterrows():
        assert asked.index(drawn[row["index"]]) % judging.CHUNK == row["noise"]


def test_a_stopped_library_asks_nothing_twice(studio, tmp_path, monkeypatch):
    asked = []

    def remember(cells, **options):
        asked.extend(cells)
        return fake_judge(cells)

    monkeypatch.setattr(physics, "judge_many", remember)
    log = tmp_path / "log.jsonl"
    first = library_crystals.make_library(studio["mattergen"], log=log, size=4, workers=1)
    count = len(asked)
    again = library_crystals.make_library(studio["mattergen"], log=log, size=4, workers=1)
    assert len(asked) == count
    pd.testing.assert_frame_equal(first, again)


def test_a_system_with_nothing_new_is_told(studio, tmp_path, monkeypatch):
    monkeypatch.setattr(library_crystals, "MOST", 1)
    (one,) = studio["mattergen"].sample(1)
    parrot = SimpleNamespace(sample=lambda n, seed: [one] * n)
    with pytest.raises(ValueError, match="40 draws gave only"):
        library_crystals.make_library(parrot, log=tmp_path / "log.jsonl", size=40, workers=1)


def test_build_library(studio, tmp_path, monkeypatch):
    monkeypatch.setattr(library_crystals, "SIZE", 3)
    out = building.build("library:cdvae", workers=1)
    assert out == tmp_path / "assets/libraries/cdvae.parquet"
    again = pd.read_parquet(out)
    assert len(again) == 3
    assert again["latent"][0].dtype == np.float16
    assert again.attrs["system"] == "cdvae"


def test_build_map(studio, tmp_path, monkeypatch):
    monkeypatch.setattr(LatentMap, "fit", lambda z: LatentMap(z, z[:, :2].astype("f4"), 0.9))
    found = LatentMap.load(building.build("map:crystals"))
    wanted = studio["cdvae"].encode_cells([primitive(c) for c in corpus().cells[:20]])
    np.testing.assert_allclose(found.latents.astype("f4"), wanted, atol=0.02)


def test_known_crystals_stand_in_the_order_of_their_table(monkeypatch):
    monkeypatch.undo()
    known = data.load()
    cells = library_crystals.known_cells()
    assert len(cells) == len(known)
    for row in (0, len(known) // 2, len(known) - 1):
        assert reduced_formula(cells[row]) == known.table["formula"][row]
