"""superres on a toy: coarsening, blocks that join, faithfulness, its duel."""

from dataclasses import replace
from itertools import combinations, product

import numpy as np
import pytest
import torch

from genbat.core.condition import Condition, Window
from genbat.domains.microstructures.generator import Recipe, make
from genbat.domains.microstructures.statistics import fractions
from genbat.domains.microstructures.volume import Volume, from_text, to_text
from genbat.systems import superres_training
from genbat.systems.duel import Rules
from genbat.systems.slicegan_network import Images
from genbat.systems.superres import (
    FACTOR,
    Config,
    Generator,
    SuperRes,
    coarsened,
    noises,
    upsampled,
)
from genbat.systems.superres_training import Coarse, contacts, contacts_of, faithful, mismatch

torch.set_num_threads(1)
SMALL = Config(width=8, noise=1, critic=(4, 4, 4, 4))
RULES = Rules(steps=2, rounds=1)


def fine():
    return make(Recipe(size=80, radius=7.0), 0)


def coarse():
    return Volume(coarsened(fine().labels, 3))


def system(config=SMALL):
    torch.manual_seed(0)
    return SuperRes(config, Generator(config), "toy")


# ---------------------------------------------------------------------- coarsening
def test_each_block_shows_what_fills_most_of_it():
    labels = fine().labels
    found = coarsened(labels, 3)
    assert found.shape == (20, 20, 20)
    rng = np.random.default_rng(0)
    for z, y, x in rng.integers(20, size=(50, 3)):
        block = labels[4 * z : 4 * z + 4, 4 * y : 4 * y + 4, 4 * x : 4 * x + 4]
        counts = np.bincount(block.ravel(), minlength=3)
        assert counts[found[z, y, x]] == counts.max()
    assert coarsened(labels[:79, :78], 3).shape == (19, 19, 20)


def test_thin_binder_is_what_coarsening_loses():
    share = [fractions(fine())[2], fractions(coarse())[2]]
    assert share[1] < 0.8 * share[0]


@pytest.mark.parametrize("mode", ["nearest", "trilinear"])
def test_plain_upsampling(mode):
    found = upsampled(coarse(), mode)
    assert found.shape == (80, 80, 80)
    centres = found.labels[2::4, 2::4, 2::4] if mode == "nearest" else None
    if centres is not None:
        assert np.array_equal(centres, coarse().labels)


# ---------------------------------------------------------------------- the generator
def test_blocks_join_to_what_one_pass_makes():
    model = system()
    x = torch.nn.functional.one_hot(torch.as_tensor(coarse().labels.astype("i8")), 3)
    x = x.movedim(-1, 0)[None].float()
    noise = noises(SMALL, (1, 20, 20, 20), torch.Generator().manual_seed(1))
    with torch.inference_mode():
        assert torch.allclose(model._blocks(x, *noise, print), model.network(x, *noise), atol=1e-5)


def test_same_seed_same_volume_with_finer_voxels():
    model = system()
    given = Volume(coarse().labels, voxel_um=(0.8, 0.4, 0.4))
    one, two, other = (model.enhance(given, seed=s) for s in (1, 1, 2))
    assert np.array_equal(one.labels, two.labels)
    assert not np.array_equal(one.labels, other.labels)
    assert one.shape == (80, 80, 80)
    assert one.voxel_um == pytest.approx((0.2, 0.1, 0.1))


def test_samples_enhance_the_volume_that_was_given():
    asked = Condition(wishes={"coarse": to_text(coarse())})
    few, more = ([c.text for c in system().sample(n, condition=asked, seed=3)] for n in (1, 2))
    assert few == more[:1] and more[0] != more[1]
    assert from_text(few[0]).shape == (80, 80, 80)


@pytest.mark.parametrize(
    ("condition", "named"),
    [
        (None, "coarse"),
        (Condition({"porosity": Window(0.3, 0.4)}), "coarse"),
        (Condition(wishes={"coarse": "nothing"}), "header"),
        (Condition(wishes={"coarse": to_text(Volume(np.zeros((9, 9, 9), "u1"), ("pore",)))}),
         "phases"),
    ],
)  # fmt: skip
def test_what_cannot_be_enhanced_is_named(condition, named):
    with pytest.raises(ValueError, match=named):
        next(iter(system().sample(1, condition=condition)))


# ---------------------------------------------------------------------- training
def test_the_true_volume_is_faithful_and_noise_is_not():
    labels = torch.as_tensor(fine().labels.astype("i8"))
    true = torch.nn.functional.one_hot(labels, 3).movedim(-1, 0)[None].float()
    known = torch.as_tensor(coarse().labels.astype("i8"))
    cube = torch.nn.functional.one_hot(known, 3).movedim(-1, 0)[None].float()
    noise = torch.softmax(torch.randn(true.shape), 1)
    own, spoilt = float(faithful(true, cube)), float(faithful(noise, cube))
    assert own < 0.3 and spoilt == pytest.approx(np.log(3), abs=0.1)
    blocks = true.reshape(3, 20, 4, 20, 4, 20, 4).mean((2, 4, 6)).clamp(min=1e-6)
    wanted = -blocks.log().gather(0, known[None]).mean()
    assert own == pytest.approx(float(wanted), rel=1e-5)


def corners_of_three(labels):
    """Share of corners of four pixels at which three labels or more are seen, one by one."""
    h, w = labels.shape
    at = [len(set(labels[y : y + 2, x : x + 2].ravel())) > 2 for y in range(h - 1)
          for x in range(w - 1)]  # fmt: skip
    return np.mean(at)


def neighbours(labels, one, other):
    """Share of pairs of pixels side by side of which one is of each phase, both ways alike."""
    down = [{*pair} == {one, other} for pair in zip(labels[1:].ravel(), labels[:-1].ravel())]  # noqa: B905
    right = [{*pair} == {one, other}
             for pair in zip(labels[:, 1:].ravel(), labels[:, :-1].ravel())]  # noqa: B905  # fmt: skip
    return (np.mean(down) + np.mean(right)) / 2


def counted(labels, phases):
    pairs = [neighbours(labels, a, b) for a, b in combinations(range(phases), 2)]
    return [*pairs, corners_of_three(labels)]


@pytest.mark.parametrize("phases", [2, 3, 4])
def test_contacts_of_labels_are_counted(phases):
    labels = np.random.default_rng(0).integers(phases, size=(9, 7))
    one_hot = torch.nn.functional.one_hot(torch.as_tensor(labels), phases).movedim(-1, 0)
    found = contacts(one_hot[None].float()).tolist()
    assert found == pytest.approx(counted(labels, phases), abs=1e-6)
    assert (corners_of_three(labels) > 0) == (phases > 2)


def test_contacts_of_shares_are_the_mean_over_all_labels():
    shares = torch.softmax(torch.randn(4, 3, generator=torch.Generator().manual_seed(0)), 1)
    wanted = sum(
        float(np.prod([shares[k, label] for k, label in enumerate(found)]))
        * np.array(counted(np.array(found).reshape(2, 2), 3))
        for found in product(range(3), repeat=4)
    )
    corner = shares.T.reshape(1, 3, 2, 2)
    assert contacts(corner).tolist() == pytest.approx(wanted.tolist(), rel=1e-5)


def test_surfaces_count_once_the_phases_are_there():
    most = superres_training.TOUCH
    weights = [superres_training.touching(done) for done in (0.0, 0.4, 0.5, 0.6, 1.0)]
    assert weights == pytest.approx([0.0, 0.0, most / 2, most, most])


def test_contacts_are_held_to_those_of_the_images():
    """No error for a volume like the images; phases that never touch do not count."""
    labels = torch.as_tensor(fine().labels.astype("i8"))
    whole = torch.nn.functional.one_hot(labels, 3).movedim(-1, 0)[None].float()
    slices = [np.moveaxis(labels.numpy(), axis, 0)[::8] for axis in range(3)]
    rough = np.array([np.mean([counted(one, 3) for one in some], 0) for some in slices])
    drawn = contacts_of(Images([labels], 3))
    assert drawn.flatten().tolist() == pytest.approx(rough.ravel().tolist(), rel=0.25)
    assert torch.equal(drawn, contacts_of(Images([labels], 3)))
    own = torch.stack([contacts(whole.movedim(2 + axis, 1).flatten(0, 1)) for axis in range(3)])
    assert float(mismatch(whole, own)) == pytest.approx(0, abs=1e-8)
    twice = own.clone()
    twice[2, 3] *= 2
    assert float(mismatch(whole, twice)) == pytest.approx(0.25 / 12, rel=1e-4)
    twice[0] = 0
    assert float(mismatch(whole, twice)) == pytest.approx(0.25 / 8, rel=1e-4)
    assert float(mismatch(whole, torch.zeros_like(own))) == 0


def test_a_duel_may_begin_with_a_taught_generator(tmp_path):
    given = Coarse(torch.as_tensor(coarse().labels), 3), Images([torch.as_tensor(fine().labels)], 3)
    still = replace(RULES, rate=0.0)
    taught = system().network
    duel = superres_training.train(*given, SMALL, tmp_path, rules=still, taught=taught)
    for name, value in taught.state_dict().items():
        assert torch.equal(value, duel.mean.state_dict()[name])
    new = superres_training.train(*given, SMALL, tmp_path, rules=replace(still, seed=1))
    assert not torch.equal(new.mean.state_dict()["last.weight"], taught.state_dict()["last.weight"])


@pytest.mark.parametrize("judged_by", [(0, 0, 0), (0, 1, 1)])
def test_a_stopped_duel_ends_like_an_unstopped_one(tmp_path, judged_by):
    config = replace(SMALL, judged_by=judged_by)
    labels = torch.as_tensor(fine().labels)
    given = Coarse(torch.as_tensor(coarse().labels), 3), Images([labels], 3)
    whole = superres_training.train(*given, config, tmp_path / "a", rules=RULES)
    for turn in range(2):
        parts = superres_training.train(
            *given, config, tmp_path / "b", rules=RULES, resume=turn > 0, minutes=0
        )
    assert parts.step == whole.step == 2
    for name, value in whole.mean.state_dict().items():
        assert torch.equal(value, parts.mean.state_dict()[name])


def test_too_small_a_coarse_volume_is_named():
    with pytest.raises(ValueError, match="at least"):
        Coarse(torch.zeros(20, 12, 20), 3)


def test_the_halo_is_what_the_generator_sees():
    """A change of one coarse voxel reaches no further than HALO voxels."""
    from genbat.systems.superres import HALO

    model = system()
    x = torch.zeros(1, 3, 24, 4, 4)
    x[:, 0] = 1
    noise = noises(SMALL, (1, 24, 4, 4), torch.Generator().manual_seed(0))
    moved = x.clone()
    moved[0, :, 2, 2, 2] = torch.tensor([0.0, 1.0, 0.0])
    with torch.inference_mode():
        away = (model.network(x, *noise) - model.network(moved, *noise)).abs().amax((0, 1, 3, 4))
    assert float(away[FACTOR * (3 + HALO) :].max()) == 0.0
    assert float(away.max()) > 0
