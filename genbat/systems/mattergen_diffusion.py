"""The diffusion of mattergen: its network with adapters, the noise, the loss and the way back.

See `genbat.systems.mattergen` for what is the paper's and what was changed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from genbat.families.crystal_net import CrystalNet, Crystals, Guess, centred
from genbat.families.gaussian import drift
from genbat.families.masking import hide, masked_loss
from genbat.families.wrapped import (
    langevin_step,
    reverse_step,
    score_norm,
    sigma_at,
    training_time,
    wrap,
    wrapped_score,
)
from genbat.systems.base import Settings
from genbat.systems.crystal_corpus import MASK, TARGETS, LatticeScale
from genbat.systems.mattergen_heads import Heads
from genbat.systems.mattergen_moulds import Cast, Moulds
from genbat.systems.mattergen_types import barred, revealed

KINDS = 84  # atomic numbers up to bismuth; 0 is the mask
GROUPS = 231
GIVEN = 0.25  # share of the training with types shown
DOUBT_TIME, LOOKS = 0.4, 4
WEIGHTS = {"kinds": 1.0, "fractions": 1.0, "lattices": 1.0}


@dataclass(frozen=True)
class Config(Settings):
    """Sizes and scales: all that the weights need to be used.

    `sizes` counts the training crystals of 0, 1, 2, ... atoms; `moulds` counts what `Moulds` holds.
    """

    width: int = 160
    layers: int = 4
    frequencies: int = 10
    members: int = 5
    head_hidden: int = 96
    scale: LatticeScale = field(default_factory=LatticeScale)
    sizes: tuple[int, ...] = (0, 1)
    mean: tuple[float, ...] = (0.0,) * len(TARGETS)
    spread: tuple[float, ...] = (1.0,) * len(TARGETS)
    adapters: tuple[str, ...] = ()
    moulds: tuple[int, ...] = (0, 0, 0)
    steps_trained: int = 0


class Adapter(nn.Module):
    """A condition's way into the frozen network: one vector a layer, zero before it is trained."""

    def __init__(self, inputs: int, width: int, layers: int) -> None:
        super().__init__()
        self.embed = nn.Sequential(nn.Linear(inputs, width), nn.SiLU(), nn.Linear(width, width))
        self.out = nn.ModuleList(_zero(nn.Linear(width, width)) for _ in range(layers))

    def forward(self, wish: Tensor) -> Tensor:
        """Wishes (B, inputs) -> (layers, B, width)."""
        x = self.embed(wish)
        return torch.stack([layer(x) for layer in self.out])


def _zero(layer: nn.Linear) -> nn.Linear:
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


INPUTS = {**dict.fromkeys(TARGETS, 16), "space_group": GROUPS, "elements": KINDS}


class Network(nn.Module):
    """The score network, its adapters and heads, and the moulds of its training set."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        c = config
        self.net = CrystalNet(KINDS, c.width, c.layers, c.frequencies)
        self.adapters = nn.ModuleDict(
            {name: Adapter(INPUTS[name], c.width, c.layers) for name in c.adapters}
        )
        self.heads = Heads(KINDS, c.width, c.members, c.head_hidden).requires_grad_(False)
        self.moulds = Moulds(c.moulds)


def number_waves(value: Tensor) -> Tensor:
    """A standardised number (B,) as an adapter's input (B, 16)."""
    k = 0.5 ** torch.arange(-1, 7)
    angles = value[:, None] * k * math.pi
    return torch.cat([angles.sin(), angles.cos()], 1)


# ---------------------------------------------------------------------- noise
@dataclass(frozen=True)
class Noisy:
    """Crystals at a time (B,) of their own, and what the network should say of them."""

    x: Crystals
    time: Tensor
    score: Tensor
    velocity: Tensor
    hidden: Tensor


def add_noise(x: Crystals, time: Tensor, generator: torch.Generator | None = None) -> Noisy:
    """Each part of the crystals at a time in [0, 1]."""
    shown = torch.rand(len(x), generator=generator) < GIVEN
    kinds = hide(x.kinds, torch.where(shown, 0.0, time)[:, None], MASK, generator)
    sigma = sigma_at(time)[:, None, None]
    shift = sigma * torch.randn(x.fractions.shape, generator=generator)
    score = wrapped_score(shift, sigma) / score_norm(sigma_at(time))[:, None, None]
    keep, blur = (part[:, None] for part in drift(time))
    noise = torch.randn(x.lattices.shape, generator=generator)
    lattices = keep * x.lattices + blur * noise
    noisy = replace(x, kinds=kinds, fractions=wrap(x.fractions + shift), lattices=lattices)
    score = centred(score, x.here)
    return Noisy(noisy, time, score, keep * noise - blur * x.lattices, (kinds == MASK) & x.here)


def loss_of(guess: Guess, x: Crystals, noisy: Noisy) -> dict[str, Tensor]:
    """Parts of the loss: cross entropy of hidden types (nats an atom), and mean squared errors of
    scaled scores and of the lattice's velocity (Salimans and Ho, arXiv 2202.00512)."""
    here = x.here.float()
    atoms = here.sum()
    logits = barred(guess.kinds)
    wrong = ((guess.fractions - noisy.score) ** 2).mean(-1) * here
    return {
        "kinds": masked_loss(logits, x.kinds, noisy.hidden).sum() / atoms,
        "fractions": wrong.sum() / atoms,
        "lattices": ((guess.lattices - noisy.velocity) ** 2).mean(),
    }


# ---------------------------------------------------------------------- the way back
@dataclass(frozen=True)
class Plan:
    """How to sample.

    Attributes
    ----------
    steps, correctors, snr : steps, Langevin steps at each, and signal to noise of these.
    guidance : how far beyond the plain guess the asked one is taken.
    temperature : what the logits of types are divided by.
    symmetric : whether moulds are kept to.
    tries : crystals cast in each mould, of which the one of least `doubt` is taken.
    kept : share of the moulds whose crystal is kept, those of least doubt.
    choosy : how much doubt one standard deviation between what the heads expect of a crystal and
        the window that was asked for counts as.
    """

    steps: int = 30
    correctors: int = 1
    snr: float = 0.3
    guidance: float = 2.0
    temperature: float = 0.7
    symmetric: bool = True
    tries: int = 2
    kept: float = 0.6
    choosy: float = 4.0


@torch.inference_mode()
def denoise(
    network: Network,
    start: Crystals,
    plan: Plan,
    generator: torch.Generator,
    *,
    cast: Cast,
    hints: Tensor | None = None,
    allowed: Tensor | None = None,
    required: Sequence[frozenset[int]] = (),
) -> Crystals:
    """From noise to crystals; types that are not masked at the start stay as they are.

    Parameters
    ----------
    cast : the moulds that the crystals keep to.
    hints : sum of the adapters' outputs (layers, B, width).
    allowed : which elements may be revealed (B, KINDS), booleans.
    required : sets of atomic numbers, of each of which every crystal must hold one; it needs as
        many orbits.
    """
    times = training_time(torch.linspace(1.0, 0.0, plan.steps + 1))
    widths = sigma_at(times)
    norms = score_norm(widths)

    def look(x: Crystals, k: int) -> Guess:
        """What of the network's guess keeps the symmetry."""
        blurred = wrap(x.fractions + widths[k] * cast.blur(generator))
        time, seen = times[k].expand(len(x)), replace(x, fractions=blurred)
        guess = guided(network, seen, time, plan.guidance, hints)
        score = cast.moves(guess.fractions) * norms[k]
        return replace(guess, kinds=cast.alike(guess.kinds), fractions=score)

    x = start
    for k in range(plan.steps):
        for _ in range(plan.correctors):
            step, score = (plan.snr * widths[k]) ** 2 / 2, look(x, k).fractions
            moved = langevin_step(x.fractions, score, step, cast.noise(generator))
            x = replace(x, fractions=moved)
        guess, noise = look(x, k), cast.noise(generator)
        logits, both = barred(guess.kinds / plan.temperature, allowed), (times[k], times[k + 1])
        kinds = revealed(x, logits, both, cast, required, generator)
        moved = reverse_step(x.fractions, guess.fractions, widths[k], widths[k + 1], noise)
        lattices = _lattice(x, guess, both, cast, generator)
        x = replace(x, kinds=kinds, fractions=moved, lattices=lattices)
    last = look(x, plan.steps).fractions
    return replace(x, fractions=wrap(x.fractions + widths[-1] ** 2 * last))


def guided(
    network: Network, x: Crystals, time: Tensor, guidance: float, hints: Tensor | None
) -> Guess:
    """Classifier-free guidance (Ho and Salimans, arXiv 2207.12598): plain + g (asked - plain)."""
    plain = network.net(x, time)
    if hints is None:
        return plain
    asked = network.net(x, time, hints=hints)
    mix = lambda name: torch.lerp(getattr(plain, name), getattr(asked, name), guidance)  # noqa: E731
    return Guess(mix("kinds"), mix("fractions"), mix("lattices"), plain.states)


def _lattice(
    x: Crystals, guess: Guess, times: tuple[Tensor, Tensor], cast: Cast, generator: torch.Generator
) -> Tensor:
    """The lattice at the later of two times, drawn between what it is and what the network sees of
    it, made symmetric (Ho et al., arXiv 2006.11239, Eq. 6)."""
    (keep, blur), (keep2, blur2) = drift(times[0]), drift(times[1])
    clean = (keep * x.lattices - blur * guess.lattices).clamp(-4.0, 4.0)
    ratio = keep / keep2
    gained = blur**2 - (ratio * blur2) ** 2
    mean = ratio * (blur2 / blur) ** 2 * x.lattices + keep2 * gained / blur**2 * cast.lattices(
        clean
    )
    noise = torch.randn(x.lattices.shape, generator=generator)
    return mean + gained.clamp(min=0.0).sqrt() * blur2 / blur * noise


@torch.inference_mode()
def doubt(network: Network, x: Crystals, generator: torch.Generator) -> Tensor:
    """How badly the network finds the way back to crystals (B,): the part of its loss that concerns
    coordinates, at DOUBT_TIME, mean of LOOKS. Weighted over all times it bounds the likelihood
    (Song et al., arXiv 2101.09258); at this one it tells best which crystals CHGNet will move."""
    time = torch.full((len(x),), DOUBT_TIME)
    total, here = torch.zeros(len(x)), x.here.float()
    for _ in range(LOOKS):
        noisy = add_noise(x, time, generator)
        guess = network.net(noisy.x, time)
        wrong = ((guess.fractions - noisy.score) ** 2).mean(-1)
        total += (wrong * here).sum(1) / here.sum(1)
    return total / LOOKS


def blank(cast: Cast, generator: torch.Generator) -> Crystals:
    """Pure noise in the moulds."""
    here = torch.arange(cast.first.shape[1])[None] < cast.sizes[:, None]
    kinds = torch.full(here.shape, MASK)
    lattices = torch.randn(len(here), 6, generator=generator)
    return Crystals(kinds, cast.start(generator), lattices, here)
