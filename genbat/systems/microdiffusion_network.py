"""The networks of microdiffusion: one makes a texture, one lays it out.

See `genbat.systems.microdiffusion` for what is the literature's and what was changed.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from genbat.families.gaussian import noised
from genbat.families.latent_net import WAVES, LatentDenoiser, forgotten, waves
from genbat.systems.base import Settings
from genbat.systems.microvae_network import TARGETS, Film, Residual


@dataclass(frozen=True)
class Config(Settings):
    """Sizes and scales: all that the weights need to be used, beside microvae's.

    `vae` is the hash of the microvae whose latents these are; means and spreads are of the targets
    as microvae standardises them.
    """

    phases: tuple[str, ...] = ("pore", "active material", "carbon-binder")
    voxel_um: tuple[float, ...] = ()
    latent: int = 16
    local: int = 4
    hidden: int = 192
    width: int = 48
    mean: tuple[float, ...] = (0.0,) * len(TARGETS)
    spread: tuple[float, ...] = (1.0,) * len(TARGETS)
    vae: str = ""
    steps_trained: int = 0


class Network(nn.Module):
    """Both denoisers, and the scales of the latents."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        c = config
        self.textures = LatentDenoiser(c.latent, len(TARGETS), c.hidden)
        self.places = Places(c)
        for name, size in (("texture", c.latent), ("place", c.local)):
            self.register_buffer(f"{name}_middle", torch.zeros(size))
            self.register_buffer(f"{name}_spread", torch.ones(size))


class Places(nn.Module):
    """Velocity of noisy places (B, local, n, n, n), told the texture: two scales, with attention
    on the coarser one."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        w, told = config.width, 2 * config.width
        self.told = nn.Sequential(
            nn.Linear(config.latent + 2 * WAVES, told), nn.SiLU(), nn.Linear(told, told)
        )
        self.first = nn.Conv3d(config.local, w, 3, 1, 1)
        self.fine = nn.ModuleList(Residual(w, told) for _ in range(4))
        self.down = nn.Conv3d(w, 2 * w, 2, 2)
        self.coarse = nn.ModuleList(Residual(2 * w, told) for _ in range(2))
        self.attention = Attention(2 * w)
        self.up = nn.ConvTranspose3d(2 * w, w, 2, 2)
        self.film = Film(w, told)
        self.last = nn.Conv3d(w, config.local, 3, 1, 1)

    def forward(self, x: Tensor, time: Tensor, texture: Tensor) -> Tensor:
        """x (B, local, n, n, n) with even n, time (B,), standardised textures (B, latent)."""
        told = self.told(torch.cat([texture, waves(time)], 1))
        h = self.first(x)
        for block in self.fine[:2]:
            h = block(h, told)
        low = self.coarse[0](self.down(h), told)
        low = self.coarse[1](self.attention(low), told)
        h = h + self.up(low)
        for block in self.fine[2:]:
            h = block(h, told)
        return self.last(F.silu(self.film(h, told)))


class Attention(nn.Module):
    """Every place hears every other one (Vaswani et al., arXiv 1706.03762), four heads."""

    def __init__(self, width: int, heads: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.GroupNorm(8, width)
        self.ask = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, h: Tensor) -> Tensor:
        """h (B, width, ...) -> h."""
        x = self.norm(h).flatten(2).transpose(1, 2)
        split = self.ask(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        heard = F.scaled_dot_product_attention(*split).transpose(1, 2).flatten(2)
        return h + self.out(heard).transpose(1, 2).view_as(h)


# ---------------------------------------------------------------------- objective
def losses(
    network: Network, texture: Tensor, places: Tensor, targets: Tensor, generator: torch.Generator
) -> dict[str, Tensor]:
    """Mean squared errors of the velocities of standardised latents."""
    n = len(texture)
    time, time2 = (torch.rand(n, generator=generator) for _ in range(2))
    noisy, velocity = noised(texture, torch.randn(texture.shape, generator=generator), time)
    guess = network.textures(noisy, time, forgotten(targets, generator))
    noisy2, velocity2 = noised(places, torch.randn(places.shape, generator=generator), time2)
    guess2 = network.places(noisy2, time2, texture)
    return {"textures": F.mse_loss(guess, velocity), "places": F.mse_loss(guess2, velocity2)}
