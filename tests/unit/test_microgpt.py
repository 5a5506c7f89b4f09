"""microgpt on a toy: tokens of volumes, what is told, exact fractions, two trainings in a row."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from test_microvae import volumes

from genbat.core.condition import Condition, Window
from genbat.domains.microstructures.statistics import fractions
from genbat.domains.microstructures.volume import from_text
from genbat.families.transformer import Style
from genbat.studio import model_card, registry
from genbat.systems import microgpt_training
from genbat.systems.microgpt import MicroGPT
from genbat.systems.microgpt_network import BINS, REACH, Coder, Config, Network, told
from genbat.systems.microgpt_training import EDGE, Plan
from genbat.systems.microvae_network import TARGETS
from genbat.systems.run import Schedule

torch.set_num_threads(1)
SIZES = {"coder_width": 8, "width": 16, "layers": 1, "heads": 2, "levels": (4, 3)}
SMALL = replace(Config(), **SIZES)
RULES = Plan(
    Schedule(steps=3, batch=2, rate=1e-3, warm_steps=1),
    Schedule(steps=3, batch=4, rate=1e-3, warm_steps=1),
)


@pytest.fixture(scope="module")
def system():
    torch.manual_seed(0)
    return MicroGPT(SMALL, Network(SMALL), "toy")


def shares(count=2, edge=32):
    kinds = torch.randint(3, (count, edge, edge, edge), generator=torch.Generator().manual_seed(0))
    return torch.nn.functional.one_hot(kinds, 3).movedim(-1, 1).float()


# ---------------------------------------------------------------------- tokens
def test_a_volume_is_what_its_tokens_say():
    torch.manual_seed(0)
    coder = Network(SMALL, reads=True).eval().coder
    x = shares()
    tokens = coder.tokens(x)
    assert tokens.shape == (2, 64)
    assert int(tokens.min()) >= 0 and int(tokens.max()) < SMALL.codes == 12
    assert torch.allclose(coder.logits(tokens), coder(x), atol=1e-5)


def test_tokens_are_in_the_order_of_places():
    torch.manual_seed(1)
    coder = Coder(SMALL).eval()
    x = shares(1, 16)
    codes = coder.grid.tokens(coder.grid(coder.encoder(x)))
    assert coder.tokens(x)[0, 1] == codes[0, 0, 0, 1]
    assert coder.tokens(x)[0, 4] == codes[0, 1, 0, 0]


def test_what_is_told_has_tokens_of_its_own():
    targets = torch.tensor([[0.0] * 5, [-99.0] * 5, [99.0] * 5, [torch.nan] * 5])
    tokens = told(targets, SMALL) - SMALL.codes
    step = BINS + 1
    assert tokens[:, 0].tolist() == [BINS // 2, 0, BINS - 1, BINS]
    assert torch.equal(tokens[:, 3], tokens[:, 0] + 3 * step)
    near = torch.full((1, 5), REACH - 1e-4)
    assert int((told(near, SMALL) - SMALL.codes)[0, 0]) == BINS - 1
    assert SMALL.vocabulary == SMALL.codes + 5 * step


# ---------------------------------------------------------------------- training
def test_the_coder_learns_from_parts_of_whole_volumes():
    """Labels are places along an axis, so that a part says where it was cut out and how turned."""
    edge, corners, toy = 40, [], volumes()
    for seed in range(20):
        for places in np.indices((edge, edge, edge), dtype=np.uint8):
            own = replace(toy, labels=places[None])
            random = torch.Generator().manual_seed(seed)
            [part] = microgpt_training.parts(own, [0], edge, random).argmax(1).numpy()
            assert part.shape == (EDGE,) * 3
            found, often = np.unique(part, return_counts=True)
            assert np.array_equal(found, np.arange(found[0], found[0] + EDGE))
            assert set(often) == {EDGE**2}
            corners.append(int(found[0]))
    assert min(corners) == 0 and max(corners) == edge - EDGE
    assert len({tuple(corners[k : k + 3]) for k in range(0, 60, 3)}) > 15


def test_what_only_reads_is_not_kept(tmp_path):
    run = microgpt_training.train(volumes(), tmp_path / "run", schedule=RULES, **SIZES)
    system = microgpt_training.finished(run)
    system.save(tmp_path / "kept")
    again = MicroGPT.load(tmp_path / "kept")
    assert not any("encoder" in name for name in again.network.state_dict())
    assert [c.text for c in again.sample(1)] == [c.text for c in again.sample(1)]
    assert again.config.steps_trained == 3
    with pytest.raises(AssertionError, match="only writes"):
        again.network.coder.tokens(shares(1))


def test_its_card_names_both_schedules():
    text = model_card._training(registry.card("microgpt"), replace(SMALL, steps_trained=3), RULES)
    assert "coder (steps 3, batch 2" in text and "writer (steps 3, batch 4" in text


def test_both_learn(tmp_path):
    own = volumes()
    each = Schedule(steps=40, batch=4, rate=5e-3, warm_steps=1)
    long = Plan(each, each)
    seen = []
    run = microgpt_training.train(own, tmp_path, schedule=long, **SIZES)
    x = microgpt_training.views(own, [0, 1], 3, torch.Generator().manual_seed(0))
    for network in (Network(SMALL, reads=True), run.network):
        network.eval()
        with torch.no_grad():
            voxels = microgpt_training.coder_loss(network.coder, x)
            codes = run.network.coder.tokens(x)
            prefix = told(torch.full((2, len(TARGETS)), torch.nan), SMALL)
            words = microgpt_training.writer_loss(network.writer, prefix, codes)
        seen.append((float(voxels), float(words)))
    assert seen[1][0] < 0.9 * seen[0][0] and seen[1][1] < 0.9 * seen[0][1]


def test_a_stopped_training_ends_like_an_unstopped_one(tmp_path):
    own = volumes()
    whole = microgpt_training.train(own, tmp_path / "a", schedule=RULES, **SIZES)
    short = replace(RULES, writer=replace(RULES.writer, steps=1))
    microgpt_training.train(own, tmp_path / "b", schedule=short, **SIZES)
    parts = microgpt_training.train(own, tmp_path / "b", schedule=RULES, resume=True, **SIZES)
    assert parts.step == whole.step == 3
    for name, value in whole.mean.state_dict().items():
        assert torch.equal(value, parts.mean.state_dict()[name]), name


def test_a_coder_that_was_stopped_goes_on(tmp_path):
    own = volumes()
    microgpt_training.train(own, tmp_path / "a", schedule=RULES, **SIZES)
    short = Schedule(steps=1, batch=2, rate=1e-3, warm_steps=1)
    microgpt_training.train_coder(own, SMALL, tmp_path / "b" / "coder", short)
    parts = microgpt_training.train(own, tmp_path / "b", schedule=RULES, resume=True, **SIZES)
    assert parts.step == 3
    assert (tmp_path / "b" / microgpt_training.CODER / "checkpoint.safetensors").exists()


def test_saved_and_loaded_it_writes_the_same(tmp_path, system):
    system.save(tmp_path)
    one, two = (MicroGPT.load(tmp_path) for _ in range(2))
    a, b = (next(iter(s.sample(1, seed=3))).text for s in (one, two))
    assert a == b


# ---------------------------------------------------------------------- sampling
def test_same_seed_same_volumes(system):
    few, more = ([c.text for c in system.sample(n, seed=1)] for n in (2, 9))
    assert few == more[:2]
    assert len(set(more)) == 9


def test_fractions_are_met_exactly(system):
    windows = {"porosity": Window(0.3, 0.3), "binder": Window(0.07, 0.07)}
    (one,) = system.sample(1, condition=Condition(windows))
    share = fractions(from_text(one.text))
    assert share == pytest.approx([0.3, 0.63, 0.07], abs=1e-4)


def test_what_is_asked_and_guidance_change_what_is_written(system):
    write = lambda windows, weight: system._written(windows, 0, 0, Style(guidance=weight))  # noqa: E731
    asked = {"tau_z": Window(9.0, 9.0)}
    assert torch.equal(write(asked, 0.0), write({}, 1.0))
    assert not torch.equal(write(asked, 1.0), write({}, 1.0))
    assert int(write(asked, 4.0).max()) < SMALL.codes


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"n": 0}, "at least 1"),
        ({"n": 1, "condition": Condition({"chord": Window(1, 2)})}, "chord"),
        ({"n": 1, "condition": Condition(wishes={"formula": "LiF"})}, "formula"),
        ({"n": 1, "condition": Condition({"porosity": Window(1.2, 1.3)})}, "porosity"),
    ],
)
def test_what_cannot_be_made_is_named(system, options, named):
    with pytest.raises(ValueError, match=named):
        next(iter(system.sample(**options)))


def test_ranges_are_in_the_targets_units():
    config = replace(SMALL, mean=(0.4, 0.1, 0.7, 0.2, 10.0), spread=(0.1, 0.02, 0.2, 0.05, 2.0))
    found = MicroGPT(config, Network(config)).training_range
    assert found["porosity"] == pytest.approx((0.1, 0.7))
    assert found["tau_z"] == pytest.approx((np.exp(0.1), np.exp(1.3)))
