"""The networks of cubicgan, and its crystals as numbers: three base atoms and an edge.

See `genbat.systems.cubicgan` for what is the paper's and what was changed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import torch
from torch import Tensor, nn

from genbat.domains.crystals.chgnet_graph import Floats
from genbat.domains.crystals.ions import covalent_radius
from genbat.domains.crystals.symmetric import Orbit, Symmetric
from genbat.domains.crystals.symmetry import FIRST_CUBIC
from genbat.domains.crystals.wyckoff import Position, space_group
from genbat.families.latent_net import Residuals
from genbat.systems.base import Settings

ATOMS = 3  # base atoms, one of each element
NUMBERS = 2 * 3 * ATOMS + 1  # of a crystal: cosines and sines of nine coordinates, and the edge
EDGE = 3.0  # spread of the edge among the numbers: a critic sees it beside eighteen of the places
SNAP = 0.08  # of the edge: within it the most special position is taken
_IMAGES = np.array(list(product((-1, 0, 1), repeat=3)))


@dataclass(frozen=True)
class Config(Settings):
    """Sizes, and what the training crystals hold: all that the weights need to be used.

    `letters` has the Wyckoff letters that each of `groups` has in training; `mean` and `spread` are
    of the logarithm of the edge over that of touching spheres.
    """

    noise: int = 32
    width: int = 192
    layers: int = 3
    embedding: int = 32
    groups: tuple[int, ...] = ()
    letters: tuple[str, ...] = ()
    elements: tuple[str, ...] = ()
    mean: float = 0.0
    spread: float = 1.0
    steps_trained: int = 0


@dataclass(frozen=True)
class Asked:
    """What B crystals are to be: numbers of their groups (B,) and elements (B, ATOMS) in the
    config's lists."""

    groups: Tensor
    elements: Tensor

    def rows(self, rows: Tensor) -> Asked:
        """Some of them."""
        return Asked(self.groups[rows], self.elements[rows])


class Labels(nn.Module):
    """Space group and elements as learnt vectors."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.group = nn.Embedding(len(config.groups), config.embedding)
        self.element = nn.Embedding(len(config.elements), config.embedding)
        self.size = (1 + ATOMS) * config.embedding

    def forward(self, asked: Asked) -> Tensor:
        """(B, size)."""
        return torch.cat([self.group(asked.groups), self.element(asked.elements).flatten(1)], 1)


class Generator(nn.Module):
    """Noise, group and elements to a crystal's numbers; `often` counts how often the training has
    each element in each place of a group, (groups, ATOMS, elements)."""

    often: Tensor

    def __init__(self, config: Config) -> None:
        super().__init__()
        c = config
        self.labels = Labels(c)
        self.net = Residuals(c.noise + self.labels.size, NUMBERS, c.width, c.layers)
        shape = len(c.groups), ATOMS, len(c.elements)
        self.register_buffer("often", torch.zeros(shape, dtype=torch.int32))

    def forward(self, noise: Tensor, asked: Asked) -> Tensor:
        """(B, noise) -> (B, NUMBERS), the pairs of cosine and sine on the circle."""
        out = self.net(torch.cat([noise, self.labels(asked)], 1))
        pairs = out[:, :-1].unflatten(1, (-1, 2))
        circle = pairs / pairs.norm(dim=2, keepdim=True).clamp(min=1e-6)
        return torch.cat([circle.flatten(1), out[:, -1:]], 1)


class Critic(nn.Module):
    """A crystal's numbers beside group and elements, to one score."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.labels = Labels(config)
        self.net = Residuals(NUMBERS + self.labels.size, 1, config.width, config.layers)

    def forward(self, numbers: Tensor, asked: Asked) -> Tensor:
        """(B, NUMBERS) -> (B, 1)."""
        return self.net(torch.cat([numbers, self.labels(asked)], 1))


# ---------------------------------------------------------------------- crystals as numbers
def is_ours(crystal: Symmetric) -> bool:
    """Whether a crystal is cubic and has three base atoms of three elements."""
    elements = {orbit.element for orbit in crystal.orbits}
    return crystal.group >= FIRST_CUBIC and len(crystal.orbits) == len(elements) == ATOMS


def touching_edge(crystal: Symmetric) -> float:
    """Edge (Å) of the conventional cell whose volume is that of cubes around touching covalent
    spheres."""
    positions = space_group(crystal.group).positions
    volumes = [positions[o.letter].count * (2 * covalent_radius(o.element)) ** 3
               for o in crystal.orbits]  # fmt: skip
    return float(np.cbrt(sum(volumes)))


def numbers_of(crystals: Sequence[Symmetric], config: Config) -> Tensor:
    """Crystals as numbers (B, NUMBERS)."""
    rows = []
    for crystal in crystals:
        positions = space_group(crystal.group).positions
        points = [positions[o.letter].point(np.array(o.free)) for o in crystal.orbits]
        angles = 2 * math.pi * np.concatenate(points)
        edge = math.log(crystal.cell[0] / touching_edge(crystal))
        circle = np.stack([np.cos(angles), np.sin(angles)], 1).ravel()
        rows.append([*circle, EDGE * (edge - config.mean) / config.spread])
    return torch.tensor(np.array(rows)).float()


def asked_of(crystals: Sequence[Symmetric], config: Config) -> Asked:
    """Groups and elements of crystals."""
    groups = [config.groups.index(crystal.group) for crystal in crystals]
    elements = [[config.elements.index(o.element) for o in c.orbits] for c in crystals]
    return Asked(torch.tensor(groups), torch.tensor(elements))


def crystals_of(numbers: Tensor, asked: Asked, config: Config) -> list[Symmetric]:
    """Inverse of `numbers_of`: each base atom is put on the position it lies next to."""
    out = []
    rows = zip(numbers.double().numpy(), asked.groups.tolist(), asked.elements.tolist(),
               strict=True)  # fmt: skip
    for row, place, elements in rows:
        group, letters = config.groups[place], config.letters[place]
        pairs = row[:-1].reshape(ATOMS, 3, 2)
        points = np.arctan2(pairs[..., 1], pairs[..., 0]) / (2 * math.pi)
        orbits = [snapped(point, group, letters, config.elements[e])
                  for point, e in zip(points, elements, strict=True)]  # fmt: skip
        bare = Symmetric(group, tuple(orbits), (1.0,))
        edge = touching_edge(bare) * math.exp(row[-1] / EDGE * config.spread + config.mean)
        out.append(Symmetric(group, bare.orbits, (float(edge),)))
    return out


def snapped(point: Floats, group: int, letters: str, element: str) -> Orbit:
    """The orbit of a base atom near a point (3,): on the most special of the positions within SNAP,
    else on the nearest."""
    positions = [space_group(group).positions[letter] for letter in letters]
    found = [(position, *nearest(position, point)) for position in positions]
    near = [entry for entry in found if entry[2] < SNAP]
    position, free, _ = (
        min(near, key=lambda entry: (entry[0].freedom, entry[2]))
        if near
        else min(found, key=lambda entry: entry[2])
    )
    return Orbit(element, position.letter, tuple((np.round(free % 1.0, 6) % 1.0).tolist()))


def nearest(position: Position, point: Floats) -> tuple[Floats, float]:
    """Free parameters of the point of a position (as it is written) next to a point, and how far
    that is, in edges."""
    away = point - position.origin + _IMAGES
    free = away @ np.linalg.pinv(position.ways) if position.freedom else np.zeros((len(away), 0))
    far = np.linalg.norm(away - free @ position.ways, axis=1)
    best = int(far.argmin())
    return np.asarray(free[best], float), float(far[best])
