"""Property heads on a finished latent space: the last stage of a variational system's training."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from genbat.systems.base import Progress

STEPS, ROWS, RATE, DECAY = 3_000, 512, 1e-3, 1e-4
NOISE = 0.5  # share of the posterior's own width that jitters z
HUBER = 0.1  # standard deviations; as in the joint training


def polish(
    heads: nn.Module,
    mean: Tensor,
    width: Tensor,
    wanted: Tensor,
    *,
    steps: int = STEPS,
    seed: int = 0,
    progress: Progress | None = None,
) -> None:
    """Train the heads on z of the training examples, encoder and decoder frozen.

    Where encoder and decoder cannot move any more, the heads can be fitted much longer than in the
    joint training, and labels that came later are learnt without touching the map. z is jittered
    by a share of each example's posterior, which keeps the heads smooth for a latent search.

    Parameters
    ----------
    mean, width : of q(z|x), each (n, latent).
    wanted : standardised targets (n, t), NaN unknown.
    """
    rows = torch.nonzero((~wanted.isnan()).any(1))[:, 0]
    optimiser = torch.optim.AdamW(heads.parameters(), lr=RATE, weight_decay=DECAY)
    generator = torch.Generator().manual_seed(seed)
    for step in range(steps):
        pick = rows[torch.randint(len(rows), (ROWS,), generator=generator)]
        jitter = torch.randn(mean[pick].shape, generator=generator)
        loss = known_error(heads(mean[pick] + NOISE * width[pick] * jitter), wanted[pick])
        for group in optimiser.param_groups:
            group["lr"] = RATE * 0.5 * (1 + math.cos(math.pi * step / steps))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if progress and step % 100 == 0:
            progress(step / steps, f"heads, step {step} error {float(loss.detach()):.3f}")


def known_error(predicted: Tensor, wanted: Tensor) -> Tensor:
    """Huber loss summed over targets, each averaged over the rows that know it, so that a rare
    measured property counts as much as a computed one: (members, n, t) against (n, t)."""
    known = ~wanted.isnan()
    each = F.smooth_l1_loss(
        predicted, wanted.nan_to_num().expand_as(predicted), reduction="none", beta=HUBER
    )
    return ((each * known).sum(1) / known.sum(0).clamp(min=1)).mean(0).sum()
