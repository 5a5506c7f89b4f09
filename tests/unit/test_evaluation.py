"""`genbat evaluate` on a toy: every part with its baselines and bars, recomputed where cheap."""

import json
from types import SimpleNamespace

import fcd_torch
import numpy as np
import pandas as pd
import pytest
from rdkit import Chem
from scipy.stats import spearmanr
from tiny_chemvae import table, trained

from genbat.core.provenance import file_hash
from genbat.studio import evaluation, metrics_heads, metrics_search, registry
from genbat.studio.metrics import metric
from genbat.studio.metrics_molecules import counts, equal_share, nearest_texts
from genbat.systems.chemvae_targets import TARGETS

FIELDS = {"value", "unit", "baselines", "real", "bar"}


def run(*parts, n=20, seed=0, **options):
    system = trained()[0]
    return evaluation.evaluate(
        "chemvae", n, seed, parts=parts, system=system, examples=table(), **options
    )


def test_form_and_reconstruction(tmp_path, monkeypatch):
    told = []
    result = run("reconstruction", progress=lambda fraction, text: told.append(fraction))
    assert set(result) == {"system", "n", "seed", "metrics", "versions"}
    assert result["versions"]["weights"] == trained()[0].weights
    entry = result["metrics"]["reconstruction_exact"]
    assert set(entry) == FIELDS
    held = table()[lambda t: t["split"] == "test"]["smiles"].tolist()
    system = trained()[0]
    again = system.decode_texts(system.encode(held, exact=False))
    share = np.mean([a == b for a, b in zip(held, again, strict=True)])
    assert entry["value"] == pytest.approx(share)
    refined = result["metrics"]["reconstruction_refined"]
    assert refined["value"] >= refined["baselines"]["encoder alone"] == entry["value"]
    assert refined["bar"] is None
    assert entry["baselines"]["nearest training molecule"] == 0
    assert 0 <= told[0] <= told[-1] <= 1
    monkeypatch.setattr(registry, "ASSETS", tmp_path)
    path = evaluation.save_metrics(result)
    assert json.loads(path.read_text()) == result
    assert registry.card("chemvae").metrics == result["metrics"]


def test_a_molecule_that_cannot_be_written_counts_as_lost():
    known = table()
    held = known[known["split"] == "test"]
    strange = held.iloc[:1].assign(smiles="C[Si](C)(C)OP(=O)(O)B(O)O")
    both = pd.concat([known[known["split"] == "train"], held, strange])
    system = trained()[0]
    share = {}
    for t in (known, both):
        options = {"parts": ["reconstruction"], "system": system, "examples": t}
        metrics = evaluation.evaluate("chemvae", 5, **options)["metrics"]
        share[len(t)] = metrics["reconstruction_exact"]["value"]
    plain, more = share[len(known)], share[len(both)]
    assert more == pytest.approx(plain * len(held) / (len(held) + 1))


class FakeNet:
    """ChemNet that sees the number of texts and nothing else."""

    def __init__(self, **options):
        assert options == {"device": "cpu", "n_jobs": 1}

    def precalc(self, texts):
        assert all(Chem.MolFromSmiles(t) is not None for t in texts)
        return len(texts)

    def metric(self, a, b):
        return a + 0.5 * b


def test_prior(monkeypatch):
    monkeypatch.setattr(fcd_torch, "FCD", FakeNet)
    found = run("prior", n=30)["metrics"]
    texts = [c.text for c in trained()[0].sample(30, seed=0)]
    trainset = set(table()[lambda t: t["split"] == "train"]["smiles"])
    assert found["valid"]["value"] == np.mean([bool(t) for t in texts])
    assert found["unique"]["value"] == len(set(texts)) / 30
    assert found["novel"]["value"] == len(set(texts) - trainset) / len(set(texts))
    assert found["novel"]["baselines"]["training set resampled"] == 0
    assert found["novel"]["real"] == 1
    assert found["unknown"]["real"] == 0
    assert found["valid"]["baselines"]["training set resampled"] == 1
    assert [found[k]["bar"] for k in ("valid", "unique", "novel")] == [1.0, 0.97, 0.85]
    held = (table()["split"] == "test").sum()
    assert found["fcd"]["value"] == held + 15
    assert found["fcd_over_floor"]["value"] == 1
    assert found["fcd_over_floor"]["bar"] == 4


def test_counts():
    known = {"novel": {"CCO"}}
    found = counts(["CCO", "CCO", "CCN", "", "[Na+].[Cl-]"], known)
    assert found == {"valid": 0.8, "in_domain": 0.6, "unique": 0.75, "novel": pytest.approx(2 / 3)}


def test_nearest():
    assert nearest_texts(["CCCCO", "c1ccccc1C"], ["CCCO", "c1ccccc1", "N"]) == ["CCCO", "c1ccccc1"]
    assert equal_share(["a", "b"], ["a", None]) == 0.5


def test_heads(monkeypatch):
    monkeypatch.setattr(metrics_heads, "TREES", 2)
    monkeypatch.setattr(metrics_heads, "ENOUGH", 20)
    found = run("heads")["metrics"]
    held, system = table()[lambda t: t["split"] == "test"], trained()[0]
    values, halves = system.predict_table(system.encode(held["smiles"].tolist()))
    for key in ("lumo_ev", "viscosity_mpas"):
        k, truth = TARGETS.index(key), held[key].to_numpy()
        known = ~np.isnan(truth)
        error = np.abs(values[known, k] - truth[known])
        assert found[f"{key}_mae"]["value"] == pytest.approx(error.mean())
        rho = spearmanr(values[known, k], truth[known]).statistic
        assert found[f"{key}_spearman"]["value"] == pytest.approx(rho)
        coverage = np.mean(error <= halves[known, k])
        assert found[f"{key}_coverage"]["value"] == pytest.approx(coverage)
        assert found[f"{key}_molecules"]["value"] == known.sum()
        assert set(found[f"{key}_mae"]["baselines"]) == {"mean predictor", "ExtraTrees"}
    mean = table()[lambda t: t["split"] == "train"]["lumo_ev"].mean()
    constant = np.abs(held["lumo_ev"] - mean).mean()
    assert found["lumo_ev_mae"]["baselines"]["mean predictor"] == pytest.approx(constant)
    assert found["lumo_ev_mae"]["bar"] == 0.30
    assert found["lumo_ev_coverage"]["bar"] == [0.87, 0.93]
    assert found["viscosity_mpas_coverage"]["bar"] is None  # of too few molecules
    json.dumps(found, allow_nan=False)


def test_the_forest_is_grown_once(monkeypatch):
    monkeypatch.setattr(metrics_heads, "TREES", 1)
    first = run("heads", seed=7)["metrics"]
    monkeypatch.setattr(metrics_heads, "_forest", None)
    assert run("heads", seed=7)["metrics"] == first


def fake_physics(texts, **options):
    rows = {}
    for text in texts:
        heavy = Chem.MolFromSmiles(text).GetNumHeavyAtoms()
        rows[text] = {"smiles": text, "lumo_ev": -float(heavy), "vip_ev": 10.0 - heavy}
    return rows


def test_search(monkeypatch):
    monkeypatch.setattr(metrics_search, "STARTS", 2)
    monkeypatch.setattr(metrics_search, "BUDGET", 24)
    monkeypatch.setattr(metrics_search, "label_many", fake_physics)
    found = run("search")["metrics"]
    assert set(found) == {"search_lumo_gain_ev", "search_vip_gain_ev"}
    for entry in found.values():
        assert set(entry) == FIELDS | {"method"}
        assert entry["unit"] == "eV"
        assert entry["bar"] == 1.0
        names = {entry["method"], *entry["baselines"]}
        assert names == {"gradient", "Gaussian process", "prior", "random walk"}
        assert entry["method"] in metrics_search.OURS
        other = entry["baselines"][(set(metrics_search.OURS) - {entry["method"]}).pop()]
        assert entry["value"] >= other


def test_gains_are_the_best_in_the_wished_direction():
    judged = {"a": {"lumo_ev": -3.0}, "b": {"lumo_ev": 1.0}, "c": {"failed": "no"}}
    rows, began = [["a", "b"], ["c"], []], np.array([-1.0, 0.0, 0.0])
    down = metrics_search.gains_of(rows, judged, began, "lumo_ev", -1.0)
    up = metrics_search.gains_of(rows, judged, began, "lumo_ev", 1.0)
    assert down.tolist() == [2.0, 0.0, 0.0]
    assert up.tolist() == [2.0, 0.0, 0.0]


def test_the_searched_wish_is_out_of_reach():
    subject = SimpleNamespace(train=table(), system=trained()[0])
    low = metrics_search.wish(subject, "lumo_ev", -1.0).windows["lumo_ev"]
    assert low.high == pytest.approx(table()["lumo_ev"].mean() - 6 * table()["lumo_ev"].std())
    assert (
        metrics_search.wish(subject, "vip_ev", 1.0).windows["vip_ev"].low > table()["vip_ev"].max()
    )


def test_paths(monkeypatch):
    pairs = {"ec_dmc": ("O=C1OCCO1", "COC(=O)OC"), "an_ec": ("CC#N", "O=C1OCCO1")}
    monkeypatch.setattr(metrics_search, "PAIRS", pairs)
    found = run("paths")["metrics"]
    assert 0 < found["path_valid"]["value"] <= 1
    assert found["path_remoteness"]["bar"] == found["path_remoteness"]["baselines"]["linear"]
    for pair in pairs:
        entry = found[f"path_molecules_{pair}"]
        assert set(entry["baselines"]) == {"linear", "slerp"}
        assert 2 <= entry["value"] <= 11


def test_shipped_pairs_are_normal_forms_of_legal_molecules():
    from genbat.domains.molecules.structure import check

    for ends in metrics_search.PAIRS.values():
        assert [check(end) for end in ends]


def test_metric_has_no_nan():
    entry = metric(float("nan"), baselines={"a": float("inf"), "b": 1}, real=float("nan"))
    assert entry == {"value": None, "unit": "", "baselines": {"a": None, "b": 1.0}, "real": None,
                     "bar": None}  # fmt: skip


def test_metrics_stay_with_their_weights(tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "ASSETS", tmp_path)
    folder = tmp_path / "weights/chemvae"
    folder.mkdir(parents=True)
    (folder / "weights.safetensors").write_bytes(b"others")
    result = {"system": "chemvae", "versions": {"weights": "0123456789abcdef"}, "metrics": {}}
    with pytest.raises(ValueError, match="0123456789abcdef"):
        evaluation.save_metrics(result)


def test_shipped_metrics_belong_to_the_shipped_weights():
    folder = registry.folder("chemvae")
    if not (folder / "metrics.json").exists():
        pytest.skip("no shipped metrics yet (genbat evaluate)")
    result = json.loads((folder / "metrics.json").read_text())
    assert result["versions"]["weights"] == file_hash(folder / "weights.safetensors")


@pytest.mark.parametrize(
    ("options", "named"),
    [({"parts": ["taste"]}, "taste"), ({"n": 1}, "n: got 1"), ({"name": "gan"}, "gan")],
)
def test_refusals(options, named):
    with pytest.raises(ValueError, match=named):
        evaluation.evaluate(**{"name": "chemvae", **options})


def test_no_held_out_molecules_is_said():
    only = table()[lambda t: t["split"] == "train"]
    with pytest.raises(ValueError, match="split test"):
        evaluation.evaluate("chemvae", parts=["reconstruction"], system=trained()[0], examples=only)
