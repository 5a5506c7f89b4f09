"""The networks of slicegan, and where its real slices come from.

See `genbat.systems.slicegan` for what is the paper's and what was changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from genbat.systems.base import Settings

KERNEL, STRIDE, PADDING = 4, 2, 2  # stride < kernel, a divisor of it, padding >= kernel - stride
SIDE = 64  # of the slices that critics see


@dataclass(frozen=True)
class Config(Settings):
    """Sizes, phases and origin: all that the weights need to be used.

    `channels` are those between the layers of the generator, `voxel_um` the edges of a voxel along
    z, y, x; `judged_by` says which critic sees slices across z, y and x.
    """

    phases: tuple[str, ...] = ("pore", "active material", "carbon-binder")
    channels: tuple[int, ...] = (96, 48, 24)
    noise: int = 32
    critic: tuple[int, ...] = (32, 64, 128, 192)
    voxel_um: tuple[float, ...] = ()
    judged_by: tuple[int, ...] = (0, 0, 0)
    steps_trained: int = 0


class Generator(nn.Module):
    """Noise (B, noise, d, h, w) to shares of the phases (B, phases, D, H, W).

    Transposed convolutions under the paper's rules for uniform density of information (Sec. 3.2);
    without them edges are blurred and the kernels' overlap shows as a pattern.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        widths = (config.noise, *config.channels, len(config.phases))
        self.layers = nn.ModuleList(
            nn.ConvTranspose3d(a, b, KERNEL, STRIDE, PADDING, bias=False)
            for a, b in pairwise(widths)
        )
        self.norms = nn.ModuleList(nn.BatchNorm3d(w) for w in config.channels)

    def forward(self, z: Tensor) -> Tensor:
        """Every layer makes n voxels into 2 n - 2."""
        for layer, norm in zip(self.layers[:-1], self.norms, strict=True):
            z = F.relu(norm(layer(z)))
        return torch.softmax(self.layers[-1](z), 1)

    def seed_size(self, size: int) -> int:
        """Fewest voxels of noise along an edge that give at least `size`."""
        for _ in self.layers:
            size = -(-(size + 2) // 2)
        return size


class Critic(nn.Module):
    """Slices (B, phases, SIDE, SIDE) to scores (B, 1, 1, 1).

    Parameters
    ----------
    channels : after each layer, each of which halves the edge.
    """

    def __init__(self, phases: int, channels: tuple[int, ...]) -> None:
        super().__init__()
        widths = (phases, *channels)
        self.layers = nn.ModuleList(nn.Conv2d(a, b, 4, 2, 1) for a, b in pairwise(widths))
        self.last = nn.Conv2d(widths[-1], 1, SIDE // 2 ** len(channels))
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, x: Tensor) -> Tensor:
        """Scores without bound."""
        x = x.contiguous(memory_format=torch.channels_last)  # twice as fast on a processor
        for layer in self.layers:
            x = F.leaky_relu(layer(x), 0.2)
        return self.last(x)


def slices(volume: Tensor, axis: int, places: Tensor) -> Tensor:
    """Slices across an axis (0 z, 1 y, 2 x) of volumes (B, C, D, H, W) at `places` (n,), all
    volumes': (B n, C, ...)."""
    chosen = volume.index_select(2 + axis, places).movedim(2 + axis, 1)
    return chosen.flatten(0, 1)


class Images:
    """Real slices: of one image for all axes, of images for each axis, or of a volume.

    Parameters
    ----------
    labels : one image (H, W); one volume (D, H, W); or three, across z, y and x, each an image
        or several (N, H, W).
    phases : how many.
    """

    def __init__(self, labels: Sequence[Tensor], phases: int) -> None:
        if len(labels) not in (1, 3):
            raise ValueError(f"images: got {len(labels)}; legal are one, or three across z, y, x")
        for image in labels:
            edges = image.shape if len(labels) == 1 else image.shape[-2:]
            if min(edges) < SIDE:
                shape = " x ".join(map(str, image.shape))
                raise ValueError(f"images: one is {shape}; edges of {SIDE} at least are needed")
        self.labels, self.phases = list(labels), phases

    def draw(self, axis: int, n: int, generator: torch.Generator) -> Tensor:
        """n crops across an axis, one-hot (n, phases, SIDE, SIDE), half of them mirrored."""
        several = len(self.labels) == 3
        own, across = self.labels[axis if several else 0], 0 if several else axis
        crops = torch.stack([self._crop(own, across, generator) for _ in range(n)])
        return F.one_hot(crops.long(), self.phases).movedim(-1, 1).float()

    def _crop(self, labels: Tensor, axis: int, generator: torch.Generator) -> Tensor:
        pick = lambda most: int(torch.randint(most, (1,), generator=generator))  # noqa: E731
        if labels.ndim == 3:
            labels = labels.select(axis, pick(labels.shape[axis]))
        y, x = (pick(n - SIDE + 1) for n in labels.shape)
        crop = labels[y : y + SIDE, x : x + SIDE]
        return crop.flip(1) if pick(2) else crop
