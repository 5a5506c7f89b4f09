"""Boosted regression trees as tensors: scikit-learn grows them, and nothing of it is kept.

Friedman, Ann. Stat. 2001, 29, 1189, with a part of the rows and of the features for each tree
(Friedman, Comput. Stat. Data Anal. 2002, 38, 367). Features are taken in 16 bits, and so are the
borders between them: what is kept is then what was grown.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn


class Trees(nn.Module):
    """Sums of trees: of each target some members, of each member some trees.

    Parameters
    ----------
    nodes : of all trees together.
    shape : targets, members, trees of a member.
    depth : of the deepest tree.
    """

    feature: Tensor
    left: Tensor
    right: Tensor
    roots: Tensor

    def __init__(self, nodes: int, shape: tuple[int, int, int], depth: int) -> None:
        super().__init__()
        self.depth = depth
        for name in ("feature", "left", "right"):
            self.register_buffer(name, torch.zeros(nodes, dtype=torch.int32))
        self.border = nn.Parameter(torch.zeros(nodes), requires_grad=False)
        self.value = nn.Parameter(torch.zeros(nodes), requires_grad=False)
        self.register_buffer("roots", torch.zeros(shape, dtype=torch.int32))

    def forward(self, x: Tensor) -> Tensor:
        """Features (B, n) -> (members, B, targets)."""
        x = in_half(x)
        at = self.roots.flatten().long().expand(len(x), -1)
        for _ in range(self.depth):
            lower = x.gather(1, self.feature[at].long()) <= self.border[at]
            at = torch.where(lower, self.left[at], self.right[at]).long()
        found = self.value[at].unflatten(1, tuple(self.roots.shape)).sum(-1)
        return found.permute(2, 0, 1)


def in_half(x: Tensor) -> Tensor:
    """Numbers as 16 bits hold them."""
    return x.half().float()


def planted(models: Sequence[Sequence[Any]]) -> Trees:
    """The trees of fitted `GradientBoostingRegressor`s with init="zero", one for each target and
    member."""
    forests = [[[one[0].tree_ for one in model.estimators_] for model in row] for row in models]
    flat = [tree for row in forests for trees in row for tree in trees]
    first = np.cumsum([0, *(tree.node_count for tree in flat)])
    shape = len(forests), len(forests[0]), len(forests[0][0])
    out = Trees(int(first[-1]), shape, max(tree.max_depth for tree in flat))
    rates = [model.learning_rate for row in models for model in row for _ in model.estimators_]
    for tree, begin, rate in zip(flat, first, rates, strict=False):
        _plant(out, tree, int(begin), rate)
    out.roots.copy_(torch.as_tensor(first[:-1].reshape(shape)))
    return out


def _plant(out: Trees, tree: Any, begin: int, rate: float) -> None:
    own = np.arange(tree.node_count)
    leaf = tree.children_left < 0
    rows = slice(begin, begin + tree.node_count)
    put = lambda name, values: getattr(out, name)[rows].copy_(torch.as_tensor(values))  # noqa: E731
    put("feature", np.where(leaf, 0, tree.feature))
    put("border", _floor(tree.threshold))
    put("left", begin + np.where(leaf, own, tree.children_left))
    put("right", begin + np.where(leaf, own, tree.children_right))
    put("value", np.where(leaf, rate * tree.value[:, 0, 0], 0.0))


def _floor(borders: np.ndarray) -> np.ndarray:
    """The largest numbers of 16 bits that are no larger: what of 16 bits lies below one lies below
    the other."""
    near = borders.astype(np.float16)
    return np.where(near > borders, np.nextafter(near, np.float16(-np.inf)), near)
