"""A training in progress: optimiser, running mean, checkpoint, batches.

All randomness comes from the seed and the step alone, so that a run that goes on from its
checkpoint ends as if it had never been stopped. The weights that are used are a running mean over
the training (Ho et al., arXiv 2006.11239).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from genbat.systems import checkpoint
from genbat.systems.base import Progress, Settings

MEMORY = 0.999  # of the running mean
SAVE_EVERY_S = 120.0


@dataclass(frozen=True)
class Schedule:
    """How long and how hard to train."""

    steps: int = 80_000
    batch: int = 64
    rate: float = 3e-3
    warm_steps: int = 500
    seed: int = 0


PRESETS = {"tiny": Schedule(steps=20, batch=16, warm_steps=5), "base": Schedule()}


@dataclass
class Run:
    """A training in progress: network, its running mean, optimiser, and where it is kept."""

    network: nn.Module
    config: Any
    schedule: Schedule
    folder: Path
    step: int = 0
    elapsed: float = 0.0  # share of the minutes that were given

    def __post_init__(self) -> None:
        self.mean = deepcopy(self.network).requires_grad_(False).eval()
        trained = [p for p in self.network.parameters() if p.requires_grad]
        self.optimiser = torch.optim.AdamW(trained, lr=self.schedule.rate, weight_decay=1e-4)

    @property
    def steps_trained(self) -> int:
        """Steps that the weights have seen, with those before this run."""
        return int(self.config.steps_trained) + self.step

    def rate(self) -> float:
        """Cosine from the full rate to 1 % of it, after warming up; it is through when the steps
        are, or the minutes that were given."""
        s = self.schedule
        done = min(1.0, max(self.step / s.steps, self.elapsed))
        wave = 0.5 * (1 + math.cos(math.pi * done))
        return s.rate * min(1.0, (self.step + 1) / s.warm_steps) * (0.01 + 0.99 * wave)

    def advance(self, loss: Tensor) -> None:
        """One optimiser step."""
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate()
        self.optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()
        self.step += 1
        memory = min(MEMORY, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for kept, new in zip(self.mean.parameters(), self.network.parameters(), strict=True):
                kept.lerp_(new, 1 - memory)

    def save(self) -> None:
        """Write the checkpoint: networks, optimiser moments, step and settings."""
        note = {"step": self.step, "config": asdict(self.config), **asdict(self.schedule)}
        checkpoint.write(self.folder, self._networks(), {"opt": self.optimiser}, note)

    def resume(self) -> None:
        """Go on from the folder's checkpoint."""
        note = checkpoint.read(self.folder, self._networks(), {"opt": self.optimiser})
        self.step = note["step"]

    def _networks(self) -> dict[str, nn.Module]:
        return {"net": self.network, "mean": self.mean}


def begin(
    config: Settings,
    network_type: Callable[[Any], nn.Module],
    schedule: Schedule,
    folder: Path,
    *,
    resume: bool = False,
) -> Run:
    """A run at its beginning; with `resume`, where the folder's checkpoint left it."""
    if resume:
        config = type(config).from_json(checkpoint.read_note(folder)["config"])
    torch.manual_seed(schedule.seed)
    run = Run(network_type(config), config, schedule, folder)
    if resume:
        run.resume()
    return run


def weighted(
    parts: Mapping[str, Tensor], weights: Mapping[str, float]
) -> tuple[Tensor, dict[str, float]]:
    """A loss from its parts, and the parts as numbers."""
    total = sum((weights[name] * part for name, part in parts.items()), torch.zeros(()))
    return total, {name: float(part.detach()) for name, part in parts.items()}


Loss = Callable[[Any, int], tuple[Tensor, dict[str, float]]]


def advance_all(
    run: Run,
    batches: Iterable[Any],
    loss_of: Loss,
    *,
    minutes: float = math.inf,
    progress: Progress | None = None,
) -> Run:
    """All steps that are left, checkpoint every two minutes and at the end.

    Parameters
    ----------
    batches : of the steps that are left.
    loss_of : (batch, seed) -> loss and its parts; all its randomness comes from the seed.
    minutes : stop after this time at the latest; the rate has fallen by then, so that a run
        with minutes is the same again only as far as the machine is.
    """
    began = saved = time.monotonic()
    for batch in batches:
        loss, parts = loss_of(batch, run.schedule.seed * 1_000_003 + run.step)
        run.advance(loss)
        now = time.monotonic()
        run.elapsed = (now - began) / (60 * minutes) if minutes else 1.0
        if progress and run.step % 50 == 0:
            text = " ".join(f"{k} {v:.3f}" for k, v in parts.items())
            progress(run.step / run.schedule.steps, f"step {run.step} {text}")
        if now - saved > SAVE_EVERY_S:
            run.save()
            saved = now
        if run.elapsed >= 1.0:
            break
    run.save()
    return run
