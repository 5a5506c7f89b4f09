"""Polymers measured on toys: the eight measures counted again, what was asked, one table."""

import numpy as np
import pandas as pd
import pytest
import torch
from rdkit import Chem, DataStructs
from scipy.stats import wasserstein_distance

from genbat.core.candidate import Candidate, Verdict
from genbat.core.provenance import Provenance
from genbat.domains.polymers import data as tables
from genbat.domains.polymers.data import COLUMNS, Polymers
from genbat.domains.polymers.repeat_unit import normal
from genbat.domains.polymers.tokens import split
from genbat.studio import (
    comparison,
    evaluation,
    metrics_polymers,
    metrics_surrogate,
    registry,
    training,
    training_polymers,
)
from genbat.systems import polymersurrogate

torch.set_num_threads(1)
UNITS = [f"[Cu]{'C' * n}{end}[Au]" for n in range(1, 12) for end in ("O", "S", "N(C)", "C(=O)O")]


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GENBAT_HOME", str(tmp_path))
    monkeypatch.delenv("GENBAT_DATA", raising=False)
    return tmp_path


def polymers() -> Polymers:
    texts = list(dict.fromkeys(normal(text).text for text in UNITS))
    table = pd.DataFrame({"text": texts, "scaffold": ""})
    names = ("train", "train", "calibration", "test")
    table["split"] = [names[(k + k // 4) % 4] for k in range(len(table))]
    heavy = np.array([Chem.MolFromSmiles(t).GetNumHeavyAtoms() for t in texts])
    for k, name in enumerate(COLUMNS):
        table[name] = -4.0 - 0.1 * heavy + 0.01 * k
    return Polymers(table)


@pytest.fixture(scope="module")
def judge():
    return polymersurrogate.train(polymers(), polymersurrogate.PRESETS["tiny"])


@pytest.fixture
def installed(judge, monkeypatch):
    """The judge and a system, as if they were shipped."""
    systems = {"polymersurrogate": judge}
    monkeypatch.setattr(registry, "load", systems.__getitem__)
    monkeypatch.setattr(registry, "trained", systems.__contains__)
    return systems


class Echo:
    """A system that writes texts it was given."""

    weights = ""

    def __init__(self, texts):
        self.texts = texts
        self.card = registry.card("polymergpt")
        self.config = type("Config", (), {"borders": (-5.0,) * 5})()

    def sample(self, n, *, seed=0, condition=None, progress=None):
        story = Provenance("echo", "sample")
        for k in range(n):
            text = self.texts[k % len(self.texts)]
            good = bool(metrics_polymers.normals([text]))
            yield Candidate(text, "polymers", Verdict(good), story)


def subject(texts, n, judge):
    own = polymers()
    return metrics_polymers.Subject(Echo(texts), own, n, 0, lambda share, text: None, judge)


# ---------------------------------------------------------------------- the eight measures
def test_counted_again(judge):
    own = polymers()
    trained = own.rows("train")["text"].tolist()
    new = [normal(t).text for t in ("[Cu]CCSCCO[Au]", "[Cu]C(C)OCS[Au]")]
    texts = [trained[0], new[0], new[0], new[1], "[Cu]C("]
    found = metrics_polymers.measures(subject(texts, 5, judge), texts)
    assert found["valid"] == 4 / 5
    assert found["unique"] == 3 / 4
    assert found["novel"] == 2 / 3
    prints = metrics_polymers.fingerprints([trained[0], *new])
    alike = DataStructs.TanimotoSimilarity
    pairs = [alike(prints[a], prints[b]) for a, b in ((0, 1), (0, 2), (1, 2))]
    assert found["diversity"] == pytest.approx(1 - np.mean(pairs))
    known = metrics_polymers.fingerprints(trained)
    near = [max(alike(one, other) for other in known) for one in prints]
    assert near[0] == 1.0 and found["similarity"] == pytest.approx(np.mean(near))
    value = lambda ts: judge.predict_table(list(ts))[0][:, 0]  # noqa: E731
    held = own.rows("test")["text"]
    wanted = wasserstein_distance(value([trained[0], *new]), value(held))
    assert found["distance of conductivities"] == pytest.approx(wanted)
    assert 1 <= found["SA score"] <= 10


def test_mutations_keep_the_ends():
    rng = np.random.default_rng(0)
    found = metrics_polymers.mutations(UNITS, 200, rng)
    assert all(text.count("[Cu]") == text.count("[Au]") == 1 for text in found)
    assert len(set(found) - set(UNITS)) > 100
    again = metrics_polymers.mutations(UNITS, 200, np.random.default_rng(0))
    assert found == again


def test_beside_stand_baselines_and_real_ones(judge):
    texts = [normal(t).text for t in ("[Cu]CCSCCO[Au]", "[Cu]C(C)OCS[Au]")]
    found = metrics_polymers.writing(subject(texts, 20, judge))
    assert len(found) == 8
    valid = found["valid"]
    assert valid["value"] == valid["real"] == 1.0 and valid["bar"] == 0.95
    assert set(valid["baselines"]) == {"training set resampled", "random mutation"}
    assert found["novel"]["baselines"]["training set resampled"] == 0.0
    assert found["novel"]["value"] == 1.0
    assert found["seconds a thousand"]["value"] > 0
    assert "baselines" in found["seconds a thousand"]


def test_the_top_is_that_of_the_training_set(judge):
    trained = polymers().rows("train")["text"].tolist()
    values = judge.predict_table(trained)[0][:, 0]
    border = np.percentile(values, 95)
    best = [t for t, v in zip(trained, values, strict=True) if v >= border]
    new = sorted({normal(t).text for t in ("[Cu]SCO[Au]", "[Cu]OCCNO[Au]", "[Cu]CCCCCCOCCCS[Au]")})
    wanted = np.mean(judge.predict_table(new)[0][:, 0] >= border)
    found = metrics_polymers.asked(subject([*best, *new], 10, judge))
    top = found["in the top 5 %"]
    assert top["value"] == top["baselines"]["nothing asked"] == pytest.approx(wanted)
    assert top["baselines"]["training set resampled"] < 0.5
    share = len(new) / (len(best) + len(new))
    assert found["novel when asked"]["value"] == pytest.approx(share)
    assert found["unique when asked"]["value"] == pytest.approx((len(best) + len(new)) / 10)


# ---------------------------------------------------------------------- trained and compared
@pytest.mark.parametrize("name", ["polymergpt", "polymerdiffusion", "polymermasking"])
def test_a_whole_evaluation(name, installed, tmp_path):
    material = training.Material(polymers(), ["train"])
    lesson = training_polymers.learn(name, material, tmp_path / name, preset="tiny")
    result = evaluation.evaluate(name, n=8, system=lesson.system, examples=polymers())
    assert len(result["metrics"]) == 12 + 3 * (name == "polymergpt")  # its loop


def test_polymers_come_back(installed, tmp_path):
    material = training.Material(polymers(), ["train"])
    lesson = training_polymers.learn("polymervae", material, tmp_path / "v", preset="tiny")
    result = evaluation.evaluate("polymervae", n=8, system=lesson.system, examples=polymers())
    found = result["metrics"]
    assert len(found) == 9
    held = polymers().rows("test")["text"].tolist()
    known = [t for t in held if set(split(t)) <= set(lesson.system.config.tokens)]
    assert known
    back = lesson.system.decode_texts(lesson.system.encode(known, exact=False))
    same = sum(a == b for a, b in zip(known, back, strict=True))
    assert found["reconstruction_exact"]["value"] == same / len(held)
    assert found["reconstruction_exact"]["baselines"]["nearest training polymer"] == 0.0


def test_one_table(installed, monkeypatch, tmp_path):
    installed["polymergpt"] = Echo([normal("[Cu]CCSCCO[Au]").text])
    monkeypatch.setattr(training_polymers, "gather", lambda data: training.Material(polymers(), []))
    table = comparison.compare("polymers", n=10)
    assert list(table.index) == [
        "polymergpt", "training set resampled", "random mutation", comparison.REAL,
    ]  # fmt: skip
    assert table.loc["polymergpt", "unique"] == 0.1
    comparison.write(table, tmp_path / "table.csv", "polymers", 10, 0)
    assert pd.read_csv(tmp_path / "table.csv")["valid"].iloc[0] == 1.0
    with pytest.raises(ValueError, match="legal are polymers, molecules, crystals"):
        comparison.compare("interphases")
    installed.clear()
    with pytest.raises(ValueError, match="no system of polymers is trained here"):
        comparison.compare("polymers")


# ---------------------------------------------------------------------- the surrogate
def test_the_surrogate_is_measured(judge, tmp_path, monkeypatch):
    own = polymers()
    found = metrics_surrogate.heads(metrics_surrogate.subject_of(judge, own, 10, 0))
    test = own.rows("test")
    value, half = judge.predict_table(test["text"].tolist())
    truth = test["log_conductivity"].to_numpy()
    error = value[:, 0] - truth
    wanted = 1 - (error**2).sum() / ((truth - truth.mean()) ** 2).sum()
    assert found["log_conductivity_r2"]["value"] == pytest.approx(wanted)
    assert found["log_conductivity_r2"]["bar"] == 0.55
    inside = np.mean(np.abs(error) <= half[:, 0])
    assert found["log_conductivity_coverage"]["value"] == pytest.approx(inside)
    mean = found["log_conductivity_r2"]["baselines"]["mean predictor"]
    assert mean <= 0
    assert "measured_spearman" not in found


def test_measurements_near_the_simulations(tmp_path, monkeypatch):
    monkeypatch.setenv("GENBAT_DATA", str(tmp_path))
    (tmp_path / "polymers").mkdir()
    row = {"smiles": UNITS[0], "conductivity": -5.0, "salt smiles": tables.LITFSI,
           "molality": 1.5, "temperature": 80.0}  # fmt: skip
    rows = [row, row | {"conductivity": -4.0}, row | {"conductivity": -4.4},
            row | {"temperature": 20.0, "smiles": UNITS[1]},
            row | {"molality": 9.0, "smiles": UNITS[2]},
            row | {"salt smiles": "[Li+].[Cl-]", "smiles": UNITS[3]},
            row | {"smiles": "C"}]  # fmt: skip
    pd.DataFrame(rows).to_csv(tmp_path / tables.MEASURED)
    assert tables.measured() == {normal(UNITS[0]).text: -4.4}


# ---------------------------------------------------------------------- a library
def test_a_library_is_new_judged_and_placed(judge, tmp_path, monkeypatch):
    from genbat.core import paths
    from genbat.domains.polymers import named
    from genbat.studio import library_polymers

    monkeypatch.setattr(registry, "load", lambda name: judge)
    material = training.Material(polymers(), ["train"])
    vae = training_polymers.learn("polymervae", material, tmp_path / "v", preset="tiny").system
    peo = named.load().table["text"].iat[0]
    new = [normal(f"[Cu]{'C' * n}SCCO[Au]").text for n in (2, 3, 4)]
    system = Echo([peo, new[0], "[Cu]C(", new[1], new[1], "[Cu]CBr[Au]", new[2]])
    table = library_polymers.make_library(system, log=tmp_path / "log", size=3, reference=vae)
    assert table["text"].tolist() == new and table["index"].tolist() == [1, 3, 6]
    values, halves = judge.predict_table(new)
    np.testing.assert_allclose(table["log_conductivity_predicted"], values[:, 0], rtol=1e-5)
    np.testing.assert_allclose(table["log_conductivity_half"], halves[:, 0], rtol=1e-5)
    np.testing.assert_allclose(np.array(table["latent"].tolist()), vae.encode(new), atol=2e-3)
    with pytest.raises(ValueError, match="none of polymers"):
        monkeypatch.setattr(paths, "ASSETS", tmp_path)
        library_polymers.anchors()
    (tmp_path / "libraries").mkdir()
    table.to_parquet(tmp_path / "libraries" / "polymergpt.parquet")
    assert library_polymers.anchors().shape == (3, 8)
    assert library_polymers.known_latents(vae).shape == (len(named.load()), 8)
