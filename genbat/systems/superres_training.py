"""Training of superres: slices of what it makes beside fine images, blocks beside coarse labels."""

from __future__ import annotations

import math
from functools import partial
from itertools import combinations
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from genbat.families.gan import critic_loss, generator_loss
from genbat.systems.base import Progress
from genbat.systems.duel import Duel, Rules, begin, fight
from genbat.systems.slicegan_network import SIDE, Critic, Images
from genbat.systems.slicegan_training import CHECKED, SHOWN, some_slices
from genbat.systems.superres import FACTOR, Config, Generator, noises

PRESETS = {"tiny": Rules(steps=2, rounds=1), "base": Rules(steps=5000, rounds=2)}
EDGE = SIDE // FACTOR  # coarse voxels of a training volume
HELD = 10.0  # weight of the coarse labels
TOUCH = 20.0  # weight of the surfaces and lines between the phases, at the end
TOUCH_FROM = 0.4, 0.6  # shares of the training between which that weight rises from nothing: a
# generator that knows no phases yet has the least surface wrong where all is of one phase
LEARNT_FROM = 256  # real slices of an axis that say how much there is of them


class Coarse:
    """Random cubes of a coarse labelled volume (d, h, w)."""

    def __init__(self, labels: Tensor, phases: int) -> None:
        if min(labels.shape) < EDGE:
            shape = " x ".join(map(str, labels.shape))
            raise ValueError(f"coarse: {shape} voxels; edges of {EDGE} at least are needed")
        self.labels, self.phases = labels, phases

    def draw(self, random: torch.Generator) -> Tensor:
        """One cube, one-hot (1, phases, EDGE, EDGE, EDGE), mirrored along any axes."""
        pick = lambda most: int(torch.randint(most, (1,), generator=random))  # noqa: E731
        z, y, x = (pick(n - EDGE + 1) for n in self.labels.shape)
        cube = self.labels[z : z + EDGE, y : y + EDGE, x : x + EDGE]
        cube = cube.flip([axis for axis in range(3) if pick(2)])
        return F.one_hot(cube.long(), self.phases).movedim(-1, 0)[None].float()


def train(
    coarse: Coarse,
    images: Images,
    config: Config,
    folder: Path,
    *,
    rules: Rules,
    resume: bool = False,
    taught: nn.Module | None = None,
    minutes: float = math.inf,
    progress: Progress | None = None,
) -> Duel:
    """Train on coarse cubes and fine images; with `resume`, go on from the folder's checkpoint; see
    `begin` and `fight`."""
    duel = begin(config, networks, rules, folder, resume=resume, taught=taught)
    learn = partial(one_round, coarse, images, contacts_of(images))
    return fight(duel, learn, minutes=minutes, progress=progress)


def networks(config: Config) -> tuple[nn.Module, nn.ModuleList]:
    """The generator and its critics."""
    shapes = len(config.phases), config.critic
    critics = (Critic(*shapes) for _ in range(max(config.judged_by) + 1))
    return Generator(config), nn.ModuleList(critics)


def one_round(coarse: Coarse, images: Images, wanted: Tensor, duel: Duel) -> dict[str, float]:
    """All critic steps and the generator's; `wanted` as `contacts_of` says it."""
    distance = 0.0
    for turn in range(duel.rules.rounds):
        random = duel.random(turn)
        with torch.no_grad():
            volume = torch.softmax(_made(duel, coarse.draw(random), random), 1)
        total = torch.zeros(())
        for axis in range(3):
            real, fake = images.draw(axis, SHOWN, random), some_slices(volume, axis, random)
            loss, found = critic_loss(_critic(duel, axis), real, fake, random, checked=CHECKED)
            total, distance = total + loss, float(found)
        duel.teach_critics(total)
    random = duel.random(duel.rules.rounds)
    cube = coarse.draw(random)
    logits = _made(duel, cube, random)
    volume = torch.softmax(logits, 1)
    fooled = [generator_loss(_critic(duel, axis), some_slices(volume, axis, random))
              for axis in range(3)]  # fmt: skip
    held, touch = faithful(volume, cube), mismatch(volume, wanted)
    duel.teach_generator(torch.stack(fooled).sum() + HELD * held + touching(duel.done) * touch)
    return {"distance": distance, "held": float(held.detach()), "touch": float(touch.detach())}


def touching(done: float) -> float:
    """Weight of the surfaces and lines when a share of the training is over."""
    first, last = TOUCH_FROM
    return TOUCH * min(1.0, max(0.0, (done - first) / (last - first)))


def faithful(volume: Tensor, coarse: Tensor) -> Tensor:
    """Cross entropy in nats of coarse labels (B, phases, d, h, w) under the shares of the phases in
    each block of a fine volume (B, phases, 4 d, 4 h, 4 w)."""
    shares = F.avg_pool3d(volume, FACTOR).clamp(min=1e-6)
    return -(coarse * shares.log()).sum(1).mean()


def contacts(shares: Tensor) -> Tensor:
    """Surfaces and triple lines across slices of shares (B, phases, H, W): the mean probability
    that two pixels side by side are of two phases, for every pair of these, and that three phases
    or more meet at a corner of four pixels (pairs + 1,)."""
    pairs = list(combinations(range(shares.shape[1]), 2))
    beside = [_beside(*shares[:, list(pair)].unbind(1)) for pair in pairs]
    alone = _corners(shares).sum(1)
    of_two = [_corners(shares[:, list(pair)].sum(1, keepdim=True))[:, 0] for pair in pairs]
    at_most_two = torch.stack(of_two).sum(0) - (shares.shape[1] - 2) * alone
    return torch.stack([*beside, 1 - at_most_two.mean()])


def _beside(one: Tensor, other: Tensor) -> Tensor:
    """Mean probability that of two pixels side by side (B, H, W) one is of each phase."""
    along = lambda a, b: (a[..., 1:] * b[..., :-1] + b[..., 1:] * a[..., :-1]).mean()  # noqa: E731
    return (along(one, other) + along(one.mT, other.mT)) / 2


def _corners(shares: Tensor) -> Tensor:
    """Probabilities that all four pixels around a corner are of a kind."""
    rows = shares[..., 1:, :] * shares[..., :-1, :]
    return rows[..., 1:] * rows[..., :-1]


def contacts_of(images: Images) -> Tensor:
    """`contacts` of real slices across z, y and x (3, pairs + 1)."""
    random = torch.Generator().manual_seed(0)
    return torch.stack([contacts(images.draw(axis, LEARNT_FROM, random)) for axis in range(3)])


def mismatch(volume: Tensor, wanted: Tensor) -> Tensor:
    """Mean squared error of the `contacts` in a volume (B, phases, D, H, W) across each axis, as a
    share of what is wanted (3, pairs + 1); phases that never touch do not count."""
    found = [contacts(volume.movedim(2 + axis, 1).flatten(0, 1)) for axis in range(3)]
    errors = torch.stack(found) / wanted.clamp(min=1e-9) - 1
    return errors[wanted > 0].square().sum() / max(1, int((wanted > 0).sum()))


def _made(duel: Duel, cube: Tensor, random: torch.Generator) -> Tensor:
    edges = (1, *cube.shape[2:])
    return duel.generator(cube, *noises(duel.config, edges, random))


def _critic(duel: Duel, axis: int) -> nn.Module:
    return duel.critics[duel.config.judged_by[axis]]
