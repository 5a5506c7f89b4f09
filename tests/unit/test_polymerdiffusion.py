"""Both diffusions of polymers on a toy: objectives recomputed, what is written, the class."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch

from genbat.core.condition import Condition, Window
from genbat.domains.polymers.repeat_unit import normal
from genbat.families.denoiser import Denoiser, guided
from genbat.systems import polymerdiffusion, polymermasking
from genbat.systems import polymerdiffusion_training as training
from genbat.systems.polymer_corpus import Texts, make_config
from genbat.systems.polymer_words import FIRST, UNTOLD
from genbat.systems.run import Schedule

torch.set_num_threads(1)
SIZES = {"width": 32, "layers": 2, "heads": 2}
RULES = Schedule(steps=4, batch=8, rate=1e-3, warm_steps=1)
UNITS = [f"[Cu]{'C' * n}{end}[Au]" for n in range(1, 9) for end in ("O", "S", "N(C)", "C(=O)O")]
SYSTEMS = {
    "polymerdiffusion": polymerdiffusion.PolymerDiffusion,
    "polymermasking": polymermasking.PolymerMasking,
}


def texts():
    units = [normal(text).text for text in UNITS]
    return Texts.of(units, np.linspace(-6, -4, len(units)))


@pytest.fixture(scope="module", params=list(SYSTEMS))
def system(request, tmp_path_factory):
    schedule = Schedule(steps=400, batch=32, rate=3e-3, warm_steps=5)
    run = training.train(
        request.param, texts(), tmp_path_factory.mktemp("p"), schedule=schedule, **SIZES
    )
    return SYSTEMS[request.param](run.config, run.mean, "toy")


# ---------------------------------------------------------------------- the network
def test_every_place_sees_every_other():
    torch.manual_seed(0)
    net = Denoiser(4, 7, 6, 2, 16, 2, 2).eval()
    x, time, word = torch.randn(1, 6, 4, requires_grad=True), torch.tensor([0.3]), torch.tensor([1])
    net(x, time, word)[0, 0].sum().backward()
    assert (x.grad.abs().sum(-1) > 0).all()


def test_time_and_word_are_heard():
    torch.manual_seed(0)
    net, x = Denoiser(4, 7, 6, 2, 16, 2, 2).eval(), torch.randn(1, 6, 4)
    one = net(x, torch.tensor([0.3]), torch.tensor([0]))
    assert not torch.allclose(one, net(x, torch.tensor([0.6]), torch.tensor([0])))
    assert not torch.allclose(one, net(x, torch.tensor([0.3]), torch.tensor([1])))


def test_guidance_is_a_power_of_the_ratio():
    told, free = torch.randn(5, 9), torch.randn(5, 9)
    chances = torch.softmax(guided(told, free, 2.0), -1)
    p, q = told.softmax(-1), free.softmax(-1)
    wanted = p**2 / q
    assert torch.allclose(chances, wanted / wanted.sum(-1, keepdim=True), atol=1e-6)


# ---------------------------------------------------------------------- objectives
def rows_of(config):
    generator = np.random.default_rng(0)
    lines, _ = training.written(config, texts(), [1, 5, 9], generator)
    return lines[:, 0], training.filled(lines[:, 1:], config.longest)


def test_the_hidden_loss_is_the_bound():
    config = make_config(texts(), **SIZES)
    torch.manual_seed(0)
    net = polymermasking.Network(config).eval()
    said, tokens = rows_of(config)
    found = training.hidden_loss(net, tokens, said, torch.Generator().manual_seed(3))
    generator = torch.Generator().manual_seed(3)
    time = training.times(3, generator)
    hidden = torch.rand(tokens.shape, generator=generator) < time[:, None]
    scores = net.scores(torch.where(hidden, net.mask, tokens), time, said)
    chance = scores.softmax(-1).gather(-1, tokens[..., None])[..., 0]
    wanted = (-chance.log() * hidden).sum(1) / time / config.longest
    assert found.item() == pytest.approx(wanted.mean().item(), rel=1e-4)


def test_the_embedded_loss_is_the_cross_entropy():
    config = make_config(texts(), **SIZES)
    torch.manual_seed(0)
    net = polymerdiffusion.Network(config).eval()
    lengths = net.embeddings().pow(2).mean(1).sqrt()
    assert torch.allclose(lengths, torch.full_like(lengths, polymerdiffusion.LENGTH))
    said, tokens = rows_of(config)
    found = training.embedded_loss(net, tokens, said, torch.Generator().manual_seed(3))
    generator = torch.Generator().manual_seed(3)
    time = training.times(3, generator)
    clean = net.embeddings()[tokens]
    noise = torch.randn(clean.shape, generator=generator)
    angle = (time * math.pi / 2)[:, None, None]
    scores = net.scores(angle.cos() * clean + angle.sin() * noise, time, said)
    chance = scores.softmax(-1).gather(-1, tokens[..., None])
    assert found.item() == pytest.approx(-chance.log().mean().item(), rel=1e-4)


def test_times_are_spread():
    found = training.times(100, torch.Generator().manual_seed(0)).sort().values
    assert found[0] >= training.LEAST and found[-1] <= 1
    steps = [float(b - a) for a, b in pairwise(found)]
    assert max(steps) < 0.011


@pytest.mark.parametrize("name", list(SYSTEMS))
def test_a_stopped_run_ends_like_an_unstopped_one(name, tmp_path):
    own = texts()
    whole = training.train(name, own, tmp_path / "a", schedule=RULES, **SIZES)
    for turn in range(4):
        parts = training.train(
            name, own, tmp_path / "b", schedule=RULES, resume=turn > 0, minutes=0, **SIZES
        )
    for key, value in whole.mean.state_dict().items():
        assert torch.equal(value, parts.mean.state_dict()[key])


# ---------------------------------------------------------------------- writing
def test_what_is_written_are_polymers(system):
    made = list(system.sample(100, seed=1))
    good = [c for c in made if c.verdict.ok]
    assert len(good) > 8  # of random rows none is a polymer
    assert all(normal(c.text).text == c.text for c in good)
    assert len({c.text for c in good}) > 5


def test_same_seed_same_polymers(system):
    few, more = ([c.text for c in system.sample(n, seed=3)] for n in (5, 300))
    assert few == more[:5]
    assert [c.text for c in system.sample(5, seed=4)] != few


def test_no_word_is_written(system):
    rows = [text for text in system.write(UNTOLD + 1, [], 0, 0) if text]
    assert not any("<" in text for text in rows)
    given = system.vocabulary.numbers("[Cu]CC")
    assert all(number >= FIRST for number in given)
    assert all(text.startswith("[Cu]CC") for text in system.write(UNTOLD, given, 0, 0))


def test_the_class_changes_what_is_written(system):
    high = Condition({"log_conductivity": Window(low=system.config.borders[-1])})
    free, told = ([c.text for c in system.sample(20, condition=c)] for c in (None, high))
    assert free != told


def test_saved_and_loaded(system, tmp_path):
    system.save(tmp_path)
    one, two = (type(system).load(tmp_path) for _ in range(2))
    assert [c.text for c in one.sample(5)] == [c.text for c in two.sample(5)]
    kept, was = one.network.tokens.weight, system.network.tokens.weight
    assert torch.allclose(kept, was, atol=2e-3)
