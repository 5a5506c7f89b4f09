"""Measures of generated electrodes: evaluated on toys, formulas counted again."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from test_microvae import volumes

from genbat.domains.microstructures.generator import Recipe, make
from genbat.domains.microstructures.labelling import label
from genbat.domains.microstructures.volume import Volume, to_text
from genbat.studio import evaluation, metrics_micro, training, training_micro

torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GENBAT_HOME", str(tmp_path))
    return tmp_path


class Obedient:
    """A system that makes what is asked, from particles."""

    weights = ""

    def __init__(self, miss=0.0):
        self.miss = miss

    def sample(self, n, *, condition=None, seed=0, progress=None):
        for k in range(n):
            window = condition.windows.get("porosity") if condition else None
            porosity = 0.4 + 0.02 * k if window is None else window.low + self.miss
            yield SimpleNamespace(text=to_text(self.volume(porosity)))

    def volume(self, porosity):
        labels = np.ones(32 * 32 * 32, np.uint8)
        labels[: round(porosity * labels.size)] = 0
        shape = (32, 32, 32)
        return Volume(labels.reshape(shape).transpose(2, 1, 0).copy(), ("pore", "active material"))


def subject(system, n=10):
    return metrics_micro.subject_of(system, volumes(), n, 0)


# ---------------------------------------------------------------------- asked
@pytest.mark.parametrize("miss", [0.0, 0.05])
def test_errors_are_those_that_were_made(miss):
    own = subject(Obedient(miss))
    found = metrics_micro._asked(
        own, "porosity", np.linspace(0.2, 0.6, 10), (0.02, 0.95), relative=False
    )
    assert found["porosity_mae"]["value"] == pytest.approx(miss, abs=1e-4)
    spread = np.var(np.linspace(0.2, 0.6, 10))
    assert found["porosity_r2"]["value"] == pytest.approx(1 - miss**2 / spread, abs=1e-3)
    assert found["porosity_asked_0.20"]["value"] == pytest.approx(0.2 + miss, abs=1e-4)
    blind = np.abs(0.4 + 0.02 * np.arange(10) - np.linspace(0.2, 0.6, 10)).mean()
    assert found["porosity_mae"]["baselines"]["nothing asked"] == pytest.approx(blind, abs=1e-4)


def test_tortuosity_is_taufactors():
    own = subject(Obedient())
    volume = make(Recipe(size=32, porosity=0.5, radius=5.0), 0)
    solid = Volume(np.ones((32, 32, 32), np.uint8), ("pore", "active material"))
    found = metrics_micro._values(own, "tau_z", [volume, solid])
    assert found[0] == pytest.approx(label(volume)["tau_z"], rel=1e-4)
    assert found[1] == np.inf


# ---------------------------------------------------------------------- the others
def test_halves_that_are_alike_are_paired():
    rng = np.random.default_rng(0)
    points = np.repeat(rng.standard_normal((20, 3)), 2, axis=0)
    assert metrics_micro._paired(points + 1e-3 * rng.standard_normal(points.shape)) == 1.0
    assert metrics_micro._paired(rng.standard_normal((2000, 3))) < 0.01


@pytest.mark.parametrize("name", ["microvae", "microgpt"])
def test_a_whole_evaluation(name, tmp_path):
    examples = volumes()
    material = training.Material(examples, examples.splits)
    system = training_micro.learn(name, material, tmp_path / name, preset="tiny").system
    parts = [p for p in evaluation.parts_of(name) if p != "asked"]
    found = evaluation.evaluate(name, n=2, seed=0, system=system, examples=examples, parts=parts)[
        "metrics"
    ]
    assert all(row["value"] is not None for key, row in found.items() if "_r2" not in key)
    assert "porosity_apart" in found
    again = evaluation.evaluate(name, n=2, seed=0, system=system, examples=examples, parts=parts)[
        "metrics"
    ]
    assert again == found


def test_nothing_held_out_is_told():
    own = volumes()
    alone = type(own)(own.labels, own.values, ["train"] * len(own.splits))
    with pytest.raises(ValueError, match="split test"):
        metrics_micro.subject_of(None, alone, 2, 0)
