"""Training of npvae: trees of molecules, HOMO and LUMO beside them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from genbat.domains.molecules.fragments import Node, tree_of
from genbat.families.vae import Posterior, warm_up
from genbat.systems.base import Progress, round_as_kept
from genbat.systems.conformal import intervals
from genbat.systems.heads import fitting_steps, known_error, known_scale, polish
from genbat.systems.npvae import BATCH, NPVAE
from genbat.systems.npvae_network import TARGETS, Config, Network, Trees
from genbat.systems.npvae_trees import Steps, Vocabulary
from genbat.systems.run import Run, Schedule, advance_all, begin

PRESETS = {
    "tiny": Schedule(steps=4, batch=8, rate=1e-3, warm_steps=1),
    "base": Schedule(steps=16_000, batch=128, rate=1e-3, warm_steps=200),
}
RISE, BETA = 1500, 0.05
BUCKET = 8  # batches that are sorted by length together
HEADS = 6.0  # weight of the heads
COVER = 0.9


@dataclass(frozen=True)
class Grown:
    """What npvae learns from: steps of each molecule it can write, and standardised TARGETS (n, t),
    NaN unknown."""

    steps: Sequence[Steps]
    values: Tensor


def trees_of(table: pd.DataFrame) -> list[Node]:
    """Trees of a table's molecules."""
    return [tree_of(smiles) for smiles in table["smiles"]]


def make_config(table: pd.DataFrame, **sizes: int) -> Config:
    """Pieces, ways and scales of molecules to train on."""
    known = Vocabulary.of(trees_of(table))
    pieces, atoms = zip(*known.ways, strict=True) if known.ways else ((), ())
    mean, spread = known_scale(table[list(TARGETS)].to_numpy("f8"))
    config = Config(known.pieces, pieces, atoms, mean=mean, spread=spread)
    return replace(config, **sizes)  # type: ignore[arg-type]


def corpus_of(table: pd.DataFrame, config: Config) -> Grown:
    """The molecules of a table that can be written."""
    known, steps, kept = config.vocabulary(), [], []
    for k, tree in enumerate(trees_of(table)):
        try:
            steps.append(known.steps(tree))
            kept.append(k)
        except ValueError:  # a piece or a way that no training molecule has
            continue
    values = table[list(TARGETS)].to_numpy("f8")[kept]
    standard = (values - np.array(config.mean)) / np.array(config.spread)
    return Grown(steps, torch.as_tensor(standard).float())


def train(
    table: pd.DataFrame,
    folder: Path,
    *,
    schedule: Schedule,
    resume: bool = False,
    minutes: float = math.inf,
    progress: Progress | None = None,
    **sizes: int,
) -> Run:
    """Train on molecules of the split "train"; with `resume`, go on from the folder's checkpoint.

    Raises
    ------
    ValueError : no molecule to train on.
    """
    own = table[table["split"] == "train"]
    if not len(own):
        raise ValueError("molecules: none of the split train")
    run = begin(make_config(own, **sizes), Network, schedule, folder, resume=resume)
    corpus = corpus_of(own, run.config)
    loss = partial(batch_loss, cast(Network, run.network), corpus)
    batches = batches_of(corpus, schedule, run.step)
    return advance_all(run, batches, loss, minutes=minutes, progress=progress)


def taught_further(
    base: NPVAE,
    table: pd.DataFrame,
    folder: Path,
    *,
    schedule: Schedule,
    resume: bool = False,
    minutes: float = math.inf,
    progress: Progress | None = None,
) -> Run:
    """Go on from a finished system on other molecules of the split "train", with its pieces, ways
    and scales; with `resume`, go on from the folder's checkpoint.

    Raises
    ------
    ValueError : none of the molecules can be written.
    """
    run = begin(base.config, Network, schedule, folder, resume=resume)
    if not resume:
        for network in (run.network, run.mean):
            network.load_state_dict(base.network.state_dict())
    corpus = corpus_of(table[table["split"] == "train"], run.config)
    if not corpus.steps:
        raise ValueError("molecules: none that npvae can write")
    loss = partial(batch_loss, cast(Network, run.network), corpus, rise=0)
    batches = batches_of(corpus, schedule, run.step)
    return advance_all(run, batches, loss, minutes=minutes, progress=progress)


def batches_of(corpus: Grown, schedule: Schedule, first: int) -> Iterator[list[int]]:
    """Batches from step `first` to the schedule's end, each of trees of like length: else more than
    half of the steps would be padding."""
    lengths = np.array([len(steps) for steps in corpus.steps])
    for step in range(first, schedule.steps):
        bucket, turn = divmod(step, BUCKET)
        rng = np.random.default_rng((schedule.seed, bucket))
        rows = rng.integers(len(lengths), size=BUCKET * schedule.batch)
        rows = rows[np.argsort(lengths[rows], kind="stable")].reshape(BUCKET, -1)
        yield rows[rng.permutation(BUCKET)[turn]].tolist()


def batch_loss(
    network: Network, corpus: Grown, rows: list[int], seed: int, *, rise: int = RISE
) -> tuple[Tensor, dict[str, float]]:
    """Negative bound of a batch in nats a molecule, with the heads' error; noise from the seed. The
    divergence has its full weight after `rise` steps."""
    trees = Trees.of([corpus.steps[row] for row in rows])
    pieces = network.pieces()
    posterior = Posterior(*network.encoder(trees, pieces))
    z = posterior.sample(torch.Generator().manual_seed(seed))
    parts = {
        "trees": network.nll(z, trees, pieces).mean(),
        "divergence": posterior.divergence().mean(),
        "heads": known_error(network.heads(z), corpus.values[rows]),
    }
    beta = warm_up(seed % 1_000_003, rise, BETA)
    total = parts["trees"] + beta * parts["divergence"] + HEADS * parts["heads"]
    return total, {name: float(part.detach()) for name, part in parts.items()}


# ---------------------------------------------------------------------- heads
def finished(
    run: Run, table: pd.DataFrame, progress: Progress | None = None, kind: type[NPVAE] = NPVAE
) -> NPVAE:
    """The system of a run, its heads fitted on and calibrated with the splits."""
    network = cast(Network, run.mean)
    round_as_kept(network)
    network.heads.requires_grad_(True)
    config = replace(run.config, steps_trained=run.step)
    parts = {name: corpus_of(table[table["split"] == name], config)
             for name in ("train", "calibration")}  # fmt: skip
    mean, width = latents_of(network, parts["train"])
    steps = fitting_steps(run.schedule.steps)
    polish(network.heads, mean, width, parts["train"].values, steps=steps, progress=progress)
    round_as_kept(network)
    if not len(parts["calibration"].steps):
        return kind(config, network)
    z, _ = latents_of(network, parts["calibration"])
    with torch.no_grad():
        members = network.heads(z).numpy()
    floor, quantile = intervals(members, parts["calibration"].values.numpy(), COVER)
    return kind(replace(config, floor=floor, quantile=quantile), network)


@torch.no_grad()
def latents_of(network: Network, corpus: Grown) -> tuple[Tensor, Tensor]:
    """Mean and width of q(z|x) of all molecules, each (n, latent)."""
    pieces, parts = network.pieces(), []
    for k in range(0, len(corpus.steps), BATCH):
        parts.append(network.encoder(Trees.of(corpus.steps[k : k + BATCH]), pieces))
    mean, log_variance = (torch.cat(own) for own in zip(*parts, strict=True))
    return mean, (0.5 * log_variance).exp()
