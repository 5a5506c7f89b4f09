"""What seivae draws latent points from: p(c) and p(z|c), fitted when the networks are trained.

A bound that is tight nowhere leaves codes z that lie elsewhere than the standard normal says (Dai
and Wipf, ICLR 2019, who fit a second model to the codes for that reason). Here a normal
distribution is enough, whose mean is a quadratic of the condition.
"""

from __future__ import annotations

from itertools import combinations_with_replacement

import numpy as np
import torch
from torch import Tensor, nn

SEEN = 2048  # conditions of the training set that are kept
NEAR = 32  # of these are close enough to lend what was not asked


class Prior(nn.Module):
    """The standard normal until it is fitted.

    Parameters
    ----------
    targets, noise : coordinates of c and of z.
    """

    seen: Tensor
    usual: Tensor
    root: Tensor

    def __init__(self, targets: int, noise: int) -> None:
        super().__init__()
        self.register_buffer("seen", torch.zeros(SEEN, targets))
        self.register_buffer("usual", torch.zeros(len(_powers(targets)) + 1, noise))
        self.register_buffer("root", torch.eye(noise))

    def forward(self, c: Tensor, noise: Tensor) -> Tensor:
        """z of conditions (B, targets) from standard normal noise (B, noise)."""
        return terms(c) @ self.usual + noise @ self.root.T

    def condition(self, asked: Tensor, rng: np.random.Generator) -> Tensor:
        """A condition (targets,): what is NaN in `asked` is taken from a training condition that is
        among the NEAR nearest in what is not."""
        known = ~asked.isnan()
        away = ((self.seen - asked)[:, known] ** 2).sum(1)
        near = away.argsort(stable=True)[: NEAR if known.any() else SEEN]
        return torch.where(known, asked, self.seen[near[int(rng.integers(len(near)))]])

    @torch.no_grad()
    def fit(self, c: Tensor, mean: Tensor, variance: Tensor) -> None:
        """To posteriors of the training set.

        Parameters
        ----------
        c : conditions (n, targets).
        mean, variance : of their posteriors (n, noise).
        """
        usual = torch.linalg.lstsq(terms(c), mean, driver="gelsd").solution
        rest = mean - terms(c) @ usual
        spread = rest.T @ rest / len(c) + variance.mean(0).diag()
        picked = np.random.default_rng(0).permutation(np.arange(max(SEEN, len(c))) % len(c))[:SEEN]
        self.seen.copy_(c[picked])
        self.usual.copy_(usual)
        self.root.copy_(torch.linalg.cholesky(spread))


def terms(c: Tensor) -> Tensor:
    """1, the coordinates and their products by twos (B, targets) -> (B, terms)."""
    columns = [c[:, list(which)].prod(1) for which in _powers(c.shape[1])]
    return torch.stack([torch.ones(len(c)), *columns], 1)


def _powers(targets: int) -> list[tuple[int, ...]]:
    return [p for many in (1, 2) for p in combinations_with_replacement(range(targets), many)]
