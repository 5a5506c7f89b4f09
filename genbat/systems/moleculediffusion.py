"""moleculediffusion: molecules by diffusion in the latent space of chemvae, for wishes.

Kept from the literature: diffusion in the latent space of an autoencoder (Rombach et al., arXiv
2112.10752; for molecules Xu et al., arXiv 2305.01140), classifier-free guidance on continuous
properties (Ho and Salimans, arXiv 2207.12598), velocities and the deterministic sampler
(`families/gaussian`).

Changed, and why:
- The latent is one vector of chemvae, so that its candidates lie on the map without a detour, and
  the denoiser is a small network with residual layers that trains in minutes.
- Each property is forgotten in a good part of the training, so that any of them can be left open.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from genbat.families.gaussian import denoised
from genbat.families.latent_net import LatentDenoiser
from genbat.systems.base import SystemCard
from genbat.systems.molecule_latents import Config, LatentMaker
from genbat.systems.molecule_making import BLOCK, LEGAL, TOLD

NAME = "moleculediffusion"
LEGAL_TARGETS = LEGAL


@dataclass(frozen=True)
class Plan:
    """How to sample: steps, and how far what is asked is followed (1 as it was learnt)."""

    steps: int = 40
    guidance: float = 2.0


PLAN = Plan()


class Network(nn.Module):
    """The denoiser and the scales of the latents."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.denoiser = LatentDenoiser(config.latent, len(TOLD), config.hidden, config.layers)
        self.register_buffer("middle", torch.zeros(config.latent))
        self.register_buffer("spread", torch.ones(config.latent))


def make_card(parameters: int = 0) -> SystemCard:
    """What the app says about this system."""
    return SystemCard(
        name=NAME,
        domain="molecules",
        family="diffusion",
        title="Latent diffusion of molecules",
        paper="Rombach et al., CVPR 2022, arXiv 2112.10752; for molecules Xu et al., ICML 2023, "
        "arXiv 2305.01140",
        capabilities=("sample",),
        trained_on="chemvae's latents of 21,900 neutral organics and the named battery compounds, "
        "xTB labels of GenBat",
        licence="MIT",
        parameters=parameters,
    )


class MoleculeDiffusion(LatentMaker[Network]):
    """The trained system."""

    name = NAME
    network_type = Network
    describe = staticmethod(make_card)

    def latents(self, aims: Tensor, generator: torch.Generator, plan: Plan = PLAN) -> Tensor:
        """See `LatentMaker.latents`."""
        net, told = self.network.denoiser, aims.expand(BLOCK, -1)
        free, asked = torch.full_like(told, torch.nan), not bool(aims.isnan().all())

        def guess(x: Tensor, time: Tensor) -> Tensor:
            plain = net(x, time, free)
            return torch.lerp(plain, net(x, time, told), plan.guidance) if asked else plain

        start = torch.randn(BLOCK, self.config.latent, generator=generator)
        return denoised(guess, start, plan.steps)
