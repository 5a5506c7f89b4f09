"""imatgen: Noh et al., Matter 2019, 1, 1370, crystals of two elements as images of their atoms.

Kept from the paper: a crystal is an image of its basis, normal bumps of density with one image an
element, and its cell apart; an autoencoder compresses images to fingerprints; a variational
autoencoder learns fingerprints and cells, with a classifier of the formation energy in its loss
that shapes the latent space by stability; peaks of a decoded image become atoms again. Vanadium
oxides, as there, or any two elements of one's own data. Ten structure types of vanadium oxides are
kept from it, to see which of them it finds.

Changed, and why:
- Images are 16 voxels an edge instead of 64, for two cores, and run along the cell's own axes
  instead of those of a box of 15 Å: periodic, convolutions too, so that no atom meets a border. The
  cell's image, which holds its three lengths and angles and nothing else, is these six numbers.
- The fingerprint keeps where things are: four numbers for each 4^3 voxels.
- An image depends on which atom is the origin and on the order of the axes. Training sees all
  choices; one is settled for every crystal by a rule that knows only the crystal.
- How many atoms there are is the sum of the image; peaks are taken one by one and their places
  refined by least squares until they explain the image, where the paper takes local maxima.
- Autoencoder and VAE learn at the same time, not one after the other; the VAE moves nothing in the
  autoencoder. What the VAE's fingerprint draws is compared with the image too, since not all errors
  of a fingerprint matter alike.
- Stable means at most 0.2 eV/atom above the hull: few of the crystals lie just beyond. The
  classifier reads the image that is decoded at z, not z itself: its radial distributions, from its
  correlations. On z alone it learns the training's crystals by heart and knows little of others.
- The sampler goes out from known crystals, since far from them images hold no crystals: a point
  part of the way from one to another, with noise. Of some such points the one is taken whose peaks
  explain its image best, that the classifier thinks stable, and whose atoms keep their distance.
- Property heads read what the classifier reads: who asks for a formation energy or a distance to
  the hull gets ways that begin at the known crystals of which the heads say it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
import torch
from pymatgen.core import Element

from genbat.core.candidate import Candidate
from genbat.core.condition import Condition, Window
from genbat.domains.crystals import codec
from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.chgnet_graph import Floats
from genbat.domains.crystals.images import count as atoms_in
from genbat.domains.crystals.images import draw, find
from genbat.domains.crystals.labelling import closest
from genbat.domains.crystals.properties import UNITS
from genbat.domains.crystals.structure import from_text, judge, primitive, to_text
from genbat.domains.crystals.wishes import read_wishes
from genbat.systems.base import (
    Progress,
    SystemCard,
    Trained,
    at_least_one,
    counted,
    refuse,
)
from genbat.systems.crystal_corpus import MAX_ATOMS
from genbat.systems.heads import Foretelling
from genbat.systems.imatgen_network import BATCH, TARGETS, Config, Network
from genbat.systems.imatgen_training import images_of, posterior

NAME = "imatgen"
LEGAL_TARGETS = TARGETS
SHORTEST = 0.6  # sums of covalent radii, as the gates of the physics have it
STARTS = 48  # known crystals from which ways begin where something is asked


@dataclass(frozen=True)
class Plan:
    """How a sample is drawn: at most how far from one known crystal towards another, noise in units
    of the known points' spread, and how many points are tried for each.

    With noise of 0.3 half of the neutral crystals are known ones, with 1.2 all are new and a fifth
    neutral; between them most are both.
    """

    reach: float = 0.5
    noise: float = 0.5
    tries: int = 3


@dataclass(frozen=True)
class Sight:
    """What is read from a decoded image: the crystal, and the share of the image that its atoms
    leave unexplained (squared)."""

    cell: Cell
    rest: float


def make_card(parameters: int = 0) -> SystemCard:
    """What the app says about this system."""
    return SystemCard(
        name=NAME,
        domain="crystals",
        family="VAE",
        title="iMatGen",
        paper="Noh et al., Matter 2019, 1, 1370",
        capabilities=("sample", "encode", "decode", "predict"),
        trained_on="GenBat's vanadium oxides: random structures and prototypes relaxed with CHGNet",
        licence="MIT",
        parameters=parameters,
        scope="vanadium oxides",
    )


class IMatGen(Foretelling, Trained[Config, Network]):
    """The trained system."""

    targets, units = TARGETS, UNITS
    config_type, network_type = Config, Network
    describe = staticmethod(make_card)

    def honoured(self, wishes: Mapping[str, Any]) -> dict[str, Any]:
        """None: all it makes holds its two elements.

        Raises
        ------
        ValueError : elements that it never makes, or without its own.
        """
        asked = read_wishes(Condition(wishes=wishes))
        own = frozenset(symbol(z) for z in self.config.elements)
        if not asked.require <= own <= asked.allow:
            raise ValueError(f"elements: all that {NAME} makes holds {' and '.join(sorted(own))} "
                             "and nothing else; ask another system")  # fmt: skip
        return {}

    # ------------------------------------------------------------------ latent space
    def encode(self, objects: Sequence[str]) -> np.ndarray:
        """Latent points of crystals as CIF (n, latent): the mean of q(z|x) in the settled view.

        Raises
        ------
        ValueError : a text that is no ordered crystal, or one of other elements or more than
            MAX_ATOMS atoms.
        """
        return self.encode_cells([from_text(text) for text in objects])

    def encode_cells(self, cells: Sequence[Cell]) -> np.ndarray:
        """As `encode`, of cells."""
        small = [primitive(cell) for cell in cells]
        for cell in small:
            self._check(cell)
        if not small:
            return np.empty((0, self.config.latent), "f4")
        return posterior(self.network, small, self.config).numpy()

    def _check(self, cell: Cell) -> None:
        if strange := set(cell.numbers.tolist()) - set(self.config.elements):
            named, legal = (", ".join(symbol(z) for z in group)
                            for group in (sorted(strange), self.config.elements))  # fmt: skip
            raise ValueError(f"crystal: holds {named}; {NAME} has learnt {legal} alone")
        if len(cell.numbers) > MAX_ATOMS:
            raise ValueError(f"crystal: has {len(cell.numbers)} atoms; at most {MAX_ATOMS}")

    def decode(self, z: np.ndarray, *, seed: int = 0) -> list[Candidate]:
        """Crystals at latent points (n, latent), unrelaxed; nothing is random on the way."""
        points = np.atleast_2d(np.asarray(z, "f4"))
        pairs = zip(self.decode_cells(points), points, strict=True)
        return [self._candidate(c, seed, {}, p, action="decode") for c, p in pairs]

    def decode_cells(self, z: np.ndarray, *, seed: int = 0) -> list[Cell]:
        """As `decode`, without judging."""
        return [sight.cell for sight in self.sights(z)]

    def sights(self, z: np.ndarray) -> list[Sight]:
        """What is seen in the images decoded at latent points (n, latent)."""
        images, lattices = self.imagined(z)
        return [self.seen(*pair) for pair in zip(images, lattices, strict=True)]

    @torch.inference_mode()
    def imagined(self, z: np.ndarray) -> tuple[Floats, Floats]:
        """Images (n, 2, side, side, side) and standardised lattices (n, 6) at latent points."""
        images, lattices = [np.empty((0, 2, *[self.config.side] * 3), "f4")], [np.empty((0, 6))]
        for k in range(0, len(z), BATCH):
            prints, lattice = self.network.says(torch.as_tensor(np.asarray(z[k : k + BATCH], "f4")))
            images.append(self.network.compressor.decode(prints).numpy())
            lattices.append(lattice.double().numpy())
        return np.concatenate(images), np.concatenate(lattices)

    def images(self, cell: Cell) -> Floats:
        """A crystal's own images as it stands (2, side, side, side), one an element."""
        return np.asarray(images_of([cell], self.config)[0].numpy())

    def seen(self, images: Floats, lattice: Floats) -> Sight:
        """The crystal of images (2, side, side, side) and a standardised lattice (6,)."""
        raster = self.config.raster
        amounts = [min(max(1, atoms_in(image, raster)), MAX_ATOMS - 1) for image in images]
        places = [find(image, raster, n) for image, n in zip(images, amounts, strict=True)]
        drawn = np.stack([draw(own, raster) for own in places])
        rest = float(((images - drawn) ** 2).sum() / max(1e-9, float((images**2).sum())))
        size = torch.tensor([sum(amounts)])
        stretch = self.config.scale.back(torch.as_tensor(lattice)[None], size)[0].numpy()
        rows = codec.lattice_of(stretch)
        numbers = np.repeat(np.array(self.config.elements, np.int64), amounts)
        return Sight(Cell(numbers, np.concatenate(places) @ rows, rows), rest)

    @torch.inference_mode()
    def stability(self, z: np.ndarray) -> np.ndarray:
        """The classifier's probability of being stable at latent points (n, latent); (n,)."""
        traits = self.network.traits_at(torch.as_tensor(np.atleast_2d(np.asarray(z, "f4"))))
        return np.asarray(torch.sigmoid(self.network.stable(traits)).numpy())

    # ------------------------------------------------------------------ sampling
    def sample(
        self,
        n: int,
        *,
        condition: Condition | None = None,
        seed: int = 0,
        progress: Progress | None = None,
        plan: Plan | None = None,
    ) -> Iterator[Candidate]:
        """n crystals from points between known ones; a longer sample starts with the shorter one.

        Raises
        ------
        ValueError : n below 1, or a condition other than windows on LEGAL_TARGETS.
        """
        at_least_one(n)
        asked = condition or Condition()
        rest = {key: w for key, w in asked.windows.items() if key not in TARGETS}
        legal = f"legal are windows on {' and '.join(TARGETS)}; mattergen takes others"
        refuse(NAME, Condition(rest, asked.wishes), legal)
        made = self._draws(seed, plan or Plan(), asked)
        yield from counted(made, n, "crystals", progress)

    def _draws(self, seed: int, plan: Plan, asked: Condition) -> Iterator[Candidate]:
        starts = self._starts(asked.windows)
        for k in count():
            z = self._points(np.random.default_rng((seed, k)), plan, starts)
            sights = self.sights(z)
            best = int((self.doubts(sights, z) + self.misses(z, asked.windows)).argmin())
            cell = sights[best].cell
            yield self._candidate(cell, seed, {"index": k}, z[best], condition=condition_of(asked))

    @property
    def known(self) -> np.ndarray:
        """Latent points (m, latent) of training crystals; the origin before there are any."""
        points = self.network.points.numpy()
        return points if len(points) else np.zeros((1, self.config.latent), "f4")

    def _starts(self, windows: Mapping[str, Window]) -> np.ndarray:
        """Known points (m, latent) from which ways begin: all, or those that come nearest."""
        if not windows:
            return self.known
        return self.known[np.argsort(self.misses(self.known, windows), kind="stable")[:STARTS]]

    def _points(self, rng: np.random.Generator, plan: Plan, starts: np.ndarray) -> np.ndarray:
        """Points (tries, latent) on ways between two known crystals, with noise."""
        one = starts[rng.integers(len(starts), size=plan.tries)]
        two = self.known[rng.integers(len(self.known), size=plan.tries)]
        way = one + rng.uniform(0, plan.reach, (plan.tries, 1)) * (two - one)
        spread = self.known.std(0) if len(self.known) > 1 else 1.0
        return np.asarray(way + plan.noise * spread * rng.standard_normal(way.shape), "f4")

    def misses(self, z: np.ndarray, windows: Mapping[str, Window]) -> np.ndarray:
        """How far the heads' predictions at latent points (n, latent) are from all windows, in
        standard deviations of the training (n,)."""
        total = np.zeros(len(z))
        values = self.predict_table(z)[0] if windows else np.empty((len(z), 0))
        for key, window in windows.items():
            k = TARGETS.index(key)
            off = np.maximum(window.low - values[:, k], values[:, k] - window.high)
            total += window.weight * np.maximum(off, 0.0) / self.config.spread[k]
        return total

    def doubts(self, sights: Sequence[Sight], z: np.ndarray) -> np.ndarray:
        """How little each crystal is to be trusted (n,): what its atoms leave of its image, what
        the classifier doubts, and 1 more where two atoms are too close."""
        near = np.array([closest(sight.cell) < SHORTEST for sight in sights], float)
        rest = np.array([sight.rest for sight in sights])
        return np.asarray(rest + (1 - self.stability(z)) + near)

    def _candidate(
        self, cell: Cell, seed: int, arguments: dict, z: np.ndarray, **story: Any
    ) -> Candidate:
        return self.made(to_text(cell), judge(cell), seed, arguments, latent=z, **story)


def condition_of(asked: Condition) -> Condition | None:
    """A condition as a candidate's story holds it: None where nothing was asked."""
    return asked if asked.windows else None


def symbol(number: int) -> str:
    """An element's symbol from its atomic number."""
    return str(Element.from_Z(int(number)).symbol)
