"""latentgan: Prykhodko et al., J. Cheminform. 2019, 11, 74: a GAN of latents of molecules.

Kept from the paper: generator and critic work on latent vectors of a trained autoencoder of
molecules, whose decoder writes what the generator makes; WGAN-GP, five critic steps to one.

Changed, and why:
- The autoencoder is chemvae, so that the candidates lie on its map.
- Both networks are told the properties that are asked for (Mirza and Osindero, arXiv 1411.1784);
  any of them can be left open.
- Residual layers, and what is used is the running mean of the generator.
"""

from __future__ import annotations

import torch
from torch import Tensor

from genbat.families.latent_net import WAVES, Residuals, told
from genbat.systems.base import SystemCard
from genbat.systems.molecule_latents import Config, LatentMaker
from genbat.systems.molecule_making import BLOCK, LEGAL, TOLD

NAME = "latentgan"
LEGAL_TARGETS = LEGAL
WORDS = (2 * WAVES + 1) * len(TOLD)  # numbers that tell the properties


class Generator(Residuals):
    """Noise (B, latent) and values of TOLD (B, t), NaN left open, to latents (B, latent)."""

    def __init__(self, config: Config) -> None:
        size = config.latent + WORDS
        super().__init__(size, config.latent, config.hidden, config.layers)
        self.register_buffer("middle", torch.zeros(config.latent))
        self.register_buffer("spread", torch.ones(config.latent))

    def forward(self, noise: Tensor, values: Tensor) -> Tensor:  # type: ignore[override]
        """Standardised latents."""
        return super().forward(torch.cat([noise, told(values)], 1))


class Critic(Residuals):
    """Standardised latents beside what was told of them (B, latent + WORDS) to scores (B, 1)."""

    def __init__(self, config: Config) -> None:
        super().__init__(config.latent + WORDS, 1, config.hidden, config.layers)


def make_card(parameters: int = 0) -> SystemCard:
    """What the app says about this system."""
    return SystemCard(
        name=NAME,
        domain="molecules",
        family="GAN",
        title="LatentGAN",
        paper="Prykhodko et al., J. Cheminform. 2019, 11, 74, doi:10.1186/s13321-019-0397-9",
        capabilities=("sample",),
        trained_on="chemvae's latents of 21,900 neutral organics and the named battery compounds, "
        "xTB labels of GenBat",
        licence="MIT",
        parameters=parameters,
    )


class LatentGAN(LatentMaker[Generator]):
    """The trained system."""

    name = NAME
    network_type = Generator
    describe = staticmethod(make_card)

    def latents(self, aims: Tensor, generator: torch.Generator) -> Tensor:
        """See `LatentMaker.latents`."""
        noise = torch.randn(BLOCK, self.config.latent, generator=generator)
        return self.network(noise, aims.expand(BLOCK, -1))
