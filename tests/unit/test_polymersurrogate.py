"""The polymers' surrogate: features of the endless chain, a toy learnt, intervals that hold."""

import numpy as np
import pandas as pd
import pytest
import torch

from genbat.domains.polymers.data import COLUMNS, SPLITS, Polymers
from genbat.domains.polymers.features import NAMES, features
from genbat.domains.polymers.properties import BY_KEY
from genbat.domains.polymers.repeat_unit import normal
from genbat.systems.polymersurrogate import TARGETS, Rules, Surrogate, train

torch.set_num_threads(1)


# ---------------------------------------------------------------------- features
@pytest.mark.parametrize(
    "texts",
    [
        ("[Cu]CCO[Au]", "[Cu]OCCOCC[Au]", "[Cu]COC[Au]"),
        ("[Cu]CC(C)[Au]", "[Cu]C(C)CC(C)C[Au]"),
        ("[Cu]c1ccc(cc1)O[Au]", "[Cu]Oc1ccc([Au])cc1"),
    ],
)
def test_features_belong_to_the_chain_and_not_to_its_text(texts):
    found = features(list(texts))
    assert found.shape == (len(texts), len(NAMES))
    assert np.allclose(found, found[:1], atol=1e-5)


def test_features_say_what_they_say():
    at = {name: k for k, name in enumerate(NAMES)}
    peo, pp, pvoh = features(["[Cu]CCO[Au]", "[Cu]CC(C)[Au]", "[Cu]CC(O)[Au]"])
    assert (peo[at["backbone"]], peo[at["side"]]) == pytest.approx((1.0, 0.0))
    assert (pp[at["backbone"]], pp[at["side"]]) == pytest.approx((2 / 3, 1 / 3))
    assert pvoh[at["donors"]] == pytest.approx(1 / 3) and peo[at["donors"]] == 0
    assert peo[at["acceptors"]] == pytest.approx(1 / 3)
    ring = features(["[Cu]c1ccc(cc1)O[Au]"])[0]
    assert ring[at["aromatic"]] == pytest.approx(6 / 7)
    assert ring[at["rings"]] == pytest.approx(1 / 7)


# ---------------------------------------------------------------------- learning
def polymers(count=300):
    """Conductivity that falls with the share of S and N: known from the text alone."""
    rng, rows = np.random.default_rng(0), {}
    while len(rows) < count:
        parts = rng.choice(["C", "CO", "CS", "CN(C)", "C(=O)O", "C(C)"], rng.integers(1, 7))
        text = normal(f"[Cu]C{''.join(parts)}[Au]").text
        strange = text.count("S") + text.count("N")
        rows[text] = -5 - 4 * strange / len(text) + 0.02 * rng.standard_normal()
    table = pd.DataFrame({"text": list(rows)})
    for name in COLUMNS:
        table[name] = list(rows.values())
    table.loc[3, "transference"] = np.nan
    table["split"] = [SPLITS[0 if k % 10 < 6 else 1 if k % 10 < 8 else 2] for k in range(count)]
    return Polymers(table)


@pytest.fixture(scope="module")
def known():
    return polymers()


@pytest.fixture(scope="module")
def surrogate(known):
    return train(known, Rules(members=2, trees=60, columns=0.3))


def test_it_learns_and_its_intervals_hold(known, surrogate):
    table = known.rows("test")
    values, halves = surrogate.predict_table(table["text"].tolist())
    truth = table["log_conductivity"].to_numpy()
    error = values[:, 0] - truth
    assert np.square(error).mean() < 0.5 * truth.var()
    assert 0.75 <= (np.abs(error) <= halves[:, 0]).mean() <= 1.0
    assert (halves > 0).all()


def test_numbers_say_that_they_stand_in_for_simulations(surrogate):
    (found,) = surrogate.judge(["[Cu]CCO[Au]"])
    assert list(found) == list(TARGETS)
    assert set(TARGETS) == set(BY_KEY) - {"sa_score"}  # which is computed, not predicted
    one = found["log_conductivity"]
    assert (one.method, one.kind, one.unit) == ("surrogate for MD", "predicted", "log10 S/cm")
    assert one.uncertainty > 0
    (same,) = surrogate.judge(["[Cu]OCCOCC[Au]"])
    assert same["log_conductivity"].value == pytest.approx(one.value, abs=1e-5)


def test_saved_and_loaded(surrogate, tmp_path):
    surrogate.save(tmp_path)
    again = Surrogate.load(tmp_path)
    a, b = (s.predict_table(["[Cu]CCO[Au]"]) for s in (surrogate, again))
    assert np.allclose(a[0], b[0], atol=0.02) and again.config == surrogate.config


def test_the_same_training_gives_the_same(known):
    one, two = (train(known, Rules(members=2, trees=5)) for _ in range(2))
    assert np.array_equal(one.predict_table(["[Cu]CCO[Au]"])[0],
                          two.predict_table(["[Cu]CCO[Au]"])[0])  # fmt: skip


def test_nothing_to_learn_from():
    table = polymers(10).table
    table["split"] = "test"
    with pytest.raises(ValueError, match="split train"):
        train(Polymers(table), Rules(trees=1))


def test_trained_by_the_command(tmp_path, monkeypatch):
    """Its card says what it is made of."""
    from genbat.studio import training

    monkeypatch.setenv("GENBAT_HOME", str(tmp_path))
    rows = ["smiles,conductivity"]
    rows += [f"[Cu]{'C' * n}{end}[Au],{10.0 ** -(4 + n / 10)}" for n in range(1, 16)
             for end in ("O", "S", "C(=O)O")]  # fmt: skip
    (tmp_path / "own.csv").write_text("\n".join(rows))
    place = training.train("polymersurrogate", "tiny", tmp_path / "own.csv")
    card = (place / "card.md").read_text("utf-8")
    assert "40 steps" in card and "\n0 parameters" not in card
    values, _ = Surrogate.load(place).predict_table(["[Cu]CCO[Au]"])
    assert np.isfinite(values).all()
