"""Training of latentgan on the latents of a finished chemvae."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pandas as pd
import torch
from torch import Tensor, nn

from genbat.families.gan import critic_loss, generator_loss
from genbat.families.latent_net import thinned, told
from genbat.systems.base import Progress
from genbat.systems.chemvae import ChemVAE
from genbat.systems.duel import Duel, Rules, begin, fight
from genbat.systems.latentgan import Critic, Generator
from genbat.systems.molecule_latents import Config, Latents, latents_of, make_config, scaled

PRESETS = {
    "tiny": Rules(steps=3, rounds=1),
    "base": Rules(steps=20_000, rounds=5, rate=3e-4, memory=0.995),
}
BATCH = 128


def train(
    vae: ChemVAE,
    table: pd.DataFrame,
    folder: Path,
    *,
    rules: Rules,
    resume: bool = False,
    minutes: float = math.inf,
    progress: Progress | None = None,
    **sizes: int,
) -> Duel:
    """Train on molecules of the split "train"; with `resume`, go on from the folder's checkpoint.

    Raises
    ------
    ValueError : no molecule to train on.
    """
    own = table[table["split"] == "train"]
    if not len(own):
        raise ValueError("molecules: none of the split train")
    duel = begin(make_config(vae, own, **sizes), networks, rules, folder, resume=resume)
    latents = latents_of(vae, own, duel.config)
    for generator in (duel.generator, duel.mean):
        scaled(generator, latents)
    learn = partial(one_round, latents)
    return fight(duel, learn, minutes=minutes, progress=progress)


def networks(config: Config) -> tuple[nn.Module, nn.ModuleList]:
    """The generator and its critic."""
    return Generator(config), nn.ModuleList([Critic(config)])


def one_round(latents: Latents, duel: Duel) -> dict[str, float]:
    """All critic steps and the generator's; made latents are told what is told of real ones."""
    distance = 0.0
    for turn in range(duel.rules.rounds):
        random = duel.random(turn)
        real, values = _real(latents, duel, random)
        with torch.no_grad():
            fake = _fake(duel, values, random)
        loss, found = critic_loss(_judge(duel, values), real, fake, random)
        duel.teach_critics(loss)
        distance = float(found)
    random = duel.random(duel.rules.rounds)
    _, values = _real(latents, duel, random)
    duel.teach_generator(generator_loss(_judge(duel, values), _fake(duel, values, random)))
    return {"distance": distance}


def _real(latents: Latents, duel: Duel, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """Latents of molecules, and what is told of them."""
    rows = torch.randint(len(latents.mean), (BATCH,), generator=random)
    real = latents.draw(rows, duel.generator, random)
    return real, thinned(latents.values[rows], random)


def _fake(duel: Duel, values: Tensor, random: torch.Generator) -> Tensor:
    noise = torch.randn(BATCH, duel.config.latent, generator=random)
    made: Tensor = duel.generator(noise, values)
    return made


def _judge(duel: Duel, values: Tensor) -> Callable[[Tensor], Tensor]:
    """The critic of latents of which these values are told."""
    known = told(values)
    return lambda z: duel.critics[0](torch.cat([z, known], 1))
