"""Training of mattergen: the score network on all crystals, then adapters and heads on the labelled
ones."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor

from genbat.families.crystal_net import Crystals
from genbat.families.wrapped import training_time, wrap
from genbat.systems.base import Progress
from genbat.systems.crystal_corpus import (
    MAX_ATOMS,
    TARGETS,
    Corpus,
    LatticeScale,
    schedule_rows,
    tensors,
)
from genbat.systems.heads import fitting_steps, known_scale
from genbat.systems.mattergen_diffusion import (
    GROUPS,
    INPUTS,
    KINDS,
    WEIGHTS,
    Config,
    Network,
    add_noise,
    loss_of,
    number_waves,
)
from genbat.systems.mattergen_heads import STEPS
from genbat.systems.mattergen_moulds import Moulds
from genbat.systems.run import PRESETS, Run, Schedule, advance_all, begin, weighted

VIEWS, BLUR, STRETCH = 3, 0.06, 0.3

__all__ = ["PRESETS", "Schedule", "make_config", "train", "train_adapters", "wishes_of"]


def make_config(corpus: Corpus, **sizes: int) -> Config:
    """Scales and sizes of a corpus' training crystals."""
    rows = corpus.training_rows()
    atoms, values = corpus.sizes[rows], corpus.values[rows]
    mean, spread = known_scale(values)
    return replace(
        Config(
            scale=LatticeScale.of(corpus.stretches[rows], atoms),
            sizes=tuple(int(n) for n in np.bincount(atoms, minlength=MAX_ATOMS + 1)),
            mean=mean,
            spread=spread,
        ),
        **sizes,  # type: ignore[arg-type]
    )


def batch_loss(
    network: Network,
    corpus: Corpus,
    config: Config,
    rows: list[int],
    seed: int,
    hints: Tensor | None = None,
) -> tuple[Tensor, dict[str, float]]:
    """Loss of a batch and its parts; all noise from the seed."""
    generator = torch.Generator().manual_seed(seed)
    x = tensors(corpus, rows, config.scale)
    spread = (torch.arange(len(x)) + torch.rand(len(x), generator=generator)) / len(x)
    time = training_time(spread[torch.randperm(len(x), generator=generator)])
    noisy = add_noise(x, time, generator)
    guess = network.net(noisy.x, noisy.time, hints=hints)
    return weighted(loss_of(guess, x, noisy), WEIGHTS)


def train(
    corpus: Corpus,
    folder: Path,
    *,
    schedule: Schedule,
    resume: bool = False,
    minutes: float = math.inf,
    progress: Progress | None = None,
    **sizes: int,
) -> Run:
    """Pretrain on the split "train" and gather its moulds; with `resume`, go on from the folder's
    checkpoint."""
    config = make_config(corpus, **sizes)
    run = begin(config, Network, schedule, folder, resume=resume)
    loss = partial(batch_loss, cast(Network, run.network), corpus, run.config)
    batches = schedule_rows(corpus, run.schedule, run.step)
    advance_all(run, batches, loss, minutes=minutes, progress=progress)
    moulds = Moulds.of(corpus)
    run.config = replace(run.config, moulds=moulds.counts)
    cast(Network, run.mean).moulds = moulds
    return run


def train_adapters(
    run: Run,
    corpus: Corpus,
    folder: Path,
    *,
    schedule: Schedule,
    names: tuple[str, ...] = tuple(INPUTS),
    minutes: float = math.inf,
    progress: Progress | None = None,
) -> Config:
    """Adapters on the frozen running mean of a pretrained network, each on the crystals whose
    property is known; returns the config that has them. The network is changed in place."""
    config = replace(run.config, adapters=tuple(names))
    whole = Network(config)
    whole.net.load_state_dict(cast(Network, run.mean).net.state_dict())
    whole.moulds = cast(Network, run.mean).moulds
    whole.net.requires_grad_(False)
    for k, name in enumerate(names):
        for other, adapter in whole.adapters.items():
            adapter.requires_grad_(other == name)
        part = known_part(corpus, name)
        if not part.rows("train"):
            raise ValueError(f"adapter: no training crystal has a known {name}")
        one = Run(whole, config, schedule, folder / name)
        loss = partial(adapter_loss, whole, part, config, name)
        batches = schedule_rows(part, schedule, one.step)
        advance_all(one, batches, loss, minutes=minutes / len(names), progress=progress)
        whole.adapters[name].load_state_dict(cast(Network, one.mean).adapters[name].state_dict())
        if progress:
            progress((k + 1) / len(names), f"adapter {name} on {len(part.rows('train'))} crystals")
    run.mean = whole.eval()
    fit_heads(whole, corpus, config, fitting_steps(run.schedule.steps, STEPS))
    return config


def fit_heads(network: Network, corpus: Corpus, config: Config, steps: int) -> None:
    """Train the heads on the split "train", in place; a corpus without properties leaves them.

    Each crystal is shown as it is and disturbed VIEWS times with the same values: what the heads
    will see is not relaxed, and what they should say is what it will be once it is.
    """
    rows = [k for k in corpus.rows("train") if not np.isnan(corpus.values[k]).all()]
    if not rows:
        return
    rows.sort(key=lambda k: corpus.sizes[k])  # like sizes together: less padding
    wanted = (corpus.values[rows] - np.array(config.mean)) / np.array(config.spread)
    generator, features = torch.Generator().manual_seed(0), []
    with torch.no_grad():
        for view in range(1 + VIEWS):
            for k in range(0, len(rows), 64):
                x = tensors(corpus, rows[k : k + 64], config.scale)
                x = disturbed(x, generator) if view else x
                features.append(network.heads.features(network.net, x))
    every = torch.as_tensor(wanted).float().repeat(1 + VIEWS, 1)
    network.heads.fit(torch.cat(features), every, steps)


def disturbed(x: Crystals, generator: torch.Generator) -> Crystals:
    """Crystals as a sampler may leave them: coordinates off by up to BLUR of the cell, lattices by
    up to STRETCH standard deviations, each crystal by an amount of its own."""
    own = torch.rand(2, len(x), 1, generator=generator)
    shift = BLUR * own[0][..., None] * torch.randn(x.fractions.shape, generator=generator)
    pull = STRETCH * own[1] * torch.randn(x.lattices.shape, generator=generator)
    return replace(x, fractions=wrap(x.fractions + shift), lattices=x.lattices + pull)


def known_part(corpus: Corpus, name: str) -> Corpus:
    """The crystals of a corpus whose property is known."""
    known = np.ones(len(corpus), bool)
    if name == "space_group":
        known = corpus.groups > 0
    elif name in TARGETS:
        known = ~np.isnan(corpus.values[:, TARGETS.index(name)])
    return corpus.part(np.flatnonzero(known).tolist())


def adapter_loss(
    network: Network, corpus: Corpus, config: Config, name: str, rows: list[int], seed: int
) -> tuple[Tensor, dict[str, float]]:
    """As `batch_loss`, with each crystal's own property shown to the adapter."""
    hints = network.adapters[name](wishes_of(corpus, rows, name, config))
    return batch_loss(network, corpus, config, rows, seed, hints)


def wishes_of(corpus: Corpus, rows: list[int], name: str, config: Config) -> Tensor:
    """Adapter inputs of crystals' own properties; (B, inputs)."""
    if name == "space_group":
        return torch.eye(GROUPS)[torch.as_tensor(corpus.groups[rows])]
    if name == "elements":
        out = torch.zeros(len(rows), KINDS)
        for k, row in enumerate(rows):
            out[k, torch.as_tensor(corpus.cells[row].numbers)] = 1.0
        return out
    t = TARGETS.index(name)
    value = (torch.as_tensor(corpus.values[rows, t]).float() - config.mean[t]) / config.spread[t]
    return number_waves(value)
