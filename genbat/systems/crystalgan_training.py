"""Training of crystalgan: the first step, and then, with the first one held, the second."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import astuple, replace
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from genbat.domains.crystals import codec
from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.contacts import limits_of
from genbat.families.crystal_net import Crystals
from genbat.families.gan import critic_loss, generator_loss
from genbat.systems.base import Progress
from genbat.systems.crystal_corpus import Corpus, LatticeScale
from genbat.systems.crystalgan_network import (
    Config,
    Critic,
    Generator,
    constraint,
    misfit,
    rebuilt,
    surroundings,
)
from genbat.systems.crystalgan_pairs import ANIONS_OF, Pairs, Stock, ends_of, exchanged, pairs_of
from genbat.systems.duel import Duel, Rules, begin, fight

PRESETS = {
    "tiny": Rules(steps=6, rounds=1, rate=1e-3),
    "base": Rules(steps=8_000, rounds=2, rate=5e-4, memory=0.998),
}
BATCH = 32  # unions, each in both roles
FIRST = 0.25  # share of the steps that the first generator has
BACK, GEOMETRY = 0.5, 3.0  # weights of reconstruction and of the constraint


def binaries(corpus: Corpus) -> list[Cell]:
    """The usable binaries of the split "train"; see `joinable`.

    Raises
    ------
    ValueError : there are no two metals with one anion.
    """
    kept = joinable([corpus.cells[k] for k in corpus.training_rows()])
    if not kept:
        named = " or ".join(ANIONS_OF.values())
        raise ValueError(f"corpus: has no two metals whose binaries with {named} could be joined")
    return kept


def joinable(cells: Iterable[Cell]) -> list[Cell]:
    """The usable binaries of some crystals, of metals that share their anion with another."""
    found = [(ends, cell) for cell in cells if (ends := ends_of(cell))]
    metals: dict[int, set[int]] = {}
    for (metal, anion), _ in found:
        metals.setdefault(anion, set()).add(metal)
    return [cell for (_, anion), cell in found if len(metals[anion]) > 1]


def make_config(cells: Sequence[Cell], **sizes: int) -> Config:
    """Scales and limits of the binaries that are learnt from."""
    stretches = np.stack([codec.stretch_of(cell.lattice) for cell in cells])
    atoms = np.array([len(cell.numbers) for cell in cells])
    legal = {}
    for anion in ANIONS_OF:
        own = [cell for cell in cells if anion in cell.numbers]
        legal[anion] = astuple(limits_of(own, anion)) if own else ()
    config = Config(LatticeScale.of(stretches, atoms), len(cells), legal[1], legal[8])
    return replace(config, **sizes)  # type: ignore[arg-type]


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
    """Train on the binaries of the split "train"; with `resume`, go on from the folder's
    checkpoint, and with its binaries."""
    cells = binaries(corpus)
    duel = begin(make_config(cells, **sizes), networks, rules, folder, resume=resume)
    if not resume:
        for own in (duel.generator, duel.mean):
            cast(Generator, own).stock.load_state_dict(Stock.of(cells).state_dict())
    with torch.no_grad():
        known = seen_of(duel)
    return fight(duel, partial(one_round, known), minutes=minutes, progress=progress)


def networks(config: Config) -> tuple[nn.Module, nn.ModuleList]:
    """The generators, and the critic of each step."""
    return Generator(config), nn.ModuleList([Critic(config.critic) for _ in range(2)])


def generator_of(duel: Duel) -> Generator:
    """The generators that learn."""
    return cast(Generator, duel.generator)


def seen_of(duel: Duel) -> Tensor:
    """What a critic sees of the atoms of every binary (binaries, SITES, SEEN)."""
    stock, scale = generator_of(duel).stock, duel.config.scale
    rows = torch.arange(len(stock))
    parts = [surroundings(stock.crystals(part, scale), scale) for part in rows.split(64)]
    return torch.cat(parts)


def one_round(known: Tensor, duel: Duel) -> dict[str, float]:
    """All critic steps and the generator's, of the step that has its turn."""
    step = int(max(duel.step / duel.rules.steps, duel.elapsed) >= FIRST)
    critic, distance = duel.critics[step], 0.0
    pairs, real = drawn(duel, known, duel.random(duel.rules.rounds))
    after = made(duel, pairs, step)  # once a round, for the critic's steps and the generator's
    seen = surroundings(after, duel.config.scale)
    for turn in range(duel.rules.rounds):
        loss, found = critic_loss(critic, real, seen.detach(), duel.random(turn))
        duel.teach_critics(loss)
        distance = float(found)
    fooled = generator_loss(critic, seen)
    back = rebuilt(generator_of(duel).backs[step](after, pairs), pairs)
    geometry = constraint(misfit(after, duel.config.scale, limits_for(pairs, duel.config)))
    # The first step knows no constraint.
    duel.teach_generator(fooled + BACK * back + step * GEOMETRY * geometry)
    return {"distance": distance, "back": float(back.detach()), "misfit": float(geometry.detach())}


def made(duel: Duel, pairs: Pairs, step: int) -> Crystals:
    """What a step makes of unions; in the second one the first generator learns no more."""
    generator = generator_of(duel)
    if step == 0:
        return generator.pseudo(pairs.union)
    with torch.no_grad():
        pseudo = generator.pseudo(pairs.union)
    return generator.ternary(pseudo)


def drawn(duel: Duel, known: Tensor, random: torch.Generator) -> tuple[Pairs, Tensor]:
    """BATCH unions, and what is seen of their atoms in their own binaries; at every other step in
    exchanged roles."""
    stock = generator_of(duel).stock
    one, two = partners(stock, BATCH, random)
    seeds = torch.randint(2**62, (BATCH,), generator=random).tolist()
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    scale = duel.config.scale
    pairs = pairs_of(stock.crystals(one, scale), stock.crystals(two, scale), generators)
    real = torch.cat([known[one], known[two]], 1)
    if duel.step % 2:
        half = real.shape[1] // 2
        return exchanged(pairs), torch.cat([real[:, half:], real[:, :half]], 1)
    return pairs, real


def partners(stock: Stock, count: int, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """Rows of two binaries each (count,) with one anion and different metals; every metal as often
    as another."""
    metals, anions = stock.metals, stock.anions
    pick = lambda mask: int(  # noqa: E731
        _evenly(torch.nonzero(mask)[:, 0], metals * 100 + anions, random)
    )
    one = [pick(torch.ones_like(metals, dtype=torch.bool)) for _ in range(count)]
    two = [pick((anions == anions[k]) & (metals != metals[k])) for k in one]
    return torch.tensor(one), torch.tensor(two)


def _evenly(rows: Tensor, groups: Tensor, random: torch.Generator) -> Tensor:
    """One of some rows, each group as likely as another."""
    own = groups[rows]
    names = own.unique()
    name = names[torch.randint(len(names), (1,), generator=random)]
    mine = rows[own == name]
    return mine[torch.randint(len(mine), (1,), generator=random)][0]


def limits_for(pairs: Pairs, config: Config) -> Tensor:
    """Legal contacts of each union (B, 4)."""
    kinds = pairs.union.kinds
    table = {z: torch.tensor(astuple(own)) for z in ANIONS_OF if (own := config.limits(z))}
    rows = [next(table[z] for z in table if bool((own == z).any())) for own in kinds]
    return torch.stack(rows)
