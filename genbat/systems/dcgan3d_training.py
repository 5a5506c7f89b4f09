"""Training of dcgan3d: whole volumes against whole volumes."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from genbat.families.gan import forger_loss, judge_loss
from genbat.systems.base import Progress
from genbat.systems.dcgan3d import SIZE, Config, Discriminator, Generator
from genbat.systems.duel import Duel, Rules, begin, fight

PRESETS = {"tiny": Rules(steps=2, rounds=1), "base": Rules(steps=12_000, rounds=1)}
BATCH = 4
BLUR = 0.3  # standard deviation of the noise on one-hot volumes at the start


class Crops:
    """Random cubes of one labelled volume, turned and mirrored where axes are alike.

    Parameters
    ----------
    labels : (D, H, W), edges of SIZE at least.
    alike : axes that may be swapped; the across-plane axis of an electrode is not among them.
    """

    def __init__(self, labels: Tensor, phases: int, alike: tuple[int, int] = (1, 2)) -> None:
        if min(labels.shape) < SIZE:
            shape = " x ".join(map(str, labels.shape))
            raise ValueError(f"volume: {shape}; edges of {SIZE} at least are needed")
        self.labels, self.phases, self.alike = labels, phases, alike

    def draw(self, n: int, random: torch.Generator) -> Tensor:
        """n cubes, one-hot (n, phases, SIZE, SIZE, SIZE)."""
        cubes = torch.stack([self._cube(random) for _ in range(n)])
        return F.one_hot(cubes.long(), self.phases).movedim(-1, 1).float()

    def _cube(self, random: torch.Generator) -> Tensor:
        pick = lambda most: int(torch.randint(most, (1,), generator=random))  # noqa: E731
        z, y, x = (pick(n - SIZE + 1) for n in self.labels.shape)
        cube = self.labels[z : z + SIZE, y : y + SIZE, x : x + SIZE]
        cube = cube.flip([axis for axis in range(3) if pick(2)])
        return cube.transpose(*self.alike) if pick(2) else cube


def train(
    crops: Crops,
    config: Config,
    folder: Path,
    *,
    rules: Rules,
    resume: bool = False,
    taught: nn.Module | None = None,
    minutes: float = math.inf,
    progress: Progress | None = None,
) -> Duel:
    """Train on a volume; with `resume`, go on from the folder's checkpoint; see `begin`."""
    duel = begin(config, networks, rules, folder, resume=resume, taught=taught)
    return fight(duel, partial(one_round, crops), minutes=minutes, progress=progress)


def networks(config: Config) -> tuple[nn.Module, nn.ModuleList]:
    """The generator and its discriminator."""
    return Generator(config), nn.ModuleList([Discriminator(config)])


def one_round(crops: Crops, duel: Duel) -> dict[str, float]:
    """The discriminator's step and the generator's, on the same made volumes."""
    random = duel.random()
    z = torch.randn(BATCH, duel.config.noise, 1, 1, 1, generator=random)
    fake, real = duel.generator(z), crops.draw(BATCH, random)
    width = BLUR * max(0.0, 1 - 4 * duel.step / duel.rules.steps)
    blur = lambda x: x + width * torch.randn(x.shape, generator=random)  # noqa: E731
    critic = duel.critics[0]
    told = judge_loss(critic, blur(real), blur(fake.detach()))
    duel.teach_critics(told)
    loss = forger_loss(critic, blur(fake))
    duel.teach_generator(loss)
    return {"discriminator": float(told.detach()), "generator": float(loss.detach())}
