"""slicegan: Kench and Cooper, Nat. Mach. Intell. 2021, 3, 299: volumes from images.

Kept from the paper: a 3D generator whose slices along the three axes are shown to 2D critics that
have seen real slices only; WGAN-GP; transposed convolutions under the rules for uniform density of
information; noise with an extent, so that any size can be made; one critic for all axes where the
material is the same along all, and more where it is not (a calendered electrode has two: one for
slices across its thickness).

Changed, and why:
- A generator of 0.5 and a critic of 0.6 million parameters instead of 40 and 2.8: a twentieth of
  the time a step.
- Of every volume some slices are shown instead of all, and three critic steps go before each of
  the generator's instead of five: the critic is the expensive one on a processor.
- What is used is the running mean of the generator, which swings less from step to step.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from genbat.core.candidate import Candidate
from genbat.core.condition import Condition
from genbat.domains.microstructures.volume import Volume
from genbat.systems.base import Progress, SystemCard, Trained
from genbat.systems.slicegan_network import Config, Generator
from genbat.systems.volumes import made_in_turn, volume_of

NAME = "slicegan"
SIZE = 64
LARGEST = 512
SLAB = 64  # voxels along z that are made at once
LEGAL_TARGETS: tuple[str, ...] = ()


def make_card(parameters: int = 0) -> SystemCard:
    """What the app says about this system."""
    return SystemCard(
        name=NAME,
        domain="microstructures",
        family="GAN",
        title="SliceGAN",
        paper="Kench and Cooper, Nat. Mach. Intell. 2021, 3, 299, doi:10.1038/s42256-021-00322-1",
        capabilities=("sample",),
        trained_on="slices of a calendered NMC cathode (X-ray CT, NREL; carbon-binder placed "
        "numerically, MATBOX)",
        licence="MIT",
        parameters=parameters,
    )


class SliceGAN(Trained[Config, Generator]):
    """The trained system."""

    config_type, network_type = Config, Generator
    describe = staticmethod(make_card)
    stride = 8  # voxels that one place of the noise makes

    def sample(
        self,
        n: int,
        *,
        condition: Condition | None = None,
        seed: int = 0,
        size: int = SIZE,
        progress: Progress | None = None,
    ) -> Iterator[Candidate]:
        """n volumes of size^3 voxels; a longer sample starts with the shorter one.

        Raises
        ------
        ValueError : n or size out of range, or any wish: what is made follows the images alone.
        """
        yield from made_in_turn(self, n, seed, condition, progress, {"size": size})

    def volume(
        self, size: int | tuple[int, int, int] = SIZE, *, seed: int = 0, index: int = 0
    ) -> Volume:
        """One volume of any size, a cube's or along z, y and x.

        Raises
        ------
        ValueError : an edge below 8 or above LARGEST.
        """
        shape = size if isinstance(size, tuple) else (size,) * 3
        if min(shape) < 8 or max(shape) > LARGEST:
            raise ValueError(f"size: got {shape}; legal are edges of 8 to {LARGEST} voxels")
        generator = torch.Generator().manual_seed(seed * 1_000_003 + index)
        extent = [self.network.seed_size(edge) for edge in shape]
        z = torch.randn(1, self.config.noise, *extent, generator=generator)
        labels = self._labels(z)[: shape[0], : shape[1], : shape[2]]
        return volume_of(labels, self.config)

    @torch.inference_mode()
    def _labels(self, z: Tensor) -> np.ndarray:
        """The likeliest phase of each voxel, made slab by slab along z.

        A slab of m voxels of noise gives g (m - 2) + 2 voxels, g = 2^layers, none of which sees
        noise beyond it: slabs that overlap by two join to what one pass would make.
        """
        grow = 2 ** len(self.network.layers)
        step = max(1, SLAB // grow)
        parts = []
        for start in range(0, z.shape[2] - 2, step):
            made = self.network(z[:, :, start : start + step + 2])[0].argmax(0)
            last = start + step >= z.shape[2] - 2
            parts.append(made[: None if last else grow * step].to(torch.uint8).numpy())
        return np.concatenate(parts)
