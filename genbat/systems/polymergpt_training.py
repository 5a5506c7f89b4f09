"""Training of polymergpt: texts of repeat units after the class of their conductivity."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor

from genbat.families.blocks import quickly
from genbat.families.transformer import GPT
from genbat.systems.base import Progress
from genbat.systems.polymer_corpus import Texts, batches_of, make_config, written
from genbat.systems.polymer_words import Config
from genbat.systems.polymergpt import network_of
from genbat.systems.run import Run, Schedule, advance_all, begin

PRESETS = {
    "tiny": Schedule(steps=4, batch=8, rate=1e-3, warm_steps=1),
    "base": Schedule(steps=4000, batch=128, rate=1e-3, warm_steps=200),
}


def train(
    texts: Texts,
    folder: Path,
    *,
    schedule: Schedule,
    resume: bool = False,
    minutes: float = math.inf,
    progress: Progress | None = None,
    **sizes: int,
) -> Run:
    """Train on polymers; with `resume`, go on from the folder's checkpoint.

    Raises
    ------
    ValueError : no polymer to train on.
    """
    if not len(texts.ways):
        raise ValueError("polymers: none to train on")
    config = make_config(texts, **sizes)
    run = begin(config, network_of, schedule, folder, resume=resume)
    loss = partial(batch_loss, cast(GPT, run.network), cast(Config, run.config), texts)
    batches = batches_of(len(texts.ways), schedule, run.step)
    return advance_all(run, batches, loss, minutes=minutes, progress=progress)


def batch_loss(
    gpt: GPT, config: Config, texts: Texts, rows: list[int], seed: int
) -> tuple[Tensor, dict[str, float]]:
    """Loss of a batch: of each polymer one text at random, its class told or not."""
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)  # of the dropout
    tokens, counted = written(config, texts, rows, rng)
    with quickly(gpt.training):
        loss = gpt.loss(tokens, counted)
    return loss.float(), {"tokens": float(loss.detach())}
