"""microdiffusion: electrode volumes with the porosity and the tortuosity that are asked for.

Kept from the literature: diffusion in the latent space of an autoencoder (Rombach et al., arXiv
2112.10752), classifier-free guidance on properties (Ho and Salimans, arXiv 2207.12598), velocities
and the deterministic sampler (`families/gaussian`).

Changed, and why:
- microvae has two latents, so there are two diffusions: one of the texture (16 numbers) given the
  properties, guided; one of the places given the texture. The first is a small perceptron that
  learns in minutes what ties properties together; only the second needs convolutions.
- Of sixteen textures the one is laid out that microvae's heads place nearest to what is asked:
  textures are cheap, places are not.
- Fractions of phases are met exactly: where a window asks for a porosity or a share of binder, the
  phases are assigned with that fraction (`assigned`), nearest to what the decoder expects. Where
  one asks for a tortuosity, the share of pores is moved until TauFactor finds it (`settled`);
  `genbat evaluate` also says how near it comes without.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
import torch
from torch import Tensor

from genbat.core.candidate import Candidate
from genbat.core.condition import Condition, Window
from genbat.domains.microstructures.volume import Volume
from genbat.families.gaussian import denoised
from genbat.systems.base import Progress, SystemCard, at_least_one, counted
from genbat.systems.heads import standard_aims
from genbat.systems.microdiffusion_network import Config, Network
from genbat.systems.microdiffusion_settling import settled
from genbat.systems.microvae import MicroVAE
from genbat.systems.microvae_network import LOGARITHMIC, SHRINK, SIDE, TARGETS
from genbat.systems.paired import Paired
from genbat.systems.volumes import candidate, check_aims

NAME = "microdiffusion"
LEGAL_TARGETS = TARGETS
SIZES = (64, 96, 128)


def make_card(parameters: int = 0) -> SystemCard:
    """What the app says about this system."""
    return SystemCard(
        name=NAME,
        domain="microstructures",
        family="diffusion",
        title="Latent diffusion of volumes",
        paper="Rombach et al., CVPR 2022, arXiv 2112.10752; guidance after Ho and Salimans, arXiv "
        "2207.12598",
        capabilities=("sample",),
        trained_on="GenBat's generated electrodes: particles, carbon-binder bridges, calendering",
        licence="MIT",
        parameters=parameters,
    )


@dataclass(frozen=True)
class Plan:
    """How to sample: steps of each diffusion, how far beyond the plain guess the asked one is
    taken, of how many textures the one is laid out that microvae's heads place nearest to what
    is asked, and how often TauFactor may be asked while its share of pores is settled."""

    steps: int = 30
    guidance: float = 1.0
    tries: int = 16
    solves: int = 6


class MicroDiffusion(Paired[MicroVAE]):
    """The trained system, with the microvae whose latents it makes."""

    targets = TARGETS
    unsettled = Plan(solves=0)  # what the networks do alone, for comparison
    config_type, network_type, partner = Config, Network, MicroVAE
    config: Config
    network: Network
    describe = staticmethod(make_card)

    def sample(
        self,
        n: int,
        *,
        condition: Condition | None = None,
        seed: int = 0,
        size: int = SIDE,
        plan: Plan | None = None,
        progress: Progress | None = None,
    ) -> Iterator[Candidate]:
        """n volumes of size^3 voxels; a longer sample starts with the shorter one.

        Raises
        ------
        ValueError : n or size out of range, or a wish that is none of TARGETS.
        """
        at_least_one(n)
        if size not in SIZES:
            raise ValueError(f"size: got {size}; legal are {', '.join(map(str, SIZES))}")
        asked = condition or Condition()
        check_aims(NAME, asked, TARGETS)
        made = (self._made(asked, seed, k, size, plan or Plan()) for k in count())
        yield from counted(made, n, "volumes", progress)

    def _made(self, asked: Condition, seed: int, index: int, size: int, plan: Plan) -> Candidate:
        volume, g = self._volume(asked.windows, seed, index, size, plan)
        arguments = {"index": index, "size": size}
        return candidate(self, volume, seed, arguments, condition=asked, latent=g)

    @torch.inference_mode()
    def _volume(
        self, windows: Mapping[str, Window], seed: int, index: int, size: int, plan: Plan
    ) -> tuple[Volume, np.ndarray]:
        generator = torch.Generator().manual_seed(seed * 1_000_003 + index)
        texture = self._texture(windows, plan, generator)
        net, n = self.network, size // SHRINK
        start = torch.randn(1, self.config.local, n, n, n, generator=generator)
        places = denoised(lambda x, t: net.places(x, t, texture), start, plan.steps)
        wide = lambda name: getattr(net, name)[:, None, None, None]  # noqa: E731
        places = places * wide("place_spread") + wide("place_middle")
        g = texture * net.texture_spread + net.texture_middle  # type: ignore[operator]
        logits = self.vae.network.decoder(places, g)
        return settled(logits, self.config, windows, plan.solves), g[0].numpy()

    def _texture(
        self, windows: Mapping[str, Window], plan: Plan, generator: torch.Generator
    ) -> Tensor:
        """A standardised texture (1, latent) for windows: the best of some."""
        net, many = self.network.textures, plan.tries if windows else 1
        told = torch.tensor([self.aims(windows)]).expand(many, -1)
        free = torch.full_like(told, torch.nan)

        def guess(x: Tensor, time: Tensor) -> Tensor:
            plain = net(x, time, free)
            return torch.lerp(plain, net(x, time, told), plan.guidance) if windows else plain

        start = torch.randn(many, self.config.latent, generator=generator)
        made = denoised(guess, start, plan.steps)
        return made[self._misfit(made, told[0]).argmin()][None]

    def _misfit(self, textures: Tensor, told: Tensor) -> Tensor:
        """How far from what is told (t,), NaN unknown, microvae's heads place standardised
        textures (n, latent), in standard deviations (n,)."""
        net: Any = self.network
        members = self.vae.network.heads(textures * net.texture_spread + net.texture_middle)
        return (members.mean(0) - told).abs().nan_to_num(0.0).amax(1)

    def aims(self, windows: Mapping[str, Window]) -> list[float]:
        """Standardised value of each target, see `standard_aims`."""
        scale = self.config.mean, self.config.spread
        return standard_aims(windows, TARGETS, scale, LOGARITHMIC)

    @property
    def training_range(self) -> dict[str, tuple[float, float]]:
        """Mean +- 3 standard deviations of every target in training, in its unit."""
        return self.vae.training_range
