"""cdvae on a toy: invariance of the latent point, decoding, heads."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from tiny_crystals import CDVAE_SIZES, SCHEDULE, cdvae, corpus, same

from genbat.core.condition import Condition, Window
from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.codec import turned
from genbat.domains.crystals.structure import from_text, to_text
from genbat.families.crystal_graph import MOST, cell_facts
from genbat.systems import cdvae_training
from genbat.systems.cdvae import CDVAE
from genbat.systems.cdvae_network import (
    TARGETS,
    Network,
    Plan,
    amounts,
    assigned,
    decode,
    doubt,
    is_sharp,
    spoil,
)
from genbat.systems.crystal_corpus import TARGETS as KNOWN
from genbat.systems.crystal_corpus import tensors
from genbat.systems.heads import known_error

QUICK = Plan(levels=5, steps=1)


def cells():
    return [c for c in corpus().cells if len(c.numbers) <= 6][:6]


def supercell(cell: Cell, matrix: np.ndarray) -> Cell:
    """A cell spanned by whole multiples of the lattice's rows."""
    from genbat.domains.crystals.structure import cell_of, structure_of

    found = structure_of(cell)
    found.make_supercell(matrix)
    return cell_of(found)


# ---------------------------------------------------------------------- invariance
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_rotation_translation_and_order_do_not_matter(seed):
    system, known = cdvae(), cells()
    moved = [turned(cell, seed) for cell in known]
    np.testing.assert_allclose(
        system.encode_cells(moved), system.encode_cells(known), atol=1e-4, rtol=0
    )


@pytest.mark.parametrize(
    "matrix",
    [np.diag([2, 1, 1]), np.diag([1, 2, 2]), [[1, 1, 0], [0, 1, 0], [0, 0, 1]],
     [[1, 0, 0], [-1, 1, 0], [1, 2, 1]], [[0, 1, 0], [1, 0, 0], [0, 0, -1]]],
)  # fmt: skip
def test_the_choice_of_cell_does_not_matter(matrix):
    system = cdvae()
    known = [c for c in cells() if len(c.numbers) * abs(np.linalg.det(matrix)) <= 20.5]
    other = [supercell(cell, np.array(matrix)) for cell in known]
    assert known
    np.testing.assert_allclose(
        system.encode_cells(other), system.encode_cells(known), atol=1e-4, rtol=0
    )


def test_different_crystals_have_different_points():
    z = cdvae().encode_cells(cells())
    distances = np.linalg.norm(z[:, None] - z[None], axis=2) + np.eye(len(z))
    assert distances.min() > 1e-3


def test_texts_are_encoded_like_cells():
    system, known = cdvae(), cells()[:3]
    ours = system.encode([to_text(cell) for cell in known])
    np.testing.assert_allclose(ours, system.encode_cells(known), atol=2e-3)


def test_a_supercell_of_many_atoms_is_its_primitive_cell():
    large = supercell(cells()[0], np.diag([3, 3, 3]))
    assert len(large.numbers) > 20
    ours = cdvae().encode_cells([large])
    np.testing.assert_allclose(ours, cdvae().encode_cells(cells()[:1]), atol=1e-4)


def test_facts_of_a_cell_are_the_same_for_every_choice_of_it():
    """Lengths are counted here over many more vectors, of the lattice as it was given."""
    rng = np.random.default_rng(0)
    for cell in cells():
        matrix = np.array([[1, 1, 0], [0, 1, -1], [0, 0, 1]])
        steps = np.stack(np.meshgrid(*[np.arange(-7, 8)] * 3), -1).reshape(-1, 3)
        lengths = np.sort(np.linalg.norm(steps @ matrix @ cell.lattice, axis=1))[1:25:2]
        n = len(cell.numbers)
        facts = cell_facts(torch.as_tensor(cell.lattice @ turn(rng)), n).numpy()
        np.testing.assert_allclose(np.exp(facts[MOST:] + 1) * n ** (1 / 3), lengths, rtol=1e-5)
        assert facts[:MOST].argmax() == n - 1 and facts[:MOST].sum() == 1


def turn(rng: np.random.Generator) -> np.ndarray:
    return np.linalg.qr(rng.normal(size=(3, 3)))[0]


def test_too_large_a_crystal_is_named():
    rng = np.random.default_rng(0)
    large = Cell(np.full(21, 3), rng.uniform(0, 12, (21, 3)), 12 * np.eye(3))
    with pytest.raises(ValueError, match="at most 20"):
        cdvae().encode_cells([large])


# ---------------------------------------------------------------------- decoding
def test_same_seed_same_crystals():
    system = cdvae()
    z = np.random.default_rng(0).standard_normal((5, system.config.latent))
    one, two = (system.decode_cells(z, seed=3, plan=QUICK) for _ in range(2))
    assert all(same(a, b) for a, b in zip(one, two, strict=True))
    other = system.decode_cells(z, seed=4, plan=QUICK)
    assert not all(same(a, b) for a, b in zip(one, other, strict=True))


def test_a_longer_sample_starts_with_the_shorter():
    system = cdvae()
    few, more = ([c.text for c in system.sample(n, seed=1)] for n in (2, 4))
    assert few == more[:2]
    assert all(len(from_text(text).numbers) <= 20 for text in more)


def test_candidates_carry_their_point_and_story():
    (one,) = cdvae().decode(np.zeros((1, cdvae().config.latent)), plan=QUICK)
    assert one.domain == "crystals"
    assert len(one.latent) == cdvae().config.latent
    assert (one.provenance.system, one.provenance.action) == ("cdvae", "decode")


@pytest.mark.parametrize(
    ("share", "count", "wanted"),
    [
        ({3: 0.25, 8: 0.5, 27: 0.25}, 4, [3, 8, 8, 27]),
        ({3: 0.3, 8: 0.7}, 3, [3, 8, 8]),
        ({11: 1.0}, 2, [11, 11]),
        ({3: 0.34, 8: 0.33, 9: 0.33}, 1, [3]),
    ],
)
def test_amounts_are_the_nearest_whole_numbers(share, count, wanted):
    row = torch.zeros(1, 84)
    for z, value in share.items():
        row[0, z] = value
    found = amounts(row, torch.tensor([count]), 5)[0]
    assert found[:count].tolist() == wanted
    assert not found[count:].any()


def test_sharp_shares_are_whole_numbers_of_atoms():
    share = torch.zeros(3, 84)
    share[0, [3, 8]] = torch.tensor([0.34, 0.66])  # 1.02 and 1.98 of three atoms
    share[1, [3, 8]] = torch.tensor([0.5, 0.5])
    share[2, [3, 8, 9]] = torch.tensor([0.9, 0.06, 0.04])
    assert is_sharp(share, torch.tensor([3, 3, 2])).tolist() == [True, False, True]


def test_types_are_dealt_out_where_they_are_likeliest():
    logits = torch.zeros(2, 4, 84)
    logits[0, 0, 8], logits[0, 1, 3], logits[0, 2, 8], logits[0, 3, 8] = 5.0, 2.0, 4.0, 3.0
    logits[1, :2, 9] = 1.0
    logits[1, 1, 9] = 2.0
    kinds = torch.tensor([[3, 3, 8, 8], [9, 11, 0, 0]])
    found = assigned(logits, kinds)
    assert found.tolist() == [[8, 3, 8, 3], [11, 9, 0, 0]]


def test_the_composition_that_z_says_is_kept_unless_it_may_move():
    system = cdvae()
    z = torch.as_tensor(
        np.random.default_rng(5).standard_normal((12, system.config.latent)).astype("f4")
    )
    says = system.network.says(z)
    says[0][:, 0] = -torch.inf
    counts = says[0].argmax(1)
    wanted = amounts(torch.softmax(says[1], 1), counts, int(counts.max()))
    found = [decode(system.network, z, QUICK, torch.Generator().manual_seed(0), free=free).kinds
             for free in (False, True)]  # fmt: skip
    assert torch.equal(found[0].sort(1).values, wanted.sort(1).values)
    assert not torch.equal(found[1].sort(1).values, wanted.sort(1).values)
    assert torch.equal(found[1] > 0, wanted > 0)


def test_spoiled_types_come_from_the_composition():
    logits = torch.full((1, 84), -30.0)
    logits[0, [3, 8]] = 0.0
    kinds = torch.full((1, 4000), 27)
    generator = torch.Generator().manual_seed(0)
    found = spoil(kinds, logits, torch.tensor([0.4]), generator)
    assert float((found == 27).float().mean()) == pytest.approx(0.6, abs=0.03)
    assert set(found.unique().tolist()) == {3, 8, 27}


# ---------------------------------------------------------------------- heads and wishes
def test_predictions_have_units_and_intervals():
    system = cdvae()
    z = np.random.default_rng(1).standard_normal((3, system.config.latent))
    values, halves = system.predict_table(z)
    told = system.predict(z)
    assert values.shape == halves.shape == (3, len(TARGETS))
    assert (halves > 0).all()
    assert told[1]["voltage_v"].value == pytest.approx(values[1, TARGETS.index("voltage_v")])
    assert (told[0]["voltage_v"].unit, told[0]["formation_ev"].unit) == ("V", "eV/atom")


def test_what_cannot_be_honoured_is_named():
    with pytest.raises(ValueError, match="mattergen"):
        next(iter(cdvae().sample(1, condition=Condition({"voltage_v": Window(3, 4)}))))
    with pytest.raises(ValueError, match="at least 1"):
        next(iter(cdvae().sample(0)))


def test_finished_heads_know_their_crystals_and_their_errors():
    """After `finish` the heads fit what they saw better, and the intervals of the calibration
    crystals hold nine of ten."""
    whole = corpus()
    splits = ["calibration" if k % 3 == 0 else "train" for k in range(len(whole))]
    known = replace(whole, splits=splits)
    config = cdvae_training.make_config(known, **CDVAE_SIZES)
    torch.manual_seed(0)
    network = Network(config)
    run = SimpleNamespace(mean=network, config=config, schedule=SCHEDULE)
    rows = known.rows("train")
    cells = [known.cells[k] for k in rows]
    z, _ = cdvae_training.posterior(network, cells)
    wanted = cdvae_training.standard_values(known, rows, config)
    with torch.no_grad():
        before = known_error(network.heads(z), wanted)
    done = cdvae_training.finish(run, known)
    with torch.no_grad():
        assert known_error(network.heads(z), wanted) < 0.85 * before
    system = CDVAE(done, network)
    held = known.rows("calibration")
    values, halves = system.predict_table(system.encode_cells([known.cells[k] for k in held]))
    truth = known.values[held][:, [KNOWN.index(t) for t in TARGETS]]
    inside = np.abs(values - truth) <= halves
    assert inside[~np.isnan(truth)].mean() == pytest.approx(0.93, abs=0.07)


def test_the_least_doubted_of_several_is_taken(monkeypatch):
    """Doubt by one coordinate of the first atom: what is kept is the least of all tries."""
    system, seen = cdvae(), []

    def by_place(network, x, z, generator, types):
        assert types == 2.0
        seen.append(x.fractions[:, 0, 0] % 1.0)
        return seen[-1]

    monkeypatch.setattr("genbat.systems.cdvae.doubt", by_place)
    z = np.random.default_rng(0).standard_normal((5, system.config.latent))
    made = system.decode_cells(z, plan=replace(QUICK, tries=3, types=2.0))
    kept = [np.linalg.solve(c.lattice.T, c.positions[0])[0] % 1.0 for c in made]
    np.testing.assert_allclose(kept, torch.stack(seen).min(0).values, atol=1e-5)
    assert len(seen) == 3


def test_the_same_crystals_are_doubted_less_than_their_noise():
    system, random = cdvae(), torch.Generator()
    rows = corpus().rows("train")[:24]
    x = tensors(corpus(), rows, system.config.scale)
    z = torch.as_tensor(system.encode_cells([corpus().cells[k] for k in rows]))
    noise = replace(x, fractions=torch.rand(x.fractions.shape) * x.here[..., None])
    own, spoilt = (doubt(system.network, y, z, random.manual_seed(0)) for y in (x, noise))
    assert (own >= 0).all() and float(own.median()) < float(spoilt.median())


def test_types_that_are_unlikely_are_doubted():
    system, random = cdvae(), torch.Generator()
    x = tensors(corpus(), corpus().rows("train")[:24], system.config.scale)
    z = torch.zeros(len(x), system.config.latent)
    told = lambda types: doubt(system.network, x, z, random.manual_seed(0), types)  # noqa: E731
    with torch.no_grad():
        plain, both = told(0.0), told(1.0)
        assert (both > plain).all()
        assert torch.allclose(told(3.0) - plain, 3 * (both - plain), atol=1e-4)
