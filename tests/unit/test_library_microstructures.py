"""Libraries of volumes: new ones only, measured, with places, resumable."""

from types import SimpleNamespace

import numpy as np
import pytest
from test_microvae import system, volumes

from genbat.core.candidate import Verdict
from genbat.domains.microstructures.generator import Recipe, make
from genbat.domains.microstructures.labelling import label
from genbat.domains.microstructures.texts import read
from genbat.domains.microstructures.volume import to_text
from genbat.studio import library_microstructures as shelf


class Maker:
    """Every second volume of it lacks a phase."""

    card = SimpleNamespace(name="toy")
    weights = "w"

    def sample(self, n, *, seed=0):
        for k in range(n):
            text = to_text(make(Recipe(size=32, radius=5.0), k))
            yield SimpleNamespace(text=text, verdict=Verdict(k % 2 == 0))


def test_whole_volumes_are_kept_with_their_numbers_and_labels(tmp_path):
    log = tmp_path / "log.jsonl"
    table = shelf.make_library(Maker(), log=log, size=3, workers=1, reference=system())
    assert table["index"].tolist() == [0, 2, 4]
    wanted = label(read(table["text"][1]))
    assert table["porosity"][1] == pytest.approx(wanted["porosity"], rel=1e-5)
    assert table["tau_z"][1] == pytest.approx(wanted["tau_z"], rel=1e-4)
    assert np.stack(table["latent"]).shape == (3, system().config.latent)
    lines = log.read_text().count("\n")
    again = shelf.make_library(Maker(), log=log, size=3, workers=1, reference=system())
    assert log.read_text().count("\n") == lines == 3
    assert again["tau_x"].tolist() == table["tau_x"].tolist()


def test_a_system_with_little_to_say_is_told(tmp_path):
    class Empty(Maker):
        def sample(self, n, *, seed=0):
            yield SimpleNamespace(text="", verdict=Verdict(False))

    with pytest.raises(ValueError, match="only 0 of 3"):
        shelf.make_library(Empty(), log=tmp_path / "l", size=3, workers=1, reference=system())


def test_known_ones_are_placed_in_their_order(monkeypatch):
    own = volumes()
    monkeypatch.setattr(shelf, "volumes", lambda folder: own.labels)
    table = SimpleNamespace(table={"seed": np.array([4, 1, 2])})
    monkeypatch.setattr(shelf.data, "load", lambda: table)
    points = shelf.known_latents(system())
    assert np.allclose(points, system().encode_volumes(
        [shelf.Volume(own.labels[k]) for k in (4, 1, 2)]), atol=1e-6)  # fmt: skip
