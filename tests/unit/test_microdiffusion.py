"""microdiffusion on a toy: forgetting, guidance, exact fractions, the microvae beside it."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from test_microvae import SIZES, volumes

from genbat.core.condition import Condition, Window
from genbat.domains.microstructures.statistics import fractions
from genbat.domains.microstructures.volume import from_text
from genbat.families.gaussian import denoised
from genbat.families.latent_net import LatentDenoiser, forgotten
from genbat.systems import microdiffusion_training, microvae_training
from genbat.systems.microdiffusion import MicroDiffusion, Plan
from genbat.systems.microdiffusion_network import Config, Network, Places
from genbat.systems.microvae import MicroVAE
from genbat.systems.microvae_network import TARGETS
from genbat.systems.run import Schedule
from genbat.systems.volumes import shares_of

torch.set_num_threads(1)
SMALL = {"hidden": 16, "width": 8}
RULES = Schedule(steps=4, batch=4, rate=1e-3, warm_steps=1)
QUICK = Plan(steps=3)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Folders of a trained pair."""
    folder = tmp_path_factory.mktemp("pair")
    own = volumes()
    run = microvae_training.train(own, folder / "a", schedule=replace(RULES, batch=2), **SIZES)
    MicroVAE(microvae_training.finish(run, own), run.mean).save(folder / "microvae")
    vae = MicroVAE.load(folder / "microvae")
    run = microdiffusion_training.train(vae, own, folder / "b", schedule=RULES, **SMALL)
    MicroDiffusion(run.config, run.mean, vae=vae).save(folder / "microdiffusion")
    return folder


@pytest.fixture
def system(place):
    return MicroDiffusion.load(place / "microdiffusion")


# ---------------------------------------------------------------------- networks
def test_unknown_targets_say_nothing():
    torch.manual_seed(0)
    own = Config(**SMALL)
    net = LatentDenoiser(own.latent, len(TARGETS), own.hidden)
    x, time = torch.randn(2, 16), torch.rand(2)
    none = torch.full((2, len(TARGETS)), torch.nan)
    assert torch.isfinite(net(x, time, none)).all()
    zero = none.clone()
    zero[:, 0] = 0.0
    assert not torch.allclose(net(x, time, none), net(x, time, zero))


def test_places_hear_one_another_and_may_be_more():
    torch.manual_seed(0)
    net = Places(Config(**SMALL))
    x = torch.randn(1, 4, 8, 8, 8)
    one = net(x, torch.rand(1), torch.randn(1, 16))
    assert one.shape == x.shape
    assert net(torch.randn(1, 4, 16, 16, 16), torch.rand(1), torch.randn(1, 16)).shape[-1] == 16
    far = x.clone()
    far[..., -1] += 5.0
    told = (torch.tensor([0.3]), torch.zeros(1, 16))
    assert not torch.allclose(net(x, *told)[..., 0], net(far, *told)[..., 0])


def test_targets_are_forgotten_one_by_one_and_together():
    torch.manual_seed(0)
    lost = forgotten(torch.zeros(4000, 5), torch.Generator().manual_seed(0)).isnan().float()
    assert float(lost.mean()) == pytest.approx(1 - 0.7 * 0.7, abs=0.02)
    assert float((lost.sum(1) == 5).float().mean()) == pytest.approx(0.3 + 0.7 * 0.3**5, abs=0.03)


# ---------------------------------------------------------------------- training
def test_latents_have_width_one_after_scaling(place):
    vae = MicroVAE.load(place / "microvae")
    latents = microdiffusion_training.latents_of(vae, volumes())
    assert len(latents.texture) == 2 * 7
    network = Network(microdiffusion_training.make_config(vae, **SMALL))
    microdiffusion_training.scale(network, latents)
    noise = torch.randn(latents.places.shape) * latents.places_width.float()
    shape = (-1, 1, 1, 1)
    drawn = latents.places.float() + noise - network.place_middle.view(shape)
    drawn = drawn / network.place_spread.view(shape)
    assert drawn.movedim(1, 0).flatten(1).std(1) == pytest.approx(1.0, abs=0.1)


def test_a_stopped_run_ends_like_an_unstopped_one(place, tmp_path):
    vae, own = MicroVAE.load(place / "microvae"), volumes()
    whole = microdiffusion_training.train(vae, own, tmp_path / "a", schedule=RULES, **SMALL)
    for turn in range(4):
        parts = microdiffusion_training.train(
            vae, own, tmp_path / "b", schedule=RULES, resume=turn > 0, minutes=0, **SMALL
        )
    assert parts.step == whole.step == 4
    for name, value in whole.mean.state_dict().items():
        assert torch.equal(value, parts.mean.state_dict()[name])


def test_another_microvae_is_refused(place, tmp_path):
    system = MicroDiffusion.load(place / "microdiffusion")
    system.save(tmp_path / "microdiffusion")
    vae = MicroVAE.load(place / "microvae")
    vae.network.centre += 1
    vae.save(tmp_path / "microvae")
    with pytest.raises(ValueError, match="another microvae"):
        MicroDiffusion.load(tmp_path / "microdiffusion")


# ---------------------------------------------------------------------- sampling
def test_same_seed_same_volumes(system):
    few, more = ([c.text for c in system.sample(n, seed=1, plan=QUICK)] for n in (1, 2))
    assert few == more[:1]
    assert more[0] != more[1]


@pytest.mark.parametrize(
    ("windows", "porosity", "binder"),
    [
        ({"porosity": Window(0.5, 0.5)}, 0.5, None),
        ({"porosity": Window(0.3, 0.3), "binder": Window(0.07, 0.07)}, 0.3, 0.07),
        ({"binder": Window(0.1, 0.1)}, None, 0.1),
    ],
)
def test_fractions_are_met_exactly(system, windows, porosity, binder):
    (one,) = system.sample(1, condition=Condition(windows), plan=QUICK)
    share = fractions(from_text(one.text))
    if porosity is not None:
        assert share[0] == pytest.approx(porosity, abs=1e-4)
    if binder is not None:
        assert share[2] == pytest.approx(binder, abs=1e-4)


def test_shares_stay_where_they_are_expected_inside_a_window():
    logits = torch.log(torch.tensor([0.4, 0.5, 0.1]))[None, :, None, None, None]
    logits = logits.expand(1, 3, 4, 4, 4)
    names = ("pore", "active material", "carbon-binder")
    inside = shares_of(logits, names, {"porosity": Window(0.3, 0.45)})
    assert torch.allclose(inside, torch.tensor([[0.4, 0.5, 0.1]]))
    below = shares_of(logits, names, {"porosity": Window(high=0.2)})
    assert torch.allclose(below, torch.tensor([[0.2, 0.7, 0.1]]))
    much = shares_of(logits, names, {"porosity": Window(low=0.9), "binder": Window(low=0.3)})
    assert torch.allclose(much, torch.tensor([[0.75, 0.0, 0.25]]), atol=1e-6)


def test_aims_are_standardised(system):
    config = system.config
    aims = system.aims({"tau_z": Window(2.0, 2.0), "porosity": Window(low=0.4)})
    assert aims[2] == pytest.approx((np.log(2.0) - config.mean[2]) / config.spread[2])
    assert aims[0] > (0.4 - config.mean[0]) / config.spread[0]
    assert np.isnan(aims[1]) and np.isnan(aims[3]) and np.isnan(aims[4])


def test_guidance_moves_towards_what_is_asked(system):
    generator = lambda: torch.Generator().manual_seed(0)  # noqa: E731
    asked = {"porosity": Window(0.6, 0.6)}
    plain = system._texture(asked, Plan(3, 0.0, 1), generator())
    free = system._texture({}, Plan(3, 2.0), generator())
    assert torch.allclose(plain, free, atol=1e-5)
    assert not torch.allclose(plain, system._texture(asked, Plan(3, 2.0, 1), generator()))


def test_the_texture_is_chosen_that_the_heads_place_nearest(system):
    asked = {"porosity": Window(0.6, 0.6), "tau_z": Window(2.0, 2.0)}
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        best = system._texture(asked, Plan(3, 1.0, 6), generator)
        net, aims = system.network, np.array(system.aims(asked))
        start = torch.randn(6, system.config.latent, generator=torch.Generator().manual_seed(3))
        told = torch.tensor(aims).float().expand(6, -1)
        made = denoised(lambda x, t: net.textures(x, t, told), start, 3)
    g = (made * net.texture_spread + net.texture_middle).detach().numpy()
    found = system.vae.predict_table(g)[0][:, [0, 2]]
    own = system.config
    standard = np.stack([(found[:, 0] - own.mean[0]) / own.spread[0],
                         (np.log(found[:, 1]) - own.mean[2]) / own.spread[2]], 1)  # fmt: skip
    away = np.abs(standard - aims[[0, 2]]).max(1)
    assert torch.allclose(best[0], made[int(away.argmin())], atol=1e-4)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"n": 0}, "at least 1"),
        ({"n": 1, "size": 65}, "legal are 64"),
        ({"n": 1, "condition": Condition({"chord": Window(1, 2)})}, "chord"),
        ({"n": 1, "condition": Condition(wishes={"formula": "LiF"})}, "formula"),
        ({"n": 1, "condition": Condition({"porosity": Window(1.2, 1.3)})}, "porosity"),
    ],
)
def test_what_cannot_be_made_is_named(system, options, named):
    with pytest.raises(ValueError, match=named):
        next(iter(system.sample(**options)))
