"""Aims: what CHGNet finds of what was asked, kept so that the next question aims better."""

from types import SimpleNamespace

import numpy as np
import pytest
from tiny_crystals import corpus

from genbat.domains.crystals.structure import to_text
from genbat.studio import aiming
from genbat.studio.judging import Ruling
from genbat.systems.crystal_corpus import TARGETS
from genbat.systems.mattergen_heads import Heads


class Answering:
    """A system whose crystals turn out at 0.8 of what is aimed at, and 0.3 eV higher."""

    def __init__(self):
        self.network = SimpleNamespace(heads=Heads(84, 8, 2, 4))
        mean, spread = np.nanmean(corpus().values, 0), np.nanstd(corpus().values, 0)
        self.config = SimpleNamespace(adapters=TARGETS, mean=mean, spread=spread)
        self.aims = []

    def sample(self, n, *, condition, seed):
        (name,) = condition.windows
        place = TARGETS.index(name)
        mean, spread = self.config.mean[place], self.config.spread[place]
        wanted = (condition.windows[name].low - mean) / spread
        self.aims.append(self.network.heads.aim(name, wanted) * spread + mean)
        return [SimpleNamespace(text=to_text(corpus().cells[0]))] * 5


def answered(monkeypatch, name):
    system, rng = Answering(), np.random.default_rng(0)

    def rule(cells, log, *, progress):
        value = 0.8 * system.aims[-1] + 0.3
        noise = rng.normal(0, 1e-3, len(cells))
        lost = [Ruling("lost")]
        return [*lost, *(Ruling("", values={name: value + e}) for e in noise[1:])]

    monkeypatch.setattr(aiming, "rule", rule)
    aiming.calibrate(system, name, corpus(), None, lambda fraction, text: None)
    return system, rule


@pytest.mark.parametrize("name", ["formation_ev", "voltage_v"])
def test_after_it_the_median_is_what_was_asked(monkeypatch, name):
    system, rule = answered(monkeypatch, name)
    assert len(system.aims) == len(aiming.QUANTILES)
    place = TARGETS.index(name)
    low, high = np.nanquantile(corpus().values[:, place], [0.2, 0.8])
    for value in np.linspace(low, high, 5):
        asked = aiming.Condition({name: aiming.Window(value, value)})
        made = system.sample(5, condition=asked, seed=0)
        found = np.nanmedian([r.get(name) for r in rule(made, None, progress=None)])
        assert found == pytest.approx(value, abs=0.02)


def test_all_targets_with_an_adapter_are_calibrated():
    system = Answering()
    assert set(aiming.targets_of(system)) == set(TARGETS)
    system.config.adapters = ("hull_ev", "space_group")
    assert aiming.targets_of(system) == ["hull_ev"]


def test_where_nothing_can_be_judged_the_aim_stays(monkeypatch):
    system = Answering()
    monkeypatch.setattr(aiming, "rule", lambda cells, log, *, progress: [Ruling("lost")] * 5)
    aiming.calibrate(system, "voltage_v", corpus(), None, lambda fraction, text: None)
    assert system.network.heads.aim("voltage_v", 0.3) == pytest.approx(0.3, abs=0.05)
