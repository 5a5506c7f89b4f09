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
from genbat.families.masking import hide, masked_loss, reveal
from genbat.families.wrapped import (
    langevin_step,
    reverse_step,
    score_norm,
    sigma_at,
    wrap,
    wrapped_score,
)
from genbat.systems.base import Settings
from genbat.systems.crystal_corpus import MASK, TARGETS, LatticeScale

KINDS = 84  # atomic numbers up to bismuth; 0 is the mask
GROUPS = 231
GIVEN = 0.25  # share of the training with types shown
WEIGHTS = {"kinds": 1.0, "fractions": 1.0, "lattices": 1.0}


@dataclass(frozen=True)
class Config(Settings):
    """Sizes and scales: all that the weights need to be used.

    `sizes` counts the training crystals of 0, 1, 2, ... atoms; new ones have as many.
    """

    width: int = 160
    layers: int = 4
    frequencies: int = 10
    scale: LatticeScale = field(default_factory=LatticeScale)
    sizes: tuple[int, ...] = (0, 1)
    mean: tuple[float, ...] = (0.0,) * len(TARGETS)
    spread: tuple[float, ...] = (1.0,) * len(TARGETS)
    adapters: tuple[str, ...] = ()
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
    """The score network and its adapters."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        c = config
        self.net = CrystalNet(KINDS, c.width, c.layers, c.frequencies)
        self.adapters = nn.ModuleDict(
            {name: Adapter(INPUTS[name], c.width, c.layers) for name in c.adapters}
        )


def number_waves(value: Tensor) -> Tensor:
    """A standardised number (B,) as an adapter's input (B, 16)."""
    k = 0.5 ** torch.arange(-1, 7)
    angles = value[:, None] * k * math.pi
    return torch.cat([angles.sin(), angles.cos()], 1)


# ---------------------------------------------------------------------- noise
def drift(time: Tensor) -> tuple[Tensor, Tensor]:
    """What is left of a lattice and how much noise it has at a time: cosine schedule (Nichol and
    Dhariwal, arXiv 2102.09672), variance preserving."""
    angle = time * (math.pi / 2)
    return angle.cos(), angle.sin()


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


def barred(logits: Tensor, allowed: Tensor | None = None) -> Tensor:
    """Logits without the mask and, where given, without what is not `allowed` (B, KINDS)."""
    bar = torch.zeros_like(logits[..., :1]).expand_as(logits).clone()
    bar[..., MASK] = -torch.inf
    if allowed is not None:
        bar = bar.masked_fill(~allowed[:, None], -torch.inf)
    return logits + bar


# ---------------------------------------------------------------------- the way back
@dataclass(frozen=True)
class Plan:
    """How to sample: steps, Langevin steps after each, signal to noise of these, guidance."""

    steps: int = 100
    correctors: int = 1
    snr: float = 0.3
    guidance: float = 2.0


@torch.inference_mode()
def denoise(
    network: Network,
    start: Crystals,
    plan: Plan,
    generator: torch.Generator,
    *,
    hints: Tensor | None = None,
    allowed: Tensor | None = None,
    required: Sequence[int] = (),
) -> Crystals:
    """From noise to crystals; types that are not masked at the start stay as they are.

    Parameters
    ----------
    hints : sum of the adapters' outputs (layers, B, width).
    allowed : which elements may be revealed (B, KINDS), booleans.
    required : atomic numbers that every crystal must hold; it needs as many atoms.
    """
    times = torch.linspace(1.0, 0.0, plan.steps + 1)
    widths = sigma_at(times)
    norms = score_norm(widths)
    x = start
    for k in range(plan.steps):
        now, then = times[k], times[k + 1]
        look = lambda y, t=now: guided(network, y, t.expand(len(y)), plan.guidance, hints)  # noqa: E731
        for _ in range(plan.correctors):
            step, score = (plan.snr * widths[k]) ** 2 / 2, look(x).fractions * norms[k]
            x = replace(x, fractions=langevin_step(x.fractions, score, step, generator))
        guess = look(x)
        score = guess.fractions * norms[k]
        logits = barred(guess.kinds, allowed)
        kinds = reveal(x.kinds, logits, float(now), float(then), MASK, generator)
        kinds = with_required(kinds, (x.kinds == MASK) & x.here, logits, required)
        fractions = reverse_step(x.fractions, score, widths[k], widths[k + 1], generator)
        x = replace(x, kinds=kinds, fractions=fractions, lattices=_lattice(x, guess, now, then))
    last = guided(network, x, times[-1].expand(len(x)), plan.guidance, hints)
    return replace(x, fractions=wrap(x.fractions + widths[-1] ** 2 * norms[-1] * last.fractions))


def with_required(kinds: Tensor, fresh: Tensor, logits: Tensor, required: Sequence[int]) -> Tensor:
    """Types (B, N) in which every required element has come or still finds a hidden atom.

    Where too few hidden atoms are left, atoms revealed just now (those of `fresh`) take the missing
    elements, the likeliest under `logits` (B, N, KINDS); a required element keeps one atom.
    """
    if not required:
        return kinds
    kinds = kinds.clone()
    for k, own in enumerate(kinds):
        missing = [z for z in required if not (own == z).any()]
        hidden = int((fresh[k] & (own == MASK)).sum())
        spare = [n for n in torch.nonzero(fresh[k] & (own != MASK))[:, 0].tolist()
                 if own[n] not in required or (own == own[n]).sum() > 1]  # fmt: skip
        for _ in range(len(missing) - hidden):
            gain = logits[k][spare][:, missing]
            place, element = divmod(int(gain.argmax()), len(missing))
            own[spare.pop(place)] = missing.pop(element)
            spare = [n for n in spare if own[n] not in required or (own == own[n]).sum() > 1]
    return kinds


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


def _lattice(x: Crystals, guess: Guess, now: Tensor, then: Tensor) -> Tensor:
    """The lattice one deterministic step nearer (DDIM, Song et al., arXiv 2010.02502)."""
    (keep, blur), (keep2, blur2) = drift(now), drift(then)
    clean = keep * x.lattices - blur * guess.lattices
    noise = blur * x.lattices + keep * guess.lattices
    return keep2 * clean.clamp(-4.0, 4.0) + blur2 * noise


def blank(sizes: Sequence[int], generator: torch.Generator) -> Crystals:
    """Pure noise with so many atoms each."""
    counts = torch.tensor(list(sizes))
    most = int(counts.max())
    here = torch.arange(most)[None] < counts[:, None]
    kinds = torch.full((len(counts), most), MASK)
    fractions = torch.rand(len(counts), most, 3, generator=generator)
    return Crystals(kinds, fractions, torch.randn(len(counts), 6, generator=generator), here)
