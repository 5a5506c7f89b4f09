"""Variance preserving diffusion: schedule, velocity, and a sampler with the exact denoiser."""

import math

import pytest
import torch

from genbat.families.gaussian import denoised, drift, noised


def test_signal_and_noise_share_the_variance():
    keep, blur = drift(torch.linspace(0, 1, 11))
    assert torch.allclose(keep**2 + blur**2, torch.ones(11))
    assert float(keep[0]) == 1 and float(blur[-1]) == 1


def test_velocity_gives_back_signal_and_noise():
    torch.manual_seed(0)
    x, noise = torch.randn(2, 5, 3, 3, 3)
    time = torch.rand(5)
    state, velocity = noised(x, noise, time)
    keep, blur = (part[:, None, None, None] for part in drift(time))
    assert torch.allclose(keep * state - blur * velocity, x, atol=1e-5)
    assert torch.allclose(blur * state + keep * velocity, noise, atol=1e-5)


@pytest.mark.parametrize("fresh", [None, 1])
@pytest.mark.parametrize("spread", [0.2, 0.7])
def test_the_exact_denoiser_of_a_normal_distribution_makes_that_distribution(spread, fresh):
    """For x ~ N(m, s^2) the expected x given a state is known, and with it the velocity."""
    middle = 0.6

    def guess(state, time):
        keep, blur = (part[:, None] for part in drift(time))
        gain = keep * spread**2 / (keep**2 * spread**2 + blur**2)
        x = middle + gain * (state - keep * middle)
        noise = (state - keep * x) / blur
        return keep * noise - blur * x

    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(fresh) if fresh else None
    steps = 240 if fresh else 60  # new noise needs shorter ones
    made = denoised(guess, torch.randn(20_000, 1), steps, fresh=generator)
    assert float(made.mean()) == pytest.approx(middle, abs=0.02)
    assert float(made.std()) == pytest.approx(spread, abs=0.03 * max(1.0, math.sqrt(spread)))
