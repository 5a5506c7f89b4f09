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


def expected(x: Tensor, time: Tensor, middle: float, width: float) -> tuple[Tensor, Tensor]:
    """What numbers from N(middle, width^2) are expected to have been, seen noisy as x (B, ...) at
    times (B,), and the standard deviation that this leaves open, (B, 1, ...)."""
    keep, blur = (part.view(-1, *[1] * (x.ndim - 1)) for part in drift(time))
    total = (keep * width).square() + blur.square()
    return middle + keep * width**2 / total * (x - keep * middle), width * blur / total.sqrt()


def denoised(
    guess: Guess, start: Tensor, steps: int, reach: float = 4.0,
    fresh: torch.Generator | None = None,
) -> Tensor:  # fmt: skip
    """From noise (B, ...) to samples in even steps.

    Parameters
    ----------
    reach : what the network sees of the signal is cut at so many standard deviations.
    fresh : of new noise at every step (ancestral, Ho et al.'s); without it there is none.
    """
    x = start
    for now, later in pairwise(torch.linspace(1.0, 0.0, steps + 1)):
        keep, blur = drift(now)
        velocity = guess(x, now.expand(len(x)))
        clean = (keep * x - blur * velocity).clamp(-reach, reach)
        noise = None if fresh is None else torch.randn(x.shape, generator=fresh)
        x = stepped(x, clean, now, later, noise, eta=float(fresh is not None))
    return x


def stepped(
    x: Tensor, clean: Tensor, now: Tensor, later: Tensor, noise: Tensor | None = None,
    eta: float = 0.0,
) -> Tensor:  # fmt: skip
    """The state at a later time, given what the signal is thought to be (DDIM's Eq. 12).

    Parameters
    ----------
    noise, eta : fresh normal noise, and how much of it (Eq. 16): 0 is deterministic, 1 ancestral.
    """
    (keep, blur), (keep2, blur2) = drift(now), drift(later)
    fresh = eta * blur2 / blur * (1 - (keep / keep2).square()).clamp(min=0.0).sqrt()
    old = (blur2.square() - fresh.square()).clamp(min=0.0).sqrt()
    moved = keep2 * clean + old * (x - keep * clean) / blur
    return moved if noise is None else moved + fresh * noise
