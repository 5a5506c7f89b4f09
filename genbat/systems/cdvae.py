"""cdvae: Xie et al., ICLR 2022 (arXiv 2110.06197), for battery crystals of at most 20 atoms.

Kept from the paper: a periodic graph encoder, invariant to rotation, translation, order of atoms
and choice of cell; from z come the number of atoms, the composition and the lattice; coordinates
and types then move from noise to a crystal by annealed Langevin dynamics under a score network
that sees z, trained together with everything else; property heads on z for search.

Changed, and why:
- SchNet's convolutions up to 5 Å instead of DimeNet++. Beside their mean the encoder is told the
  number of atoms and the lengths of the shortest lattice vectors of the primitive cell: without
  these, both are guessed wrong in a third of the crystals that training has not seen.
- CSPNet on all pairs of the cell instead of GemNet-T: no angles and no cutoff search in the
  sampler, sized for two cores.
- Coordinates are noised in fractional units with wrapped normals (sigma 0.5 to 0.005), so that the
  border of the cell does not exist for the noise either.
- The lattice is the six numbers of its symmetric part's logarithm (codec). 40 levels of noise
  with one Langevin step each, and an ancestral step from one to the next, instead of 50 levels of
  100 steps. Of four crystals of a point the one is taken that the network itself doubts least, by
  a part of its loss. An ensemble of calibrated heads instead of one.
- Types are shown throughout in half of the training, so that the composition that z says can be
  kept: of held-out crystals it is right in 92 of 100, and in 84 where each atom takes its likeliest
  type after each step, as there. A draw from the prior lies where z says less sharply: three of its
  four crystals are made that way, and what the network thinks of their types counts as well, which
  keeps more of them neutral.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from genbat.core.candidate import Candidate
from genbat.core.condition import Condition
from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.properties import UNITS
from genbat.domains.crystals.structure import from_text, judge, primitive, to_text
from genbat.systems.base import (
    Progress,
    SystemCard,
    Trained,
    at_least_one,
    counted,
    prior_blocks,
    refuse,
)
from genbat.systems.cdvae_network import (
    TARGETS,
    Config,
    Network,
    Plan,
    decode,
    doubt,
    graphs_of,
)
from genbat.systems.crystal_corpus import MAX_ATOMS, cells_of
from genbat.systems.heads import Foretelling

NAME = "cdvae"
BATCH = 64
PRIOR = Plan(free=3, types=3.0)  # for draws from the prior
LEGAL_TARGETS = TARGETS


def make_card(parameters: int = 0) -> SystemCard:
    """What the app says about this system."""
    return SystemCard(
        name=NAME,
        domain="crystals",
        family="VAE",
        title="CDVAE",
        paper="Xie et al., ICLR 2022, arXiv 2110.06197",
        capabilities=("sample", "encode", "decode", "predict"),
        trained_on="GenBat's crystals relaxed with CHGNet, and Materials Project structures "
        "(CC BY 4.0) of at most 20 atoms",
        licence="MIT",
        parameters=parameters,
    )


class CDVAE(Foretelling, Trained[Config, Network]):
    """The trained system."""

    targets, units = TARGETS, UNITS
    config_type, network_type = Config, Network
    describe = staticmethod(make_card)
    takes_windows = False

    # ------------------------------------------------------------------ latent space
    def encode(self, objects: Sequence[str]) -> np.ndarray:
        """Latent points of crystals as CIF (n, latent): the mean of q(z|x).

        Raises
        ------
        ValueError : a text that is no ordered crystal, or one of more than MAX_ATOMS atoms.
        """
        return self.encode_cells([from_text(text) for text in objects])

    @torch.inference_mode()
    def encode_cells(self, cells: Sequence[Cell]) -> np.ndarray:
        """As `encode`, of cells; any cell of a crystal gives the same point."""
        small = [primitive(cell) for cell in cells]
        for cell in small:
            if len(cell.numbers) > MAX_ATOMS:
                raise ValueError(f"crystal: has {len(cell.numbers)} atoms; at most {MAX_ATOMS}")
        parts = [
            self.network.posterior(graphs_of(small[k : k + BATCH])).mean.numpy()
            for k in range(0, len(small), BATCH)
        ]
        return np.concatenate(parts) if parts else np.empty((0, self.config.latent), "f4")

    def decode(self, z: np.ndarray, *, seed: int = 0, plan: Plan | None = None) -> list[Candidate]:
        """Crystals at latent points (n, latent), unrelaxed.

        The way there is random; the same points with the same seed give the same crystals.
        """
        points = np.atleast_2d(np.asarray(z, "f4"))
        pairs = zip(self.decode_cells(points, seed=seed, plan=plan), points, strict=True)
        return [self._candidate(c, seed, {}, action="decode", latent=p) for c, p in pairs]

    def decode_cells(self, z: np.ndarray, *, seed: int = 0, plan: Plan | None = None) -> list[Cell]:
        """As `decode`, without judging."""
        cells: list[Cell] = []
        for k in range(0, len(z), BATCH):
            generator = torch.Generator().manual_seed(seed * 1_000_003 + k)
            part = torch.as_tensor(np.asarray(z[k : k + BATCH], "f4"))
            cells += self._least_doubted(part, plan or Plan(), generator)
        return cells

    def _least_doubted(self, z: Tensor, plan: Plan, generator: torch.Generator) -> list[Cell]:
        """Of `plan.tries` crystals of each point the one that the network doubts least."""
        made, doubts = [], []
        for turn in range(plan.tries):
            free = turn >= plan.tries - plan.free
            x = decode(self.network, z, plan, generator, free=free)
            made.append(cells_of(x, self.config.scale))
            doubts.append(doubt(self.network, x, z, generator, plan.types))
        best = torch.stack(doubts).argmin(0).tolist()
        return [made[turn][k] for k, turn in enumerate(best)]

    # ------------------------------------------------------------------ sampling
    def sample(
        self,
        n: int,
        *,
        condition: Condition | None = None,
        seed: int = 0,
        progress: Progress | None = None,
    ) -> Iterator[Candidate]:
        """n draws from the prior N(0, I), decoded; a longer sample starts with the shorter one.

        Raises
        ------
        ValueError : n below 1, or a condition: this system is asked by latent search.
        """
        at_least_one(n)
        refuse(NAME, condition, "ask mattergen, or search from a crystal")
        yield from counted(self._draws(seed), n, "crystals", progress)

    def _draws(self, seed: int) -> Iterator[Candidate]:
        for first, z in prior_blocks(self.config.latent, BATCH, seed):
            cells = self.decode_cells(z, seed=seed * 7_919 + first, plan=PRIOR)
            for k, cell in enumerate(cells, first):
                yield self._candidate(cell, seed, {"index": k}, latent=z[k - first])

    def _candidate(self, cell: Cell, seed: int, arguments: dict, **story: Any) -> Candidate:
        return self.made(to_text(cell), judge(cell), seed, arguments, **story)
