"""seivae on a toy: periodicity, conditions, drawing from the likelihood, texts."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from genbat.core.condition import Condition, Window
from genbat.domains.interphases import texts
from genbat.domains.interphases.kmc import HEIGHT, ORGANIC, WIDTH, Barriers
from genbat.domains.interphases.measures import label
from genbat.systems import seivae_training
from genbat.systems.run import Schedule
from genbat.systems.seivae import SEIVAE, drawn
from genbat.systems.seivae_network import CONDITION_WEIGHT, TARGETS, Config, Network, losses
from genbat.systems.seivae_training import Interphases

torch.set_num_threads(1)
SMALL = {"width": 8, "noise": 3, "hidden": 16}
RULES = Schedule(steps=4, batch=4, rate=1e-3, warm_steps=1)


def slab(thickness, porosity, seed):
    """A slab with random holes on a full first row."""
    rng = np.random.default_rng(seed)
    sites = np.zeros((HEIGHT, WIDTH), np.uint8)
    solid = rng.random((thickness, WIDTH)) > porosity
    sites[:thickness] = np.where(solid, rng.choice([2, 3], (thickness, WIDTH)), 0)
    sites[0] = 3
    return sites


def data(count=16):
    rng = np.random.default_rng(0)
    sites = [slab(int(rng.integers(8, 40)), rng.uniform(0.0, 0.3), k) for k in range(count)]
    values = np.array([[label(s)[name] for name in TARGETS] for s in sites])
    return Interphases(np.stack(sites), values, ["train"] * (count - 2) + ["test"] * 2)


def system():
    own = data()
    config = seivae_training.make_config(own, **SMALL)
    torch.manual_seed(0)
    return SEIVAE(config, Network(config))


# ---------------------------------------------------------------------- networks
def test_the_posterior_and_the_decoder_know_no_place_along_the_electrode():
    """Rolling by whole places of the coarsest grid rolls what every layer sees."""
    torch.manual_seed(0)
    net = Network(Config(**SMALL))
    x = torch.rand(2, 4, 64, 64)
    h, rolled = x, x.roll(16, 3)
    for layer in net.down:
        height = torch.zeros(2, 5 - h.shape[1], *h.shape[2:])[:, :1] if h.shape[1] == 4 else None
        join = lambda y, z: y if z is None else torch.cat([y, z], 1)  # noqa: E731
        h, rolled = layer(join(h, height)), layer(join(rolled, height))
    assert torch.allclose(h.roll(1, 3), rolled, atol=1e-5)


def test_shapes_and_the_bound():
    net, own = system().network, data()
    assert net.logits(torch.randn(2, 3), torch.randn(2, 3)).shape == (2, 4, 64, 64)
    sites = torch.as_tensor(own.sites[:2].astype("i8"))
    parts = losses(net, sites, torch.zeros(2, 3), torch.Generator().manual_seed(0))
    assert float(parts["sites"].detach()) == pytest.approx(64 * 64 * np.log(4), rel=0.2)
    assert float(parts["divergence"].detach()) >= 0


def test_loss_falls():
    own = data()
    config = seivae_training.make_config(own, **SMALL)
    torch.manual_seed(0)
    net = Network(config)
    rows, optimiser = own.rows("train"), torch.optim.Adam(net.parameters(), 3e-3)
    look = lambda: float(seivae_training.batch_loss(net, own, config, rows, 0)[0].detach())  # noqa: E731
    first = look()
    for step in range(30):
        optimiser.zero_grad()
        seivae_training.batch_loss(net, own, config, rows, step)[0].backward()
        optimiser.step()
    assert look() < 0.7 * first


def test_a_stopped_run_ends_like_an_unstopped_one(tmp_path):
    own = data()
    whole = seivae_training.train(own, tmp_path / "a", schedule=RULES, **SMALL)
    for turn in range(4):
        parts = seivae_training.train(
            own, tmp_path / "b", schedule=RULES, resume=turn > 0, minutes=0, **SMALL
        )
    assert parts.step == whole.step == 4
    for name, value in whole.mean.state_dict().items():
        assert torch.equal(value, parts.mean.state_dict()[name])


def test_what_has_no_interphase_is_left_out():
    own = data()
    values = own.values.copy()
    values[3, 1] = np.nan
    assert 3 not in replace(own, values=values).rows("train")


# ---------------------------------------------------------------------- latents and samples
def test_the_first_coordinates_are_what_was_measured():
    model, own = system(), data()
    z = model.encode_sites(list(own.sites[:3]))
    assert z.shape == (3, 6)
    scales = np.array(model.config.mean), np.array(model.config.spread)
    np.testing.assert_allclose(
        z[:, :3] / CONDITION_WEIGHT * scales[1] + scales[0], own.values[:3], rtol=1e-4
    )


def test_same_seed_same_interphases_and_a_longer_sample_starts_alike():
    model = system()
    few, more = ([c.text for c in model.sample(n, seed=2)] for n in (2, 3))
    assert few == more[:2]
    assert more != [c.text for c in model.sample(3, seed=3)]
    z = np.zeros((2, 6))
    one, two = model.decode(z, seed=5)
    assert one.text == two.text  # the same point with the same noise


def test_windows_set_the_condition():
    model = system()
    config = model.config
    asked = {"thickness": Window(20.0, 24.0), "porosity": Window(high=0.1)}
    aims = torch.tensor(model.aims(asked)).float()
    point = model._point(aims, np.random.default_rng(0)) / CONDITION_WEIGHT
    assert point[0] == pytest.approx((22.0 - config.mean[0]) / config.spread[0])
    assert point[1] < (0.1 - config.mean[1]) / config.spread[1]
    (one,) = model.sample(1, condition=Condition(asked))
    assert one.provenance.condition == Condition(asked).to_json()


def test_sites_are_drawn_as_often_as_the_likelihood_says():
    shares = torch.tensor([0.55, 0.05, 0.3, 0.1])
    logits = shares.log()[None, :, None, None].expand(1, 4, 200, 200)
    found = torch.bincount(drawn(logits, 0).flatten(), minlength=4)
    assert found / 40_000 == pytest.approx(shares.tolist(), abs=0.01)


def test_neighbours_are_drawn_alike_but_independently_from_afar():
    made = drawn(torch.zeros(1, 4, 200, 200), 1)[0]
    alike = lambda shift: float((made == made.roll(shift, 1)).float().mean())  # noqa: E731
    assert alike(1) > 0.4
    assert alike(20) == pytest.approx(0.25, abs=0.02)


@pytest.mark.parametrize(
    ("condition", "named"),
    [
        (Condition({"roughness": Window(1, 2)}), "roughness"),
        (Condition(wishes={"formula": "LiF"}), "formula"),
    ],
)
def test_what_cannot_be_asked_is_named(condition, named):
    with pytest.raises(ValueError, match=named):
        next(iter(system().sample(1, condition=condition)))


def test_bare_electrodes_are_no_candidates_and_cannot_be_encoded():
    bare = np.zeros((HEIGHT, WIDTH), np.uint8)
    with pytest.raises(ValueError, match="no solid"):
        system().encode([texts.to_text(bare)])
    bare[30, 30] = ORGANIC
    made = system()._candidate(bare, 0, {}, latent=np.zeros(6))
    assert not made.verdict.ok and "no solid" in made.verdict.reasons[0]


# ---------------------------------------------------------------------- texts
def test_texts_bring_sites_back():
    sites = slab(20, 0.2, 1)
    assert np.array_equal(texts.from_text(texts.to_text(sites)), sites)
    grown = texts.grown_text(Barriers(reduction=0.5, organic_hop=0.5), 3)
    assert np.array_equal(texts.from_text(grown), texts.from_text(grown))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "header"),
        ('{"interphase": [3, 3]}\nabc', "legal are 64"),
        ('{"interphase": [64, 64]}\nabc', "unpacked"),
        ('{"grown": {"reduction": 9}, "seed": 1}', "reduction"),
        ('{"grown": {"speed": 9}, "seed": 1}', "header"),
        (texts.to_text(np.full((64, 64), 7, np.uint8)), "species"),
        (texts.to_text(np.zeros((64, 63), np.uint8)).replace("63", "64"), "4032 sites"),
    ],
)
def test_broken_texts_are_named(text, named):
    with pytest.raises(ValueError, match=named):
        texts.from_text(text)


# ---------------------------------------------------------------------- evaluation
def test_a_whole_evaluation(tmp_path):
    from genbat.studio import evaluation, training, training_interphases

    own = data(24)
    material = training.Material(own, list(own.splits))
    model = training_interphases.learn("seivae", material, tmp_path, preset="tiny").system
    result = evaluation.evaluate("seivae", n=3, seed=0, system=model, examples=own)
    assert set(result["metrics"]) >= {"thickness_r2", "porosity_r2", "roughness_apart"}
    assert result["metrics"]["thickness_r2"]["bar"] == 0.9


def test_a_system_that_does_as_it_is_told_has_an_r2_of_one():
    from types import SimpleNamespace

    from genbat.studio import metrics_interphases

    own = data(24)
    rows = list(own.rows("test"))

    class Obedient:
        unsettled = "any"

        def sample(self, n, *, condition, seed, plan=None):
            wanted = condition.windows["thickness"].low
            near = min(rows, key=lambda k: abs(label(own.sites[k])["thickness"] - wanted))
            return [SimpleNamespace(text=texts.to_text(own.sites[near]))]

    found = metrics_interphases.asked(metrics_interphases.subject_of(Obedient(), own, 4, 0))
    assert found["thickness_r2"]["value"] == pytest.approx(1.0)
    assert found["thickness_mae"]["value"] == pytest.approx(0.0)
    assert found["thickness_r2"]["baselines"]["training set resampled"] < 0.9


# ---------------------------------------------------------------------- predictions
def test_the_condition_is_predicted_with_what_calibration_found():
    own = system()
    known = data()
    config = own.calibrated(known.values)
    calibrated = SEIVAE(config, own.network)
    z = own.encode_sites(list(known.sites[:3]))
    told = calibrated.predict(z)
    assert [t["thickness"].value for t in told] == pytest.approx(known.values[:3, 0], rel=1e-4)
    assert told[0]["thickness"].unit == "nm" and told[0]["porosity"].kind == "predicted"
    assert told[0]["porosity"].uncertainty == config.half[1] > 0


def test_intervals_hold_nine_of_ten_of_what_they_were_made_of():
    own, known = system(), data(40)
    config = own.calibrated(known.values)
    c = torch.tensor((known.values - np.array(config.mean)) / np.array(config.spread)).float()
    rng = np.random.default_rng(0)
    made = own.decode_sites(np.stack([own._point(row, rng) for row in c]))
    error = np.abs([[label(s)[n] for n in TARGETS] for s in made] - known.values)
    error = error[~np.isnan(error).any(1)]
    inside = (error <= np.array(config.half)).mean(0)
    assert (inside >= 0.9).all() and (inside < 1).any()
