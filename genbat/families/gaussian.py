"""Diffusion with normal noise that preserves variance, on vectors and fields.

Ho et al., arXiv 2006.11239, with the cosine schedule of Nichol and Dhariwal (arXiv 2102.09672) in
continuous time, networks that guess the velocity (Salimans and Ho, arXiv 2202.00512), and the
deterministic sampler of Song et al. (DDIM, arXiv 2010.02502).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor

Guess = Callable[[Tensor, Tensor], Tensor]  # noisy (B, ...), time (B,) -> velocity (B, ...)


def drift(time: Tensor) -> tuple[Tensor, Tensor]:
    """What is left of the signal and how much noise there is at times in [0, 1]; the sum of their
    squares is 1."""
    angle = time * (math.pi / 2)
    return angle.cos(), angle.sin()


def noised(x: Tensor, noise: Tensor, time: Tensor) -> tuple[Tensor, Tensor]:
    """The state at times (B,) and the velocity that a network should guess of it."""
    keep, blur = (part.view(-1, *[1] * (x.ndim - 1)) for part in drift(time))
    return keep * x + blur * noise, keep * noise - blur * x


def denoised(guess: Guess, start: Tensor, steps: int, reach: float = 4.0) -> Tensor:
    """From noise (B, ...) to samples in even steps, without further noise.

    Parameters
    ----------
    reach : what the network sees of the signal is cut at so many standard deviations.
    """
    x, times = start, torch.linspace(1.0, 0.0, steps + 1)
    for now, later in pairwise(times):
        (keep, blur), (keep2, blur2) = drift(now), drift(later)
        velocity = guess(x, now.expand(len(x)))
        clean = (keep * x - blur * velocity).clamp(-reach, reach)
        noise = (x - keep * clean) / blur
        x = keep2 * clean + blur2 * noise
    return x
