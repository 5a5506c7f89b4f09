"""The networks of imatgen: one that compresses images to fingerprints, and a VAE over these.

See `genbat.systems.imatgen` for what is the paper's and what was changed.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from genbat.domains.crystals.images import Raster
from genbat.families.blocks import HeadEnsemble
from genbat.families.vae import Posterior, warm_up
from genbat.systems.base import Settings
from genbat.systems.crystal_corpus import LatticeScale
from genbat.systems.imatgen_shells import TRAITS, Shells, lattices_at

TARGETS = ("formation_ev", "hull_ev")
SHRINK = 4  # voxels along an edge that share one place of the fingerprint
NOISE = 0.05  # on fingerprints, whose numbers lie between -1 and 1, while the compressor learns
BATCH = 32  # latent points whose images are decoded at once
GAIN = 8.0  # makes voxels, most of which are empty, numbers of width about 1
SPREAD, QUIET = 3.0, -4.0  # of z at the start: its width for a fingerprint's, its log variance
RISE = 500  # steps in which the divergence reaches its weight
WEIGHTS = {
    "image": 1.0,
    "drawn": 1.0,
    "fingerprint": 0.02,
    "atoms": 0.2,
    "lattice": 1.0,
    "divergence": 1e-3,
    "stability": 1.0,
}


@dataclass(frozen=True)
class Config(Settings):
    """Sizes and scales: all that the weights need to be used.

    `elements` are the atomic numbers of the two images, `points` how many training crystals' latent
    points the weights hold.
    """

    elements: tuple[int, ...] = (23, 8)
    side: int = 16
    bump: float = 0.9
    filters: int = 16
    channels: int = 4
    latent: int = 192
    hidden: int = 256
    members: int = 5
    head_hidden: int = 48
    points: int = 0
    scale: LatticeScale = field(default_factory=LatticeScale)
    mean: tuple[float, ...] = (0.0,) * len(TARGETS)
    spread: tuple[float, ...] = (1.0,) * len(TARGETS)
    quantile: tuple[float, ...] = (1.645,) * len(TARGETS)
    floor: tuple[float, ...] = (0.3,) * len(TARGETS)
    steps_trained: int = 0

    @property
    def raster(self) -> Raster:
        """How its images are drawn."""
        return Raster(self.side, self.bump)

    @property
    def fingerprint(self) -> int:
        """Numbers of a fingerprint."""
        return self.channels * (self.side // SHRINK) ** 3


class Network(nn.Module):
    """Compressor, VAE, stability classifier, property heads; and where training crystals lie."""

    points: Tensor

    def __init__(self, config: Config) -> None:
        super().__init__()
        c = config
        self.scale, self.shells = c.scale, Shells(c.raster)
        self.compressor = Compressor(c)
        size = c.fingerprint + 6
        self.encoder = Perceptron(size, c.hidden, 2 * c.latent)
        self.decoder = Perceptron(c.latent, c.hidden, size)
        _begin_as_projection(self.encoder, self.decoder, c.latent)
        self.classifier = nn.Sequential(
            nn.Linear(TRAITS, c.head_hidden), nn.SiLU(), nn.Linear(c.head_hidden, 1)
        )
        self.ensemble = HeadEnsemble(c.members, TRAITS, c.head_hidden, len(TARGETS))
        self.register_buffer("points", torch.zeros(c.points, c.latent))

    def posterior(self, fingerprint: Tensor, lattices: Tensor) -> Posterior:
        """q(z|crystal) from its fingerprint (B, f) and standardised lattice (B, 6)."""
        mean, log_variance = self.encoder(torch.cat([fingerprint, lattices], 1)).chunk(2, dim=1)
        return Posterior(mean, log_variance.clamp(-12.0, 4.0))

    def says(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Fingerprint (B, f) and standardised lattice (B, 6) at latent points (B, latent)."""
        out = self.decoder(z)
        return out[:, :-6], out[:, -6:]

    def traits(self, images: Tensor, lattices: Tensor) -> Tensor:
        """What decides on stability (B, TRAITS): the shells of images with standardised lattices,
        the share of the second element, and the volume an atom, standardised."""
        counts = self.shells.counts(images)
        total = counts.sum(1).clamp(min=1.0)
        cells = lattices_at(lattices.detach(), total.detach(), self.scale)
        rest = torch.stack([counts[:, 1] / total, lattices[:, :3].mean(1)], 1)
        return torch.cat([self.shells(images, cells), rest], 1)

    def traits_at(self, z: Tensor) -> Tensor:
        """`traits` of what is decoded at latent points (B, latent)."""
        parts = []
        for part in z.split(BATCH):
            prints, lattices = self.says(part)
            parts.append(self.traits(self.compressor.decode(prints), lattices))
        return torch.cat(parts)

    def stable(self, traits: Tensor) -> Tensor:
        """Logits (B,) of being stable from `traits` (B, TRAITS)."""
        return self.classifier(traits)[:, 0]

    def heads(self, z: Tensor) -> Tensor:
        """Standardised TARGETS at latent points (B, latent), by every member: (members, B, t)."""
        return self.ensemble(self.traits_at(z))


class Perceptron(nn.Module):
    """Two hidden layers beside a straight line, which alone is a principal component analysis."""

    def __init__(self, inputs: int, hidden: int, outputs: int) -> None:
        super().__init__()
        self.line = nn.Linear(inputs, outputs)
        self.bent = nn.Sequential(
            nn.Linear(inputs, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(),
            nn.Linear(hidden, outputs, bias=False),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs) -> (B, outputs)."""
        return self.line(x) + self.bent(x)


@torch.no_grad()
def _begin_as_projection(encoder: Perceptron, decoder: Perceptron, latent: int) -> None:
    """Weights with which z is a random projection of what comes in, with little noise, and the
    decoder its inverse: most of what there is to know is known before the first step."""
    rows = nn.init.orthogonal_(torch.empty(latent, decoder.line.out_features))
    encoder.line.weight[:latent] = SPREAD * rows
    decoder.line.weight.copy_(rows.T / SPREAD)
    encoder.line.bias[:latent], encoder.line.bias[latent:] = 0.0, QUIET
    nn.init.zeros_(encoder.line.weight[latent:])
    for perceptron in (encoder, decoder):
        nn.init.zeros_(perceptron.bent[-1].weight)  # type: ignore[arg-type]
    nn.init.zeros_(decoder.line.bias)


class Compressor(nn.Module):
    """Images (B, 2, n, n, n) <-> fingerprints (B, f), numbers between -1 and 1: `channels` for each
    block of SHRINK^3 voxels. All convolutions are periodic, as the crystal is."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        w, top = config.filters, 4 * config.filters
        self.shape = (config.channels, *[config.side // SHRINK] * 3)
        self.down = nn.Sequential(
            _conv(2, w, 4, 2), nn.SiLU(), _conv(w, 2 * w), nn.SiLU(),
            _conv(2 * w, top, 4, 2), nn.SiLU(), nn.Conv3d(top, config.channels, 1), nn.Tanh(),
        )  # fmt: skip
        self.up = nn.Sequential(
            _conv(config.channels, top), nn.SiLU(), _conv(top, top), nn.SiLU(),
            nn.Conv3d(top, 8 * 2 * w, 1), Unfolded(), nn.SiLU(), _conv(2 * w, 2 * w), nn.SiLU(),
            nn.Conv3d(2 * w, 8 * w, 1), Unfolded(), nn.SiLU(), _conv(w, 2),
        )  # fmt: skip
        self.apply(_begin)

    def encode(self, x: Tensor) -> Tensor:
        """Images -> fingerprints."""
        return self.down(GAIN * x).flatten(1)

    def decode(self, fingerprint: Tensor, *, fixed: bool = False) -> Tensor:
        """Fingerprints -> images; `fixed` lets gradients reach the fingerprints alone."""
        x = fingerprint.view(-1, *self.shape)
        if not fixed:
            return self.up(x) / GAIN
        weights = {name: own.detach() for name, own in self.up.named_parameters()}
        drawn: Tensor = torch.func.functional_call(self.up, weights, (x,))
        return drawn / GAIN


def _begin(module: nn.Module) -> None:
    """Weights that keep the signal's width from layer to layer (He et al., arXiv 1502.01852)."""
    if isinstance(module, nn.Conv3d) and module.bias is not None:
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        nn.init.zeros_(module.bias)


def _conv(inputs: int, outputs: int, size: int = 3, stride: int = 1) -> nn.Conv3d:
    return nn.Conv3d(inputs, outputs, size, stride, 1, padding_mode="circular")


class Unfolded(nn.Module):
    """(B, 8 c, n, n, n) -> (B, c, 2 n, 2 n, 2 n): channels become voxels (Shi et al., arXiv
    1609.05158)."""

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        b, c, n = x.shape[0], x.shape[1] // 8, x.shape[2]
        parts = x.view(b, c, 2, 2, 2, n, n, n).permute(0, 1, 5, 2, 6, 3, 7, 4)
        return parts.reshape(b, c, 2 * n, 2 * n, 2 * n)


# ---------------------------------------------------------------------- training
@dataclass(frozen=True)
class Pictures:
    """Crystals as the networks learn them.

    Attributes
    ----------
    images : (B, 2, side, side, side).
    lattices : standardised (B, 6).
    stable : 1 stable, 0 not, NaN unknown (B,).
    """

    images: Tensor
    lattices: Tensor
    stable: Tensor


def losses(
    network: Network, x: Pictures, raster: Raster, generator: torch.Generator
) -> dict[str, Tensor]:
    """Parts of the loss. The VAE moves nothing in the compressor: neither the fingerprint that it
    learns nor the way back to the image."""
    print_ = network.compressor.encode(x.images)
    noisy = print_ + NOISE * torch.randn(print_.shape, generator=generator)
    fixed = print_.detach()
    posterior = network.posterior(fixed, x.lattices)
    z = posterior.sample(generator)
    guess, lattices = network.says(z)
    drawn = network.compressor.decode(guess, fixed=True)
    return {
        "image": misfit(network.compressor.decode(noisy), x.images, raster),
        "drawn": misfit(drawn, x.images, raster),
        "fingerprint": ((guess - fixed) ** 2).sum(1).mean(),
        "atoms": (((drawn - x.images).sum((2, 3, 4)) / raster.mass) ** 2).sum(1).mean(),
        "lattice": ((lattices - x.lattices) ** 2).sum(1).mean(),
        "divergence": posterior.divergence().mean(),
        "stability": known_entropy(network.stable(network.traits(drawn, lattices)), x.stable),
    }


def misfit(drawn: Tensor, images: Tensor, raster: Raster) -> Tensor:
    """Squared error of images in units of one atom's bump: a missing atom counts 1."""
    bump = (torch.pi**0.5 * raster.width) ** 3
    return ((drawn - images) ** 2).flatten(1).sum(1).mean() / bump


def known_entropy(logits: Tensor, stable: Tensor) -> Tensor:
    """Cross entropy of the classifier over the crystals whose stability is known; 0 for none."""
    known = ~stable.isnan()
    each = F.binary_cross_entropy_with_logits(logits, stable.nan_to_num(), reduction="none")
    return (each * known).sum() / known.sum().clamp(min=1)


def weights_at(step: int) -> dict[str, float]:
    """Weights of the loss's parts at a step; the divergence's rises."""
    return WEIGHTS | {"divergence": warm_up(step, RISE, WEIGHTS["divergence"])}
