"""Training of slicegan: critics on slices, the generator on what they say of its volumes."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from genbat.families.gan import critic_loss, generator_loss
from genbat.systems.base import Progress
from genbat.systems.duel import Duel, Rules, begin, fight
from genbat.systems.slicegan_network import SIDE, Config, Critic, Generator, Images, slices

PRESETS = {"tiny": Rules(steps=2, rounds=1), "base": Rules()}
SHOWN = 16  # slices of an axis that a critic sees at a step
MADE = 2  # volumes that they are taken from
CHECKED = 4  # slices that the gradient penalty looks at


def train(
    images: Images,
    config: Config,
    folder: Path,
    *,
    rules: Rules,
    resume: bool = False,
    taught: nn.Module | None = None,
    minutes: float = math.inf,
    progress: Progress | None = None,
    watch: Callable[[Duel], object] | None = None,
) -> Duel:
    """Train on real slices; with `resume`, go on from the folder's checkpoint; see `begin` and
    `fight`."""
    duel = begin(config, networks, rules, folder, resume=resume, taught=taught)
    learn = partial(one_round, images)
    return fight(duel, learn, minutes=minutes, progress=progress, watch=watch)


def networks(config: Config) -> tuple[nn.Module, nn.ModuleList]:
    """The generator and its critics."""
    shapes = len(config.phases), config.critic
    critics = (Critic(*shapes) for _ in range(max(config.judged_by) + 1))
    return Generator(config), nn.ModuleList(critics)


def one_round(images: Images, duel: Duel) -> dict[str, float]:
    """All critic steps and the generator's."""
    distance = 0.0
    for turn in range(duel.rules.rounds):
        random = duel.random(turn)
        with torch.no_grad():
            volume = forged(duel.generator, duel.config, random)
        total = torch.zeros(())
        for axis in range(3):
            real = images.draw(axis, SHOWN, random)
            fake = some_slices(volume, axis, random)
            loss, found = critic_loss(_critic(duel, axis), real, fake, random, checked=CHECKED)
            total, distance = total + loss, float(found)
        duel.teach_critics(total)
    random = duel.random(duel.rules.rounds)
    volume = forged(duel.generator, duel.config, random)
    losses = [generator_loss(_critic(duel, axis), some_slices(volume, axis, random))
              for axis in range(3)]  # fmt: skip
    duel.teach_generator(torch.stack(losses).sum())
    return {"distance": distance}


def forged(generator: nn.Module, config: Config, random: torch.Generator) -> Tensor:
    """MADE volumes (MADE, phases, SIDE, SIDE, SIDE)."""
    extent = generator.seed_size(SIDE)  # type: ignore[operator]
    z = torch.randn(MADE, config.noise, extent, extent, extent, generator=random)
    return generator(z)[:, :, :SIDE, :SIDE, :SIDE]


def some_slices(volumes: Tensor, axis: int, random: torch.Generator) -> Tensor:
    """SHOWN slices across an axis of some volumes, in random order."""
    places = torch.randperm(SIDE, generator=random)[: SHOWN // len(volumes)]
    found = slices(volumes, axis, places)
    return found[torch.randperm(len(found), generator=random)]


def _critic(duel: Duel, axis: int) -> nn.Module:
    return duel.critics[duel.config.judged_by[axis]]
