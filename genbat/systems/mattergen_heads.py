"""What mattergen expects CHGNet to say of a crystal it has made: heads on its frozen network.

They do not judge: they choose. Of the crystals that guidance brings near a target, those are taken
that the heads place nearest; what these are worth, CHGNet says.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from genbat.core.condition import Window
from genbat.families.blocks import HeadEnsemble
from genbat.families.crystal_net import CrystalNet, Crystals
from genbat.systems.base import Progress
from genbat.systems.crystal_corpus import TARGETS
from genbat.systems.heads import polish

STEPS = 6000  # of the heads' training, at the most
KNOTS = 7  # of what is aimed at to get what was asked for
LEAST_SPREAD = 0.01  # of a feature: an element that training hardly has


class Heads(nn.Module):
    """TARGETS, standardised, of crystals: from the mean of the atoms' states when the network sees
    no noise, the share of each element, and the lattice."""

    middle: Tensor
    spread: Tensor
    aimed: Tensor
    found: Tensor

    def __init__(self, kinds: int, width: int, members: int, hidden: int) -> None:
        super().__init__()
        self.kinds = kinds
        self.register_buffer("middle", torch.zeros(width + kinds + 6))
        self.register_buffer("spread", torch.ones(width + kinds + 6))
        even = torch.linspace(-3.0, 3.0, KNOTS).expand(len(TARGETS), -1)
        self.register_buffer("aimed", even.clone())
        self.register_buffer("found", even.clone())
        self.ensemble = HeadEnsemble(members, width + kinds + 6, hidden, len(TARGETS))

    def features(self, net: CrystalNet, x: Crystals) -> Tensor:
        """(B, width + kinds + 6)."""
        counts = x.counts[:, None]
        states = net(x, torch.zeros(len(x))).states.sum(1) / counts
        shares = (F.one_hot(x.kinds, self.kinds) * x.here[..., None]).sum(1) / counts
        return torch.cat([states, shares, x.lattices], 1)

    def forward(self, features: Tensor) -> Tensor:
        """(B, features) -> what each member says (members, B, TARGETS)."""
        predicted: Tensor = self.ensemble((features - self.middle) / self.spread)
        return predicted

    def aim(self, name: str, value: float) -> float:
        """What to aim at so that the median of what CHGNet finds is a standardised value.

        Between the knots of `aimed` and `found` on straight lines, beyond them as far off as at the
        last one: of crystals that were chosen for what is expected of them, less comes true.
        """
        place = TARGETS.index(name)
        aimed, found = self.aimed[place].numpy(), self.found[place].numpy()
        inside = float(np.clip(value, found[0], found[-1]))
        return float(np.interp(inside, found, aimed)) + value - inside

    def calibrate(self, name: str, aimed: np.ndarray, found: np.ndarray) -> None:
        """Keep KNOTS standardised values that were aimed at, rising, and the medians of what
        CHGNet found of each."""
        place, rising = TARGETS.index(name), np.maximum.accumulate(found)
        self.aimed[place] = torch.as_tensor(aimed)
        self.found[place] = torch.as_tensor(rising + 1e-3 * np.arange(KNOTS))

    def fit(
        self, features: Tensor, wanted: Tensor, steps: int, progress: Progress | None = None
    ) -> None:
        """Train on features of crystals (n, ...) with standardised targets (n, TARGETS), NaN where
        unknown."""
        self.middle.copy_(features.mean(0))
        self.spread.copy_(features.std(0).clamp(min=LEAST_SPREAD))
        standard = (features - self.middle) / self.spread
        self.ensemble.requires_grad_(True)
        still = torch.zeros_like(standard)
        polish(self.ensemble, standard, still, wanted, steps=steps, progress=progress)
        self.ensemble.requires_grad_(False)


def misfit(predicted: Tensor, windows: Mapping[str, Window]) -> Tensor:
    """How far standardised predictions (members, B, TARGETS) lie outside windows in the same unit
    (B,): the members' mean, so that what they disagree on counts as far; summed over windows."""
    far = torch.zeros(predicted.shape[1])
    for name, window in windows.items():
        value = predicted[..., TARGETS.index(name)]
        off = (window.low - value).clamp(min=0.0) + (value - window.high).clamp(min=0.0)
        far = far + off.mean(0)
    return far
