"""A GAN's training in progress: generator, its running mean, critics, optimisers, checkpoint.

All randomness comes from the seed and the step, so that a duel that goes on from its checkpoint
ends as if it had never been stopped. What is used is the running mean of the generator.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from genbat.systems import checkpoint
from genbat.systems.base import Progress, Settings

SAVE_EVERY_S = 120.0
BETAS = (0.0, 0.9)  # of Adam, as WGAN-GP wants them


@dataclass(frozen=True)
class Rules:
    """How long and how hard a duel is fought.

    Attributes
    ----------
    steps : of the generator; `rounds` critic steps come before each.
    rate : of Adam; it falls to nothing over the second half, of the steps or of the minutes that
        were given, where the two otherwise swing on.
    memory : of the generator's running mean.
    """

    steps: int = 3000
    rounds: int = 3
    rate: float = 2e-4
    memory: float = 0.998
    seed: int = 0


@dataclass
class Duel:
    """A generator against its critics, and where they are kept."""

    generator: nn.Module
    critics: nn.ModuleList
    config: Any
    rules: Rules
    folder: Path
    step: int = 0
    elapsed: float = 0.0  # share of the minutes that were given

    def __post_init__(self) -> None:
        self.mean = deepcopy(self.generator).requires_grad_(False).eval()
        adam = lambda m: torch.optim.Adam(m.parameters(), lr=self.rules.rate, betas=BETAS)  # noqa: E731
        self.forger, self.judge = adam(self.generator), adam(self.critics)

    def random(self, purpose: int = 0) -> torch.Generator:
        """The random numbers of this step and purpose."""
        seed = (self.rules.seed * 1_000_003 + self.step) * 16 + purpose
        return torch.Generator().manual_seed(seed)

    def rate(self) -> float:
        """The rate of this step."""
        return self.rules.rate * min(1.0, max(0.0, 2 * (1 - self.done)))

    @property
    def done(self) -> float:
        """Share of the training that is over, by its steps or its time."""
        return max(self.step / self.rules.steps, self.elapsed)

    @property
    def steps_trained(self) -> int:
        """Steps that the weights have seen, with those before this duel."""
        return int(self.config.steps_trained) + self.step

    def teach_critics(self, loss: Tensor) -> None:
        """One step of all critics."""
        for optimiser in (self.judge, self.forger):
            for group in optimiser.param_groups:
                group["lr"] = self.rate()
        self.judge.zero_grad()
        loss.backward()
        self.judge.step()

    def teach_generator(self, loss: Tensor) -> None:
        """One step of the generator; the running mean follows, statistics of norms as they are."""
        self.forger.zero_grad()
        loss.backward()
        self.forger.step()
        self.step += 1
        memory = min(self.rules.memory, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            pairs = zip(self.mean.parameters(), self.generator.parameters(), strict=True)
            for kept, new in pairs:
                kept.lerp_(new, 1 - memory)
            for old, now in zip(self.mean.buffers(), self.generator.buffers(), strict=True):
                old.copy_(now)

    def save(self) -> None:
        """Write the checkpoint."""
        note = {"step": self.step, "config": asdict(self.config), **asdict(self.rules)}
        checkpoint.write(self.folder, self._networks(), self._optimisers(), note)

    def resume(self) -> None:
        """Go on from the folder's checkpoint."""
        note = checkpoint.read(self.folder, self._networks(), self._optimisers())
        self.step = note["step"]

    def _networks(self) -> dict[str, nn.Module]:
        return {"generator": self.generator, "mean": self.mean, "critics": self.critics}

    def _optimisers(self) -> dict[str, torch.optim.Optimizer]:
        return {"forger": self.forger, "judge": self.judge}


def begin(
    config: Settings,
    networks: Callable[[Any], tuple[nn.Module, nn.ModuleList]],
    rules: Rules,
    folder: Path,
    *,
    resume: bool = False,
    taught: nn.Module | None = None,
) -> Duel:
    """A duel at its beginning; with `resume`, where the folder's checkpoint left it.

    Parameters
    ----------
    networks : config -> generator and critics.
    taught : a generator to begin with; its critics are new.
    """
    if resume:
        config = type(config).from_json(checkpoint.read_note(folder)["config"])
    torch.manual_seed(rules.seed)
    generator, critics = networks(config)
    if taught is not None:
        generator.load_state_dict(taught.state_dict())
    duel = Duel(generator, critics, config, rules, folder)
    if resume:
        duel.resume()
    return duel


def fight(
    duel: Duel,
    one_round: Callable[[Duel], dict[str, float]],
    *,
    minutes: float = math.inf,
    progress: Progress | None = None,
    watch: Callable[[Duel], object] | None = None,
) -> Duel:
    """All steps that are left, checkpoint every two minutes and at the end.

    Parameters
    ----------
    one_round : teaches the critics and then the generator once; returns what to report.
    minutes : stop after this time at the latest.
    watch : called after every step; what it raises ends the training, whose checkpoint is kept.
    """
    began = saved = time.monotonic()
    while duel.step < duel.rules.steps:
        parts = one_round(duel)
        if watch:
            try:
                watch(duel)
            except BaseException:
                duel.save()
                raise
        now = time.monotonic()
        duel.elapsed = (now - began) / (60 * minutes) if minutes else 1.0
        if progress and duel.step % 10 == 0:
            text = " ".join(f"{k} {v:.3f}" for k, v in parts.items())
            progress(duel.step / duel.rules.steps, f"step {duel.step} {text}")
        if now - saved > SAVE_EVERY_S:
            duel.save()
            saved = now
        if duel.elapsed >= 1:
            break
    duel.save()
    return duel
