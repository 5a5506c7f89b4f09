"""polymervae on a toy: texts of a polymer share a point, units come back, heads, draws."""

import numpy as np
import pandas as pd
import pytest
import torch

from genbat.core.condition import Condition, Window
from genbat.domains.polymers.data import COLUMNS, Polymers
from genbat.domains.polymers.repeat_unit import normal
from genbat.systems import polymervae_training
from genbat.systems.polymervae import PolymerVAE
from genbat.systems.run import Schedule

torch.set_num_threads(1)
SIZES = {"latent": 16, "embedding": 16, "encoder_hidden": 32, "decoder_hidden": 48, "members": 3,
         "head_hidden": 16}  # fmt: skip
FEW = Schedule(steps=4, batch=8, rate=1e-3, warm_steps=1)
UNITS = [f"[Cu]{'C' * n}{end}[Au]" for n in range(1, 12) for end in ("O", "S", "N(C)", "C(=O)O")]


def polymers():
    texts = list(dict.fromkeys(normal(text).text for text in UNITS))
    table = pd.DataFrame({"text": texts, "scaffold": "", "split": "train"})
    table.loc[::5, "split"] = "calibration"
    for name in COLUMNS:
        table[name] = [-4.0 - 0.1 * text.count("C") for text in texts]
    return Polymers(table)


@pytest.fixture(scope="module")
def system(tmp_path_factory):
    schedule = Schedule(steps=400, batch=32, rate=3e-3, warm_steps=5)
    run = polymervae_training.train(
        polymers(), tmp_path_factory.mktemp("p"), schedule=schedule, **SIZES
    )
    return polymervae_training.finished(run, polymers())


def test_units_come_back(system):
    texts = polymers().rows("train")["text"].tolist()
    z = system.encode(texts)
    assert np.mean([a == b for a, b in zip(texts, system.decode_texts(z), strict=True)]) > 0.6
    made = system.decode(z)
    good = [c for c in made if c.verdict.ok]
    assert len(good) > 0.6 * len(made)
    assert all(normal(c.text).text == c.text for c in good)
    assert all(len(c.latent) == 16 for c in made)


def test_unknown_tokens_are_told(system):
    with pytest.raises(ValueError, match="'P' is not known here"):
        system.encode(["[Cu]CP[Au]"])


def test_the_texts_of_a_polymer_lie_together(system):
    from genbat.domains.polymers.repeat_unit import views

    own = [views(normal(t)) for t in UNITS if len(views(normal(t))) > 1]
    z = [system.encode(ways, exact=False) for ways in own]
    inside = np.mean([np.linalg.norm(p - p[0], axis=1)[1:].mean() for p in z])
    middles = np.array([p.mean(0) for p in z])
    across = np.mean([np.linalg.norm(middles - m, axis=1).mean() for m in middles])
    assert inside < 0.6 * across


def test_heads_have_intervals(system):
    own = polymers().rows("train")
    values, halves = system.predict_table(system.encode(own["text"].tolist()))
    assert np.corrcoef(values[:, 0], own["log_conductivity"])[0, 1] > 0.8
    assert (halves > 0).all()
    (one,) = system.predict(system.encode(own["text"].tolist()[:1]))
    assert one["log_conductivity"].kind == "predicted"


def test_same_seed_same_polymers(system, tmp_path):
    few, more = ([c.text for c in system.sample(n, seed=3)] for n in (5, 300))
    assert few == more[:5]
    system.save(tmp_path)
    one, two = (PolymerVAE.load(tmp_path) for _ in range(2))
    assert [c.text for c in one.sample(5)] == [c.text for c in two.sample(5)]


def test_wishes_are_refused(system):
    asked = Condition({"log_conductivity": Window(low=-4)})
    with pytest.raises(ValueError, match="cannot honour"):
        next(iter(system.sample(1, condition=asked)))


def test_a_stopped_training_ends_like_an_unstopped_one(tmp_path):
    whole = polymervae_training.train(polymers(), tmp_path / "a", schedule=FEW, **SIZES)
    for turn in range(4):
        parts = polymervae_training.train(
            polymers(), tmp_path / "b", schedule=FEW, resume=turn > 0, minutes=0, **SIZES
        )
    for key, value in whole.mean.state_dict().items():
        assert torch.equal(value, parts.mean.state_dict()[key])
