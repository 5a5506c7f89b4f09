"""Intervals: what they promise, families of isomers, and few molecules."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from tiny_chemvae import table, trained

from genbat.domains.molecules.splits import group_key
from genbat.systems import chemvae_calibration
from genbat.systems import conformal as calibration
from genbat.systems.chemvae import Config
from genbat.systems.chemvae_calibration import calibrate
from genbat.systems.chemvae_targets import LOGARITHMIC, TARGETS


@pytest.fixture(scope="module")
def system():
    return trained()[0]


def test_conformal_quantile(system):
    """The calibrated half width misses just a tenth, each family counted as n ** 0.8."""
    held = table()[lambda t: t["split"] == "calibration"]
    found = calibrate(system, held)
    system.config = replace(system.config, calibration=found)
    values, halves = system.predict_table(system.encode(held["smiles"].tolist()))
    for k, key in enumerate(TARGETS):
        truth = held[key].to_numpy()
        known = ~np.isnan(truth)
        assert found.count[k] == known.sum()
        if known.sum() < 9:
            continue
        names = pd.Series([group_key(s) for s in held["smiles"][known]])
        weight = 1 / names.map(names.value_counts()).to_numpy() ** 0.2
        inside = np.abs(values[known, k] - truth[known]) <= halves[known, k] * 1.0001
        missed = weight[~inside].sum() / weight.sum()
        assert missed <= 0.1
        assert missed + weight.max() / weight.sum() >= 0.1 - 1 / known.sum()


def test_a_large_easy_family_does_not_make_intervals_narrow():
    error = np.r_[np.full(900, 0.01), np.linspace(1, 2, 100)]
    families = np.r_[np.zeros(900, int), np.arange(1, 101)]
    even, ours = np.full(1000, 1e-3), calibration.family_weights(families)
    assert ours.sum() == pytest.approx(1)
    assert ours[-1] / ours[0] == pytest.approx(900**0.2)
    assert calibration.weighted_quantile(error, even, 0.9) < 1.02
    assert calibration.weighted_quantile(error, ours, 0.9) > 1.5


@pytest.mark.parametrize("floor", [0.4, 1.0])
def test_the_floor_is_found_again(floor):
    rng = np.random.default_rng(1)
    variance = rng.uniform(0.0, 2.0, 40_000) ** 2
    error = np.abs(rng.laplace(0, np.sqrt(variance + floor**2)))
    found = calibration.fitted_floor(error, variance, np.full(40_000, 1 / 40_000))
    assert found == pytest.approx(floor, rel=0.1)


def test_intervals_cover_what_they_promise(monkeypatch):
    """Heads of known quality: nine of ten new values must lie in their intervals."""
    monkeypatch.setattr(chemvae_calibration, "group_key", lambda name: name)
    rng = np.random.default_rng(0)
    count, t = 20_000, len(TARGETS)
    spread = rng.uniform(0.2, 1.0, (count, t))
    members = np.stack([-spread, spread]).astype("f4")  # mean 0, standard deviation `spread`
    truth = spread * rng.standard_t(4, (count, t))
    frame = table().iloc[:0].reindex(range(count)).assign(smiles=[str(k) for k in range(count)])
    for k, key in enumerate(TARGETS):
        frame[key] = 10 ** truth[:, k] if key in LOGARITHMIC else truth[:, k]
    fake = SimpleNamespace(
        encode=lambda names: np.array([[float(name)] for name in names], "f4"),
        network=SimpleNamespace(heads=lambda z: torch.tensor(members[:, z[:, 0].long()])),
        config=Config(tokens=()),
    )
    found = calibrate(fake, frame.iloc[: count // 2])
    new = slice(count // 2, None)
    reach = np.array(found.quantile) * np.sqrt(spread[new] ** 2 + np.square(found.floor))
    error = np.abs(truth[new])
    for k in (TARGETS.index(key) for key in LOGARITHMIC):  # shown as 1 +- half the width
        error[:, k] = np.abs(10 ** truth[new, k] - 1)
        reach[:, k] = (10 ** reach[:, k] - 10 ** -reach[:, k]) / 2
    coverage = (error <= reach).mean(0)
    assert coverage.min() > 0.885
    assert coverage.max() < 0.915


def test_few_molecules_give_their_worst_score(system):
    held = table()[lambda t: t["split"] == "calibration"].iloc[:4]
    assert calibrate(system, held).count[1] == 4
    nothing = calibrate(system, held.iloc[:0])
    assert set(nothing.quantile) == {1.645}


@pytest.mark.parametrize("kept", [400, 37])
def test_intervals_of_independent_examples_hold_their_share(kept):
    rng = np.random.default_rng(0)
    spread = rng.uniform(0.5, 2.0, kept)
    members = spread * rng.standard_normal((6, kept)) * 0.3
    wanted = np.stack([spread * rng.standard_normal(kept), np.full(kept, np.nan)], 1)
    wanted[::7, 0] = np.nan
    table = np.stack([members, members], 2)
    (floor, _), (quantile, unknown) = calibration.intervals(table, wanted, 0.9)
    known = ~np.isnan(wanted[:, 0])
    half = quantile * np.sqrt(members.var(0) + floor**2)
    inside = np.abs(members.mean(0) - wanted[:, 0])[known] <= half[known]
    assert 0.9 <= inside.mean() <= 0.9 + 2 / known.sum() + 1e-9
    assert unknown == 1.645  # as of a normal distribution, where nothing is known
