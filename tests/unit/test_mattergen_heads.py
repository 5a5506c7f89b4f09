"""How mattergen keeps to a window: hosts for a voltage, heads that choose, elements that come."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny_crystals import corpus, mattergen

from genbat.core.condition import Condition, Window
from genbat.domains.crystals.hosts import working_ion
from genbat.domains.crystals.structure import from_text
from genbat.domains.crystals.wishes import read_wishes
from genbat.systems import crystal_corpus
from genbat.systems.crystal_corpus import MASK, TARGETS
from genbat.systems.mattergen import middle_of, required_of
from genbat.systems.mattergen_diffusion import Plan
from genbat.systems.mattergen_heads import Heads, misfit
from genbat.systems.mattergen_types import with_required

QUICK = Plan(steps=6, correctors=1)
VOLTAGE = Condition({"voltage_v": Window(3.0, 4.0)})


def judged(rows):
    """Heads' predictions (n, TARGETS) of crystals of the corpus."""
    system = mattergen()
    x = crystal_corpus.tensors(corpus(), rows, system.config.scale)
    with torch.inference_mode():
        return system.network.heads(system.network.heads.features(system.network.net, x)).mean(0)


# ---------------------------------------------------------------------- heads
def test_heads_know_what_they_were_trained_on():
    rows, config = corpus().rows("train"), mattergen().config
    wanted = (corpus().values[rows] - np.array(config.mean)) / np.array(config.spread)
    error = np.abs(judged(rows).numpy() - wanted)
    known = ~np.isnan(wanted)
    for k in range(len(TARGETS)):
        assert error[known[:, k], k].mean() < 0.3 * np.abs(wanted[known[:, k], k]).mean()


def test_heads_ignore_the_order_and_a_common_shift():
    system, rows = mattergen(), corpus().rows("train")[:10]
    x = crystal_corpus.tensors(corpus(), rows, system.config.scale)
    order = torch.argsort(torch.where(x.here, torch.rand(x.here.shape), 2.0), 1)
    moved = replace(
        x,
        kinds=x.kinds.gather(1, order),
        fractions=(x.fractions.gather(1, order[..., None].expand(-1, -1, 3)) + 0.3) % 1.0,
    )
    heads, net = system.network.heads, system.network.net
    with torch.inference_mode():
        one, two = (heads(heads.features(net, y)) for y in (x, moved))
    np.testing.assert_allclose(one, two, atol=2e-3)


def test_a_misfit_is_the_distance_to_the_window():
    one = torch.tensor([[-2.0, 0.0, 0.5], [0.5, 0.0, 0.5], [3.0, 0.0, 2.0]])
    predicted = one.expand(4, -1, -1)
    windows = {"formation_ev": Window(-1.0, 1.0), "voltage_v": Window(high=0.5)}
    assert misfit(predicted, windows).tolist() == [1.0, 0.0, 2.0 + 1.5]
    assert misfit(predicted, {}).tolist() == [0.0, 0.0, 0.0]
    split = torch.stack([one - 1.0, one + 1.0])  # members that disagree are nowhere near
    inside = {"formation_ev": Window(0.0, 1.0)}
    assert misfit(split, inside).tolist() == [2.0 + 0.5 * 0.0, 0.5, 2.0]


def test_the_heads_choose_what_lies_nearest(monkeypatch):
    """Without doubt, the crystals kept of a block are those whose prediction is nearest."""
    seen = []
    monkeypatch.setattr(
        "genbat.systems.mattergen.doubt", lambda network, x, generator: torch.zeros(len(x))
    )

    def watched(found, windows):
        seen.append(misfit(found, windows))
        return seen[-1]

    monkeypatch.setattr("genbat.systems.mattergen.misfit", watched)
    system, asked = mattergen(), Condition({"formation_ev": Window(-1.0, -1.0)})
    plan = replace(QUICK, tries=1, kept=0.5)
    made = [from_text(c.text) for c in system.sample(64, condition=asked, plan=plan)]
    far = torch.cat(seen)
    assert len(far) == 128 and len(made) == 64
    assert far.sort().values[:64].mean() < 0.8 * far.mean()  # there was a choice
    x = crystal_corpus.tensors(
        crystal_corpus.make(
            made, np.zeros(64, int), np.full((64, 3), np.nan), ["train"] * 64
        ), list(range(64)), system.config.scale,
    )  # fmt: skip
    with torch.inference_mode():
        again = system.network.heads(system.network.heads.features(system.network.net, x)).mean(0)
    mean, spread = system.config.mean[0], system.config.spread[0]
    value = again[:, 0] * spread + mean
    assert float((value + 1.0).abs().mean() / spread) < float(far.mean())


def test_aims_lie_on_lines_between_the_knots_and_keep_their_distance_beyond():
    heads = Heads(84, 8, 2, 4)
    assert heads.aim("hull_ev", 0.7) == pytest.approx(0.7)  # before it is calibrated
    aimed = np.array([-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0])
    heads.calibrate("hull_ev", aimed, 0.5 * aimed)
    assert heads.aim("hull_ev", 0.25) == pytest.approx(0.5, abs=0.01)
    assert heads.aim("hull_ev", 3.0) == pytest.approx(2.0 + 2.0, abs=0.02)
    assert heads.aim("hull_ev", -1.5) == pytest.approx(-2.0 - 0.5, abs=0.02)
    assert heads.aim("voltage_v", 0.25) == pytest.approx(0.25)
    steps = [heads.aim("hull_ev", v) for v in np.linspace(-3, 3, 50)]
    assert (np.diff(steps) > 0).all()
    heads.calibrate("hull_ev", aimed, -aimed)  # nonsense does not make it fall
    assert (np.diff(heads.found.numpy(), axis=1) > 0).all()


def test_windows_aim_inside():
    assert middle_of(Window(3.0, 4.0)) == 3.5
    assert middle_of(Window(low=3.0)) > 3.0
    assert middle_of(Window(high=0.1)) < 0.1


def test_calibrated_aims_stay_with_the_weights(tmp_path):
    system = mattergen()
    system.network.heads.calibrate("voltage_v", np.arange(7.0), np.arange(7.0) / 2)
    try:
        system.save(tmp_path)
        assert type(system).load(tmp_path).network.heads.aim("voltage_v", 1.0) == pytest.approx(
            2.0, abs=0.02
        )
        aims = system._aims({"voltage_v": Window(3.0, 4.0)})["voltage_v"]
        mean, spread = system.config.mean[2], system.config.spread[2]
        wanted = [system.network.heads.aim("voltage_v", (v - mean) / spread) for v in (3.0, 4.0)]
        assert [aims.low, aims.high] == pytest.approx(wanted)
    finally:
        even = np.linspace(-3, 3, 7)
        system.network.heads.calibrate("voltage_v", even, even)


# ---------------------------------------------------------------------- hosts
def test_who_asks_for_a_voltage_gets_hosts():
    made = [from_text(c.text) for c in mattergen().sample(12, condition=VOLTAGE, plan=QUICK)]
    assert all(working_ion(cell) for cell in made)


@pytest.mark.parametrize(
    ("wishes", "sets"),
    [
        ({}, 3),
        ({"require": ["Li", "Mn"]}, 3),  # two of its own, and an anion
        ({"system": "Li-Mn-O"}, 3),
        ({"formula": "LiMnO2"}, 3),
    ],
)
def test_what_a_host_must_hold(wishes, sets):
    asked = replace(VOLTAGE, wishes=wishes)
    assert len(required_of(read_wishes(asked), asked)) == sets
    free = Condition(wishes=wishes)
    assert len(required_of(read_wishes(free), free)) == len(read_wishes(free).require)


def test_a_voltage_without_a_working_ion_is_refused():
    asked = replace(VOLTAGE, wishes={"forbid": ["Li", "Na"]})
    with pytest.raises(ValueError, match=r"voltage_v: a host needs a working ion.*'Li', 'Na'"):
        next(iter(mattergen().sample(1, condition=asked, plan=QUICK)))


# ---------------------------------------------------------------------- required sets
SETS = (frozenset({3, 11}), frozenset({25, 26}), frozenset({8}))


@pytest.mark.parametrize("seed", range(20))
def test_every_required_set_comes_or_can_still_come(seed):
    """From any state whose missing sets find hidden atoms, to any next state."""
    rng = np.random.default_rng(seed)
    before = torch.full((1, 5), MASK)
    logits = torch.as_tensor(rng.normal(size=(1, 5, 84))).float()
    while (before == MASK).any():
        shown = torch.as_tensor(rng.random((1, 5)) < 0.5) & (before == MASK)
        drawn = torch.where(shown, torch.as_tensor(rng.integers(30, 84, (1, 5))), before)
        after = with_required(drawn, before == MASK, logits, SETS)
        assert ((before == MASK) | (before == after)).all()  # what has come stays
        missing = [one for one in SETS if one.isdisjoint(after[0].tolist())]
        assert len(missing) <= int((after == MASK).sum())
        before = after
    assert all(one & set(before[0].tolist()) for one in SETS)


def test_the_likeliest_of_a_set_comes():
    logits = torch.zeros(1, 2, 84)
    logits[0, 1, 11] = 5.0
    kinds = torch.tensor([[40, 41]])
    found = with_required(kinds, torch.ones(1, 2, dtype=torch.bool), logits, SETS[:1])
    assert found.tolist() == [[40, 11]]
