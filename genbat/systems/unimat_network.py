"""The network of unimat, its noise and its loss.

See `genbat.systems.unimat` for what is the paper's and what was changed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

from genbat.families.blocks import quickly, time_waves
from genbat.families.gaussian import drift, expected, stepped
from genbat.families.transformer import Block, begin_weights
from genbat.systems.base import Settings
from genbat.systems.crystal_corpus import LatticeScale
from genbat.systems.unimat_table import NULL, PLACES, SEAM, SLOTS, Tables, off_grid, on_grid

STRETCH = 3.0  # coordinates times this: elements are decided at time 0.7, places at 0.2
MIDDLE, WIDTH = (0.44 - NULL) * STRETCH, 0.3 * STRETCH  # of an atom's stretched coordinate
BEYOND = 0.3  # of the cell: how far outside an atom may be guessed
WAVES = (1, 2, 3, 4)  # how often a coordinate's sine and cosine go round in the cell
WEIGHTS = {"counts": 0.2, "points": 1.0, "lattices": 0.5}


@dataclass(frozen=True)
class Config(Settings):
    """Sizes, and the scale of lattices; `sizes` and `kinds` count the training crystals by number
    of atoms and by number of elements."""

    scale: LatticeScale = field(default_factory=LatticeScale)
    sizes: tuple[int, ...] = ()
    kinds: tuple[int, ...] = ()
    width: int = 96
    layers: int = 6
    heads: int = 4
    steps_trained: int = 0


@dataclass(frozen=True)
class Noisy:
    """Noisy tables: stretched coordinates above NULL (B, PLACES, SLOTS, 3), standard lattices
    (B, 6), at times (B,)."""

    points: Tensor
    lattices: Tensor
    time: Tensor


@dataclass(frozen=True)
class Guess:
    """What the network sees in noisy tables.

    Attributes
    ----------
    counts : logits of 0 to SLOTS atoms of each element (B, PLACES, SLOTS + 1).
    points : stretched coordinates (B, PLACES, SLOTS, 3) of each slot if there is an atom in it.
    lattices : standard lattices (B, 6).
    """

    counts: Tensor
    points: Tensor
    lattices: Tensor


def chances(counts: Tensor) -> Tensor:
    """Chance that each slot holds an atom (B, PLACES, SLOTS): that there are more atoms of the
    element than slots before it; from logits of 0 to SLOTS atoms."""
    each = counts.softmax(-1)[..., 1:]
    return each.flip(-1).cumsum(-1).flip(-1)


class Layer(nn.Module):
    """A convolution over neighbours in the periodic table, then attention among all its places."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.told = nn.Linear(width, width)
        self.norm = nn.LayerNorm(width)
        self.near = nn.Conv2d(width, width, 3, padding=1, groups=width)
        self.mix = nn.Linear(width, width)
        self.block = Block(width, heads, 0.0, causal=False)

    def forward(self, h: Tensor, told: Tensor) -> Tensor:
        """h (B, PLACES + 1, width), the cell last; told (B, width)."""
        h = h + self.told(told)[:, None]
        table = on_grid(self.norm(h[:, :-1])).permute(0, 3, 1, 2)  # (B, width, ROWS, GROUPS)
        heard = off_grid(self.near(table).permute(0, 2, 3, 1))
        heard = F.pad(self.mix(F.silu(heard)), (0, 0, 0, 1))
        with sdpa_kernel(SDPBackend.MATH):  # the fused one's gradient takes ten times as long here
            return self.block(h + heard)


class Network(nn.Module):
    """Noisy tables and lattices to what they were."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        w, inner = config.width, 3 * SLOTS
        self.enter = nn.Linear(inner * (1 + 2 * len(WAVES)), w)
        self.enter_cell = nn.Linear(6, w)
        self.places = nn.Parameter(torch.zeros(PLACES + 1, w))
        self.time = nn.Sequential(nn.Linear(w, w), nn.SiLU(), nn.Linear(w, w))
        self.layers = nn.ModuleList(Layer(w, config.heads) for _ in range(config.layers))
        self.norm = nn.LayerNorm(w)
        self.counts = nn.Linear(w, SLOTS + 1)
        self.points, self.cell = nn.Linear(w, inner), nn.Linear(w, 6)
        self.apply(begin_weights)
        nn.init.normal_(self.places, std=0.5)
        nn.init.constant_(self.counts.bias[:1], 6.0)  # most elements are not there

    def forward(self, x: Noisy) -> Guess:
        """What the tables were, in 32 bits."""
        with quickly(self.training):
            h = torch.cat([self.enter(seen(x)), self.enter_cell(x.lattices)[:, None]], 1)
            h = h + self.places
            told = self.time(time_waves(x.time, self.places.shape[1]))
            for layer in self.layers:
                h = layer(h, told)
            h = self.norm(h)
            outs = self.counts(h[:, :-1]), self.points(h[:, :-1]), self.cell(h[:, -1])
        counts, points, cell = (out.float() for out in outs)
        return Guess(
            counts,
            refined(x.points, x.time, points.unflatten(-1, (SLOTS, 3)), MIDDLE, WIDTH),
            refined(x.lattices, x.time, cell, 0.0, 1.0),
        )


def seen(x: Noisy) -> Tensor:
    """What the network reads of each place (B, PLACES, inner): the noisy numbers themselves, and
    waves of what they would be as coordinates of an atom."""
    keep, _ = drift(x.time)
    fraction = x.points / (STRETCH * keep.clamp(min=0.05).view(-1, 1, 1, 1)) + NULL
    angles = fraction[..., None] * (2 * math.pi * torch.tensor(WAVES))
    return torch.cat([x.points[..., None], angles.sin(), angles.cos()], -1).flatten(2)


def refined(x: Tensor, time: Tensor, step: Tensor, middle: float, width: float) -> Tensor:
    """The linear guess of clean numbers, moved by the network's step in units of what that guess
    leaves open (Karras et al., arXiv 2206.00364, Eq. 7, for noise that preserves variance)."""
    guess, open_ = expected(x, time, middle, width)
    return guess + open_ * step


# ---------------------------------------------------------------------- objective
def stretched(points: Tensor) -> Tensor:
    """Coordinates as they are diffused: the null location is zero."""
    return (points - NULL) * STRETCH


def losses(
    network: Network, x: Tables, lattices: Tensor, time: Tensor, generator: torch.Generator
) -> dict[str, Tensor]:
    """Cross entropy of the numbers of atoms (nats a crystal); mean squared errors of the atoms'
    coordinates and of the lattice, each in units of what the noise leaves open."""
    clean = stretched(x.points)
    keep, blur = drift(time)
    wide = lambda part, like: part.view(-1, *[1] * (like.ndim - 1))  # noqa: E731
    draw = lambda like: torch.randn(like.shape, generator=generator)  # noqa: E731
    noisy = Noisy(
        wide(keep, clean) * clean + wide(blur, clean) * draw(clean),
        wide(keep, lattices) * lattices + wide(blur, lattices) * draw(lattices),
        time,
    )
    guess = network(noisy)
    here = torch.arange(SLOTS) < x.counts[..., None]
    _, open_ = expected(noisy.points, time, MIDDLE, WIDTH)
    _, open_cell = expected(noisy.lattices, time, 0.0, 1.0)
    wrong = ((guess.points - clean) / open_).square().mean(-1) * here
    likely = F.cross_entropy(guess.counts.flatten(0, 1), x.counts.flatten(), reduction="sum")
    return {
        "counts": likely / len(clean),
        "points": (wrong.sum((1, 2)) / here.sum((1, 2))).mean(),
        "lattices": ((guess.lattices - lattices) / open_cell).square().mean(),
    }


# ---------------------------------------------------------------------- the way back
@dataclass(frozen=True)
class Plan:
    """How to sample: steps, DDIM's eta (0 for the deterministic sampler), and how often a crystal
    may be denoised at the most until it is one with the number of elements that was drawn."""

    steps: int = 50
    eta: float = 0.0
    tries: int = 6


@dataclass(frozen=True)
class State:
    """Tables on the way from noise: what is noisy, at a time in [0, 1], and what the network sees
    in it: chances (B, PLACES, SLOTS), stretched coordinates, standard lattices."""

    noisy: Noisy
    chances: Tensor
    points: Tensor
    lattices: Tensor

    def told(self) -> Tensor:
        """The tensor (B, PLACES, SLOTS, 3) that the network thinks likeliest, as coordinates; a
        crystal of no atom gets its likeliest one."""
        likely = self.chances > 0.5
        best = self.chances.flatten(1).argmax(1)
        first = F.one_hot(best, PLACES * SLOTS).bool().view_as(likely)
        likely = likely | (first & ~likely.any((1, 2), keepdim=True))
        # A guess far outside the cell must not look like the null location.
        places = (self.points / STRETCH + NULL).clamp(-SEAM - BEYOND, 1 - SEAM + BEYOND)
        return torch.where(likely[..., None], places, NULL)


@torch.inference_mode()
def denoise(
    network: Network, generators: Sequence[torch.Generator], plan: Plan, allowed: Tensor
) -> Iterator[State]:
    """From noise to tables, one for each generator; the state before each step, and the last.

    Parameters
    ----------
    allowed : numbers of atoms each element may have (B, PLACES, SLOTS + 1), booleans.
    """
    draw = lambda *shape: torch.stack(  # noqa: E731
        [torch.randn(shape, generator=g) for g in generators]
    )

    def look(points: Tensor, lattices: Tensor, time: Tensor) -> State:
        noisy = Noisy(points, lattices, time.expand(len(points)))
        guess = network(noisy)
        likely = chances(guess.counts.masked_fill(~allowed, -torch.inf))
        return State(noisy, likely, guess.points, guess.lattices)

    times = torch.linspace(1.0, 0.0, plan.steps + 1)
    state = look(draw(PLACES, SLOTS, 3), draw(6), times[0])
    for now, later in pairwise(times):
        yield state
        if later == 0:
            break
        # The null location is zero: what the tensor is expected to be at a slot is the atom's place
        # times the chance that there is one.
        clean = state.points * state.chances[..., None]
        fresh = (draw(PLACES, SLOTS, 3), draw(6)) if plan.eta else (None, None)
        points = stepped(state.noisy.points, clean, now, later, fresh[0], plan.eta)
        lattices = stepped(state.noisy.lattices, state.lattices, now, later, fresh[1], plan.eta)
        state = look(points, lattices, later)
    end = Noisy(stretched(state.told()), state.lattices, torch.zeros(len(generators)))
    yield replace(state, noisy=end)
