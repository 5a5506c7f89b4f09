"""moleculegpt, moleculediffusion, latentgan on toys: what is told, learnt, made and filtered."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from rdkit import Chem
from tiny_chemvae import table, trained
from torch.nn import functional as F

from genbat.core.condition import Condition, Window
from genbat.families.gan import gradient_penalty
from genbat.families.latent_net import FORGET, FORGET_ALL, forgotten, thinned, told
from genbat.systems import (
    latentgan,
    latentgan_training,
    molecule_latents,
    moleculediffusion,
    moleculediffusion_training,
    moleculegpt,
    moleculegpt_training,
)
from genbat.systems.duel import Duel, Rules
from genbat.systems.molecule_making import BLOCK, TOLD
from genbat.systems.run import Schedule

torch.set_num_threads(1)
FEW = Schedule(steps=4, batch=16, rate=1e-3, warm_steps=1)
SIZES = {"width": 32, "layers": 2, "heads": 2}
SMALL = {"hidden": 32, "layers": 2}


@pytest.fixture(scope="module")
def vae():
    return trained()[0]


def gpt(folder):
    schedule = Schedule(steps=150, batch=32, rate=3e-3, warm_steps=5)
    run = moleculegpt_training.train(table(), folder, schedule=schedule, **SIZES)
    return moleculegpt.MoleculeGPT(run.config, run.mean, "toy")


def diffusion(folder, vae):
    schedule = Schedule(steps=100, batch=64, rate=2e-3, warm_steps=5)
    run = moleculediffusion_training.train(vae, table(), folder, schedule=schedule, **SMALL)
    return moleculediffusion.MoleculeDiffusion(run.config, run.mean, "toy", vae)


def gan(folder, vae):
    duel = latentgan_training.train(vae, table(), folder, rules=Rules(steps=20, rounds=1), **SMALL)
    return latentgan.LatentGAN(duel.config, duel.mean, "toy", vae)


@pytest.fixture(scope="module", params=["moleculegpt", "moleculediffusion", "latentgan"])
def system(request, tmp_path_factory, vae):
    folder = tmp_path_factory.mktemp("m")
    makers = {"moleculediffusion": diffusion, "latentgan": gan}
    return gpt(folder) if request.param == "moleculegpt" else makers[request.param](folder, vae)


# ---------------------------------------------------------------------- what is told
def test_what_is_forgotten():
    values = torch.randn(20_000, 5)
    found = forgotten(values, torch.Generator().manual_seed(0)).isnan()
    assert found.all(1).float().mean() == pytest.approx(FORGET + (1 - FORGET) * FORGET**5, abs=0.02)
    assert found.float().mean() == pytest.approx(1 - (1 - FORGET) ** 2, abs=0.01)


def test_each_count_of_told_values_is_as_frequent():
    """But none at all, which some rows are thinned to."""
    found = thinned(torch.randn(60_000, 5), torch.Generator().manual_seed(0)).isnan()
    counts = torch.bincount(5 - found.sum(1), minlength=6) / 60_000
    even = (1 - FORGET_ALL) / 6
    wanted = torch.tensor([even + FORGET_ALL, *[even] * 5])
    assert torch.allclose(counts, wanted, atol=0.006)
    alone = (~found[:, 0] & found[:, 1:].all(1)).float().mean()
    assert alone == pytest.approx(even / 5, abs=0.003)


def test_an_open_value_says_nothing():
    one, two = torch.tensor([[math.nan, 1.0]]), torch.tensor([[0.0, 1.0]])
    assert not torch.equal(told(one), told(two))
    assert torch.equal(told(one), told(torch.tensor([[math.nan, 1.0]])))
    assert float(told(torch.full((1, 2), math.nan)).abs().sum()) == 0


def test_classes_of_properties():
    own = table()
    config = moleculegpt_training.make_config(own, **SIZES)
    values = own[list(TOLD)].to_numpy()
    standard = (values - values.mean(0)) / values.std(0)
    for k, name in enumerate(TOLD):
        borders = np.percentile(standard[:, k], moleculegpt.BORDERS)
        for row in (0, 7, 19):
            said = config.words(standard[row].tolist())[k] - len(config.tokens)
            wanted = 1 + sum(standard[row, k] >= borders)
            assert said == k * moleculegpt.WORDS + wanted, name
    free = config.words([math.nan] * len(TOLD))
    assert [(w - len(config.tokens)) % moleculegpt.WORDS for w in free] == [0] * len(TOLD)


def test_a_class_inside_the_window_is_said():
    """All molecules of that class hold the window; where there is none, the nearest is said."""
    own = table()
    config = moleculegpt_training.make_config(own, **SIZES)
    system = moleculegpt.MoleculeGPT(config, moleculegpt.network_of(config), "toy")
    standard = lambda k, name: (own[name] - config.mean[k]) / config.spread[k]  # noqa: E731
    for k, name in enumerate(TOLD):
        for window in (Window(high=float(np.percentile(own[name], 25))),
                       Window(low=float(np.percentile(own[name], 75))),
                       Window(*np.percentile(own[name], (25, 75)))):  # fmt: skip
            aims = system.aims(Condition({name: window}))
            assert [math.isnan(v) for v in aims] == [i != k for i in range(len(TOLD))]
            said = config.words(aims)[k]
            rows = [config.words([v if i == k else math.nan for i in range(len(TOLD))])[k] == said
                    for v in standard(k, name)]  # fmt: skip
            assert all(window.holds(v) for v in own[name][rows])
    middle = config.mean[0]
    narrow = system.aims(Condition({TOLD[0]: Window(middle - 1e-6, middle + 1e-6)}))
    assert narrow[0] == pytest.approx(0.0, abs=1e-3)


def test_a_line_is_words_tokens_end():
    own = table()
    config = moleculegpt_training.make_config(own, **SIZES)
    corpus = moleculegpt_training.spelt(own, config)
    rows = moleculegpt_training.written(config, corpus, [3, 8], 0)
    for row, k in zip(rows.tolist(), (3, 8), strict=True):
        words, text = row[: len(TOLD)], row[len(TOLD) :]
        assert all(word >= len(config.tokens) for word in words)
        end = text.index(moleculegpt.END)
        assert text[:end] in corpus.forms[k] and not any(text[end + 1 :])
    smiles = own["smiles"].tolist()
    known = moleculegpt.Vocabulary(config.tokens)
    assert {known.decode(form) for form in corpus.forms[3]} == {smiles[3]}


# ---------------------------------------------------------------------- objectives
def test_the_diffusion_guesses_the_velocity(vae):
    own = table()
    config = molecule_latents.make_config(vae, own, **SMALL)
    torch.manual_seed(0)
    net = moleculediffusion.Network(config)
    latents = molecule_latents.latents_of(vae, own, config)
    molecule_latents.scaled(net, latents)
    rows = torch.arange(8)
    found, _ = moleculediffusion_training.batch_loss(net, latents, rows, 5)
    generator = torch.Generator().manual_seed(5)
    noise = torch.randn(8, config.latent, generator=generator)
    x = (latents.mean[rows] + latents.width[rows] * noise - net.middle) / net.spread
    time = torch.rand(8, generator=generator)
    blur = torch.randn(x.shape, generator=generator)
    a, b = (time * math.pi / 2).cos()[:, None], (time * math.pi / 2).sin()[:, None]
    values = thinned(latents.values[rows], generator)
    guess = net.denoiser(a * x + b * blur, time, values)
    assert found.item() == pytest.approx(F.mse_loss(guess, a * blur - b * x).item(), rel=1e-5)


def test_samples_of_latents_are_standard(vae):
    own = table()
    config = molecule_latents.make_config(vae, own, **SMALL)
    net = moleculediffusion.Network(config)
    latents = molecule_latents.latents_of(vae, own, config)
    molecule_latents.scaled(net, latents)
    rows = torch.arange(len(own)).repeat(40)
    x = latents.draw(rows, net, torch.Generator().manual_seed(0))
    assert x.mean(0).abs().max() < 0.1 and (x.std(0) - 1).abs().max() < 0.1


def test_the_critic_sees_what_is_told(vae):
    config = molecule_latents.make_config(vae, table(), **SMALL)
    torch.manual_seed(0)
    duel = Duel(*latentgan_training.networks(config), config, Rules(), None)
    z, values = torch.randn(4, config.latent), torch.zeros(4, len(TOLD))
    judge = latentgan_training._judge
    assert not torch.allclose(judge(duel, values)(z), judge(duel, values + 1)(z))
    # The penalty looks at the slope along the latents alone.
    share = torch.rand(4, 1, generator=torch.Generator().manual_seed(0))
    between = torch.lerp(z, -z, share).requires_grad_(True)
    (slope,) = torch.autograd.grad(judge(duel, values)(between).sum(), between)
    wanted = ((slope.norm(dim=1) - 1) ** 2).mean()
    generator = torch.Generator().manual_seed(0)
    found = gradient_penalty(judge(duel, values), z, -z, generator)
    assert found.item() == pytest.approx(wanted.item(), rel=1e-5)


@pytest.mark.parametrize("name", ["gpt", "diffusion", "gan"])
def test_a_stopped_training_ends_like_an_unstopped_one(name, tmp_path, vae):
    def train(folder, **options):
        if name == "gpt":
            return moleculegpt_training.train(table(), folder, schedule=FEW, **options, **SIZES)
        if name == "gan":
            rules = Rules(steps=4, rounds=1)
            return latentgan_training.train(vae, table(), folder, rules=rules, **options, **SMALL)
        return moleculediffusion_training.train(
            vae, table(), folder, schedule=FEW, **options, **SMALL
        )

    whole = train(tmp_path / "a")
    for turn in range(4):
        parts = train(tmp_path / "b", resume=turn > 0, minutes=0)
    for key, value in whole.mean.state_dict().items():
        assert torch.equal(value, parts.mean.state_dict()[key])


# ---------------------------------------------------------------------- making
def test_molecules_are_made(system):
    made = list(system.sample(40, seed=1))
    assert len(made) == 40
    good = [c for c in made if c.verdict.ok]
    assert len(good) > 10
    assert all(c.domain == "molecules" and c.provenance.system == system.name for c in made)
    latent = system.name != "moleculegpt"
    assert all((c.latent is not None) == latent for c in made)


def test_same_seed_same_molecules(system):
    few, more = ([c.text for c in system.sample(n, seed=3)] for n in (5, BLOCK + 4))
    assert few == more[:5]
    assert [c.text for c in system.sample(5, seed=4)] != few


def test_what_is_asked_changes_what_is_made(system):
    low = Condition({"lumo_ev": Window(high=system.training_range["lumo_ev"][0] + 1)})
    free, asked = ([c.text for c in system.sample(20, condition=c)] for c in (None, low))
    assert free != asked


def test_exact_wishes_filter(system):
    asked = Condition({"mass_g_mol": Window(high=80)}, {"elements": "C, H"})
    for candidate in system.sample(5, condition=asked):
        mol = Chem.MolFromSmiles(candidate.text)
        assert {atom.GetSymbol() for atom in mol.GetAtoms()} <= {"C", "H"}
        assert candidate.provenance.condition == asked.to_json()


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"n": 0}, "at least 1"),
        ({"n": 1, "condition": Condition({"tm_k": Window(0, 1)})}, "cannot aim at .*tm_k"),
        ({"n": 1, "condition": Condition(wishes={"formula": "LiF"})}, "formula"),
    ],
)
def test_what_cannot_be_made_is_told(system, options, named):
    with pytest.raises(ValueError, match=named):
        next(iter(system.sample(**options)))


def test_saved_and_loaded(system, tmp_path, vae):
    vae.save(tmp_path / "chemvae")
    kept = type(vae).load(tmp_path / "chemvae")
    if system.name != "moleculegpt":
        config = replace(system.config, vae=kept.weights)
        system = type(system)(config, system.network, "toy", kept)
    system.save(tmp_path / system.name)
    one, two = (type(system).load(tmp_path / system.name) for _ in range(2))
    assert [c.text for c in one.sample(5)] == [c.text for c in two.sample(5)]


def test_another_chemvae_is_refused(tmp_path, vae):
    config = molecule_latents.make_config(vae, table(), **SMALL)
    config = replace(config, vae="another")
    system = moleculediffusion.MoleculeDiffusion(config, moleculediffusion.Network(config))
    system.save(tmp_path / "moleculediffusion")
    vae.save(tmp_path / "chemvae")
    with pytest.raises(ValueError, match="was trained with another chemvae"):
        moleculediffusion.MoleculeDiffusion.load(tmp_path / "moleculediffusion")
