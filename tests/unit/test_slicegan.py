"""slicegan on a toy: its rules, its slices, its duel, any size from one generator."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from genbat.core.condition import Condition, Window
from genbat.domains.microstructures.generator import Recipe, make
from genbat.domains.microstructures.volume import from_text
from genbat.families import gan
from genbat.systems import slicegan, slicegan_training
from genbat.systems.duel import Duel, Rules, begin
from genbat.systems.slicegan import SliceGAN
from genbat.systems.slicegan_network import SIDE, Config, Critic, Generator, Images, slices

torch.set_num_threads(1)
SMALL = Config(channels=(8, 8), noise=4, critic=(4, 4, 4, 4))
RULES = Rules(steps=4, rounds=1)


def labels(seed=0, size=SIDE):
    return torch.tensor(make(Recipe(size=size, radius=6.0), seed).labels)


def system(config=SMALL, seed=0):
    torch.manual_seed(seed)
    return SliceGAN(config, Generator(config), "toy")


# ---------------------------------------------------------------------- objectives
def test_the_penalty_is_that_of_the_slope():
    """A critic of constant slope s has the penalty (s - 1)^2, wherever it is taken."""
    critic = nn.Flatten()
    scale = nn.Linear(16, 1, bias=False)
    nn.init.constant_(scale.weight, 0.75)  # slope 3
    whole = nn.Sequential(critic, scale)
    real, fake = torch.rand(5, 1, 4, 4), torch.rand(5, 1, 4, 4)
    random = torch.Generator().manual_seed(0)
    penalty = gan.gradient_penalty(whole, real, fake, random)
    assert float(penalty.detach()) == pytest.approx(4.0)
    loss, distance = gan.critic_loss(whole, real, fake, random, weight=10.0)
    with torch.no_grad():
        expected = float(whole(real).mean() - whole(fake).mean())
    assert float(distance) == pytest.approx(expected)
    assert float(loss.detach()) == pytest.approx(40.0 - expected)
    with torch.no_grad():
        assert float(gan.generator_loss(whole, fake)) == pytest.approx(-float(whole(fake).mean()))


def test_the_game_of_logits():
    critic = nn.Identity()
    real, fake = torch.full((4, 1), 2.0), torch.full((4, 1), -1.0)
    sigmoid = lambda x: 1 / (1 + np.exp(-x))  # noqa: E731
    told = -(0.9 * np.log(sigmoid(2)) + 0.1 * np.log(1 - sigmoid(2)))
    assert float(gan.judge_loss(critic, real, fake)) == pytest.approx(
        told - np.log(1 - sigmoid(-1)), rel=1e-5
    )
    assert float(gan.forger_loss(critic, fake)) == pytest.approx(-np.log(sigmoid(-1)), rel=1e-5)


# ---------------------------------------------------------------------- networks
def test_the_papers_rules_hold():
    for layer in Generator(SMALL).layers:
        (k, *_), (s, *_), (p, *_) = layer.kernel_size, layer.stride, layer.padding
        assert s < k and k % s == 0 and p >= k - s


@pytest.mark.parametrize("size", [8, 63, 64, 65, 200])
def test_as_many_voxels_as_asked_and_no_noise_too_many(size):
    network = Generator(SMALL)
    n = network.seed_size(size)

    def out(m):
        for _ in network.layers:
            m = 2 * m - 2
        return m

    assert out(n) >= size > out(n - 1)


def test_slices_are_those_of_the_volume():
    volume = torch.arange(2 * 1 * 3 * 4 * 5).view(2, 1, 3, 4, 5)
    found = slices(volume, 1, torch.tensor([2, 0]))
    assert found.shape == (4, 1, 3, 5)
    assert torch.equal(found[1], volume[0, :, :, 0])
    assert torch.equal(found[2], volume[1, :, :, 2])


def test_real_slices_are_one_hot_crops_across_their_axis():
    own = torch.zeros(64, 70, 80, dtype=torch.uint8)
    own[30:] = 1
    random = torch.Generator().manual_seed(0)
    images = Images([own], 3)
    across = images.draw(0, 12, random)
    assert across.shape == (12, 3, SIDE, SIDE)
    assert set(across[:, 1].mean((1, 2)).tolist()) <= {0.0, 1.0}
    along = images.draw(2, 12, random)
    assert along[:, 1].mean((1, 2)).tolist() == pytest.approx([34 / 64] * 12)
    assert torch.equal(along.sum(1), torch.ones(12, SIDE, SIDE))


@pytest.mark.parametrize(("shapes", "said"), [([(64, 64)] * 2, "got 2"), ([(60, 80)], "60 x 80")])
def test_images_that_will_not_do(shapes, said):
    with pytest.raises(ValueError, match=said):
        Images([torch.zeros(shape) for shape in shapes], 2)


# ---------------------------------------------------------------------- training
def test_critics_learn_to_tell():
    torch.manual_seed(0)
    duel = Duel(Generator(SMALL), nn.ModuleList([Critic(3, SMALL.critic)]), SMALL,
                replace(RULES, rate=2e-3, steps=1000), None)  # fmt: skip
    images = Images([labels()], 3)
    distances = []
    for _ in range(25):
        random = duel.random()
        fake = slicegan_training.some_slices(
            slicegan_training.forged(duel.generator, duel.config, random), 0, random
        )
        loss, distance = gan.critic_loss(duel.critics[0], images.draw(0, 16, random), fake, random)
        duel.teach_critics(loss)
        duel.step += 1
        distances.append(float(distance))
    assert np.mean(distances[-5:]) > np.mean(distances[:5]) + 0.05


@pytest.mark.parametrize("judged_by", [(0, 0, 0), (0, 1, 1), (0, 1, 2)])
def test_a_stopped_duel_ends_like_an_unstopped_one(tmp_path, judged_by):
    config = replace(SMALL, judged_by=judged_by)
    parts = [labels()[0]] * (3 if judged_by[2] == 2 else 1)
    images = Images(parts, 3)
    whole = slicegan_training.train(images, config, tmp_path / "a", rules=RULES)
    for turn in range(RULES.steps):
        parts = slicegan_training.train(
            images, config, tmp_path / "b", rules=RULES, resume=turn > 0, minutes=0
        )
    assert parts.step == whole.step == RULES.steps
    assert len(whole.critics) == judged_by[2] + 1
    for name, value in whole.mean.state_dict().items():
        assert torch.equal(value, parts.mean.state_dict()[name]), name


# ---------------------------------------------------------------------- sampling
def test_the_rate_falls_with_the_steps_or_the_minutes(tmp_path):
    rules = replace(RULES, steps=100)
    duel = begin(SMALL, slicegan_training.networks, rules, tmp_path)
    rates = []
    for duel.step, duel.elapsed in ((0, 0), (50, 0), (75, 0.1), (75, 0.9), (10, 1.2)):
        rates.append(duel.rate() / rules.rate)
    assert rates == pytest.approx([1, 1, 0.5, 0.2, 0])


def test_slabs_join_to_what_one_pass_makes(monkeypatch):
    made = system()
    whole = made.volume((70, 40, 40), seed=3).labels
    monkeypatch.setattr(slicegan, "SLAB", 8)
    slabs = made.volume((70, 40, 40), seed=3).labels
    assert whole.shape == slabs.shape == (70, 40, 40)
    assert (whole != slabs).mean() < 1e-3  # ties of rounding


def test_same_seed_same_volumes():
    texts = [c.text for c in system().sample(3, seed=1, size=24)]
    assert texts[:2] == [c.text for c in system().sample(2, seed=1, size=24)]
    assert len(set(texts)) == 3
    volume = from_text(texts[0])
    assert volume.shape == (24, 24, 24)
    assert volume.phases == SMALL.phases


def test_a_phase_that_is_lacking_is_said():
    made = system()
    nn.init.zeros_(made.network.layers[-1].weight)  # all phases alike: the first is taken
    (candidate,) = made.sample(1, size=16)
    assert candidate.verdict.reasons == ("holds no active material", "holds no carbon-binder")


def test_saved_and_loaded(tmp_path):
    made = system(replace(SMALL, voxel_um=(0.5, 0.4, 0.4)))
    made.save(tmp_path)
    again = SliceGAN.load(tmp_path)
    assert again.config == made.config
    assert again.volume(16).voxel_um == (0.5, 0.4, 0.4)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"n": 0}, "at least 1"),
        ({"n": 1, "size": 4}, "8 to 512"),
        ({"n": 1, "condition": Condition({"porosity": Window(0.3, 0.4)})}, "porosity"),
    ],
)
def test_what_cannot_be_made_is_named(options, said):
    with pytest.raises(ValueError, match=said):
        next(iter(system().sample(**options)))
