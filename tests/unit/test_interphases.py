"""Interphases: rates, what a step may do, physical time, and what is counted."""

import json
from dataclasses import replace

import numpy as np
import pytest

from genbat.core.designs import SPLITS, split_of
from genbat.domains.interphases import build
from genbat.domains.interphases.kmc import (
    ELECTROLYTE,
    HEIGHT,
    INORGANIC,
    KT_EV,
    KT_H,
    ORGANIC,
    RADICAL,
    WIDTH,
    Barriers,
    _happen,
    _total,
    grow,
    rates_of,
)
from genbat.domains.interphases.measures import attached, label


def empty():
    return np.zeros((HEIGHT, WIDTH), np.uint8)


# ---------------------------------------------------------------------- rates
def test_rates_are_those_of_transition_state_theory():
    own = Barriers(reduction=0.5, tunnel=2.0, organic_hop=0.4, bond=0.1)
    electron, free = rates_of(own)
    assert electron[0, 6] == pytest.approx(KT_H * np.exp(-0.5 / KT_EV - 3.0))
    assert free[2, 3] == pytest.approx(KT_H * np.exp(-0.7 / KT_EV))
    assert free[0, 0] == pytest.approx(KT_H * np.exp(-own.radical_hop / KT_EV))
    assert pytest.approx(300.0, abs=0.5) == KT_EV / 8.617333e-5


def test_a_site_alone_has_the_rates_it_should():
    electron, free = rates_of(Barriers())
    sites = empty()
    assert _total(sites, electron, free, 5, 5) == electron[0, 5]
    sites[5, 5] = RADICAL
    assert _total(sites, electron, free, 5, 5) == pytest.approx(electron[1, 5] + 4 * free[0, 0])
    sites[5, 6] = RADICAL  # a pair: each site carries half of it
    both = _total(sites, electron, free, 5, 5) + _total(sites, electron, free, 5, 6)
    assert both == pytest.approx(2 * (electron[1, 5] + 3 * free[0, 0]) + free[1, 0])
    sites[5, 5] = ORGANIC
    sites[4, 5] = INORGANIC
    wanted = electron[2, 5] + 2 * free[2, 1]  # up and left are free, below is solid
    assert _total(sites, electron, free, 5, 5) == pytest.approx(wanted)
    assert _total(sites, electron, free, 4, 5) == 0.0


def test_the_border_is_periodic_along_the_electrode_and_closed_above():
    electron, free = rates_of(Barriers())
    sites = empty()
    sites[0, 0] = RADICAL
    assert _total(sites, electron, free, 0, 0) == pytest.approx(electron[1, 0] + 3 * free[0, 0])
    sites[:] = empty()
    sites[HEIGHT - 1, 3] = RADICAL
    top = _total(sites, electron, free, HEIGHT - 1, 3)
    assert top == pytest.approx(electron[1, HEIGHT - 1] + 3 * free[0, 0])


@pytest.mark.parametrize("seed", range(5))
def test_events_come_as_often_as_their_rates_say(seed):
    """A radical beside another: reduced, moved or paired, by the shares of the rates."""
    electron, free = rates_of(Barriers(dimerisation=0.30, second_reduction=0.31))
    rng, counts = np.random.default_rng(seed), {"reduced": 0, "moved": 0, "paired": 0}
    many = 4000
    for _ in range(many):
        sites = empty()
        sites[5, 5] = sites[5, 6] = RADICAL
        total = _total(sites, electron, free, 5, 5)
        _happen(sites, electron, free, 5, 5, rng.random() * total)
        if sites[5, 5] == INORGANIC:
            counts["reduced"] += 1
        else:
            counts["paired" if (sites == ORGANIC).any() else "moved"] += 1
    rates = {"reduced": electron[1, 5], "moved": 3 * free[0, 0], "paired": 0.5 * free[1, 0]}
    for name, rate in rates.items():
        share = rate / sum(rates.values())
        assert counts[name] / many == pytest.approx(share, abs=4 * np.sqrt(share / many) + 1e-3)


# ---------------------------------------------------------------------- runs
def test_same_seed_same_interphase_and_lithium_only_goes_in():
    one, two, other = (grow(Barriers(), seed, time_s=2e-5) for seed in (1, 1, 2))
    assert np.array_equal(one.sites, two.sites)
    assert not np.array_equal(one.sites, other.sites)
    assert one.finished and one.time_s == 2e-5
    assert set(np.unique(one.sites)) <= {ELECTROLYTE, RADICAL, ORGANIC, INORGANIC}


def test_a_longer_time_goes_on_from_the_shorter():
    """The same seed makes the same events; more of the solid after more time."""
    amounts = [(grow(Barriers(), 0, time_s=t).sites >= ORGANIC).sum() for t in (1e-6, 1e-5, 1e-4)]
    assert amounts[0] < amounts[1] < amounts[2]


def test_the_first_reduction_comes_after_the_time_it_should():
    """Where nothing but reduction can happen first, the mean waiting time is 1 / total rate."""
    own = Barriers(reduction=0.6, tunnel=0.5)
    total = rates_of(own)[0][0].sum() * WIDTH
    waits = [grow(own, seed, time_s=1.0, most_events=1).time_s for seed in range(400)]
    assert np.mean(waits) == pytest.approx(1 / total, rel=0.15)


def test_a_run_that_is_cut_says_so():
    cut = grow(Barriers(), 0, time_s=1.0, most_events=1000)
    assert not cut.finished and cut.events == 1000 and cut.time_s < 1.0


@pytest.mark.parametrize("change", [{"reduction": 0.1}, {"tunnel": 9.0}, {"bond": -0.1}])
def test_what_is_out_of_range_is_named(change):
    with pytest.raises(ValueError, match=next(iter(change))):
        replace(Barriers(), **change)


# ---------------------------------------------------------------------- counting
def test_a_slab_with_holes():
    sites = empty()
    sites[:10] = ORGANIC
    sites[:2] = INORGANIC
    sites[4:6, ::2] = ELECTROLYTE
    found = label(sites)
    assert found["thickness"] == 10 and found["roughness"] == 0
    assert found["porosity"] == pytest.approx(0.1)
    assert found["inorganic"] == pytest.approx(0.2)
    assert found["organic"] == pytest.approx(0.7)


def test_what_drifts_is_no_part_of_it():
    sites = empty()
    sites[:5] = ORGANIC
    sites[30, 10:20] = ORGANIC
    assert label(sites)["thickness"] == 5
    assert label(empty())["thickness"] == 0 and np.isnan(label(empty())["porosity"])


def test_connected_through_the_border():
    solid = np.zeros((6, 8), bool)
    solid[:4, 0] = True
    solid[3, 7] = True
    solid[5, 4] = True
    held = attached(solid)
    assert held[3, 7] and not held[5, 4] and held.sum() == 5


# ---------------------------------------------------------------------- design of experiments
def test_rows_bring_their_interphase_back(tmp_path, monkeypatch):
    monkeypatch.setattr(build, "COUNT", 3)
    monkeypatch.setattr(build, "TIME_S", 1e-5)
    build.designs.cache_clear()
    log = tmp_path / "log.jsonl"
    build.label_missing(log, tmp_path)
    first = log.read_text()
    build.label_missing(log, tmp_path)  # nothing is left to do
    assert log.read_text() == first
    row = json.loads(first.splitlines()[1])
    again = grow(build.barriers_of(row), row["seed"], time_s=1e-5)
    assert label(again.sites)["thickness"] == row["thickness"]
    assert np.array_equal(np.load(tmp_path / "interphases-1.npy")[row["seed"]], again.sites)
    table = build.make_table(log, tmp_path / "t.parquet")
    assert table.exists()
    build.designs.cache_clear()


def test_designs_lie_in_their_ranges_and_splits_are_tenths():
    for name, (low, high) in build.VARIED.items():
        values = [getattr(d, name) for d in build.designs()]
        assert low <= min(values) and max(values) <= high
        assert np.mean(values) == pytest.approx((low + high) / 2, rel=0.02)
    found = [split_of(k) for k in range(100)]
    assert [found.count(s) for s in SPLITS] == [80, 10, 10]
