"""Training of both diffusions of polymers: rows of tokens with noise on them, or partly hidden."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from genbat.families.blocks import quickly
from genbat.families.gaussian import noised
from genbat.families.masking import hide, masked_loss
from genbat.systems import polymerdiffusion, polymermasking
from genbat.systems.base import Progress
from genbat.systems.polymer_corpus import Texts, batches_of, make_config, written
from genbat.systems.polymer_words import Config
from genbat.systems.run import Run, Schedule, advance_all, begin

PRESETS = {
    "tiny": Schedule(steps=4, batch=8, rate=1e-3, warm_steps=1),
    "base": Schedule(steps=12_000, batch=128, rate=1e-3, warm_steps=200),
}
LEAST = 1e-3  # the earliest time that is shown
NETWORKS: dict[str, type[nn.Module]] = {
    polymerdiffusion.NAME: polymerdiffusion.Network,
    polymermasking.NAME: polymermasking.Network,
}
Loss = Callable[[nn.Module, Tensor, Tensor, torch.Generator], Tensor]


def train(
    name: str,
    texts: Texts,
    folder: Path,
    *,
    schedule: Schedule,
    resume: bool = False,
    minutes: float = math.inf,
    progress: Progress | None = None,
    **sizes: int,
) -> Run:
    """Train one of NETWORKS on polymers; with `resume`, go on from the folder's checkpoint.

    Raises
    ------
    ValueError : no polymer to train on.
    """
    if not len(texts.ways):
        raise ValueError("polymers: none to train on")
    config = make_config(texts, **sizes)
    run = begin(config, NETWORKS[name], schedule, folder, resume=resume)
    loss = partial(batch_loss, name, run.network, cast(Config, run.config), texts)
    batches = batches_of(len(texts.ways), schedule, run.step)
    return advance_all(run, batches, loss, minutes=minutes, progress=progress)


def batch_loss(
    name: str, network: nn.Module, config: Config, texts: Texts, rows: list[int], seed: int
) -> tuple[Tensor, dict[str, float]]:
    """Loss of a batch: of each polymer one text at random, its class told or not."""
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)  # of the dropout
    lines, _ = written(config, texts, rows, rng)
    said, tokens = lines[:, 0], filled(lines[:, 1:], config.longest)
    generator = torch.Generator().manual_seed(seed)
    with quickly(network.training):
        loss = LOSSES[name](network, tokens, said, generator)
    return loss.float(), {"tokens": float(loss.detach())}


def filled(tokens: Tensor, longest: int) -> Tensor:
    """Rows (B, T) with padding up to `longest`."""
    return F.pad(tokens, (0, longest - tokens.shape[1]))


def times(count: int, generator: torch.Generator) -> Tensor:
    """Times (B,) spread evenly over [LEAST, 1]."""
    first = torch.rand((), generator=generator)
    return LEAST + (1 - LEAST) * ((first + torch.arange(count) / count) % 1.0)


def embedded_loss(
    network: nn.Module, tokens: Tensor, said: Tensor, generator: torch.Generator
) -> Tensor:
    """Mean cross entropy in nats of the tokens behind noisy embeddings."""
    net = cast(polymerdiffusion.Network, network)
    clean, time = net.embeddings()[tokens], times(len(tokens), generator)
    noise = torch.randn(clean.shape, generator=generator)
    x, _ = noised(clean, noise, time)
    scores = net.scores(x, time, said).float()
    return F.cross_entropy(scores.flatten(0, 1), tokens.flatten())


def hidden_loss(
    network: nn.Module, tokens: Tensor, said: Tensor, generator: torch.Generator
) -> Tensor:
    """Bound on the cross entropy in nats a token: the hidden ones' over the time (Sahoo et al.,
    Eq. 10, with chances of being hidden that grow evenly)."""
    net = cast(polymermasking.Network, network)
    time = times(len(tokens), generator)
    seen = hide(tokens, time[:, None], net.mask, generator)
    scores = net.scores(seen, time, said).float()
    each = masked_loss(scores, tokens, seen == net.mask)
    return (each / time[:, None]).mean()


LOSSES: dict[str, Loss] = {
    polymerdiffusion.NAME: embedded_loss,
    polymermasking.NAME: hidden_loss,
}
