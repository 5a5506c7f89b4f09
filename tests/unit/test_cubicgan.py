"""cubicgan on a toy: numbers and back, labels, the duel, what a condition guarantees."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from pymatgen.core import Lattice, Structure
from tiny_crystals import corpus
from tiny_cubicgan import RULES, SIZES, cubic_cells, cubic_crystals, cubicgan

from genbat.core.condition import Condition, Window
from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.structure import cell_of, formula_counts, from_text
from genbat.domains.crystals.symmetric import Orbit, Symmetric, built, described
from genbat.domains.crystals.symmetry import space_group_number
from genbat.domains.crystals.wyckoff import space_group
from genbat.families.gan import critic_loss
from genbat.systems import cubicgan_network, cubicgan_training
from genbat.systems.cubicgan import CubicGAN, Plan, with_system
from genbat.systems.cubicgan_network import (
    Asked,
    Critic,
    Generator,
    asked_of,
    crystals_of,
    is_ours,
    nearest,
    numbers_of,
    snapped,
    touching_edge,
)

torch.set_num_threads(1)
ONCE = Plan(tries=1)
PEROVSKITE = Symmetric(221, (Orbit("Li", "b"), Orbit("Ti", "a"), Orbit("O", "d")), (3.9,))


@pytest.fixture(scope="module")
def cells():
    return cubic_cells()


@pytest.fixture(scope="module")
def crystals():
    return cubic_crystals()


@pytest.fixture(scope="module")
def system():
    return cubicgan()


def texts(candidates):
    return [c.text for c in candidates]


# ---------------------------------------------------------------------- numbers
def test_crystals_come_back_from_their_numbers(crystals):
    config = cubicgan_training.make_config(crystals)
    back = crystals_of(numbers_of(crystals, config), asked_of(crystals, config), config)
    for one, two in zip(crystals, back, strict=True):
        assert one.group == two.group
        assert [(o.element, o.letter) for o in one.orbits] == [
            (o.element, o.letter) for o in two.orbits
        ]
        for mine, theirs in zip(one.orbits, two.orbits, strict=True):
            away = np.array(mine.free) - np.array(theirs.free)
            assert np.abs(away - np.round(away)).max(initial=0.0) < 1e-4
        assert two.cell == pytest.approx(one.cell, rel=1e-4)


def test_coordinates_are_points_on_circles(crystals):
    config = cubicgan_training.make_config(crystals)
    numbers = numbers_of([crystals[0]], config)[0, :-1].view(3, 3, 2)
    assert torch.allclose(numbers.norm(dim=2), torch.ones(3, 3), atol=1e-6)
    positions = space_group(crystals[0].group).positions
    orbit = crystals[0].orbits[1]
    point = positions[orbit.letter].point(np.array(orbit.free))
    assert numbers[1, 2, 0] == pytest.approx(math.cos(2 * math.pi * point[2]), abs=1e-5)
    assert numbers[1, 2, 1] == pytest.approx(math.sin(2 * math.pi * point[2]), abs=1e-5)


def test_edges_are_told_relative_to_touching_spheres(crystals):
    config = cubicgan_training.make_config(crystals)
    edges = numbers_of(crystals, config)[:, -1]
    assert float(edges.mean()) == pytest.approx(0, abs=1e-3)
    assert float(edges.std(unbiased=False)) == pytest.approx(cubicgan_network.EDGE, abs=1e-3)
    radii = [1.28, 1.60, 0.66]  # Cordero et al. 2008
    wanted = ((2 * radii[0]) ** 3 + (2 * radii[1]) ** 3 + 3 * (2 * radii[2]) ** 3) ** (1 / 3)
    assert touching_edge(PEROVSKITE) == pytest.approx(wanted)


def test_base_atoms_go_to_the_most_special_place_nearby():
    off = np.array([0.02, -0.03, 1.01])
    assert snapped(off, 225, "ab", "Li") == Orbit("Li", "a")
    assert snapped(off + 0.5, 225, "ab", "Li") == Orbit("Li", "b")
    assert snapped(off, 225, "abe", "Li").letter == "a"
    found = snapped(np.array([0.24, 0.01, 0.0]), 225, "abe", "Cl")
    assert found.letter == "e" and found.free[0] == pytest.approx(0.24)
    far = snapped(np.array([0.25, 0.1, 0.12]), 225, "ab", "Li")
    assert far.letter == "a"  # nothing is near, this is nearest


@pytest.mark.parametrize("shift", [(0, 0, 0), (1, -1, 0), (0, 1, 1)])
def test_the_nearest_point_of_a_position(shift):
    position = space_group(227).positions["e"]
    point = position.point(np.array([0.3])) + np.array([0.01, -0.01, 0.0]) + shift
    free, far = nearest(position, point)
    assert free % 1.0 == pytest.approx([0.3])
    assert far == pytest.approx(math.sqrt(2) * 0.01)


def test_what_is_ours():
    assert is_ours(PEROVSKITE)
    two = (Orbit("Li", "a"), Orbit("F", "b"))
    assert not is_ours(Symmetric(225, two, (4.0,)))
    assert not is_ours(replace(PEROVSKITE, group=123))
    assert not is_ours(replace(PEROVSKITE, orbits=(*PEROVSKITE.orbits, Orbit("O", "c"))))


# ---------------------------------------------------------------------- training
def test_the_critic_learns_to_tell(crystals):
    """The Wasserstein distance that it finds between crystals and their shuffled edges grows."""
    config = cubicgan_training.make_config(crystals, **SIZES)
    torch.manual_seed(0)
    critic = Critic(config)
    optimiser = torch.optim.Adam(critic.parameters(), lr=2e-3, betas=(0.0, 0.9))
    real, asked = numbers_of(crystals, config), asked_of(crystals, config)
    fake = torch.randn(real.shape, generator=torch.Generator().manual_seed(1))
    distances = []
    for step in range(40):
        random = torch.Generator().manual_seed(step)
        loss, found = critic_loss(lambda x: critic(x, asked), real, fake, random)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        distances.append(float(found))
    assert distances[-1] > distances[0] + 1.0


def test_the_generator_closes_in_on_the_edges(crystals, system):
    """After training, edges made for the training's own labels lie nearer than an untrained
    generator's."""
    config = system.config
    real, asked = numbers_of(crystals, config), asked_of(crystals, config)
    noise = torch.randn(len(crystals), config.noise, generator=torch.Generator().manual_seed(0))
    torch.manual_seed(3)
    with torch.no_grad():
        trained, raw = (net(noise, asked) for net in (system.network, Generator(config)))
    assert float((trained[:, :-1] - real[:, :-1]).abs().mean()) < 0.7 * float(
        (raw[:, :-1] - real[:, :-1]).abs().mean()
    )


def test_a_stopped_run_ends_like_an_unstopped_one(crystals, tmp_path):
    whole = cubicgan_training.train_on(crystals, tmp_path / "a", rules=RULES, **SIZES)
    for turn in range(4):
        parts = cubicgan_training.train_on(
            crystals, tmp_path / "b", rules=RULES, resume=turn > 0, minutes=0, **SIZES
        )
    assert parts.step == whole.step == 4
    for name, value in whole.mean.state_dict().items():
        assert torch.equal(value, parts.mean.state_dict()[name]), name


def test_how_often_elements_stand_where(crystals):
    config = cubicgan_training.make_config(crystals)
    often = cubicgan_training.often(asked_of(crystals, config), config)
    assert int(often.sum()) == 3 * len(crystals)
    first = crystals[0]
    place = config.groups.index(first.group), 1, config.elements.index(first.orbits[1].element)
    wanted = sum(c.group == first.group and c.orbits[1].element == first.orbits[1].element
                 for c in crystals)  # fmt: skip
    assert int(often[place]) == wanted


def test_nothing_to_learn_from_is_said(tmp_path):
    with pytest.raises(ValueError, match="crystals: none is cubic"):
        cubicgan_training.train_on([], tmp_path, rules=RULES)
    low = corpus().part([k for k, g in enumerate(corpus().groups) if g < 195])
    with pytest.raises(ValueError, match="crystals: none is cubic"):
        cubicgan_training.train(low, tmp_path, rules=RULES)


# ---------------------------------------------------------------------- sampling
def test_same_seed_same_crystals_and_a_longer_sample_starts_alike(system):
    few = texts(system.sample(3, seed=5))
    assert few == texts(system.sample(70, seed=5))[:3]
    assert few != texts(system.sample(3, seed=6))


def test_saved_and_loaded_is_the_same_system(system, tmp_path):
    system.save(tmp_path)
    again = CubicGAN.load(tmp_path)
    assert again.config == system.config
    assert torch.equal(again.network.often, system.network.often)
    assert texts(again.sample(4)) == texts(system.sample(4))


def test_group_and_elements_are_those_asked_for(system, crystals):
    some = crystals[0]
    elements = [orbit.element for orbit in some.orbits]
    asked = Condition(wishes={"space_group": some.group, "elements": elements})
    order = system.order(asked, ONCE)
    for made in system.make(order, 0, 0):
        assert made.group == some.group
        assert [orbit.element for orbit in made.orbits] == elements
    for candidate in system.sample(16, condition=asked):
        if candidate.verdict.ok:
            cell = from_text(candidate.text)
            assert space_group_number(cell) == some.group
            assert set(formula_counts(cell)) == set(elements)


def test_what_is_open_is_drawn_as_often_as_trained(system, crystals):
    order = system.order(Condition(), ONCE)
    made = [c for first in range(0, 640, 64) for c in system.make(order, 0, first)]
    for group in system.config.groups:
        mine = np.mean([c.group == group for c in made])
        assert mine == pytest.approx(np.mean([c.group == group for c in crystals]), abs=0.07)
    assert all(len({o.element for o in c.orbits}) == 3 for c in made)


def test_required_and_forbidden_elements(system):
    first, *_, last = system.config.elements
    order = system.order(Condition(wishes={"require": [first], "forbid": [last]}), ONCE)
    for made in system.make(order, 0, 0):
        names = {orbit.element for orbit in made.orbits}
        assert first in names and last not in names


def test_symmetry_makes_the_whole_crystal():
    """Base atoms at 0, at the centre and on an edge's middle are a perovskite: against pymatgen."""
    ours = built(PEROVSKITE)
    theirs = Structure.from_spacegroup(
        "Pm-3m", Lattice.cubic(3.9), ["Li", "Ti", "O"], [(0.5, 0.5, 0.5), (0, 0, 0), (0.5, 0, 0)]
    )
    assert isinstance(ours, Cell)
    assert described(cell_of(theirs)) == described(ours)


@pytest.mark.parametrize(
    ("condition", "named"),
    [
        (Condition({"hull_ev": Window(high=0.1)}), "hull_ev"),
        (Condition(wishes={"space_group": 166}), "space_group: none of those asked for"),
        (Condition(wishes={"elements": ["Li", "O"]}), "elements: got 2"),
        (Condition(wishes={"elements": "Li-Pm-O"}), "Pm"),
        (Condition(wishes={"elements": ["Xx"]}), "Xx"),
        (Condition(wishes={"colour": "red"}), "colour"),
    ],
)
def test_what_cannot_be_honoured_is_named(system, condition, named):
    with pytest.raises(ValueError, match=named):
        next(iter(system.sample(1, condition=condition)))


def test_elements_is_another_word_for_system():
    asked = Condition(wishes={"elements": "Li-Ti-O", "space_group": 221})
    assert with_system(asked).wishes == {"system": "Li-Ti-O", "space_group": 221}


def test_at_least_one(system):
    with pytest.raises(ValueError, match="n: got 0"):
        next(iter(system.sample(0)))


def test_asked_keeps_rows_together():
    asked = Asked(torch.tensor([0, 1, 2]), torch.arange(9).view(3, 3))
    part = asked.rows(torch.tensor([2, 0]))
    assert part.groups.tolist() == [2, 0]
    assert part.elements.tolist() == [[6, 7, 8], [0, 1, 2]]
    assert cubicgan_network.NUMBERS == 19
