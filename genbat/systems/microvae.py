"""microvae: a variational autoencoder of electrode volumes; gives the domain its map.

Kept from the literature: a 3D convolutional encoder and decoder with cross entropy over the phases
(Kingma and Welling, arXiv 1312.6114), and a hierarchy of latents whose lower level has a prior that
depends on the upper one (Soenderby et al., Ladder VAE, arXiv 1602.02282).

What it is for decides its form:
- g, 16 numbers, says what the material is like: it is read from means and spreads over the volume,
  so that two crops of one electrode lie close together although no voxel agrees. It is the point on
  the map, and what is walked.
- l, four numbers for every 8^3 voxels, says where everything lies. Its prior given g is normal and
  the same at every place; with the same noise, a walk of g changes the material and leaves the
  particles where they are.
- Phases are not the likeliest voxel by voxel, which loses thin carbon-binder: they are assigned so
  that their fractions are those the decoder expects (`assigned`).
- The prior of g is the normal distribution of the training's points, fitted afterwards (Ghosh et
  al., arXiv 1903.12436). Property heads on g are an ensemble with calibrated intervals.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from genbat.core.candidate import Candidate
from genbat.core.condition import Condition
from genbat.domains.microstructures.properties import UNITS
from genbat.domains.microstructures.texts import read
from genbat.domains.microstructures.volume import Volume
from genbat.systems.base import (
    Progress,
    SystemCard,
    Trained,
    at_least_one,
    counted,
    refuse,
)
from genbat.systems.heads import Foretelling
from genbat.systems.microvae_network import (
    LOGARITHMIC,
    SHRINK,
    SIDE,
    TARGETS,
    Config,
    Network,
    assigned,
)
from genbat.systems.volumes import candidate, volume_of

NAME = "microvae"
BATCH = 8
LEAST = 16  # voxels along an edge that can be encoded
LEGAL_TARGETS = TARGETS


def make_card(parameters: int = 0) -> SystemCard:
    """What the app says about this system."""
    return SystemCard(
        name=NAME,
        domain="microstructures",
        family="VAE",
        title="Volume VAE",
        paper="Kingma and Welling, arXiv 1312.6114; hierarchy after Soenderby et al., arXiv "
        "1602.02282",
        capabilities=("sample", "encode", "decode", "predict"),
        trained_on="GenBat's generated electrodes: particles, carbon-binder bridges, calendering",
        licence="MIT",
        parameters=parameters,
    )


class MicroVAE(Foretelling, Trained[Config, Network]):
    """The trained system."""

    targets, units, logarithmic = TARGETS, UNITS, LOGARITHMIC
    config_type, network_type = Config, Network
    describe = staticmethod(make_card)
    takes_windows = False

    # ------------------------------------------------------------------ latent space
    def encode(self, objects: Sequence[str]) -> np.ndarray:
        """Latent points of volumes as text (n, latent): the mean of q(g|x).

        Raises
        ------
        ValueError : a text that is no volume, has other phases, or is too small.
        """
        return self.encode_volumes([read(text) for text in objects])

    @torch.inference_mode()
    def encode_volumes(self, volumes: Sequence[Volume]) -> np.ndarray:
        """As `encode`; larger volumes are read whole."""
        parts = [self.network.encoder(self.one_hot(v))[0].mean.numpy() for v in volumes]
        return np.concatenate(parts) if parts else np.empty((0, self.config.latent), "f4")

    def one_hot(self, volume: Volume) -> Tensor:
        """(1, phases, D, H, W), cut to multiples of SHRINK."""
        if len(volume.phases) > len(self.config.phases):
            raise ValueError(
                f"volume: has the phases {', '.join(volume.phases)}; legal are "
                f"{', '.join(self.config.phases)}"
            )
        if min(volume.shape) < LEAST:
            raise ValueError(f"volume: {volume.shape} voxels; edges of {LEAST} at least are needed")
        z, y, x = (SHRINK * (n // SHRINK) for n in volume.shape)
        labels = torch.as_tensor(volume.labels[:z, :y, :x].astype("i8"))
        return F.one_hot(labels, len(self.config.phases)).movedim(-1, 0)[None].float()

    def decode(self, z: np.ndarray, *, seed: int = 0) -> list[Candidate]:
        """Volumes of SIDE voxels an edge at latent points (n, latent); the same noise of the places
        for all of them, so that neighbours in the latent space look like relatives."""
        points = np.atleast_2d(np.asarray(z, "f4"))
        pairs = zip(self.decode_volumes(points, seed=seed), points, strict=True)
        return [candidate(self, v, seed, {}, action="decode", latent=p) for v, p in pairs]

    @torch.inference_mode()
    def decode_volumes(
        self, z: np.ndarray, *, seed: int = 0, size: int = SIDE, own: bool = False
    ) -> list[Volume]:
        """As `decode`; with `own`, each point has noise of its own."""
        generator = torch.Generator().manual_seed(seed)
        n = size // SHRINK
        shape = (len(z) if own else 1, self.config.local, n, n, n)
        noise = torch.randn(shape, generator=generator)
        out: list[Volume] = []
        for k in range(0, len(z), BATCH):
            g = torch.as_tensor(np.asarray(z[k : k + BATCH], "f4"))
            out += self._volumes(g, noise[k : k + BATCH] if own else noise)
        return out

    def _volumes(self, g: Tensor, noise: Tensor) -> list[Volume]:
        prior = self.network.places(g)
        local = prior.mean + (0.5 * prior.log_variance).exp() * noise
        labels = assigned(self.network.decoder(local, g)).to(torch.uint8).numpy()
        return [volume_of(own, self.config) for own in labels]

    @torch.inference_mode()
    def reconstruct(self, volume: Volume) -> Volume:
        """What the decoder makes of a volume's own latents, cut to multiples of SHRINK."""
        texture, local = self.network.encoder(self.one_hot(volume))
        labels = assigned(self.network.decoder(local.mean, texture.mean))
        return volume_of(labels[0].to(torch.uint8).numpy(), self.config)

    # ------------------------------------------------------------------ sampling
    def sample(
        self,
        n: int,
        *,
        condition: Condition | None = None,
        seed: int = 0,
        progress: Progress | None = None,
    ) -> Iterator[Candidate]:
        """n draws of g and of the places; a longer sample starts with the shorter one.

        Raises
        ------
        ValueError : n below 1, or a condition: this system is asked by latent search.
        """
        at_least_one(n)
        refuse(NAME, condition, "ask microdiffusion, or search from one")
        yield from counted(self._draws(seed), n, "volumes", progress)

    def _draws(self, seed: int) -> Iterator[Candidate]:
        for k in count():
            rng = np.random.default_rng((seed, k))
            noise = rng.standard_normal(self.config.latent).astype("f4")
            g = self.network.centre.numpy() + self.network.axes.numpy() @ noise
            (volume,) = self.decode_volumes(g[None], seed=int(rng.integers(2**31)))
            yield candidate(self, volume, seed, {"index": k}, latent=g)
