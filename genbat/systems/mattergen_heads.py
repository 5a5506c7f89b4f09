"""What mattergen expects CHGNet to say of a crystal it has made: heads on its frozen network.

They do not judge: they choose. Of the crystals that guidance brings near a target, those are taken
that the heads place nearest; what these are worth, CHGNet says.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from genbat.core.condition import Window
from genbat.families.blocks import HeadEnsemble
from genbat.families.crystal_net import CrystalNet, Crystals
from genbat.systems.base import Progress
from genbat.systems.crystal_corpus import TARGETS
from genbat.systems.heads import polish

LEAST_SPREAD = 0.01  # of a feature: an element that training hardly has


class Heads(nn.Module):
    """TARGETS, standardised, of crystals: from the mean of the atoms' states when the network sees
    no noise, the share of each element, and the lattice."""

    middle: Tensor
    spread: Tensor

    def __init__(self, kinds: int, width: int, members: int, hidden: int) -> None:
        super().__init__()
        self.kinds = kinds
        self.register_buffer("middle", torch.zeros(width + kinds + 6))
        self.register_buffer("spread", torch.ones(width + kinds + 6))
        self.ensemble = HeadEnsemble(members, width + kinds + 6, hidden, len(TARGETS))

    def features(self, net: CrystalNet, x: Crystals) -> Tensor:
        """(B, width + kinds + 6)."""
        counts = x.counts[:, None]
        states = net(x, torch.zeros(len(x))).states.sum(1) / counts
        shares = (F.one_hot(x.kinds, self.kinds) * x.here[..., None]).sum(1) / counts
        return torch.cat([states, shares, x.lattices], 1)

    def forward(self, features: Tensor) -> Tensor:
        """(B, features) -> (B, TARGETS), mean of the members."""
        return self._members(features).mean(0)

    def _members(self, features: Tensor) -> Tensor:
        predicted: Tensor = self.ensemble((features - self.middle) / self.spread)
        return predicted

    def fit(self, features: Tensor, wanted: Tensor, progress: Progress | None = None) -> None:
        """Train on features of crystals (n, ...) with standardised targets (n, TARGETS), NaN where
        unknown."""
        self.middle.copy_(features.mean(0))
        self.spread.copy_(features.std(0).clamp(min=LEAST_SPREAD))
        standard = (features - self.middle) / self.spread
        self.ensemble.requires_grad_(True)
        polish(self.ensemble, standard, torch.zeros_like(standard), wanted, progress=progress)
        self.ensemble.requires_grad_(False)


def misfit(predicted: Tensor, windows: Mapping[str, Window]) -> Tensor:
    """How far standardised predictions (B, TARGETS) lie outside windows in the same unit (B,);
    summed over the windows."""
    far = torch.zeros(len(predicted))
    for name, window in windows.items():
        value = predicted[:, TARGETS.index(name)]
        far = far + (window.low - value).clamp(min=0.0) + (value - window.high).clamp(min=0.0)
    return far
