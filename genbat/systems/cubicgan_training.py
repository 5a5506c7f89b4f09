"""Training of cubicgan: a Wasserstein critic with gradient penalty against the generator."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from genbat.domains.crystals.symmetric import Symmetric
from genbat.domains.crystals.symmetric_text import ORDERED
from genbat.domains.crystals.symmetry import FIRST_CUBIC
from genbat.families.gan import critic_loss, generator_loss
from genbat.systems.base import Progress
from genbat.systems.by_symmetry import symmetric
from genbat.systems.crystal_corpus import Corpus
from genbat.systems.cubicgan_network import (
    ATOMS,
    Asked,
    Config,
    Critic,
    Generator,
    asked_of,
    is_ours,
    numbers_of,
    touching_edge,
)
from genbat.systems.duel import Duel, Rules, begin, fight

PRESETS = {
    "tiny": Rules(steps=3, rounds=1),
    "base": Rules(steps=20_000, rounds=5, rate=3e-4, memory=0.999),
}
BATCH = 128


def train(
    corpus: Corpus,
    folder: Path,
    *,
    rules: Rules,
    resume: bool = False,
    minutes: float = math.inf,
    progress: Progress | None = None,
    **sizes: int,
) -> Duel:
    """Train on the cubic crystals of the split "train" that have three base atoms; with `resume`,
    go on from the folder's checkpoint.

    Raises
    ------
    ValueError : no such crystal.
    """
    rows = [k for k in corpus.training_rows() if corpus.groups[k] >= FIRST_CUBIC]
    crystals = symmetric(corpus, rows, progress)
    return train_on(
        crystals, folder, rules=rules, resume=resume, minutes=minutes, progress=progress, **sizes
    )


def train_on(
    crystals: Sequence[Symmetric],
    folder: Path,
    *,
    rules: Rules,
    resume: bool = False,
    minutes: float = math.inf,
    progress: Progress | None = None,
    **sizes: int,
) -> Duel:
    """As `train`, on crystals whose symmetry is known."""
    own = [crystal for crystal in crystals if is_ours(crystal)]
    if not own:
        raise ValueError("crystals: none is cubic with one base atom of each of three elements")
    duel = begin(make_config(own, **sizes), networks, rules, folder, resume=resume)
    real, asked = numbers_of(own, duel.config), asked_of(own, duel.config)
    for generator in (duel.generator, duel.mean):
        generator.often.copy_(often(asked, duel.config))  # type: ignore[operator]
    learn = partial(one_round, real, asked)
    return fight(duel, learn, minutes=minutes, progress=progress)


def make_config(crystals: Sequence[Symmetric], **sizes: int) -> Config:
    """Groups, letters, elements and the scale of the edge of training crystals."""
    letters: dict[int, set[str]] = {}
    for crystal in crystals:
        letters.setdefault(crystal.group, set()).update(o.letter for o in crystal.orbits)
    used = {o.element for crystal in crystals for o in crystal.orbits}
    edges = np.log([crystal.cell[0] / touching_edge(crystal) for crystal in crystals])
    config = Config(
        groups=tuple(sorted(letters)),
        letters=tuple("".join(sorted(letters[group])) for group in sorted(letters)),
        elements=tuple(element for element in ORDERED if element in used),
        mean=float(edges.mean()),
        spread=max(float(edges.std()), 1e-3),
    )
    return replace(config, **sizes)  # type: ignore[arg-type]


def often(asked: Asked, config: Config) -> Tensor:
    """How often each element stands in each place of a group (groups, ATOMS, elements)."""
    found = torch.zeros(len(config.groups), ATOMS, len(config.elements), dtype=torch.int32)
    for place in range(ATOMS):
        at = (asked.groups, torch.tensor(place), asked.elements[:, place])
        found.index_put_(at, torch.tensor(1, dtype=torch.int32), accumulate=True)
    return found


def networks(config: Config) -> tuple[nn.Module, nn.ModuleList]:
    """The generator and its critic."""
    return Generator(config), nn.ModuleList([Critic(config)])


def one_round(real: Tensor, asked: Asked, duel: Duel) -> dict[str, float]:
    """All critic steps and the generator's, each on crystals made for what real ones are."""
    distance = 0.0
    for turn in range(duel.rules.rounds):
        random = duel.random(turn)
        rows = torch.randint(len(real), (BATCH,), generator=random)
        mine = asked.rows(rows)
        with torch.no_grad():
            fake = _made(duel, mine, random)
        loss, found = critic_loss(_judge(duel, mine), real[rows], fake, random)
        duel.teach_critics(loss)
        distance = float(found)
    random = duel.random(duel.rules.rounds)
    mine = asked.rows(torch.randint(len(real), (BATCH,), generator=random))
    duel.teach_generator(generator_loss(_judge(duel, mine), _made(duel, mine, random)))
    return {"distance": distance}


def _made(duel: Duel, asked: Asked, random: torch.Generator) -> Tensor:
    noise = torch.randn(len(asked.groups), duel.config.noise, generator=random)
    made: Tensor = duel.generator(noise, asked)
    return made


def _judge(duel: Duel, asked: Asked) -> Callable[[Tensor], Tensor]:
    """The critic of crystals of these groups and elements; the gradient penalty looks at all of
    them, so that rows and labels stay together."""
    return lambda numbers: duel.critics[0](numbers, asked)
