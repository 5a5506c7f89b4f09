"""Diffusion of points in a periodic unit cell: normal noise wrapped onto the circle [0, 1).

Noise of width sigma is added to each fractional coordinate and taken modulo 1, so that nothing
happens at the border of a cell. The score of the wrapped normal, a sum over periodic images, is

    d/dx log sum_k exp(-(x + k)^2 / (2 sigma^2))

(De Bortoli et al., arXiv 2202.02763; for crystals Jiao et al., DiffCSP, NeurIPS 2023, Eq. 8).
"""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor

IMAGES = 4  # to each side: exact to 1e-6 up to sigma = 1
NORMS = 1024
SIGMA_MIN, SIGMA_MAX = 0.005, 0.5  # at 0.5 the density is uniform within 1.5 %


def wrap(x: Tensor) -> Tensor:
    """The representative of each coordinate in [0, 1)."""
    y = x % 1.0
    return torch.where(y < 1.0, y, torch.zeros_like(y))  # a tiny negative rounds up to 1


def shortest(x: Tensor) -> Tensor:
    """Differences of coordinates by the shortest way around, in [-0.5, 0.5]."""
    return x - x.round()


def sigma_at(time: Tensor) -> Tensor:
    """Width of the noise at time 0 to 1: geometric from SIGMA_MIN to SIGMA_MAX."""
    return SIGMA_MIN * (SIGMA_MAX / SIGMA_MIN) ** time


def training_time(uniform: Tensor) -> Tensor:
    """Times in [0, 1] of uniform numbers in [0, 1]: three quarters fall where the noise, 0.02 to
    0.25 of a cell, is neither nothing nor everything, and where a structure is decided."""
    low = uniform.clamp(max=0.15) * 2
    middle = (uniform - 0.15).clamp(0.0, 0.75) * (0.55 / 0.75)
    return low + middle + (uniform - 0.9).clamp(min=0.0) * 1.5


def wrapped_score(shift: Tensor, sigma: Tensor) -> Tensor:
    """Score of the wrapped normal at displacements `shift`; sigma broadcasts against it."""
    images = torch.arange(-IMAGES, IMAGES + 1, dtype=shift.dtype)
    away = shortest(shift)[..., None] + images
    width = sigma[..., None]
    share = torch.softmax(-(away**2) / (2 * width**2), -1)
    return -(share * away).sum(-1) / sigma**2


def score_norm(sigma: Tensor) -> Tensor:
    """Root mean square of the score at each sigma (n,): what a network's output is scaled by.

    For small sigma it is 1 / sigma, for large ones it vanishes exponentially. Its logarithm is
    interpolated between NORMS integrals, within 1e-4.
    """
    place = (sigma.double() / SIGMA_MIN).log() / math.log(SIGMA_MAX / SIGMA_MIN) * (NORMS - 1)
    if bool((place < -1e-6).any() or (place > NORMS - 1 + 1e-6).any()):
        return norm_integral(sigma)
    left = place.floor().clamp(0, NORMS - 2)
    known = _norms()
    low, high = known[left.long()], known[left.long() + 1]
    return torch.lerp(low, high, place - left).exp().to(sigma.dtype)


@lru_cache
def _norms() -> Tensor:
    times = torch.linspace(0.0, 1.0, NORMS, dtype=torch.float64)
    return norm_integral(sigma_at(times)).log()


def norm_integral(sigma: Tensor, points: int = 512) -> Tensor:
    """The same, integrated over the circle, where the density is smooth."""
    x = (torch.arange(points, dtype=torch.float64) + 0.5) / points - 0.5
    width = sigma.double()[:, None]
    reach = torch.clamp(8 * width, max=0.5) * 2  # the part of the circle where there is density
    x = x[None] * reach
    images = torch.arange(-IMAGES, IMAGES + 1, dtype=torch.float64)
    density = torch.exp(-((x[..., None] + images) ** 2) / (2 * width[..., None] ** 2)).sum(-1)
    square = wrapped_score(x, width) ** 2
    return ((density * square).sum(1) / density.sum(1)).sqrt().to(sigma.dtype)


def reverse_step(x: Tensor, score: Tensor, sigma: Tensor, lower: Tensor, noise: Tensor) -> Tensor:
    """One ancestral step from noise of width sigma to `lower` (Song et al., arXiv 2011.13456, Eq.
    46), with standard normal `noise` like x."""
    gap = sigma**2 - lower**2
    return wrap(x + gap * score + lower * (gap.clamp(min=0).sqrt() / sigma) * noise)


def langevin_step(x: Tensor, score: Tensor, step: Tensor, noise: Tensor) -> Tensor:
    """x + step * score + sqrt(2 step) * noise, wrapped (Song and Ermon, arXiv 1907.05600)."""
    return wrap(x + step * score + (2 * step).sqrt() * noise)
