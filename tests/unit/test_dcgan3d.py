"""dcgan3d on a toy: periodic by circular padding, sizes, its duel."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from genbat.core.condition import Condition, Window
from genbat.domains.microstructures.generator import Recipe, make
from genbat.domains.microstructures.volume import from_text
from genbat.systems import dcgan3d_training
from genbat.systems.dcgan3d import DCGAN3D, SIZE, Config, Discriminator, Generator
from genbat.systems.dcgan3d_training import Crops
from genbat.systems.duel import Rules

torch.set_num_threads(1)
SMALL = Config(noise=6, channels=(6, 5, 4, 3))
RULES = Rules(steps=3, rounds=1)


def system(config=SMALL):
    torch.manual_seed(0)
    return DCGAN3D(config, Generator(config), "toy")


def crops():
    return Crops(torch.tensor(make(Recipe(size=72, radius=6.0), 0).labels), 3)


def test_shapes():
    network = Generator(SMALL)
    assert network(torch.randn(2, 6, 1, 1, 1)).shape == (2, 3, SIZE, SIZE, SIZE)
    assert Discriminator(SMALL)(torch.rand(2, 3, SIZE, SIZE, SIZE)).shape == (2, 1, 1, 1, 1)


def test_a_shift_of_periodic_noise_shifts_the_volume():
    """The periodic generator commutes with shifts by whole places, through the border too."""
    network = Generator(SMALL).eval()
    z = torch.randn(1, 6, 4, 4, 4)
    made = network(z, periodic=True)
    assert made.shape == (1, 3, 64, 64, 64)
    for axis in (2, 3, 4):
        moved = network(z.roll(1, axis), periodic=True)
        assert torch.allclose(moved, made.roll(16, axis), atol=1e-5)


def test_the_inside_is_the_same_with_and_without_circular_padding():
    """From noise that is repeated, the plain generator makes the periodic volume in its middle."""
    network = Generator(SMALL).eval()
    z = torch.randn(1, 6, 4, 4, 4)
    plain = network(z.repeat(1, 1, 3, 3, 3))
    periodic = network(z, periodic=True)
    shifted = [plain[0, :, k : k + 64, k : k + 64, k : k + 64] for k in range(64, 128)]
    nearest = min(float((cut - periodic[0]).abs().max()) for cut in shifted)
    assert nearest < 1e-5


def test_a_periodic_volume_is_cut_in_the_middle_of_its_places():
    own = system()
    volume = own.volume(64, seed=2, index=1, periodic=True)
    z = torch.randn(1, 6, 4, 4, 4, generator=torch.Generator().manual_seed(2 * 1_000_003 + 1))
    with torch.inference_mode():
        whole = own.network(z, periodic=True)[0].argmax(0).numpy()
    assert np.array_equal(volume.labels, np.roll(whole, (-8, -8, -8), (0, 1, 2)))


@pytest.mark.parametrize(("extent", "periodic"), [(1, False), (5, False), (4, True), (8, True)])
def test_noise_with_an_extent_is_as_wide_as_in_training(extent, periodic):
    torch.manual_seed(0)
    network = Generator(SMALL).eval()
    heard = []
    network.norms[0].register_forward_hook(lambda module, told, made: heard.append(told[0]))
    with torch.no_grad():
        for _ in range(40):
            network(torch.randn(1, SMALL.noise, *(extent,) * 3), periodic=periodic)
    one = torch.cat(heard)
    wide = (
        (network.first.weight.detach() ** 2).sum(0).mean((1, 2, 3)).sqrt()
    )  # of independent noise of 1
    assert one.transpose(0, 1).flatten(1).std(1) == pytest.approx(wide, rel=0.25)


def test_cubes_are_of_the_volume():
    random = torch.Generator().manual_seed(0)
    drawn = crops().draw(3, random)
    assert drawn.shape == (3, 3, SIZE, SIZE, SIZE)
    assert torch.equal(drawn.sum(1), torch.ones(3, SIZE, SIZE, SIZE))
    with pytest.raises(ValueError, match="72 x 72 x 60"):
        Crops(torch.zeros(72, 72, 60), 2)


def test_a_stopped_duel_ends_like_an_unstopped_one(tmp_path):
    whole = dcgan3d_training.train(crops(), SMALL, tmp_path / "a", rules=RULES)
    for turn in range(RULES.steps):
        parts = dcgan3d_training.train(
            crops(), SMALL, tmp_path / "b", rules=RULES, resume=turn > 0, minutes=0
        )
    assert parts.step == whole.step == RULES.steps
    for name, value in whole.mean.state_dict().items():
        assert torch.equal(value, parts.mean.state_dict()[name]), name


def test_same_seed_same_volumes_and_what_they_say_of_themselves():
    made = list(system(replace(SMALL, voxel_um=(0.4, 0.4, 0.4))).sample(2, seed=3, periodic=True))
    again = list(system().sample(2, seed=3, periodic=True))
    volume = from_text(made[0].text)
    assert volume.periodic and volume.voxel_um == (0.4, 0.4, 0.4)
    assert (volume.labels == from_text(again[0].text).labels).all()
    assert made[0].text != made[1].text
    assert made[0].provenance.arguments == {"index": 0, "size": 64, "periodic": True}
    assert np.shape(system().volume(128).labels) == (128, 128, 128)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"n": 0}, "at least 1"),
        ({"n": 1, "size": 100}, "64, 128, 192, 256"),
        ({"n": 1, "condition": Condition({"porosity": Window(0.3, 0.4)})}, "porosity"),
    ],
)
def test_what_cannot_be_made_is_named(options, said):
    with pytest.raises(ValueError, match=said):
        next(iter(system().sample(**options)))
