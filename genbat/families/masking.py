"""Diffusion of categories by masking: every entry is hidden at a random time and comes back.

The absorbing case of discrete diffusion (Austin et al., D3PM, arXiv 2107.03006, Sec. 3.1): at time
t an entry is masked with probability t. The network guesses hidden entries; the way back reveals
each with the chance that it was hidden between two times.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def hide(x: Tensor, time: Tensor, mask: int, generator: torch.Generator | None = None) -> Tensor:
    """Entries replaced by `mask` with probability `time` (broadcasts against x)."""
    hidden = torch.rand(x.shape, generator=generator) < time
    return torch.where(hidden, torch.full_like(x, mask), x)


def masked_loss(logits: Tensor, x: Tensor, hidden: Tensor) -> Tensor:
    """Cross entropy in nats of the hidden entries, zero elsewhere; logits (..., classes).

    Entries that are not hidden are left out before the logarithm: their class may be barred.
    """
    wanted = torch.where(hidden, x, -100)
    each = F.cross_entropy(
        logits.flatten(0, -2), wanted.flatten(), reduction="none", ignore_index=-100
    )
    return each.view_as(x)


def reveal(
    x: Tensor,
    logits: Tensor,
    time: float,
    lower: float,
    mask: int,
    generator: torch.Generator,
) -> Tensor:
    """The state at time `lower` < `time`: each hidden entry is drawn with chance 1 - lower/time."""
    chances = torch.softmax(logits, -1).flatten(0, -2)
    drawn = torch.multinomial(chances, 1, generator=generator)[:, 0].view_as(x)
    shown = torch.rand(x.shape, generator=generator) < 1 - lower / time
    return torch.where((x == mask) & shown, drawn, x)
