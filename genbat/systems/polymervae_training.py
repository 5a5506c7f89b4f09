"""Training of polymervae: any text of a polymer in, its normal form out, a property beside."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor

from genbat.domains.polymers.data import Polymers
from genbat.domains.polymers.tokens import Vocabulary
from genbat.families.vae import warm_up
from genbat.systems.base import Progress, round_as_kept
from genbat.systems.chemvae import pad, with_ends
from genbat.systems.conformal import intervals
from genbat.systems.heads import fitting_steps, known_error, known_scale, polish
from genbat.systems.polymer_corpus import Texts, batches_of
from genbat.systems.polymervae import BATCH, TARGETS, Config, Network, PolymerVAE
from genbat.systems.run import Run, Schedule, advance_all, begin

PRESETS = {
    "tiny": Schedule(steps=4, batch=8, rate=1e-3, warm_steps=1),
    "base": Schedule(steps=14_000, batch=128, rate=1e-3, warm_steps=200),
}
RISE, BETA = 3000, 0.05
HEADS = 4.0  # weight of the heads
COVER = 0.9


@dataclass(frozen=True)
class Corpus:
    """What it learns from: of each polymer all texts as numbers, the normal form first, and the
    standardised conductivity (n, 1), NaN unknown."""

    ways: list[list[list[int]]]
    values: Tensor


def texts_of(polymers: Polymers, split: str) -> Texts:
    """The polymers of a split with all their texts."""
    own = polymers.rows(split)
    return Texts.of(own["text"].tolist(), own[TARGETS[0]].tolist())


def make_config(texts: Texts, **sizes: int) -> Config:
    """Tokens, lengths and scales."""
    every = [text for ways in texts.ways for text in ways]
    known = Vocabulary.of(every)
    mean, spread = known_scale(texts.values[:, None])
    longest = 1 + max(len(known.numbers(text)) for text in every)
    config = Config(known.tokens, longest, mean=mean, spread=spread)
    return replace(config, **sizes)  # type: ignore[arg-type]


def corpus_of(texts: Texts, config: Config) -> Corpus:
    """Texts as numbers; what holds an unknown token is left out."""
    ways, kept = [], []
    for k, own in enumerate(texts.ways):
        try:
            ways.append([config.row(text) for text in own])
            kept.append(k)
        except ValueError:
            continue
    standard = (texts.values[kept] - config.mean[0]) / config.spread[0]
    return Corpus(ways, torch.as_tensor(standard).float()[:, None])


def train(
    polymers: Polymers,
    folder: Path,
    *,
    schedule: Schedule,
    resume: bool = False,
    minutes: float = math.inf,
    progress: Progress | None = None,
    **sizes: int,
) -> Run:
    """Train on the split "train"; with `resume`, go on from the folder's checkpoint.

    Raises
    ------
    ValueError : no polymer to train on.
    """
    texts = texts_of(polymers, "train")
    if not len(texts.ways):
        raise ValueError("polymers: none to train on")
    run = begin(make_config(texts, **sizes), Network, schedule, folder, resume=resume)
    corpus = corpus_of(texts, run.config)
    loss = partial(batch_loss, cast(Network, run.network), corpus)
    batches = batches_of(len(corpus.ways), schedule, run.step)
    return advance_all(run, batches, loss, minutes=minutes, progress=progress)


def batch_loss(
    network: Network, corpus: Corpus, rows: list[int], seed: int
) -> tuple[Tensor, dict[str, float]]:
    """Negative bound of a batch in nats a polymer, with the heads' error; noise from the seed."""
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)  # of the dropout
    ways = [corpus.ways[row] for row in rows]
    read = pad([own[int(rng.integers(len(own)))] for own in ways])
    wanted = with_ends([own[0] for own in ways])
    bound = network.vae.bound(read, (wanted,), torch.Generator().manual_seed(seed))
    error = known_error(network.heads(bound.z), corpus.values[rows])
    loss = bound.loss(warm_up(seed % 1_000_003, RISE, BETA)) + HEADS * error
    parts = {"texts": bound.reconstruction, "divergence": bound.divergence, "heads": error}
    return loss, {name: float(part.detach()) for name, part in parts.items()}


# ---------------------------------------------------------------------- heads
def finished(run: Run, polymers: Polymers, progress: Progress | None = None) -> PolymerVAE:
    """The system of a run, its heads fitted on and calibrated with the splits."""
    network = cast(Network, run.mean)
    round_as_kept(network)
    network.heads.requires_grad_(True)
    config = replace(run.config, steps_trained=run.steps_trained)
    corpus = corpus_of(texts_of(polymers, "train"), config)
    mean, width = latents_of(network, corpus)
    steps = fitting_steps(run.schedule.steps)
    polish(network.heads, mean, width, corpus.values, steps=steps, progress=progress)
    round_as_kept(network)
    held = corpus_of(texts_of(polymers, "calibration"), config)
    if not held.ways:
        return PolymerVAE(config, network)
    with torch.no_grad():
        members = network.heads(latents_of(network, held)[0]).numpy()
    floor, quantile = intervals(members, held.values.numpy(), COVER)
    return PolymerVAE(replace(config, floor=floor, quantile=quantile), network)


@torch.no_grad()
def latents_of(network: Network, corpus: Corpus) -> tuple[Tensor, Tensor]:
    """Mean and width of q(z|x) of all normal forms, each (n, latent)."""
    rows = [own[0] for own in corpus.ways]
    parts = [network.vae.encoder(*pad(rows[k : k + BATCH])) for k in range(0, len(rows), BATCH)]
    mean, log_variance = (torch.cat(own) for own in zip(*parts, strict=True))
    return mean, (0.5 * log_variance).exp()
