"""Latents of chemvae, for the systems that make such latents and let chemvae write them out."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from genbat.systems.base import Settings
from genbat.systems.chemvae import BATCH, ChemVAE, pad
from genbat.systems.heads import known_scale
from genbat.systems.molecule_making import TOLD, Made, Maker, told_values
from genbat.systems.paired import Paired


@dataclass(frozen=True)
class Config(Settings):
    """Sizes and scales: all that the weights need to be used, beside chemvae's; `vae` is the hash
    of the chemvae whose latents these are."""

    latent: int = 64
    hidden: int = 256
    layers: int = 6
    mean: tuple[float, ...] = (0.0,) * len(TOLD)
    spread: tuple[float, ...] = (1.0,) * len(TOLD)
    vae: str = ""
    steps_trained: int = 0


N = TypeVar("N", bound=nn.Module)


class LatentMaker(Paired[ChemVAE], Maker[Config, N], Generic[N]):
    """A maker of latents, with the chemvae that writes them out."""

    config_type, partner = Config, ChemVAE

    @abstractmethod
    def latents(self, aims: Tensor, generator: torch.Generator) -> Tensor:
        """Standardised latents (BLOCK, latent) for standardised values of TOLD (t,)."""

    def make(self, aims: list[float], seed: int, block: int) -> Made:
        """See `Maker.make`."""
        generator = torch.Generator().manual_seed(seed * 1_000_003 + block)
        network: Any = self.network
        with torch.inference_mode():
            x = self.latents(torch.tensor(aims), generator)
            z = (x * network.spread + network.middle).numpy()
        return list(zip(self.vae.decode_texts(z, seed=seed), z, strict=True))


# ---------------------------------------------------------------------- what is learnt from
@dataclass(frozen=True)
class Latents:
    """Posterior of each molecule, mean and width (n, latent), and standardised values of TOLD
    (n, t), NaN unknown."""

    mean: Tensor
    width: Tensor
    values: Tensor

    def draw(self, rows: Any, network: Any, generator: torch.Generator) -> Tensor:
        """Standardised samples of the posteriors of some rows (B, latent)."""
        noise = torch.randn(self.mean[rows].shape, generator=generator)
        return (self.mean[rows] + self.width[rows] * noise - network.middle) / network.spread


def make_config(vae: ChemVAE, table: pd.DataFrame, **sizes: int) -> Config:
    """Sizes and scales for the molecules of a table."""
    mean, spread = known_scale(told_values(table))
    latent = vae.config.latent
    return Config(latent=latent, mean=mean, spread=spread, vae=vae.weights, **sizes)


@torch.no_grad()
def latents_of(vae: ChemVAE, table: pd.DataFrame, config: Config) -> Latents:
    """Of all molecules of a table."""
    rows = [vae.vocabulary.encode(smiles) for smiles in table["smiles"]]
    parts = [vae.network.vae.encoder(*pad(rows[k : k + BATCH])) for k in range(0, len(rows), BATCH)]
    mean, log_variance = (torch.cat(own) for own in zip(*parts, strict=True))
    values = (told_values(table) - np.array(config.mean)) / np.array(config.spread)
    return Latents(mean, (0.5 * log_variance).exp(), torch.as_tensor(values).float())


def scaled(network: nn.Module, latents: Latents) -> None:
    """Set the scales of a network's latents: samples of them have mean 0 and width 1."""
    own: Any = network
    own.middle.copy_(latents.mean.mean(0))
    own.spread.copy_((latents.mean.var(0) + (latents.width**2).mean(0)).sqrt())
