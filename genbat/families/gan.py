"""Generative adversarial networks: a generator and a critic that learns to tell its output.

Two objectives: the Wasserstein distance with gradient penalty (Gulrajani et al., arXiv 1704.00028,
Eq. 3), and the original game in its non-saturating form (Goodfellow et al., arXiv 1406.2661) with
one-sided label smoothing (Salimans et al., arXiv 1606.03498). A critic maps a batch to scores of
any shape, which are averaged.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

Critic = Callable[[Tensor], Tensor]

PENALTY = 10.0
SMOOTH = 0.9  # the label of what is real


def critic_loss(
    critic: Critic, real: Tensor, fake: Tensor, generator: torch.Generator,
    weight: float = PENALTY, checked: int | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """What a Wasserstein critic minimises, and the distance it has found so far, without penalty.

    Parameters
    ----------
    real, fake : batches of one shape; the fake one needs no gradient.
    generator : of the random places between them where the gradient is held at 1.
    checked : how many of the batch, which is in random order, the penalty looks at; its gradient
        is what costs most.
    """
    fake = fake.detach()
    distance = critic(real).mean() - critic(fake).mean()
    penalty = gradient_penalty(critic, real[:checked], fake[:checked], generator)
    return weight * penalty - distance, distance.detach()


def gradient_penalty(
    critic: Critic, real: Tensor, fake: Tensor, generator: torch.Generator
) -> Tensor:
    """Mean of (|gradient of the critic| - 1)^2 at random places on lines between real and fake."""
    share = torch.rand(len(real), *[1] * (real.ndim - 1), generator=generator)
    between = torch.lerp(real, fake, share).requires_grad_(True)
    scores = critic(between)
    (slope,) = torch.autograd.grad(scores.flatten(1).mean(1).sum(), between, create_graph=True)
    return ((slope.flatten(1).norm(dim=1) - 1.0) ** 2).mean()


def generator_loss(critic: Critic, fake: Tensor) -> Tensor:
    """What the generator minimises against a Wasserstein critic."""
    return -critic(fake).mean()


def judge_loss(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    """Cross entropy of a critic whose scores are logits of being real."""
    told, lies = critic(real), critic(fake.detach())
    return F.binary_cross_entropy_with_logits(
        told, torch.full_like(told, SMOOTH)
    ) + F.binary_cross_entropy_with_logits(lies, torch.zeros_like(lies))


def forger_loss(critic: Critic, fake: Tensor) -> Tensor:
    """Cross entropy of being taken for real: the non-saturating generator's."""
    scores = critic(fake)
    return F.binary_cross_entropy_with_logits(scores, torch.ones_like(scores))
