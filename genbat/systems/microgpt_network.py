"""The networks of microgpt: a coder of volumes into tokens, and a writer of tokens.

See `genbat.systems.microgpt` for what is the literature's and what was changed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from genbat.families.quantised import Grid
from genbat.families.transformer import GPT
from genbat.systems.base import Settings
from genbat.systems.microvae_network import SHRINK, SIDE, TARGETS, Residual

BINS, REACH = 24, 2.5  # tokens of a target, over so many standard deviations to either side
PLACES = (SIDE // SHRINK) ** 3  # tokens of a volume


@dataclass(frozen=True)
class Config(Settings):
    """Sizes and scales: all that the weights need to be used."""

    phases: tuple[str, ...] = ("pore", "active material", "carbon-binder")
    voxel_um: tuple[float, ...] = ()
    levels: tuple[int, ...] = (8, 5, 5, 5)
    coder_width: int = 24
    width: int = 128
    layers: int = 4
    heads: int = 4
    mean: tuple[float, ...] = (0.0,) * len(TARGETS)
    spread: tuple[float, ...] = (1.0,) * len(TARGETS)
    steps_trained: int = 0

    @property
    def codes(self) -> int:
        """Number of codes; the tokens of the targets come after them."""
        return math.prod(self.levels)

    @property
    def vocabulary(self) -> int:
        """Number of tokens: codes, and of each target its bins and "not told"."""
        return self.codes + len(TARGETS) * (BINS + 1)


class Network(nn.Module):
    """Coder and writer; what only writes does not have the half of the coder that `reads`."""

    def __init__(self, config: Config, *, reads: bool = False) -> None:
        super().__init__()
        c = config
        self.coder = Coder(c, reads=reads)
        self.writer = GPT(c.vocabulary, len(TARGETS) + PLACES, c.width, c.layers, c.heads)


class Coder(nn.Module):
    """An autoencoder with a grid of codes between its halves, a token for each SHRINK^3 voxels."""

    encoder: nn.Module | None

    def __init__(self, config: Config, *, reads: bool = True) -> None:
        super().__init__()
        w, top, channels = config.coder_width, 4 * config.coder_width, len(config.levels)
        phases = len(config.phases)
        self.grid = Grid(config.levels)
        self.encoder = nn.Sequential(
            nn.Conv3d(phases, w, 4, 2, 1), nn.SiLU(),
            nn.Conv3d(w, 2 * w, 4, 2, 1), nn.GroupNorm(8, 2 * w), nn.SiLU(),
            nn.Conv3d(2 * w, top, 4, 2, 1), Residual(top),
            nn.GroupNorm(8, top), nn.SiLU(), nn.Conv3d(top, channels, 1),
        ) if reads else None  # fmt: skip
        self.decoder = nn.Sequential(
            nn.Conv3d(channels, top, 3, 1, 1), Residual(top), Residual(top),
            nn.ConvTranspose3d(top, 2 * w, 4, 2, 1), nn.GroupNorm(8, 2 * w), nn.SiLU(),
            nn.ConvTranspose3d(2 * w, w, 4, 2, 1), nn.GroupNorm(8, w), nn.SiLU(),
            nn.ConvTranspose3d(w, phases, 4, 2, 1),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        """One-hot volumes (B, phases, D, H, W) -> logits of the phases, through the codes."""
        return self.decoder(self.grid(self._read(x)))

    def tokens(self, x: Tensor) -> Tensor:
        """One-hot volumes -> numbers of their codes (B, places), z slowest and x fastest."""
        return self.grid.tokens(self.grid(self._read(x))).flatten(1)

    def _read(self, x: Tensor) -> Tensor:
        assert self.encoder is not None, "this coder only writes"
        found: Tensor = self.encoder(x)
        return found

    def logits(self, tokens: Tensor) -> Tensor:
        """Codes (B, n^3) -> logits of the phases (B, phases, 8 n, 8 n, 8 n)."""
        n = round(tokens.shape[1] ** (1 / 3))
        return self.decoder(self.grid.points(tokens.view(-1, n, n, n)))


def told(targets: Tensor, config: Config) -> Tensor:
    """Standardised targets (B, TARGETS), NaN where nothing is told, as tokens (B, TARGETS)."""
    place = (targets.nan_to_num().clamp(-REACH, REACH) + REACH) / (2 * REACH)
    bins = (place * BINS).long().clamp(max=BINS - 1)
    bins = torch.where(targets.isnan(), BINS, bins)
    return config.codes + bins + (BINS + 1) * torch.arange(len(TARGETS))


def coder_loss(coder: Coder, x: Tensor) -> Tensor:
    """Cross entropy of one-hot volumes through the codes, in nats a voxel."""
    return F.cross_entropy(coder(x), x.argmax(1))


def writer_loss(writer: GPT, prefix: Tensor, codes: Tensor) -> Tensor:
    """Cross entropy of codes (B, places) after their prefix (B, TARGETS), in nats a token."""
    tokens = torch.cat([prefix, codes], 1)
    counted = torch.ones_like(tokens)
    counted[:, : prefix.shape[1]] = 0
    return writer.loss(tokens, counted)
