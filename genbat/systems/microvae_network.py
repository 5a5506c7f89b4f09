"""The networks of microvae: a latent of the whole texture, and one of where everything lies.

See `genbat.systems.microvae` for what is the literature's and what was changed.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from genbat.families.blocks import HeadEnsemble
from genbat.families.vae import Posterior
from genbat.systems.base import Settings

SIDE, SHRINK = 64, 8  # voxels along an edge in training; voxels a place of the local latent
TARGETS = ("porosity", "binder", "tau_z", "surface", "grain")
# Targets that span decades are learnt as logarithms.
LOGARITHMIC = ("tau_z",)


@dataclass(frozen=True)
class Config(Settings):
    """Sizes and scales: all that the weights need to be used."""

    phases: tuple[str, ...] = ("pore", "active material", "carbon-binder")
    voxel_um: tuple[float, ...] = ()
    width: int = 24
    local: int = 4
    latent: int = 16
    hidden: int = 128
    members: int = 5
    head_hidden: int = 64
    mean: tuple[float, ...] = (0.0,) * len(TARGETS)
    spread: tuple[float, ...] = (1.0,) * len(TARGETS)
    quantile: tuple[float, ...] = (1.645,) * len(TARGETS)
    floor: tuple[float, ...] = (0.3,) * len(TARGETS)
    steps_trained: int = 0


class Network(nn.Module):
    """q(g|x), q(l|x), p(l|g) and p(x|l, g): g (B, latent) is the texture, l (B, local, n, n, n)
    where its parts lie, a place for each SHRINK^3 voxels."""

    centre: Tensor
    axes: Tensor

    def __init__(self, config: Config) -> None:
        super().__init__()
        c = config
        self.encoder = Encoder(c)
        self.prior = nn.Sequential(
            nn.Linear(c.latent, c.hidden), nn.SiLU(), nn.Linear(c.hidden, 2 * c.local)
        )
        self.decoder = Decoder(c)
        self.heads = HeadEnsemble(c.members, c.latent, c.head_hidden, len(TARGETS))
        # The normal distribution of the training's g: mean, and the Cholesky factor.
        self.register_buffer("centre", torch.zeros(c.latent))
        self.register_buffer("axes", torch.eye(c.latent))

    def places(self, g: Tensor) -> Posterior:
        """p(l|g), the same at every place; mean and log variance (B, local, 1, 1, 1)."""
        mean, log_variance = self.prior(g).float()[..., None, None, None].chunk(2, 1)
        return Posterior(mean, log_variance.clamp(-6.0, 4.0))


class Encoder(nn.Module):
    """Shares of the phases (B, phases, D, H, W) to q(g|x) and q(l|x)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        w, top = config.width, 4 * config.width
        self.down = nn.Sequential(
            nn.Conv3d(len(config.phases), w, 4, 2, 1), nn.SiLU(),
            nn.Conv3d(w, 2 * w, 4, 2, 1), nn.GroupNorm(8, 2 * w), nn.SiLU(),
            nn.Conv3d(2 * w, top, 4, 2, 1),
        )  # fmt: skip
        self.block = Residual(top)
        self.local = nn.Conv3d(top, 2 * config.local, 1)
        self.texture = nn.Sequential(
            nn.Linear(2 * top, config.hidden),
            nn.SiLU(),
            nn.Linear(config.hidden, 2 * config.latent),
        )

    def forward(self, x: Tensor) -> tuple[Posterior, Posterior]:
        """q(g|x) from mean and spread over all places, which know nothing of where; q(l|x)."""
        h = self.block(self.down(x))
        pooled = torch.cat([h.mean((2, 3, 4)), h.std((2, 3, 4))], 1)
        return _posterior(self.texture(pooled)), _posterior(self.local(F.silu(h)))


def _posterior(values: Tensor) -> Posterior:
    mean, log_variance = values.float().chunk(2, 1)  # the bound's terms in full precision
    return Posterior(mean, log_variance.clamp(-10.0, 4.0))


class Decoder(nn.Module):
    """l and g to logits of the phases; g scales and shifts every stage (Perez et al., FiLM, arXiv
    1709.07871)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        w, top = config.width, 4 * config.width
        self.first = nn.Conv3d(config.local, top, 3, 1, 1)
        self.blocks = nn.ModuleList(Residual(top, config.latent) for _ in range(2))
        self.ups = nn.ModuleList(
            [nn.ConvTranspose3d(top, 2 * w, 4, 2, 1), nn.ConvTranspose3d(2 * w, w, 4, 2, 1)]
        )
        self.films = nn.ModuleList([Film(2 * w, config.latent), Film(w, config.latent)])
        self.last = nn.ConvTranspose3d(w, len(config.phases), 4, 2, 1)

    def forward(self, local: Tensor, g: Tensor) -> Tensor:
        """(B, local, n, n, n), (B, latent) -> (B, phases, 8 n, 8 n, 8 n)."""
        h = self.first(local)
        for block in self.blocks:
            h = block(h, g)
        for up, film in zip(self.ups, self.films, strict=True):
            h = F.silu(film(up(h), g))
        return self.last(h)


class Film(nn.Module):
    """Normalisation whose scale and shift come from g."""

    def __init__(self, width: int, latent: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(8, width, affine=False)
        self.told = nn.Linear(latent, 2 * width)

    def forward(self, h: Tensor, g: Tensor) -> Tensor:
        """h (B, width, ...) -> h."""
        scale, shift = self.told(g)[..., None, None, None].chunk(2, 1)
        return self.norm(h) * (1 + scale) + shift


class Residual(nn.Module):
    """Two convolutions beside the identity; told g where it has a `latent`."""

    def __init__(self, width: int, latent: int = 0) -> None:
        super().__init__()
        self.film = Film(width, latent) if latent else nn.GroupNorm(8, width)
        self.one, self.two = nn.Conv3d(width, width, 3, 1, 1), nn.Conv3d(width, width, 3, 1, 1)

    def forward(self, h: Tensor, g: Tensor | None = None) -> Tensor:
        """h (B, width, ...) -> h."""
        x = self.film(h) if g is None else self.film(h, g)
        return h + self.two(F.silu(self.one(F.silu(x))))


# ---------------------------------------------------------------------- objective
def losses(network: Network, x: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
    """The bound's parts for one-hot volumes (B, phases, D, H, W), in nats a voxel."""
    texture, local = network.encoder(x)
    g, places = texture.sample(generator), local.sample(generator)
    logits = network.decoder(places, g)
    voxels = float(x[0, 0].numel())
    prior = network.places(g)
    return {
        "voxels": F.cross_entropy(logits, x.argmax(1)),
        "places": between(local, prior).flatten(1).sum(1).mean() / voxels,
        "texture": texture.divergence().mean() / voxels,
    }


def between(one: Posterior, two: Posterior) -> Tensor:
    """KL(one || two) of diagonal normal distributions, elementwise, in nats."""
    gap = one.mean - two.mean
    ratio = (one.log_variance - two.log_variance).exp()
    return 0.5 * (ratio + gap**2 * (-two.log_variance).exp() - 1 - one.log_variance
                  + two.log_variance)  # fmt: skip


def assigned(logits: Tensor, shares: Tensor | None = None) -> Tensor:
    """Phases (B, D, H, W) whose fractions are what the network expects or, where given, `shares`
    (B, phases): phase by phase, the rarest first, takes the voxels that speak most for it against
    the phases still to come.

    The plain likeliest phase loses what is thin wherever it is uncertain: carbon-binder of ten per
    cent can vanish altogether.
    """
    wanted = torch.softmax(logits, 1).mean((2, 3, 4)) if shares is None else shares
    return torch.stack([_assigned(own, share) for own, share in zip(logits, wanted, strict=True)])


def _assigned(logits: Tensor, shares: Tensor) -> Tensor:
    """`assigned` of one volume (phases, D, H, W)."""
    order = torch.argsort(shares, stable=True).tolist()
    flat, count = logits.flatten(1), logits[0].numel()
    labels = torch.full((count,), order[-1])
    free = torch.arange(count)
    for place, phase in enumerate(order[:-1]):
        rivals = flat[order[place + 1 :]][:, free]
        margin = flat[phase, free] - torch.logsumexp(rivals, 0)
        taken = margin.topk(min(len(free), round(float(shares[phase]) * count))).indices
        labels[free[taken]] = phase
        left = torch.ones(len(free), dtype=torch.bool)
        left[taken] = False
        free = free[left]
    return labels.view(logits.shape[1:])
