"""microvae on a toy: the bound, latents that know the material and not the place, assignment."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch

from genbat.core.condition import Condition, Window
from genbat.domains.microstructures.generator import Recipe, make
from genbat.domains.microstructures.labelling import label
from genbat.domains.microstructures.statistics import fractions
from genbat.domains.microstructures.volume import Volume, from_text, to_text
from genbat.families.vae import Posterior
from genbat.systems import microvae_training
from genbat.systems.microvae import MicroVAE
from genbat.systems.microvae_network import TARGETS, Config, Network, assigned, between, losses
from genbat.systems.microvae_training import Volumes
from genbat.systems.run import Schedule

torch.set_num_threads(1)
SIZES = {"width": 8, "local": 2, "latent": 4, "hidden": 16, "head_hidden": 8}
RULES = Schedule(steps=4, batch=2, rate=1e-3, warm_steps=1)


@cache
def volumes(count=10):
    """Laid out and measured once: it takes seconds."""
    made = [make(Recipe(porosity=0.2 + 0.04 * k, binder=0.05, size=32, radius=5.0), k)
            for k in range(count)]  # fmt: skip
    values = np.array([[label(v)[name] for name in TARGETS] for v in made])
    splits = ["train"] * (count - 3) + ["calibration"] * 2 + ["test"]
    return Volumes(np.stack([v.labels for v in made]), values, splits)


def system(tmp_path=None):
    torch.manual_seed(0)
    return MicroVAE(replace(Config(), **SIZES), Network(replace(Config(), **SIZES)))


# ---------------------------------------------------------------------- objective
def test_divergence_between_normals():
    one = Posterior(torch.tensor([0.3, -1.0]), torch.tensor([0.2, -0.5]))
    two = Posterior(torch.tensor([0.1, 0.4]), torch.tensor([-0.3, 0.6]))
    normal = lambda p: torch.distributions.Normal(p.mean, (0.5 * p.log_variance).exp())  # noqa: E731
    wanted = torch.distributions.kl_divergence(normal(one), normal(two))
    assert torch.allclose(between(one, two), wanted, atol=1e-6)
    assert torch.allclose(between(one, one), torch.zeros(2), atol=1e-6)


def test_the_bound_of_a_posterior_that_is_the_prior_is_the_cross_entropy():
    network = system().network
    x = torch.zeros(1, 3, 16, 16, 16)
    x[:, 0] = 1
    parts = losses(network, x, torch.Generator().manual_seed(0))
    assert set(parts) == {"voxels", "places", "texture"}
    assert all(float(part.detach()) >= 0 for part in parts.values())


def test_loss_falls(tmp_path):
    own = volumes()
    config = microvae_training.make_config(own, **SIZES)
    torch.manual_seed(0)
    network = Network(config)
    rows = own.rows("train")

    def look():
        return float(microvae_training.batch_loss(network, own, rows, 0)[0].detach())

    first, optimiser = look(), torch.optim.Adam(network.parameters(), 3e-3)
    for step in range(25):
        optimiser.zero_grad()
        microvae_training.batch_loss(network, own, rows, step)[0].backward()
        optimiser.step()
    assert look() < 0.9 * first


def test_a_stopped_run_ends_like_an_unstopped_one(tmp_path):
    own = volumes()
    whole = microvae_training.train(own, tmp_path / "a", schedule=RULES, **SIZES)
    for turn in range(4):
        parts = microvae_training.train(
            own, tmp_path / "b", schedule=RULES, resume=turn > 0, minutes=0, **SIZES
        )
    assert parts.step == whole.step == RULES.steps
    for name, value in whole.mean.state_dict().items():
        assert torch.equal(value, parts.mean.state_dict()[name])


def test_every_epoch_shows_every_volume_once():
    rows = list(range(3, 11))
    batches = list(microvae_training.batches_of(rows, replace(RULES, steps=8), 0))
    assert sorted(np.ravel(batches[:4])) == rows == sorted(np.ravel(batches[4:]))
    assert list(microvae_training.batches_of(rows, replace(RULES, steps=8), 3)) == batches[3:]


# ---------------------------------------------------------------------- after the training
def test_finish_fits_prior_and_heads(tmp_path):
    own = volumes()
    run = microvae_training.train(own, tmp_path, schedule=RULES, **SIZES)
    config = microvae_training.finish(run, own)
    network = run.mean
    mean, width = microvae_training.textures(network, own, own.rows("train"))
    for value in network.state_dict().values():
        assert torch.equal(value, value.half().float())  # as it will be kept
    assert torch.allclose(network.centre, mean.mean(0), rtol=1e-3, atol=1e-4)
    cover = network.axes @ network.axes.T
    wanted = torch.cov(mean.T) + torch.diag((width**2).mean(0))
    assert torch.allclose(cover, wanted, rtol=2e-3, atol=1e-3)
    assert config.quantile != run.config.quantile


def test_what_does_not_percolate_is_unknown():
    values = np.array([[0.4, 0.1, np.inf, 0.1, 9.0], [0.4, 0.1, np.e, 0.1, 9.0]])
    found = microvae_training.standard(values)
    assert np.isnan(found[0, 2]) and found[1, 2] == pytest.approx(1.0)


def test_predictions_are_in_units_and_intervals_hold_them():
    model = system()
    model.config = replace(model.config, mean=(0.4, 0.1, 1.0, 0.1, 9.0), spread=(0.1,) * 5)
    z = np.random.default_rng(0).normal(size=(3, 4))
    middle, low, high = model.intervals(z)
    assert (low < middle).all() and (middle < high).all()
    standard = (np.log(middle[:, 2]) - 1.0) / 0.1
    raw = model.network.heads(torch.as_tensor(z, dtype=torch.float32)).mean(0)[:, 2]
    np.testing.assert_allclose(standard, raw.detach(), atol=1e-4)
    (first, *_) = model.predict(z)
    assert first["porosity"].value == pytest.approx(middle[0, 0])


# ---------------------------------------------------------------------- latents
def test_a_shift_of_a_periodic_volume_hardly_moves_its_texture():
    model = system()
    one = make(Recipe(size=64, periodic=True), 3)
    moved = Volume(np.roll(one.labels, (8, 16, 24), (0, 1, 2)))
    other = make(Recipe(size=64, porosity=0.6, periodic=True), 4)
    z = model.encode_volumes([one, moved, other])
    assert np.linalg.norm(z[0] - z[1]) < 0.3 * np.linalg.norm(z[0] - z[2])


def test_same_seed_same_volume_and_neighbours_are_alike():
    model = system()
    z = np.random.default_rng(0).normal(size=(2, 4)).astype("f4")
    one, two = model.decode(z, seed=1)
    again = model.decode(z, seed=1)
    assert one.text == again[0].text != two.text
    (near,) = model.decode(z[:1] + 1e-3, seed=1)
    (far,) = model.decode(z[:1], seed=2)
    differ = lambda c: np.mean(from_text(c.text).labels != from_text(one.text).labels)  # noqa: E731
    assert differ(near) < 0.2 * differ(far)


def test_a_longer_sample_starts_with_the_shorter():
    model = system()
    few, more = ([c.text for c in model.sample(n, seed=1)] for n in (1, 2))
    assert few == more[:1]
    with pytest.raises(ValueError, match="microdiffusion"):
        next(iter(model.sample(1, condition=Condition({"porosity": Window(0.3, 0.4)}))))


@pytest.mark.parametrize(
    ("volume", "named"),
    [
        (Volume(np.zeros((8, 64, 64), "u1")), "at least"),
        (Volume(np.full((64, 64, 64), 3, "u1"), ("a", "b", "c", "d")), "phases"),
    ],
)
def test_what_cannot_be_encoded_is_named(volume, named):
    with pytest.raises(ValueError, match=named):
        system().encode([to_text(volume)])


# ---------------------------------------------------------------------- assignment
def test_thin_phases_do_not_vanish():
    """Where a phase is seldom the likeliest, its share is what the network expects all the same."""
    torch.manual_seed(0)
    smooth = torch.nn.functional.interpolate(torch.randn(2, 3, 6, 6, 6), 32, mode="trilinear")
    logits = smooth + torch.tensor([1.0, 1.2, -1.5])[None, :, None, None, None]
    wanted = torch.softmax(logits, 1).mean((2, 3, 4))
    plain = (logits.argmax(1) == 2).float().mean((1, 2, 3))
    found = assigned(logits)
    for k in range(3):
        share = (found == k).float().mean((1, 2, 3))
        assert torch.allclose(share, wanted[:, k], atol=1e-4)
    assert (plain < 0.7 * wanted[:, 2]).all()


def test_shares_can_be_asked_for():
    torch.manual_seed(0)
    logits = torch.nn.functional.interpolate(torch.randn(1, 3, 6, 6, 6), 32, mode="trilinear")
    shares = torch.tensor([[0.25, 0.67, 0.08]])
    labels = assigned(logits, shares)[0].to(torch.uint8).numpy()
    assert fractions(Volume(labels)) == pytest.approx(shares[0].tolist(), abs=1e-4)


def test_a_phase_the_network_is_sure_of_is_kept():
    labels = torch.as_tensor(make(Recipe(size=32, radius=5.0), 0).labels.astype("i8"))
    logits = 20.0 * torch.nn.functional.one_hot(labels, 3).movedim(-1, 0)[None].float()
    assert torch.equal(assigned(logits)[0], labels)
