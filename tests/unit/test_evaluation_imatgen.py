"""`genbat evaluate imatgen` and the measures that all crystal systems share, on toys."""

import json

import numpy as np
import pandas as pd
import pytest
from fake_judge import judged
from sklearn.metrics import roc_auc_score
from tiny_crystals import cdvae, corpus
from tiny_oxides import imatgen, oxides

from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.codec import turned
from genbat.domains.crystals.similarity import same_structure
from genbat.domains.crystals.structure import from_text, structure_of
from genbat.domains.crystals.swaps import replaced
from genbat.studio import (
    comparison,
    evaluation,
    metrics_distribution,
    metrics_imatgen,
    metrics_phonons,
    metrics_stability,
    registry,
    training,
)
from genbat.studio.metrics_crystals import RESAMPLED, SUBSTITUTED, valid_of
from genbat.studio.metrics_imatgen import (
    AS_MADE,
    BY_FORMULA,
    BY_VOLUME,
    area,
    met,
    of_formulas,
    put_in,
    subject_of,
)

__all__ = ["judged"]


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GENBAT_HOME", str(tmp_path))


@pytest.fixture
def embedded(monkeypatch):
    """CHGNet's embeddings made cheaply: how often each element stands in a crystal."""
    monkeypatch.setattr(
        metrics_distribution,
        "embeddings",
        lambda cells: np.array([np.bincount(c.numbers, minlength=84)[:84] for c in cells], float),
    )


def run(*parts, n=6):
    whole = evaluation.evaluate("imatgen", n, 0, parts=parts, system=imatgen(), examples=oxides())
    json.dumps(whole, allow_nan=False)
    return whole["metrics"]


def test_images_lead_back():
    found = run("images", n=8)
    assert found["image_recovery"]["value"] == 1.0
    assert (found["image_recovery"]["bar"], found["latent_recovery"]["bar"]) == (0.8, 0.5)
    held = oxides().part(oxides().rows("test")).cells
    back = imatgen().decode_cells(imatgen().encode_cells(held))
    same = np.mean([same_structure(a, b) for a, b in zip(held, back, strict=True)])
    assert found["latent_recovery"]["value"] == same
    assert len(found["latent_recovery"]["baselines"]) == 2


def test_area_as_scikit_learn_has_it():
    rng = np.random.default_rng(0)
    scores, truth = rng.integers(0, 6, 40).astype(float), rng.integers(0, 2, 40).astype(float)
    assert area(scores, truth) == pytest.approx(roc_auc_score(truth, scores))
    assert area(np.append(scores, 9.0), np.append(truth, np.nan)) == pytest.approx(
        roc_auc_score(truth, scores)
    )
    assert np.isnan(area(scores, np.ones(40)))


def test_classifier():
    found = run("classifier")["stability_auc"]
    assert set(found["baselines"]) == {BY_VOLUME, BY_FORMULA}
    held = oxides().part(oxides().rows("test"))
    truth = held.values[:, 1] <= 0.2
    if 0 < truth.sum() < len(truth):
        told = imatgen().stability(imatgen().encode_cells(held.cells))
        assert found["value"] == pytest.approx(roc_auc_score(truth, told))
    assert found["bar"] == 0.9


def test_other_crystals_with_the_pair_put_in():
    made = list(put_in((23, 8), 5, 0))
    assert all(set(c.numbers.tolist()) == {23, 8} for c in made)
    again = list(put_in((23, 8), 5, 0))
    assert all(np.array_equal(a.positions, b.positions) for a, b in zip(made, again, strict=True))
    shortest = [min(structure_of(c).get_neighbor_list(4.0)[3], default=9) for c in made]
    assert min(shortest) > 1.2  # rescaled: no metal's distances of twice the size, no overlap


def test_baselines_are_of_the_pair_only_where_the_corpus_is():
    mine = subject_of(imatgen(), oxides(), 4, 0)
    assert all(set(c.numbers.tolist()) == {23, 8} for c in mine.others()[SUBSTITUTED])
    other = subject_of(imatgen(), corpus(), 4, 0)
    assert {z for c in other.others()[SUBSTITUTED] for z in c.numbers.tolist()} != {23, 8}


def test_rediscovery(judged, monkeypatch):
    monkeypatch.setattr(metrics_imatgen, "SEARCHED", 4)
    found = run("rediscovery")["rediscovered"]
    assert found["bar"] == 5
    assert 0 <= found["value"] <= 10
    assert set(found["baselines"]) == {AS_MADE, RESAMPLED, SUBSTITUTED}
    types = oxides().cells[:3]
    assert met(types, [None, turned(types[1], 2)]) == [False, True, False]
    others = replaced(types[1], {"V": "Ti"})
    double = Cell(np.tile(types[1].numbers, 2), np.tile(types[1].positions, (2, 1)), np.eye(3))
    kept = of_formulas([None, others, double], types)
    assert [len(cell.numbers) for cell in kept] == [len(double.numbers)]


# ---------------------------------------------------------------------- shared by all systems
def test_distribution(embedded):
    found = run("distribution")
    assert set(found) == {"space_group_js", "volume_mmd", "density_mmd", "chgnet_frechet",
                          "diversity", "elements", "space_groups", "seconds_valid"}  # fmt: skip
    assert found["space_group_js"]["real"] is not None
    cells = [from_text(c.text) for c in imatgen().sample(6, seed=0)]
    if valid_of(cells):
        assert found["seconds_valid"]["value"] > 0
        assert found["elements"]["value"] == pytest.approx(2.0)  # each holds V and O
    for name in (RESAMPLED, SUBSTITUTED):
        assert found["seconds_valid"]["baselines"][name] is None


def test_crystals_compared(embedded, judged, monkeypatch, tmp_path):
    monkeypatch.setattr(metrics_stability, "REAL", 3)
    monkeypatch.setattr(metrics_phonons, "lowest_frequency", lambda cell: -0.2)
    systems = {"cdvae": cdvae(), "imatgen": imatgen()}
    monkeypatch.setattr(registry, "trained", lambda name: name in systems)
    monkeypatch.setattr(registry, "load", systems.__getitem__)
    material = training.Material(corpus(), corpus().splits)
    monkeypatch.setattr(comparison, "gather", lambda name, data: material)
    table = comparison.compare("crystals", n=4)
    assert list(table.index[:2]) == ["cdvae", "imatgen"]
    assert set(table.index[2:]) == {RESAMPLED, SUBSTITUTED, comparison.REAL}
    wanted = {
        "validity",
        "unique",
        "novel",
        "space_group_js",
        "volume_mmd",
        "density_mmd",
        "chgnet_frechet",
        "diversity",
        "seconds_valid",
        "displacement_a",
        "stable",
        "sun",
        "phonon_stable",
    }
    assert wanted <= set(table.columns)
    assert set(table["phonon_stable"].dropna()) == {0.0}
    assert table.loc[RESAMPLED, "novel"] == 0
    for ending in ("csv", "json"):
        comparison.write(table, tmp_path / f"table.{ending}", "crystals", 4, 0)
    assert len(pd.read_csv(tmp_path / "table.csv")) == 5
    told = json.loads((tmp_path / "table.json").read_text("utf-8"))
    assert (
        told["systems"] == ["cdvae", "imatgen"] and told["n"] == 4 and "chgnet" in told["versions"]
    )
    assert told["rows"][RESAMPLED]["seconds_valid"] is None
