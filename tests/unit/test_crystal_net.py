"""Symmetries of the crystal network: order of atoms, origin, padding, company."""

import pytest
import torch

from genbat.families.crystal_net import CrystalNet, Crystals, waves


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    return CrystalNet(kinds=12, width=16, layers=2, frequencies=4).eval()


def crystals(sizes, seed=0, room=None):
    g = torch.Generator().manual_seed(seed)
    most = room or max(sizes)
    here = torch.arange(most)[None] < torch.tensor(sizes)[:, None]
    kinds = torch.randint(1, 11, here.shape, generator=g) * here
    fractions = torch.rand(*here.shape, 3, generator=g) * here[..., None]
    return Crystals(kinds, fractions, torch.randn(len(sizes), 6, generator=g), here)


def close(a, b):
    return torch.allclose(a, b, atol=2e-5)


@torch.no_grad()
def look(net, x):
    return net(x, torch.full((len(x),), 0.4))


def test_waves_repeat_with_the_cell():
    d = torch.rand(5, 3)
    sines, cosines = waves(3, d)
    assert torch.allclose(sines[..., 1], (4 * torch.pi * d).sin(), atol=1e-5)
    assert torch.allclose(sines**2 + cosines**2, torch.ones(5, 3, 3), atol=1e-5)
    for here, there in zip(waves(3, d), waves(3, d + torch.tensor([1.0, -2.0, 3.0])), strict=True):
        assert torch.allclose(here, there, atol=1e-4)


def test_waves_are_as_long_as_their_mean_over_the_noise():
    """Both ends of a difference are moved by normal noise of width sigma."""
    d, sigma = torch.tensor([[[[0.1, 0.3, -0.2]]]]), torch.tensor([0.07])
    noise = 2**0.5 * sigma * torch.randn(200_000, 3, generator=torch.Generator().manual_seed(0))
    means = [part.mean(0) for part in waves(2, d[0, 0] + noise)]
    for mean, part in zip(means, waves(2, d, sigma), strict=True):
        assert torch.allclose(part[0, 0, 0], mean, atol=5e-3)


def test_atoms_in_another_order(net):
    x, order = crystals([5]), torch.tensor([3, 0, 4, 1, 2])
    moved = Crystals(x.kinds[:, order], x.fractions[:, order], x.lattices, x.here)
    one, two = look(net, x), look(net, moved)
    assert close(one.kinds[:, order], two.kinds)
    assert close(one.fractions[:, order], two.fractions)
    assert close(one.lattices, two.lattices)


def test_another_origin(net):
    x = crystals([4])
    moved = Crystals(x.kinds, (x.fractions + torch.tensor([0.3, 0.9, 0.5])) % 1, x.lattices, x.here)
    one, two = look(net, x), look(net, moved)
    assert close(one.fractions, two.fractions)
    assert close(one.lattices, two.lattices)


def test_a_common_shift_is_never_guessed(net):
    x = crystals([4, 1, 6])
    said = look(net, x).fractions
    assert close(said.sum(1), torch.zeros(3, 3))
    assert not said[1].any()
    assert said[0].abs().max() > 1e-3


def test_symmetric_surroundings_do_not_pull():
    """In a chain of like atoms, evenly spaced, no atom is pulled by any network."""
    torch.manual_seed(1)
    here = torch.ones(1, 3, dtype=torch.bool)
    fractions = torch.tensor([[[0.1, 0, 0], [0.1 + 1 / 3, 0, 0], [0.1 + 2 / 3, 0, 0]]])
    even = Crystals(torch.full((1, 3), 5), fractions, torch.zeros(1, 6), here)
    net = CrystalNet(kinds=12, width=16, layers=2, frequencies=4)
    assert close(look(net, even).fractions, torch.zeros(1, 3, 3))
    fractions[0, 0, 0] += 0.05
    uneven = Crystals(even.kinds, fractions, even.lattices, here)
    assert look(net, uneven).fractions.abs().max() > 1e-4


def test_padding_and_company_do_not_matter(net):
    whole = crystals([3, 6, 2])
    alone = Crystals(*(part[:1] for part in (whole.kinds, whole.fractions, whole.lattices)),
                     whole.here[:1])  # fmt: skip
    short = Crystals(alone.kinds[:, :3], alone.fractions[:, :3], alone.lattices, alone.here[:, :3])
    many, few = look(net, whole), look(net, short)
    assert close(many.kinds[0, :3], few.kinds[0])
    assert close(many.fractions[0, :3], few.fractions[0])
    assert close(many.lattices[0], few.lattices[0])
    assert not many.states[0, 3:].any()


def test_everything_said_depends_on_everything(net):
    x = crystals([4])
    base = look(net, x)
    for name, change in (("kinds", 1), ("fractions", 0.1), ("lattices", 0.1)):
        parts = {n: getattr(x, n).clone() for n in ("kinds", "fractions", "lattices")}
        parts[name][0, 0] += change
        other = look(net, Crystals(**parts, here=x.here))
        assert not close(base.fractions[0, 1:], other.fractions[0, 1:])
        assert not close(base.lattices, other.lattices)
