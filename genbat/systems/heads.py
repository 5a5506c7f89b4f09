"""Property heads on a finished latent space, the last stage of a variational system's training, and
the standardised scale of what they predict."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from genbat.core.condition import Window
from genbat.core.properties import Measurement
from genbat.systems.base import Progress

STEPS, ROWS, RATE, DECAY = 3_000, 512, 1e-3, 1e-4
FITS_A_STEP = 10  # of the heads alone for a step of the training, at most STEPS
NOISE = 0.5  # share of the posterior's own width that jitters z
MIDDLE = 0.25  # of a spread: how far inside a half-open window a target is set
HUBER = 0.1  # standard deviations; as in the joint training


class Foretelling:
    """What a system with an ensemble of heads on its latent points foretells.

    The config holds mean and spread of each of `targets` in training, and the conformal `floor` and
    `quantile` of its 90 % interval; `units` are those of the targets, of which the `logarithmic`
    ones are learnt as natural logarithms.
    """

    targets: ClassVar[tuple[str, ...]]
    units: ClassVar[Mapping[str, str]]
    logarithmic: ClassVar[tuple[str, ...]] = ()
    config: Any
    network: Any
    card: Any

    @torch.inference_mode()
    def intervals(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Prediction at latent points (n, latent) and both ends of its 90 % interval, each (n, t)
        in the targets' units."""
        members = self.network.heads(torch.as_tensor(np.asarray(z, "f4"))).numpy()
        middle = members.mean(0)
        wide = np.sqrt(members.var(0) + np.square(self.config.floor))
        half = wide * np.array(self.config.quantile)
        return self._back(middle), self._back(middle - half), self._back(middle + half)

    def predict_table(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """As `intervals`, with half the interval's width in place of its ends."""
        middle, low, high = self.intervals(z)
        return middle, (high - low) / 2

    def _back(self, standard: np.ndarray) -> np.ndarray:
        """Standardised targets (n, t) in their units."""
        values = standard * np.array(self.config.spread) + np.array(self.config.mean)
        logs = np.array([name in self.logarithmic for name in self.targets])
        return np.where(logs, np.exp(np.where(logs, values, 0.0)), values)

    def predict(self, z: np.ndarray) -> list[dict[str, Measurement]]:
        """Properties at latent points (n, latent), each with its 90 % interval."""
        method = f"{self.card.name} heads"
        kinds = [(key, self.units[key]) for key in self.targets]
        return [
            {
                key: Measurement(float(v), unit, method, "predicted", float(half))
                for (key, unit), v, half in zip(kinds, *row, strict=True)
            }
            for row in zip(*self.predict_table(np.atleast_2d(z)), strict=True)
        ]

    @cached_property
    def training_range(self) -> dict[str, tuple[float, float]]:
        """Mean +- 3 standard deviations of every target in training, in its unit."""
        return ranges(self.targets, (self.config.mean, self.config.spread), self.logarithmic)


def known_scale(values: np.ndarray) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of each target (n, t) over the rows that know it; 0 and 1 of one
    that nobody knows."""
    known = ~np.isnan(values)
    count = np.maximum(known.sum(0), 1)
    mean = np.where(known, values, 0.0).sum(0) / count
    spread = np.sqrt((np.where(known, values - mean, 0.0) ** 2).sum(0) / count)
    return tuple(float(v) for v in mean), tuple(float(v) or 1.0 for v in spread)


def middle_of(window: Window) -> float:
    """The value asked of a network for a standardised window: its middle, or just inside an open
    one."""
    if math.isinf(window.low):
        return window.high - MIDDLE
    return window.low + MIDDLE if math.isinf(window.high) else (window.low + window.high) / 2


def standard_aims(
    windows: Mapping[str, Window],
    names: Sequence[str],
    scale: tuple[Sequence[float], Sequence[float]],
    logarithmic: Sequence[str] = (),
) -> list[float]:
    """Standardised value of each target, NaN where nothing is asked of it: a window's middle, or
    just inside an open one.

    Parameters
    ----------
    scale : mean and spread of each target in training.
    logarithmic : targets whose mean and spread are those of their logarithms.
    """
    out = []
    for name, mean, spread in zip(names, *scale, strict=True):
        window = windows.get(name)
        if window is None:
            out.append(math.nan)
            continue
        ends = [window.low, window.high]
        if name in logarithmic:
            ends = [math.log(max(end, 1e-3)) if math.isfinite(end) else end for end in ends]
        out.append(middle_of(Window(*((end - mean) / spread for end in ends))))
    return out


def ranges(
    names: Sequence[str],
    scale: tuple[Sequence[float], Sequence[float]],
    logarithmic: Sequence[str] = (),
) -> dict[str, tuple[float, float]]:
    """Mean +- 3 standard deviations of every target in training, in its unit; see
    `standard_aims`."""
    out = {}
    for name, mean, spread in zip(names, *scale, strict=True):
        ends = mean - 3 * spread, mean + 3 * spread
        low, high = map(math.exp, ends) if name in logarithmic else ends
        out[name] = (low, high)
    return out


def fitting_steps(trained: int, most: int = STEPS) -> int:
    """Steps of the heads' own fit after a training of so many: short after a short one."""
    return min(most, FITS_A_STEP * trained)


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
    if not len(rows):
        return
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
