"""Training of microgpt: first the coder on parts of volumes, then the writer on their tokens."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from genbat.families.latent_net import forgotten
from genbat.systems import checkpoint
from genbat.systems.base import Progress
from genbat.systems.heads import known_scale
from genbat.systems.microgpt import MicroGPT
from genbat.systems.microgpt_network import (
    Coder,
    Config,
    Network,
    coder_loss,
    told,
    writer_loss,
)
from genbat.systems.microvae_training import Volumes, batches_of, standard, targets_of, views
from genbat.systems.run import Run, Schedule, advance_all, begin

EDGE = 32  # voxels of the parts that the coder learns from: more of them in the same time
CODER = "coder"  # the folder of the coder's own checkpoint, beside the writer's
SHARE = 0.35  # of the minutes, for the coder


@dataclass(frozen=True)
class Plan:
    """Schedules of both."""

    coder: Schedule
    writer: Schedule


PRESETS = {
    "tiny": Plan(
        Schedule(steps=3, batch=2, warm_steps=1), Schedule(steps=3, batch=2, warm_steps=1)
    ),
    "base": Plan(
        Schedule(steps=2400, batch=12, rate=1e-3, warm_steps=100),
        Schedule(steps=2500, batch=8, rate=1e-3, warm_steps=200),
    ),
}


def train(
    volumes: Volumes,
    folder: Path,
    *,
    schedule: Plan,
    resume: bool = False,
    minutes: float = math.inf,
    progress: Progress | None = None,
    **sizes: int,
) -> Run:
    """Train both on the split "train"; with `resume`, go on from the folder's checkpoints.

    Raises
    ------
    ValueError : no volume to train on.
    """
    if not volumes.rows("train"):
        raise ValueError("volumes: none to train on")
    config = make_config(volumes, **sizes)
    begun = resume and (folder / checkpoint.TENSORS).exists()
    given = 0.0 if begun else SHARE * minutes
    coder = train_coder(
        volumes, config, folder / CODER, schedule.coder,
        resume=resume, minutes=given, progress=progress,
    )  # fmt: skip
    run = begin(config, partial(_with, coder), schedule.writer, folder, resume=begun)
    loss = partial(writing_loss, cast(Network, run.network), config, volumes)
    batches = batches_of(volumes.rows("train"), schedule.writer, run.step)
    return advance_all(run, batches, loss, minutes=minutes - given, progress=progress)


def make_config(volumes: Volumes, **sizes: int) -> Config:
    """Scales of the training's targets."""
    mean, spread = known_scale(standard(volumes.values[volumes.rows("train")]))
    return replace(Config(mean=mean, spread=spread), **sizes)  # type: ignore[arg-type]


def train_coder(
    volumes: Volumes,
    config: Config,
    folder: Path,
    schedule: Schedule,
    *,
    resume: bool = False,
    minutes: float = math.inf,
    progress: Progress | None = None,
) -> Coder:
    """The coder; where its training was begun and no minutes are left, as its checkpoint has it."""
    resume = resume and (folder / checkpoint.TENSORS).exists()
    run = begin(config, Coder, schedule, folder, resume=resume)
    if minutes > 0 or not resume:
        loss = partial(coding_loss, cast(Coder, run.network), len(config.phases), volumes)
        batches = batches_of(volumes.rows("train"), schedule, run.step)
        advance_all(run, batches, loss, minutes=minutes, progress=progress)
    return cast(Coder, run.mean)


def _with(coder: Coder, config: Config) -> nn.Module:
    """A network with a finished coder, which does not learn any more."""
    network = Network(config, reads=True)
    network.coder.load_state_dict(coder.state_dict())
    network.coder.requires_grad_(False)
    return network


def finished(run: Run) -> MicroGPT:
    """The system of a run, without the half of the coder that reads volumes."""
    network = cast(Network, run.mean)
    network.coder.encoder = None
    return MicroGPT(replace(run.config, steps_trained=run.step), network)


def coding_loss(
    coder: Coder, phases: int, volumes: Volumes, rows: list[int], seed: int
) -> tuple[Tensor, dict[str, float]]:
    """The coder's loss on a batch; all its randomness comes from the seed."""
    x = parts(volumes, rows, phases, torch.Generator().manual_seed(seed))
    loss = coder_loss(coder, x)
    return loss, {"voxels": float(loss.detach())}


def parts(volumes: Volumes, rows: list[int], phases: int, generator: torch.Generator) -> Tensor:
    """A part of each of some volumes, one-hot (B, phases, EDGE, EDGE, EDGE), turned at random."""
    pick = lambda most: int(torch.randint(most, (1,), generator=generator))  # noqa: E731
    chosen = []
    for k in rows:
        corner = [pick(edge - EDGE + 1) for edge in volumes.labels.shape[1:]]
        chosen.append(volumes.labels[k][tuple(slice(at, at + EDGE) for at in corner)])
    cut = replace(volumes, labels=np.stack(chosen))
    return views(cut, range(len(rows)), phases, generator)


def writing_loss(
    network: Network, config: Config, volumes: Volumes, rows: list[int], seed: int
) -> tuple[Tensor, dict[str, float]]:
    """The writer's loss on a batch; all its randomness comes from the seed."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        codes = network.coder.tokens(views(volumes, rows, len(config.phases), generator))
    targets = forgotten(targets_of(volumes, rows, config), generator)
    loss = writer_loss(network.writer, told(targets, config), codes)
    return loss, {"tokens": float(loss.detach())}
