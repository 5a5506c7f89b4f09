"""Training of mattergen: the score network on all crystals, then adapters on the labelled ones."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from genbat.systems.base import Progress
from genbat.systems.crystal_corpus import MAX_ATOMS, TARGETS, Corpus, LatticeScale, tensors
from genbat.systems.mattergen_diffusion import (
    GROUPS,
    KINDS,
    WEIGHTS,
    Config,
    Network,
    add_noise,
    loss_of,
    number_waves,
)
from genbat.systems.run import PRESETS, Run, Schedule, advance_all, checkpoint_config

__all__ = ["PRESETS", "Schedule", "make_config", "train", "wishes_of"]


def make_config(corpus: Corpus, **sizes: int) -> Config:
    """Scales and sizes of a corpus' training crystals."""
    rows = corpus.rows("train")
    atoms, values = corpus.sizes[rows], corpus.values[rows]
    known = ~np.isnan(values)
    count = np.maximum(known.sum(0), 1)
    mean = np.where(known, values, 0.0).sum(0) / count
    spread = np.sqrt((np.where(known, values - mean, 0.0) ** 2).sum(0) / count)
    return replace(
        Config(
            scale=LatticeScale.of(corpus.stretches[rows], atoms),
            sizes=tuple(int(n) for n in np.bincount(atoms, minlength=MAX_ATOMS + 1)),
            mean=tuple(float(v) for v in mean),
            spread=tuple(float(v) or 1.0 for v in spread),
        ),
        **sizes,  # type: ignore[arg-type]
    )


def batch_loss(
    network: Network,
    corpus: Corpus,
    config: Config,
    rows: list[int],
    seed: int,
    hints: Callable[[list[int]], Tensor] | None = None,
) -> tuple[Tensor, dict[str, float]]:
    """Loss of a batch and its parts; all noise from the seed."""
    generator = torch.Generator().manual_seed(seed)
    x = tensors(corpus, rows, config.scale)
    spread = (torch.arange(len(x)) + torch.rand(len(x), generator=generator)) / len(x)
    noisy = add_noise(x, spread[torch.randperm(len(x), generator=generator)], generator)
    guess = network.net(noisy.x, noisy.time, hints=hints(rows) if hints else None)
    parts = loss_of(guess, x, noisy)
    total = sum((WEIGHTS[name] * part for name, part in parts.items()), torch.zeros(()))
    return total, {name: float(part.detach()) for name, part in parts.items()}


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
    """Pretrain on the split "train"; with `resume`, go on from the folder's checkpoint."""
    torch.manual_seed(schedule.seed)
    config = Config.from_json(checkpoint_config(folder)) if resume else make_config(corpus, **sizes)
    network = Network(config)
    run = Run(network, config, schedule, folder)
    if resume:
        run.resume()
    loss = partial(batch_loss, network, corpus, config)
    return advance_all(run, corpus, loss, minutes=minutes, progress=progress)


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
