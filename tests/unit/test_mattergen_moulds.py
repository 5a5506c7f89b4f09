"""Symmetry in the sampler: what a cast allows, how moulds are chosen and filled."""

from collections import Counter

import numpy as np
import pytest
import torch
from known_crystals import KNOWN, PEROVSKITE
from tiny_crystals import corpus

from genbat.core.condition import Condition
from genbat.domains.crystals import codec
from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.moulds import Mould
from genbat.domains.crystals.symmetry import space_group_number
from genbat.domains.crystals.wishes import read_wishes
from genbat.systems.crystal_corpus import LatticeScale
from genbat.systems.mattergen_moulds import Cast, Moulds, _fill, choose, filled

SCALE = LatticeScale((1.0, 1.0, 1.0, 0.0, 0.0, 0.0), (0.25,) * 6)
MOULDS = [Mould.of(cell) for cell, *_ in KNOWN.values()]


def standard(cell):
    stretch = torch.tensor(codec.stretch_of(cell.lattice))[None].float()
    return SCALE.standard(stretch, torch.tensor([len(cell.numbers)]))


def wishes(**asked):
    return read_wishes(Condition(wishes=asked))


@pytest.mark.parametrize("name", KNOWN)
def test_a_symmetric_lattice_stays_and_any_other_becomes_symmetric(name):
    cell, group, *_ = KNOWN[name]
    cast = Cast([Mould.of(cell)], SCALE)
    own = standard(cell)
    assert torch.allclose(cast.lattices(own), own, atol=1e-3)
    generator = torch.Generator().manual_seed(3)
    bent = own + 0.4 * torch.randn(1, 6, generator=generator)
    made = cast.lattices(bent)
    assert float(made[0, :3].sum()) == pytest.approx(float(bent[0, :3].sum()), abs=1e-4)  # volume
    lattice = codec.lattice_of(SCALE.back(made, cast.sizes)[0].double().numpy())
    places = cast.start(generator)[0].double().numpy()
    assert space_group_number(Cell(cell.numbers, places @ lattice, lattice), 1e-3) == group


def test_noise_and_blur_make_up_plain_noise():
    cast, generator = Cast(MOULDS, SCALE), torch.Generator().manual_seed(0)
    noise = torch.stack([cast.noise(generator) for _ in range(400)])
    blur = torch.stack([cast.blur(generator) for _ in range(400)])
    assert torch.allclose(torch.stack([cast.moves(n) for n in noise[:5]]), noise[:5], atol=1e-5)
    assert float(torch.stack([cast.moves(b) for b in blur[:5]]).abs().max()) < 1e-5
    for k, mould in enumerate(MOULDS):
        part = (noise + blur)[:, k, : mould.size]
        assert float(part.std()) == pytest.approx(1.0, abs=0.05)


def test_an_orbit_is_of_one_kind():
    cast = Cast([Mould.of(PEROVSKITE)], SCALE)
    values = torch.randn(1, 5, 7)
    alike = cast.alike(values)
    three = [k for k in range(5) if int((cast.first == cast.first[0, k]).sum()) == 3]
    assert torch.allclose(alike[0, three], values[0, three].mean(0).expand(3, -1), atol=1e-6)
    assert len(set(cast.led(torch.arange(5)[None])[0, three].tolist())) == 1
    assert int(cast.leads.sum()) == 3


def test_a_formula_fills_whole_orbits():
    rng, mould = np.random.default_rng(0), Mould.of(PEROVSKITE)
    for _ in range(5):
        names = filled(mould, wishes(formula="KNbO3"), rng)
        assert Counter(names) == {"K": 1, "Nb": 1, "O": 3}
        assert all(len({names[k] for k in np.flatnonzero(mould.first == f)}) == 1
                   for f in mould.first)  # fmt: skip
    assert filled(mould, wishes(formula="Li2B2O"), rng) is None  # nothing takes the orbit of 3
    assert filled(mould, wishes(), rng) is None


def test_a_dead_end_is_met_once():
    """Ten orbits of two atoms never hold odd numbers: 109 states at most, not 100,000 ways."""
    atoms, dead = {"Li": 3, "Na": 5, "K": 5, "Rb": 5, "F": 2}, set()
    assert _fill([2] * 10, atoms, np.random.default_rng(0), dead) is None
    assert len(dead) <= 2 * 3 * 3 * 3 * 2 + 1
    even = {"Li": 4, "Na": 4, "K": 4, "Rb": 4, "F": 4}
    names = _fill([2] * 10, even, np.random.default_rng(0), set())
    assert Counter(names) == dict.fromkeys(even, 2)


def drawn_from(book, asked, n, rng, frequency=int):
    return choose(book.fitting(asked, frequency), n, asked, rng)


def test_moulds_are_as_frequent_as_in_training():
    book, rng = Moulds.of(corpus()), np.random.default_rng(1)
    assert int(book.often.sum()) == len(corpus().rows("train"))
    drawn = Counter(m.key for m, _ in drawn_from(book, wishes(), 4000, rng))
    for mould, often in zip(book.all[:3], book.often[:3].tolist(), strict=True):
        share = often / int(book.often.sum())
        assert drawn[mould.key] / 4000 == pytest.approx(share, abs=0.03)


def test_what_is_wished_for_chooses_the_moulds():
    book, rng = Moulds.of(corpus()), np.random.default_rng(2)
    group = next(m.group for m in book.all if m.group > 1)
    assert {m.group for m, _ in drawn_from(book, wishes(space_group=group), 20, rng)} == {group}
    assert {m.size for m, _ in drawn_from(book, wishes(atoms=4), 20, rng)} == {4}
    names = [n for _, n in drawn_from(book, wishes(formula="LiCoO2"), 20, rng)]
    assert all(n.count("O") == 2 * n.count("Li") == 2 * n.count("Co") for n in names)
    # no crystal of the corpus has 19 atoms
    free = drawn_from(book, wishes(atoms=19), 3, rng, lambda n: 1)
    assert all(m.group == 1 and m.size == 19 for m, _ in free)


def test_a_book_without_moulds_casts_freely():
    book = Moulds((0, 0, 0))
    chosen = drawn_from(book, wishes(atoms=[2, 3]), 10, np.random.default_rng(0), lambda n: n == 3)
    assert all(m.size == 3 and m.group == 1 for m, _ in chosen)
    with pytest.raises(ValueError, match="space_group"):
        book.fitting(wishes(space_group=166), lambda n: 1)


def test_kept_with_the_weights():
    book = Moulds.of(corpus())
    again = Moulds(book.counts)
    again.load_state_dict(book.state_dict())
    assert [m.key for m in again.all] == [m.key for m in book.all]
