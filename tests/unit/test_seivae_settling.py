"""What codes of seivae are drawn from, and how what is asked is settled, on known makers."""

import numpy as np
import pytest
import torch
from test_seivae import slab

from genbat.core.condition import Window
from genbat.domains.interphases.kmc import HEIGHT
from genbat.domains.interphases.measures import label
from genbat.systems.seivae_prior import Prior
from genbat.systems.seivae_settling import Asked, settled


# ---------------------------------------------------------------------- what codes are drawn from
def fitted(n=4000):
    """A prior fitted to codes of which mean and spread are known, and the conditions."""
    torch.manual_seed(0)
    c = torch.randn(n, 3)
    mean = torch.stack([1.0 + 2.0 * c[:, 0], c[:, 1] * c[:, 2]], 1)
    mean = mean + torch.randn(n, 2) @ torch.tensor([[0.3, 0.2], [0.0, 0.1]])
    prior = Prior(3, 2)
    prior.fit(c, mean, torch.full((n, 2), 0.04))
    return prior, c


def test_the_prior_is_standard_until_it_is_fitted():
    noise = torch.randn(5, 2)
    assert torch.equal(Prior(3, 2)(torch.randn(5, 3), noise), noise)


def test_the_prior_finds_mean_and_spread_of_codes():
    prior, _ = fitted()
    at = torch.tensor([[0.5, -1.0, 2.0]])
    assert prior(at, torch.zeros(1, 2))[0].tolist() == pytest.approx([2.0, -2.0], abs=0.05)
    wanted = [[0.09 + 0.04, 0.06], [0.06, 0.05 + 0.04]]
    assert (prior.root @ prior.root.T).tolist() == [pytest.approx(row, abs=0.01) for row in wanted]


def test_what_is_left_open_comes_from_conditions_like_what_is_asked():
    prior, c = fitted()
    c[:, 1] = c[:, 0]  # where the first is high the second is
    prior.seen.copy_(c[: len(prior.seen)])
    rng = np.random.default_rng(0)
    asked = torch.tensor([1.5, torch.nan, torch.nan])
    found = torch.stack([prior.condition(asked, rng) for _ in range(50)])
    assert bool((found[:, 0] == 1.5).all())
    assert float(found[:, 1].min()) > 1.0
    free = torch.stack([prior.condition(asked * torch.nan, rng) for _ in range(400)])
    assert float(free[:, 1].std()) == pytest.approx(1.0, abs=0.15)


# ---------------------------------------------------------------------- settling
def crooked(c):
    """A maker that makes half as thick again as it is told, and twice as many holes."""
    thickness = round(1.5 * (20 + 5 * c[0]))
    return slab(min(thickness, HEIGHT), float(np.clip(2 * (0.1 + 0.05 * c[1]), 0, 0.9)), 0)


def test_what_is_counted_is_taken_off_the_next_try():
    wanted = {"thickness": 24.0, "porosity": 0.12}
    asked = [
        Asked("thickness", 0, Window(24.0, 24.0), 24.0, 5.0),
        Asked("porosity", 1, Window(0.12, 0.12), 0.12, 0.05),
    ]
    alone = label(crooked(np.zeros(2)))
    away, sites, c = settled(crooked, np.zeros(2), asked, 30)
    found = label(sites)
    assert np.array_equal(sites, crooked(c))
    for one in asked:
        missing = abs(found[one.name] - wanted[one.name]) / one.spread
        assert missing <= away + 1e-9 < 0.3 * abs(alone[one.name] - wanted[one.name]) / one.spread


def test_inside_a_window_nothing_is_missing():
    one = Asked("porosity", 1, Window(0.1, 0.3), 0.2, 0.1)
    assert one.missing(0.12) == 0.0
    assert one.missing(0.05) == pytest.approx(1.5)
    assert one.missing(float("nan")) == pytest.approx(2.0)


def test_without_wishes_the_first_try_is_taken():
    tries = []

    def make(c):
        tries.append(c)
        return slab(10, 0.1, 0)

    assert settled(make, np.zeros(3), [], 20)[0] == 0.0
    assert len(tries) == 1
