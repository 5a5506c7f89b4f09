"""The last stage of chemvae's training: the property heads alone, on the finished latent space."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import torch
from torch import Tensor

from genbat.systems.base import Progress
from genbat.systems.chemvae import BATCH, ChemVAE, pad
from genbat.systems.chemvae_targets import standardise, target_values
from genbat.systems.heads import STEPS, polish


def polish_heads(
    system: ChemVAE,
    table: pd.DataFrame,
    *,
    steps: int = STEPS,
    seed: int = 0,
    progress: Progress | None = None,
) -> None:
    """Train the heads on z of the training molecules (`heads.polish`)."""
    mean, width = posterior(system, table["smiles"].tolist())
    wanted = torch.tensor(standardise(target_values(table), system.config)).float()
    polish(system.network.heads, mean, width, wanted, steps=steps, seed=seed, progress=progress)


@torch.no_grad()
def posterior(system: ChemVAE, smiles: Sequence[str]) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of q(z|x) by the encoder alone; each (n, latent)."""
    rows = [system.vocabulary.encode(s) for s in smiles]
    encoder = system.network.vae.encoder
    parts = [encoder(*pad(rows[k : k + BATCH])) for k in range(0, len(rows), BATCH)]
    mean = torch.cat([m for m, _ in parts])
    return mean, torch.cat([(0.5 * v).exp() for _, v in parts])
