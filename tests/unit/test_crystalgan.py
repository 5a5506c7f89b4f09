"""crystalgan on a toy: contacts, unions, what the networks see, and training."""

import math
from dataclasses import astuple, replace

import numpy as np
import pytest
import torch
from pymatgen.core import Composition, Lattice, Structure
from tiny_crystalgan import RULES, SIZES, corpus, some_pairs, system

from genbat.domains.crystals.codec import turned
from genbat.domains.crystals.contacts import Contacts, Limits, contacts, limits_of
from genbat.domains.crystals.ions import Ion
from genbat.domains.crystals.prototypes import prototype
from genbat.domains.crystals.structure import (
    cell_of,
    formula_counts,
    structure_of,
)
from genbat.domains.crystals.substitution import fill
from genbat.families.crystal_net import Crystals
from genbat.systems import crystalgan_training
from genbat.systems.crystal_corpus import cells_of
from genbat.systems.crystalgan_network import (
    CENTRES,
    MARGIN,
    RADII,
    Generator,
    Push,
    constraint,
    misfit,
    rebuilt,
    surroundings,
)
from genbat.systems.crystalgan_pairs import SITES, Stock, ends_of, exchanged, pairs_of
from genbat.systems.duel import Rules


# ---------------------------------------------------------------------- contacts
def test_contacts_of_rock_salt():
    cell = fill(prototype("aflow:AB_cF8_225_a_b"), {"A": Ion("O", -2), "B": Ion("Mg", 2)})
    edge = (np.linalg.det(cell.lattice) * 4) ** (1 / 3)  # of the cube of four formula units
    found = contacts(cell, 8)
    np.testing.assert_allclose(found.partners, edge / 2 / (0.66 + 1.41), rtol=1e-6)
    assert found.metals == pytest.approx(edge / np.sqrt(2) / (2 * 1.41))
    assert found.anions == pytest.approx(edge / np.sqrt(2) / (2 * 0.66))


def test_contacts_know_no_orientation_origin_or_order():
    for cell in corpus().cells[:4]:
        anion = ends_of(cell)[1]
        one, two = contacts(cell, anion), contacts(turned(cell, 1), anion)
        np.testing.assert_allclose(np.sort(one.partners), np.sort(two.partners), atol=1e-6)
        assert one.metals == pytest.approx(two.metals)


@pytest.mark.parametrize(
    ("found", "legal"),
    [
        (Contacts(np.array([1.0, 1.2]), 1.5, 2.0), True),
        (Contacts(np.array([0.8, 1.2]), 1.5, 2.0), False),
        (Contacts(np.array([1.0, 1.6]), 1.5, 2.0), False),
        (Contacts(np.array([1.0, 1.2]), 0.8, 2.0), False),
        (Contacts(np.array([1.0, 1.2]), 1.5, 1.1), False),
    ],
)
def test_every_limit_counts(found, legal):
    assert Limits(low=0.9, high=1.5, metals=1.0, anions=1.2).hold(found) == legal


def test_limits_are_kept_by_nearly_all_that_they_come_from():
    cells = [cell for cell in corpus().cells if ends_of(cell) and ends_of(cell)[1] == 1]
    limits = limits_of(cells, 1)
    assert np.mean([limits.hold(contacts(cell, 1)) for cell in cells]) >= 0.9
    with pytest.raises(ValueError, match="no crystal with the anion 8"):
        limits_of([], 8)


# ---------------------------------------------------------------------- binaries and unions
def test_binaries_come_back_from_the_stock():
    cells = crystalgan_training.binaries(corpus())
    stock = Stock.of(cells)
    for k in (0, len(cells) // 2, len(cells) - 1):
        assert formula_counts(stock.cell(k)) == formula_counts(cells[k])
        assert (int(stock.metals[k]), int(stock.anions[k])) == ends_of(cells[k])
        one, two = structure_of(cells[k]), structure_of(stock.cell(k))
        mean = [np.sort(s.distance_matrix.ravel()) for s in (one, two)]
        np.testing.assert_allclose(*mean, atol=2e-3)


def test_a_union_has_all_atoms_in_a_cell_as_large_as_both():
    stock, scale = system().network.stock, system().config.scale
    rows = torch.tensor([0, 3]), torch.tensor([5, 7])
    generators = [torch.Generator().manual_seed(k) for k in range(2)]
    pairs = pairs_of(*(stock.crystals(own, scale) for own in rows), generators)
    for k, cell in enumerate(cells_of(pairs.union, scale)):
        parts = [stock.cell(int(own[k])) for own in rows]
        assert sorted(cell.numbers) == sorted(np.concatenate([p.numbers for p in parts]))
        # The volume of an atom is the geometric mean of both.
        own = [np.linalg.det(p.lattice) / len(p.numbers) for p in parts]
        wanted = np.sqrt(own[0] * own[1]) * len(cell.numbers)
        assert np.linalg.det(cell.lattice) == pytest.approx(wanted, rel=1e-3)


def test_exchanged_roles_are_the_same_union():
    pairs = some_pairs()
    other = exchanged(pairs)
    assert torch.equal(exchanged(other).union.fractions, pairs.union.fractions)
    scale = system().config.scale
    limits = crystalgan_training.limits_for(pairs, system().config)
    assert torch.allclose(
        misfit(pairs.union, scale, limits), misfit(other.union, scale, limits), rtol=1e-4
    )
    assert torch.equal(pairs.lattices.flip(1), other.lattices)


@pytest.mark.parametrize("text", ["NaCl", "C", "CO2"])
def test_what_is_no_metal_with_an_anion_is_no_binary(text):
    species = [e for e, n in Composition(text).items() for _ in range(int(n))]
    places = np.linspace(0, 0.8, len(species))[:, None] * np.ones(3)
    assert ends_of(cell_of(Structure(Lattice.cubic(5), species, places))) is None


# ---------------------------------------------------------------------- geometry
def test_the_networks_measure_distances_as_the_domain_does():
    """The network's misfit is nothing exactly where the domain's limits hold with the margin."""
    scale = system().config.scale
    stock = system().network.stock
    x = stock.crystals(torch.arange(len(stock)), scale)
    limits = [system().config.limits(int(z)) for z in stock.anions]
    found = misfit(x, scale, torch.tensor([astuple(own) for own in limits]))
    tight = [
        replace(own, low=own.low + MARGIN, high=own.high - MARGIN, metals=own.metals + MARGIN,
                anions=own.anions + MARGIN)
        for own in limits
    ]  # fmt: skip
    cells = cells_of(x, scale)
    legal = [
        own.hold(contacts(cell, int(z)))
        for own, cell, z in zip(tight, cells, stock.anions, strict=True)
    ]
    assert np.mean([(float(m) < 1e-8) == ok for m, ok in zip(found, legal, strict=True)]) > 0.97
    assert 0 < np.mean(legal) < 1


def test_surroundings_of_rock_salt():
    """Six partners and twelve of its own kind around each atom, at their distances."""
    cell = fill(prototype("aflow:AB_cF8_225_a_b"), {"A": Ion("O", -2), "B": Ion("Mg", 2)})
    stock, scale = Stock.of([cell]), system().config.scale
    seen = surroundings(stock.crystals(torch.tensor([0]), scale), scale)[0]
    edge = (np.linalg.det(cell.lattice) * 4) ** (1 / 3)
    width, centres = CENTRES[1] - CENTRES[0], np.array(CENTRES)
    bell = lambda r: np.exp(-((r - centres) ** 2) / (2 * width**2))  # noqa: E731
    near = edge / 2 / float(RADII[12] + RADII[8])
    expected = np.log1p(6 * bell(near) + 8 * bell(near * np.sqrt(3)))
    inside = centres < 1.5  # farther out are atoms of images that are not looked at
    magnesium = seen[0].numpy()
    np.testing.assert_allclose(magnesium[len(CENTRES) : 2 * len(CENTRES)][inside],
                               expected[inside], atol=0.05)  # fmt: skip
    assert seen[2:].abs().max() == 0  # where there is no atom


def test_surroundings_ignore_shifts_and_follow_permutations():
    pairs, scale = some_pairs(), system().config.scale
    x = pairs.union
    moved = replace(x, fractions=(x.fractions + torch.tensor([0.3, 0.7, 0.11])) % 1.0)
    seen = surroundings(x, scale)
    assert torch.allclose(surroundings(moved, scale), seen, atol=2e-4)
    order = torch.randperm(2 * SITES, generator=torch.Generator().manual_seed(3))
    mixed = Crystals(x.kinds[:, order], x.fractions[:, order], x.lattices, x.here[:, order])
    assert torch.allclose(surroundings(mixed, scale), seen[:, order], atol=1e-5)


def push_of(x, states):
    torch.manual_seed(0)
    push = Push(system().config)
    torch.nn.init.normal_(push.out.weight)
    with torch.no_grad():
        return push(x, states)


def states_of(x):
    """The same for the same kind of atom."""
    table = torch.randn(100, system().config.width, generator=torch.Generator().manual_seed(1))
    return table[x.kinds]


def test_neighbours_push_alike_whatever_the_origin_and_the_order():
    x = some_pairs().union
    found = push_of(x, states_of(x))
    assert float(found.abs().max()) > 1e-3 and found[~x.here].abs().max() == 0
    moved = replace(x, fractions=(x.fractions + torch.tensor([0.3, 0.7, 0.11])) % 1.0)
    assert torch.allclose(push_of(moved, states_of(moved)), found, atol=1e-3)
    order = torch.randperm(2 * SITES, generator=torch.Generator().manual_seed(3))
    mixed = Crystals(x.kinds[:, order], x.fractions[:, order], x.lattices, x.here[:, order])
    assert torch.allclose(push_of(mixed, states_of(mixed)), found[:, order], atol=1e-4)


def test_nothing_is_pushed_where_all_neighbours_lie_opposite_each_other():
    cell = fill(prototype("aflow:AB_cF8_225_a_b"), {"A": Ion("O", -2), "B": Ion("Ba", 2)})
    x = Stock.of([cell]).crystals(torch.tensor([0]), system().config.scale)
    assert float(push_of(x, states_of(x)).abs().max()) < 1e-4
    off = replace(
        x, fractions=x.fractions + torch.tensor([0.05, 0.0, 0.0]) * (x.kinds == 8)[..., None]
    )
    assert float(push_of(off, states_of(off)).abs().max()) > 1e-3


def test_reconstruction_ignores_where_a_binary_lies():
    pairs = some_pairs()
    away = torch.tensor([0.21, -0.4, 0.05]) * pairs.second[..., None]
    perfect = (pairs.homes + away + 0.13) % 1.0
    assert float(rebuilt((perfect, pairs.lattices), pairs)) < 1e-6
    off = perfect + 0.1 * torch.randn(perfect.shape, generator=torch.Generator().manual_seed(0))
    assert float(rebuilt((off, pairs.lattices), pairs)) > 0.5


# ---------------------------------------------------------------------- training
def test_the_second_step_learns_the_constraint(tmp_path):
    """With the same unions before and after."""
    rules = Rules(steps=45, rounds=1, rate=3e-3)
    duel = crystalgan_training.train(corpus(), tmp_path, rules=rules, **SIZES)
    pairs, config = some_pairs(24), duel.config
    limits = crystalgan_training.limits_for(pairs, config)
    with torch.no_grad():
        pseudo = duel.mean.pseudo(pairs.union)
        ternary = duel.mean.ternary(pseudo)
    before, after = (float(misfit(x, config.scale, limits).mean()) for x in (pseudo, ternary))
    assert after < 0.8 * before


def test_the_first_generator_is_held_in_the_second_step(tmp_path):
    kept = []

    def watch(duel):
        kept.append({k: v.clone() for k, v in duel.generator.state_dict().items()})

    cells = crystalgan_training.binaries(corpus())
    config = crystalgan_training.make_config(cells, **SIZES)
    duel = crystalgan_training.begin(
        config, crystalgan_training.networks, replace(RULES, steps=5), tmp_path
    )
    duel.generator.stock.load_state_dict(Stock.of(cells).state_dict())
    with torch.no_grad():
        known = crystalgan_training.seen_of(duel)
    for _ in range(5):
        crystalgan_training.one_round(known, duel)
        watch(duel)
    differs = lambda a, b, name: any(  # noqa: E731
        not torch.equal(kept[a][k], kept[b][k]) for k in kept[a] if k.startswith(name)
    )
    assert differs(0, 1, "first") and not differs(0, 1, "second")
    assert not differs(2, 4, "first") and differs(2, 4, "second")


def test_a_stopped_run_ends_like_an_unstopped_one(tmp_path):
    whole = crystalgan_training.train(corpus(), tmp_path / "a", rules=RULES, **SIZES)
    folder = tmp_path / "b"
    for turn in range(2):
        crystalgan_training.train(
            corpus(), folder, rules=RULES, resume=turn > 0, minutes=0, **SIZES
        )
    parts = crystalgan_training.train(corpus(), folder, rules=RULES, resume=True)
    assert parts.step == whole.step == 4
    for name, value in whole.mean.state_dict().items():
        assert torch.equal(value, parts.mean.state_dict()[name]), name


def test_base_weights_are_small_enough():
    config = crystalgan_training.make_config(crystalgan_training.binaries(corpus()))
    assert sum(v.numel() for v in Generator(config).state_dict().values()) * 4 < 5e6


def test_nothing_to_join_is_said(tmp_path):
    with pytest.raises(ValueError, match="no two metals"):
        crystalgan_training.train(corpus().part([0]), tmp_path, rules=RULES)
    with pytest.raises(ValueError, match="no crystal to train on"):
        crystalgan_training.train(corpus().part([]), tmp_path, rules=RULES)


def test_the_constraint_counts_crystals_and_not_how_badly_the_worst_break_it():
    found = float(constraint(torch.tensor([0.0, 0.01, 1.0, 10.0])))
    wanted = (0 + math.log(2) + math.log(101) + math.log(1001)) / 4
    assert found == pytest.approx(wanted, rel=1e-5)
    near, far = (float(constraint(torch.tensor([v])) - constraint(torch.tensor([0.5 * v])))
                 for v in (0.02, 20.0))  # fmt: skip
    assert near > 0.5 * far  # halving a small misfit is worth nearly as much as a large one
