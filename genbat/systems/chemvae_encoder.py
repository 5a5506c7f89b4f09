"""A late stage of chemvae's training: the encoder alone, against the finished decoder.

The encoder of a variational autoencoder lags behind its decoder: at the encoder's own points the
decoder fails on molecules that it does write from a point nearby (He et al., "Lagging inference
networks and posterior collapse", ICLR 2019). Their remedy, extra steps of the encoder on the same
lower bound, is cheap here, because the decoder stands still and legal mutants of the data
(`chemvae_corpus.mutants`) are training molecules without end.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterator
from dataclasses import replace

import pandas as pd
import torch
from torch import Tensor

from genbat.systems.base import Progress
from genbat.systems.chemvae import ChemVAE, pad, with_ends
from genbat.systems.chemvae_corpus import Corpus, Schedule, batches, make_corpus

RATE, ROWS = 5e-4, 128


def polish_encoder(
    system: ChemVAE,
    table: pd.DataFrame,
    schedule: Schedule,
    held_out: Container[str] = frozenset(),
    *,
    progress: Progress | None = None,
) -> None:
    """`schedule.encoder_steps` steps of the encoder on the lower bound, decoder and heads frozen.

    `table` holds the training molecules; no mutant is one of `held_out`.
    """
    plan = replace(
        schedule,
        steps=schedule.encoder_steps,
        batch=ROWS,
        forms=2,
        mutants=schedule.encoder_mutants,
        mutant_phase=1.0,
    )
    corpus = make_corpus(table, system.config, plan, held_out)
    vae = system.network.vae.requires_grad_(False)
    encoder = vae.encoder.requires_grad_(True)
    optimiser = torch.optim.AdamW(encoder.parameters(), lr=RATE, weight_decay=1e-4)
    generator = torch.Generator().manual_seed(plan.seed)
    for step, rows in enumerate(_rows(corpus, plan)):
        loss = _loss(system, corpus, rows, plan, generator)
        for group in optimiser.param_groups:
            group["lr"] = RATE * 0.5 * (1 + math.cos(math.pi * step / plan.steps))
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(encoder.parameters(), 5.0)
        optimiser.step()
        if progress and step % 50 == 0:
            progress(step / plan.steps, f"encoder, step {step} loss {float(loss.detach()):.3f}")
    vae.requires_grad_(True)


def _rows(corpus: Corpus, plan: Schedule) -> Iterator[list[int]]:
    """Batches of all epochs, `plan.steps` of them."""
    step = epoch = 0
    while step < plan.steps:
        for rows in batches(corpus, plan, epoch):
            if step == plan.steps:
                return
            yield rows
            step += 1
        epoch += 1


def _loss(
    system: ChemVAE, corpus: Corpus, rows: list[int], plan: Schedule, generator: torch.Generator
) -> Tensor:
    """Negative lower bound of a batch with the weight of the prior that the training ended with."""
    inputs = pad([corpus.inputs[k][0] for k in rows])
    targets = with_ends([corpus.outputs[k] for k in rows])
    return system.network.vae.bound(inputs, (targets,), generator).loss(plan.beta)
