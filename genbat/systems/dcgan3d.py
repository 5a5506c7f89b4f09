"""dcgan3d: Gayon-Lombardo et al., npj Comput. Mater. 2020, 6, 82: periodic electrode volumes.

Kept from the paper: a 3D DCGAN on one-hot volumes of 64^3 (transposed convolutions of kernel 4,
batch norms, softmax over the phases; a mirrored discriminator), noise of 100 numbers a place,
binary cross entropy with one-sided label smoothing of 0.9; larger volumes from noise with an
extent; periodic ones by circular padding when sampling, of weights that were trained without.

Changed, and why:
- Where the noise has an extent, the first layer's overlapping parts are averaged so that their
  spread stays that of the training, which knows one place of noise alone.
- A sixth of the paper's channels, so that a step takes a second on one core.
- A rate of 2e-4 instead of 2e-5, as fewer steps are made, and the running mean of the generator.
- The discriminator sees volumes with normal noise that fades out (Arjovsky and Bottou, arXiv
  1701.04862): with one CT scan to learn from it otherwise knows it by heart.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from genbat.core.candidate import Candidate
from genbat.core.condition import Condition
from genbat.domains.microstructures.volume import Volume
from genbat.systems.base import Progress, Settings, SystemCard, Trained
from genbat.systems.volumes import made_in_turn, volume_of

NAME = "dcgan3d"
SIZE = 64
SIZES = (64, 128, 192, 256)
LEGAL_TARGETS: tuple[str, ...] = ()


@dataclass(frozen=True)
class Config(Settings):
    """Sizes, phases and origin: all that the weights need to be used."""

    phases: tuple[str, ...] = ("pore", "active material", "carbon-binder")
    noise: int = 100
    channels: tuple[int, ...] = (96, 48, 24, 12)
    voxel_um: tuple[float, ...] = ()
    steps_trained: int = 0


class Generator(nn.Module):
    """Noise (B, noise, n, n, n) to shares of the phases (B, phases, N, N, N)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        widths = (*config.channels, len(config.phases))
        self.first = nn.ConvTranspose3d(config.noise, widths[0], 4, 1, 0, bias=False)
        self.layers = nn.ModuleList(
            nn.ConvTranspose3d(a, b, 4, 2, 1, bias=False) for a, b in pairwise(widths)
        )
        self.norms = nn.ModuleList(nn.BatchNorm3d(w) for w in config.channels)

    def forward(self, z: Tensor, *, periodic: bool = False) -> Tensor:
        """n places make 16 (n + 3) voxels along an edge, or 16 n periodic ones."""
        x = _wrapped(self.first, z, 3) if periodic else self.first(z)
        x = x / _overlap(z.shape[2:], periodic=periodic).sqrt()
        for norm, layer in zip(self.norms, self.layers, strict=True):
            x = F.relu(norm(x))
            x = _wrapped(layer, x, 1) if periodic else layer(x)
        return torch.softmax(x, 1)


def _overlap(extent: torch.Size, *, periodic: bool) -> Tensor:
    """How many places of the noise each voxel of the first layer hears; 1 in training, where there
    is one place. Their sum is divided by the square root, or it would be wider than anything the
    batch norms have seen."""
    layer = nn.ConvTranspose3d(1, 1, 4, 1, 0, bias=False)
    nn.init.ones_(layer.weight)
    ones = torch.ones(1, 1, *extent)
    return (_wrapped(layer, ones, 3) if periodic else layer(ones)).detach()


def _wrapped(layer: Any, x: Tensor, reach: int) -> Tensor:
    """A transposed convolution on the periodic continuation of x: one period of its output."""
    stride = layer.stride[0]
    wide = layer(F.pad(x, (reach,) * 6, mode="circular"))
    cut = (wide.shape[-1] - stride * x.shape[-1]) // 2
    first = wide.shape[-1] - stride * x.shape[-1] - cut
    inner = slice(first, first + stride * x.shape[-1])
    return wide[:, :, inner, inner, inner]


class Discriminator(nn.Module):
    """Volumes (B, phases, 64, 64, 64) to logits of being real (B, 1, 1, 1, 1)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        widths = (len(config.phases), *config.channels[::-1])
        self.layers = nn.ModuleList(
            nn.Conv3d(a, b, 4, 2, 1, bias=False) for a, b in pairwise(widths)
        )
        self.norms = nn.ModuleList(nn.BatchNorm3d(w) for w in widths[2:])
        self.last = nn.Conv3d(widths[-1], 1, 4)

    def forward(self, x: Tensor) -> Tensor:
        """Logits."""
        x = F.leaky_relu(self.layers[0](x), 0.2)
        for layer, norm in zip(self.layers[1:], self.norms, strict=True):
            x = F.leaky_relu(norm(layer(x)), 0.2)
        return self.last(x)


def make_card(parameters: int = 0) -> SystemCard:
    """What the app says about this system."""
    return SystemCard(
        name=NAME,
        domain="microstructures",
        family="GAN",
        title="3D DCGAN",
        paper="Gayon-Lombardo et al., npj Comput. Mater. 2020, 6, 82, "
        "doi:10.1038/s41524-020-0340-7",
        capabilities=("sample",),
        trained_on="a calendered NMC cathode (X-ray CT, NREL; carbon-binder placed numerically, "
        "MATBOX)",
        licence="MIT",
        parameters=parameters,
    )


class DCGAN3D(Trained[Config, Generator]):
    """The trained system."""

    config_type, network_type = Config, Generator
    describe = staticmethod(make_card)
    stride = 16  # voxels that one place of the noise makes

    def sample(
        self,
        n: int,
        *,
        condition: Condition | None = None,
        seed: int = 0,
        size: int = SIZE,
        periodic: bool = False,
        progress: Progress | None = None,
    ) -> Iterator[Candidate]:
        """n volumes of size^3 voxels; a longer sample starts with the shorter one.

        Raises
        ------
        ValueError : n or size out of range, or any wish.
        """
        options = {"size": size, "periodic": periodic}
        yield from made_in_turn(self, n, seed, condition, progress, options)

    @torch.inference_mode()
    def volume(
        self, size: int = SIZE, *, seed: int = 0, index: int = 0, periodic: bool = False
    ) -> Volume:
        """One volume of size^3 voxels; a periodic one is cut between the middles of two places of
        the noise, where neighbouring slices differ less than at the places' borders.

        Raises
        ------
        ValueError : a size that the network does not make.
        """
        if size not in SIZES:
            raise ValueError(f"size: got {size}; legal are {', '.join(map(str, SIZES))}")
        generator = torch.Generator().manual_seed(seed * 1_000_003 + index)
        extent = size // 16 if periodic else size // 16 - 3
        z = torch.randn(1, self.config.noise, extent, extent, extent, generator=generator)
        labels = self.network(z, periodic=periodic)[0].argmax(0).to(torch.uint8)
        if periodic:
            labels = labels.roll((-(self.stride // 2),) * 3, (0, 1, 2))
        return volume_of(labels.numpy(), self.config, periodic=periodic)
