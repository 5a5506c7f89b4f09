"""How much pore a laid-out volume gets so that it is as tortuous as was asked.

The decoder says for every voxel how much speaks for each phase. Fractions that are asked for are
assigned exactly from that (`assigned`). A tortuosity cannot be assigned, but it falls as the share
of pores grows, so that the share is moved, inside the window of the porosity where there is one,
until TauFactor finds the tortuosity: regula falsi on logarithms, a few solves.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from genbat.core.condition import Window
from genbat.domains.microstructures.labelling import PORE
from genbat.domains.microstructures.transport import transport
from genbat.domains.microstructures.volume import Volume
from genbat.systems.heads import middle_of
from genbat.systems.microvae_network import assigned
from genbat.systems.volumes import shares_of, volume_of

CLOSE = 0.03  # of the tortuosity factor: nearer than this is near enough
WIDEST = (0.02, 0.95)  # shares of pores that are tried
SLOPES = (-8.0, -0.5)  # the tortuosity factor goes as a power of the share between these
STRIDE = math.log(1.25)  # the most that the share changes before it is bracketed


@dataclass
class Search:
    """Shares of pores tried so far, as logarithms.

    Attributes
    ----------
    low, high : log share and log(found / asked) of the nearest too tortuous and too open volume.
    slope : of the second over the first.
    """

    low: tuple[float, float] | None = None
    high: tuple[float, float] | None = None
    slope: float = -2.0

    def tell(self, share: float, excess: float) -> None:
        """Of a share, how much too tortuous its volume is: log(found / asked), infinite where
        nothing percolates."""
        before = self.low if excess > 0 else self.high
        if before and before[0] != share and math.isfinite(before[1]) and math.isfinite(excess):
            slope = (excess - before[1]) / (share - before[0])
            self.slope = min(max(slope, SLOPES[0]), SLOPES[1])
        if excess > 0:
            self.low = share, excess
        else:
            self.high = share, excess

    def next(self) -> float:
        """The log share to try."""
        if self.low and self.high:
            (a, f), (b, g) = self.low, self.high
            part = f / (f - g) if math.isfinite(f) else 0.5
            return a + (b - a) * min(max(part, 0.02), 0.98)
        near, excess = self.low or self.high or (0.0, 0.0)
        return near + min(max(-excess / self.slope, -STRIDE), STRIDE)


def settled(logits: Tensor, config: object, windows: Mapping[str, Window], solves: int) -> Volume:
    """A volume of logits (1, phases, D, H, W) with the fractions and, by at most so many solves,
    the tortuosity that windows ask for; without one, what `assigned` says."""
    made = _Made(logits, config, windows)
    asked = windows.get("tau_z")
    if asked is None or not solves:
        return made.volume(made.share)
    low, high = made.bounds
    aim, search, share = _aim(asked), Search(), made.share
    found: list[tuple[float, Volume]] = []
    for _ in range(solves):
        volume = made.volume(share)
        tortuosity = transport(volume, (PORE,), 0).tortuosity
        excess = math.log(tortuosity / aim)
        found.append((0.0 if asked.holds(tortuosity) else abs(excess), volume))
        if found[-1][0] < CLOSE:
            break
        search.tell(math.log(share), excess)
        before, share = share, min(max(math.exp(search.next()), low), high)
        if math.isclose(before, share, rel_tol=1e-3):  # at the window's end
            break
    return min(found, key=lambda pair: pair[0])[1]


def _aim(window: Window) -> float:
    """The tortuosity factor to settle on: a window's middle, of logarithms."""
    ends = [math.log(end) if end > 0 else -math.inf for end in (window.low, window.high)]
    return max(1.0, math.exp(middle_of(Window(*ends))))


class _Made:
    """The volumes that the same logits give for different shares of pores."""

    def __init__(self, logits: Tensor, config: object, windows: Mapping[str, Window]) -> None:
        self.logits, self.config = logits, config
        self.shares = shares_of(logits, config.phases, windows)  # type: ignore[attr-defined]
        self.share = float(self.shares[0, PORE])
        asked = windows.get("porosity")
        ends = (asked.low, asked.high) if asked else WIDEST
        # no more pore than what the other phases but the active material leave
        room = 1.0 - float(self.shares[0].sum() - self.shares[0, :2].sum())
        self.bounds = tuple(np.clip(ends, WIDEST[0], min(WIDEST[1], room - 0.01)).tolist())

    def volume(self, share: float) -> Volume:
        """With this share of pores; the active material gives way."""
        shares = self.shares.clone()
        shares[0, 1] += shares[0, PORE] - share
        shares[0, PORE] = share
        return volume_of(assigned(self.logits, shares)[0].byte().numpy(), self.config)
