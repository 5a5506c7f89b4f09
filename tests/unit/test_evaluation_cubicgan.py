"""`genbat train` and `genbat evaluate` of cubicgan: own files, what is counted, baselines."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from test_cubicgan import PEROVSKITE, cells, crystals, system

from genbat.domains.crystals.structure import to_text
from genbat.domains.crystals.symmetric import Orbit, built, described
from genbat.studio import evaluation, metrics_cubicgan, registry, training
from genbat.systems import crystal_corpus
from genbat.systems.cubicgan import CubicGAN

__all__ = ["cells", "crystals", "system"]


def test_command_trains_and_goes_on(cells, tmp_path, monkeypatch):
    monkeypatch.setenv("GENBAT_HOME", str(tmp_path))
    own = tmp_path / "mine.cif"
    own.write_text("".join(to_text(c) + "\n" for c in cells[:24]))
    folder = training.train("cubicgan", "tiny", own)
    first = CubicGAN.load(folder)
    assert first.config.steps_trained == 3
    training.train("cubicgan", "tiny", own, minutes=0)
    again = CubicGAN.load(training.train("cubicgan", "tiny", own, start=folder.parent))
    for name, value in first.network.state_dict().items():
        assert torch.equal(value, again.network.state_dict()[name]), name


def test_measures(system, cells):
    held = crystal_corpus.make(
        cells, np.zeros(len(cells), int), np.full((len(cells), 3), np.nan),
        ["train"] * (len(cells) - 5) + ["test"] * 5,
    )  # fmt: skip
    system.card = registry.card("cubicgan")
    found = evaluation.evaluate("cubicgan", 4, 0, parts=["asked"], system=system, examples=held)[
        "metrics"
    ]
    json.dumps(found, allow_nan=False)
    assert found["valid_asked"]["bar"] == 0.95
    assert found["rediscovered"]["bar"] == 0.30
    assert found["edge_error"]["bar"] == 0.03
    assert 1 <= found["asked_crystals"]["value"] <= 4
    for entry in (found["valid_asked"], found["rediscovered"]):
        assert 0 <= entry["value"] <= 1


def test_edges_by_regression():
    """Edges that follow the sum of radii exactly are found by the regression, not by the mean."""
    names = [("Li", "Ti"), ("Na", "Ti"), ("K", "Zr"), ("Na", "Zr")]
    known = [
        replace(PEROVSKITE, orbits=(Orbit(a, "b"), Orbit(b, "a"), Orbit("O", "d")))
        for a, b in names
    ]
    known = [replace(c, cell=(1 + 0.7 * sum(metrics_cubicgan.radii_of(c)),)) for c in known]
    found = metrics_cubicgan.regressions(known[:3], known[3:])
    assert found["regression on the sum of radii"] == pytest.approx(0, abs=1e-9)
    mean = np.mean([c.cell[0] for c in known[:3]])
    assert found["mean of the prototype"] == pytest.approx(abs(mean / known[3].cell[0] - 1))
    other = replace(known[3], group=225)
    assert metrics_cubicgan.regressions(known[:3], [other])["mean of the prototype"] != 0


def test_answers_are_counted_by_group_elements_and_structure():
    cell = built(PEROVSKITE)
    answer = metrics_cubicgan.Answer(described(cell), cell, [cell, None], [], [])
    assert metrics_cubicgan._valid(answer, [cell, None]) == 0.5
    assert metrics_cubicgan._found(answer, [None, cell])
    assert not metrics_cubicgan._found(answer, [None])
    assert metrics_cubicgan._edge_error(answer) == pytest.approx(0, abs=1e-6)
    wide = replace(answer, made=[built(replace(PEROVSKITE, cell=(3.9 * 1.05,)))])
    assert metrics_cubicgan._edge_error(wide) == pytest.approx(0.05)
    assert np.isnan(metrics_cubicgan._edge_error(replace(answer, made=[None])))
