"""The networks of imatgen and what they learn from: formulas written anew, invariances."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny_oxides import TINY, oxides

from genbat.domains.crystals.codec import stretch_of, turned
from genbat.domains.crystals.images import draw
from genbat.domains.crystals.similarity import same_structure
from genbat.domains.crystals.structure import structure_of
from genbat.domains.crystals.views import random_view
from genbat.systems import imatgen_corpus, imatgen_training
from genbat.systems.imatgen_network import (
    SHRINK,
    Config,
    Network,
    Unfolded,
    known_entropy,
    losses,
    misfit,
    weights_at,
)
from genbat.systems.imatgen_shells import BLUR, FIRST, PLACES, STEP, Shells, lattices_at
from genbat.systems.imatgen_training import images_of, lattices_of, pictures, stability_of


def config(**sizes) -> Config:
    return Config(**TINY | sizes)


# ---------------------------------------------------------------------- networks and losses
def test_channels_become_voxels():
    x = torch.arange(16.0).view(1, 16, 1, 1, 1).expand(1, 16, 3, 3, 3)
    out = Unfolded()(x)
    assert out.shape == (1, 2, 6, 6, 6)
    assert sorted(out[0, 1, :2, :2, :2].flatten().tolist()) == list(range(8, 16))


def test_compressing_follows_a_shift_of_the_crystal():
    """By whole places of the fingerprint: the networks know no border and no corner."""
    torch.manual_seed(0)
    small = config()
    compressor = Network(small).compressor.eval()
    x = torch.rand(1, 2, *[small.side] * 3)
    print_ = compressor.encode(x).view(1, *compressor.shape)
    moved = compressor.encode(x.roll((SHRINK, 2 * SHRINK), (2, 4))).view(1, *compressor.shape)
    torch.testing.assert_close(moved, print_.roll((1, 2), (2, 4)))
    back = compressor.decode(print_.flatten(1))
    again = compressor.decode(print_.roll(1, 3).flatten(1))
    torch.testing.assert_close(again, back.roll(SHRINK, 3))


def test_a_missing_atom_is_an_error_of_one():
    raster = config().raster
    fractions = np.array([[0.1, 0.2, 0.3], [0.6, 0.7, 0.8]])
    images = [torch.as_tensor(draw(f, raster))[None, None] for f in (fractions, fractions[:1])]
    assert float(misfit(*images, raster)) == pytest.approx(1.0, abs=0.02)


def test_what_is_not_known_does_not_count():
    logits = torch.tensor([0.3, -1.2, 2.0])
    stable = torch.tensor([1.0, torch.nan, 0.0])
    chance = 1 / (1 + np.exp(-logits.numpy()))
    wanted = -(np.log(chance[0]) + np.log(1 - chance[2])) / 2
    assert float(known_entropy(logits, stable)) == pytest.approx(wanted, rel=1e-5)
    assert float(known_entropy(logits, torch.full((3,), torch.nan))) == 0


def test_the_vae_does_not_move_the_compressor():
    corpus, small = oxides(), config()
    torch.manual_seed(0)
    network = Network(small)
    x = pictures(corpus, corpus.training_rows()[:4], small, 0)
    parts = losses(network, x, small.raster, torch.Generator().manual_seed(0))
    (parts["drawn"] + parts["fingerprint"] + parts["stability"]).backward()
    assert all(p.grad is None for p in network.compressor.parameters())
    assert any(p.grad is not None for p in network.encoder.parameters())
    parts = losses(network, x, small.raster, torch.Generator().manual_seed(0))
    parts["image"].backward()
    assert all(p.grad is not None for p in network.compressor.parameters())


def test_the_divergence_rises():
    assert weights_at(0)["divergence"] == 0
    assert weights_at(10**6)["divergence"] == pytest.approx(1e-3)


# ---------------------------------------------------------------------- shells
def neighbours_of(cell, one, two):
    """Shells of a crystal counted atom by atom, as pymatgen finds them."""
    structure, total = structure_of(cell), np.zeros(PLACES)
    places = FIRST + STEP * np.arange(PLACES)
    centres = np.flatnonzero(cell.numbers == one)
    for k in centres:
        for other in structure.get_neighbors(structure[int(k)], places[-1] + 2 * BLUR):
            if two == other.specie.Z:
                r = other.nn_distance
                total += np.exp(-(((r - places) / BLUR) ** 2) / 2) / r**2
    return total / len(centres)


def test_shells_tell_what_neighbours_pymatgen_finds():
    """Bumps are wider than points: the shells run alike, they are not equal. Long edges blur them
    further."""
    small = config()
    edges = [np.linalg.norm(c.lattice, axis=1) for c in oxides().cells]
    cells = [c for c, e in zip(oxides().cells, edges, strict=True) if e.max() < 7]
    assert len(cells) >= 3
    lattices = torch.as_tensor(np.array([c.lattice for c in cells])).float()
    found = Shells(small.raster)(images_of(cells, small), lattices).view(-1, 3, PLACES).numpy()
    for mine, cell in zip(found, cells, strict=True):
        wanted = np.array([neighbours_of(cell, *p) for p in ((23, 23), (23, 8), (8, 8))])
        assert np.corrcoef(mine[:, :14].ravel(), wanted[:, :14].ravel())[0, 1] > 0.94
        assert mine.sum() == pytest.approx(wanted.sum(), rel=0.06)


def test_shells_lag_by_lag():
    small, side = config(side=8, bump=0.9), 8
    cell = oxides().cells[0]
    images = images_of([cell], small)[0].numpy().astype(float)
    places = FIRST + STEP * np.arange(PLACES)
    mass = images.sum((1, 2, 3)) / [(cell.numbers == z).sum() for z in (23, 8)]
    total = np.zeros((3, PLACES))
    for lag in np.ndindex(4, 4, 4):
        shift = 2 * np.array(lag)
        shift = np.where(shift >= side // 2, shift - side, shift)
        own = np.pi**1.5 * 0.9**3 * np.exp(-(shift @ shift) / (4 * 0.9**2))
        moved = np.roll(images, tuple(-shift), (1, 2, 3))  # the image at x + lag
        for k, (one, two) in enumerate(((0, 0), (0, 1), (1, 1))):
            atoms = images[one].sum() / mass[one]
            pairs = (images[one] * moved[two]).sum()
            for image in np.ndindex(3, 3, 3):
                r = np.linalg.norm((shift / side + np.array(image) - 1) @ cell.lattice)
                if 0.8 < r < places[-1] + 2 * BLUR:
                    shell = np.exp(-(((r - places) / BLUR) ** 2) / 2) / r**2
                    alone = atoms * own if one == two and image == (1, 1, 1) else 0.0
                    total[k] += 8 / mass.mean() ** 2 * (pairs - alone) * shell / atoms
    lattice = torch.as_tensor(cell.lattice).float()[None]
    found = Shells(small.raster)(torch.as_tensor(images).float()[None], lattice)
    np.testing.assert_allclose(found.view(3, PLACES).numpy(), total, rtol=1e-2, atol=1e-3)


def test_shells_do_not_change_with_the_view():
    small = config()
    rng = np.random.default_rng(0)
    for cell in oxides().cells[:4]:
        views = [random_view(cell, 23, rng, 0.0) for _ in range(3)]
        lattices = torch.as_tensor(np.array([c.lattice for c in views])).float()
        found = Shells(small.raster)(images_of(views, small), lattices).numpy()
        assert np.abs(found - found[0]).max() < 0.02 * found.max()


def test_lattices_come_back():
    corpus = oxides()
    small = imatgen_training.make_config(corpus, **TINY)
    sizes = torch.as_tensor(corpus.sizes[:5]).float()
    found = lattices_at(lattices_of(corpus.cells[:5], small), sizes, small.scale).numpy()
    for own, cell in zip(found, corpus.cells, strict=False):
        np.testing.assert_allclose(own @ own.T, cell.lattice @ cell.lattice.T, rtol=1e-3, atol=2e-2)


# ---------------------------------------------------------------------- what is learnt from
def test_images_hold_one_bump_an_atom():
    cells = oxides().cells[:3]
    images = images_of(cells, config()).sum((2, 3, 4)) / config().raster.mass
    counts = [[(c.numbers == z).sum() for z in (23, 8)] for c in cells]
    np.testing.assert_allclose(images.numpy(), counts, rtol=1e-3)


def test_lattices_are_standard_numbers():
    corpus, small = oxides(), imatgen_training.make_config(oxides(), **TINY)
    rows = corpus.training_rows()
    found = lattices_of([corpus.cells[k] for k in rows], small).numpy()
    assert np.abs(found[:, :3].mean()) < 1e-4
    assert found[:, :3].std() == pytest.approx(1, abs=1e-3)
    first = stretch_of(corpus.cells[rows[0]].lattice)[0] - np.log(corpus.sizes[rows[0]]) / 3
    wanted = (first - small.scale.mean[0]) / small.scale.width[0]
    assert found[0, 0] == pytest.approx(wanted, abs=1e-4)


def test_stable_means_near_the_hull():
    corpus = oxides()
    found = stability_of(corpus, range(len(corpus))).numpy()
    np.testing.assert_array_equal(found, corpus.values[:, 1] <= 0.2)
    blank = replace(corpus, values=np.full_like(corpus.values, np.nan))
    assert bool(stability_of(blank, [0, 1]).isnan().all())


def test_the_pair_is_the_commonest_and_the_metal_comes_first():
    corpus = oxides()
    assert imatgen_corpus.pair_of(corpus) == (23, 8)
    other = [replace(c, numbers=np.full_like(c.numbers, 6)) for c in corpus.cells]
    with pytest.raises(ValueError, match="exactly two elements"):
        imatgen_corpus.pair_of(replace(corpus, cells=other))
    mixed = replace(corpus, cells=[*other[:10], *corpus.cells[10:]])
    assert len(imatgen_corpus.of_pair(mixed, (8, 23))) == len(corpus) - 10


def test_prototypes_are_taken_out_of_the_training_alone():
    corpus = oxides()
    chosen = [corpus.cells[0], corpus.cells[-1]]  # one to train on, one to test
    found = imatgen_corpus.held_out(corpus, [turned(c, 1) for c in chosen])
    assert found.splits[0] == imatgen_corpus.HELD_OUT
    assert found.splits[-1] == "test"
    for cell, split in zip(found.cells, found.splits, strict=True):
        if split == "train":
            assert not any(same_structure(cell, one) for one in chosen)


def test_ten_prototypes_are_vanadium_oxides():
    found = imatgen_corpus.prototypes()
    assert len(found) == 10
    assert {z for cell in found.values() for z in cell.numbers.tolist()} == {8, 23}
    assert sorted(found["rutile"].numbers.tolist()) == [8] * 4 + [23] * 2
