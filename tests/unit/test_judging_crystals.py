"""CHGNet's rulings on many crystals: kept, resumed, and counted by hand."""

from types import SimpleNamespace

import numpy as np
import pytest
from fake_judge import judged
from pymatgen.core import Composition
from tiny_crystals import corpus

from genbat.domains.crystals import physics
from genbat.domains.crystals.catalogue import Catalogue
from genbat.domains.crystals.stability import Landscape
from genbat.domains.crystals.structure import structure_of
from genbat.studio import judging, metrics_stability

__all__ = ["judged"]


def test_rulings_are_kept(judged, tmp_path, monkeypatch):
    monkeypatch.setattr(judging, "CHUNK", 4)
    cells, log = corpus().cells[:10], tmp_path / "deep" / "log.jsonl"
    first = judging.rule(cells[:6], log)
    again = judging.rule([*cells, None, cells[0]], log)
    assert [len(part) for part in judged] == [4, 2, 4]
    assert again[10].failed == "cannot be written as a crystal"
    assert again[11].values == again[0].values == first[0].values
    for cell, ruling in zip(cells, again, strict=False):
        n = len(cell.numbers)
        assert ruling.failed == ("odd" if n % 2 else "")
        if not n % 2:
            assert ruling.values["formation_ev"] == pytest.approx(-0.1 * n)
            assert ruling.moved == pytest.approx(0.01 * n)
            np.testing.assert_allclose(ruling.cell.lattice, cell.lattice, atol=1e-5)
        else:
            assert np.isnan(ruling.get("formation_ev"))


def test_stopped_rulings_go_on(judged, tmp_path, monkeypatch):
    monkeypatch.setattr(judging, "CHUNK", 3)

    def stop(fraction, text):
        if "3 of 6" in text:
            raise KeyboardInterrupt

    cells, log = corpus().cells[:6], tmp_path / "log.jsonl"
    with pytest.raises(KeyboardInterrupt):
        judging.rule(cells, log, progress=stop)
    judging.rule(cells, log)
    assert [len(part) for part in judged] == [3, 3]
    assert len({text for part in judged for text in part}) == 6


@pytest.mark.slow
def test_rulings_are_chgnets():
    cells = corpus().cells[:3]
    truth = dict(physics.judge_many(cells))
    for k, ruling in enumerate(judging.rule(cells)):
        assert ruling.failed == ""
        energy = truth[k].properties["formation_ev"].value
        assert ruling.values["formation_ev"] == pytest.approx(energy, abs=1e-6)
        assert ruling.group == truth[k].group


def test_stable_unique_and_novel_by_hand():
    cells = [c for c in corpus().cells if len(c.numbers) % 2 == 0][:5]
    hull = SimpleNamespace(distance=lambda counts, energy: energy)
    name = Composition(dict.fromkeys(_symbols(cells[4]), 1)).reduced_formula
    land = Landscape(hull, {})
    rulings = [
        judging.Ruling("", cells[0], {"formation_ev": 0.05}, 225, 0.1),
        judging.Ruling("", cells[0], {"formation_ev": 0.06}, 1, 0.3),  # the same again
        judging.Ruling("", cells[1], {"formation_ev": 0.2}, 1, 0.2),  # not stable
        judging.Ruling("", cells[2], {"formation_ev": 0.0}, 2, 0.4),  # known
        judging.Ruling("", cells[3], {"formation_ev": 0.0}, 2, 0.5),
        judging.Ruling("failed"),
    ]
    found = metrics_stability.relaxed_counts(rulings, Catalogue([cells[2]]), land)
    assert found["relaxed"] == 5 / 6
    assert found["displacement_a"] == pytest.approx(0.3)
    assert found["stable"] == 4 / 6
    assert found["sun"] == 2 / 6
    assert found["relaxed_p1"] == 2 / 5
    listed = Landscape(hull, {_formula(cells[3]): (0.005,), name: (0.0,)})
    again = metrics_stability.relaxed_counts(rulings, Catalogue([cells[2]]), listed)
    assert again["sun"] == 1 / 6


def _symbols(cell):
    return [s.specie.symbol for s in structure_of(cell)]


def _formula(cell):
    return structure_of(cell).composition.reduced_formula
