"""Wrapped normal noise against numerical derivatives and sums, and the border of the cell."""

import itertools
import math

import pytest
import torch

from genbat.families import wrapped
from genbat.families.wrapped import shortest, training_time, wrap, wrapped_score


def density(x, sigma):
    return sum(math.exp(-((x + k) ** 2) / (2 * sigma**2)) for k in range(-30, 31))


@pytest.mark.parametrize("sigma", [0.02, 0.1, 0.5, 1.0])
def test_score_is_the_derivative_of_the_log_density(sigma):
    for x in (-0.45, -0.02, 0.013, 0.3):
        h = 1e-6 * sigma
        slope = (math.log(density(x + h, sigma)) - math.log(density(x - h, sigma))) / (2 * h)
        ours = wrapped_score(torch.tensor([x], dtype=torch.float64), torch.tensor([sigma]).double())
        assert float(ours) == pytest.approx(slope, rel=1e-4, abs=1e-4)


def test_score_repeats_with_the_cell():
    x = torch.linspace(-0.4, 0.4, 9, dtype=torch.float64)
    sigma = torch.tensor(0.2, dtype=torch.float64)
    for shift in (-2.0, 1.0, 5.0):
        assert torch.allclose(wrapped_score(x + shift, sigma), wrapped_score(x, sigma), atol=1e-9)


@pytest.mark.parametrize("sigma", [0.005, 0.05, 0.5])
def test_norm_against_drawn_noise(sigma):
    generator = torch.Generator().manual_seed(0)
    shift = sigma * torch.randn(400_000, generator=generator)
    drawn = wrapped_score(shift, torch.tensor(sigma)).square().mean().sqrt()
    told = wrapped.score_norm(torch.tensor([sigma]))[0]
    assert float(told) == pytest.approx(float(drawn), rel=0.02)


def test_small_noise_never_feels_the_cell():
    assert wrapped.score_norm(torch.tensor([0.005]))[0] == pytest.approx(200, rel=1e-3)


def test_wrap_stays_inside():
    x = torch.tensor([-1e-9, -0.25, 0.0, 0.999999, 1.0, 7.3])
    inside = wrap(x)
    assert bool(((inside >= 0) & (inside < 1)).all())
    assert torch.allclose(shortest(inside - x), torch.zeros(6), atol=1e-6)


def test_reverse_steps_find_a_point_through_the_border():
    """Points that started at 0.98 and strayed to 0.05 go home the short way, over the border."""
    home, generator = 0.98, torch.Generator().manual_seed(1)
    widths = wrapped.sigma_at(torch.linspace(1, 0, 201))
    x = torch.rand(500, generator=generator)
    for sigma, lower in itertools.pairwise(widths):
        score = wrapped_score(x - home, sigma)
        x = wrapped.reverse_step(x, score, sigma, lower, torch.randn(500, generator=generator))
    away = shortest(x - home)
    assert float(away.abs().max()) < 5 * wrapped.SIGMA_MIN
    assert float(away.mean()) == pytest.approx(0, abs=1e-3)


def test_langevin_keeps_the_density():
    """Steps with the true score leave a wrapped normal as it is, border or not."""
    sigma, centre, generator = torch.tensor(0.15), 0.97, torch.Generator().manual_seed(2)
    x = wrap(centre + sigma * torch.randn(20_000, generator=generator))
    for _ in range(60):
        score = wrapped_score(x - centre, sigma)
        noise = torch.randn(20_000, generator=generator)
        x = wrapped.langevin_step(x, score, (0.2 * sigma) ** 2 / 2, noise)
    assert float(shortest(x - centre).std()) == pytest.approx(0.15, rel=0.03)


def test_training_times_are_dense_where_structures_are_decided():
    u = torch.linspace(0.0, 1.0, 4001)
    time = training_time(u)
    assert (time.diff() > 0).all()
    assert time[0] == 0 and abs(float(time[-1]) - 1) < 1e-6
    middle = ((time > 0.3) & (time < 0.85)).float().mean()
    assert abs(float(middle) - 0.75) < 2e-3
