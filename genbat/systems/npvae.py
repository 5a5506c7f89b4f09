"""npvae: Yoon et al., Appl. Sci. 2025, 15, 3640, on NP-VAE (Ochiai et al., Commun. Chem. 2023, 6,
249): electrolyte additives as trees of substructures.

Kept from the papers: a molecule is a tree of substructures, which enter as circular fingerprints
(ECFP); a Tree-LSTM reads it from the leaves to the root; a decoder grows the tree depth first,
saying at each node what hangs on it and how; heads for HOMO and LUMO are trained together with it;
it learns from many molecules and then from named additives and their families.

Changed, and why:
- Every single bond outside rings is cut, so that all but rings are a handful of pieces, and the
  tree is kept with the atoms that are joined: it gives the molecule back exactly, and all that is
  grown are molecules, since only atoms with a hydrogen left can take another piece.
- One recurrent state walks through the tree as it grows, instead of messages along it: every step
  of the training is then known beforehand and the whole tree is one row.
- A piece is its fingerprint and something learnt: rings that stand once in the data are written by
  their likeness to others.
- 64 latent numbers and 2 million parameters, for two cores and molecules of at most 20 heavy atoms.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import torch
from rdkit import Chem

from genbat.core.candidate import Candidate, Verdict
from genbat.core.condition import Condition
from genbat.domains.molecules.fragments import molecule_of, tree_of
from genbat.domains.molecules.properties import UNITS
from genbat.domains.molecules.structure import judge
from genbat.systems.base import (
    Progress,
    SystemCard,
    Trained,
    at_least_one,
    counted,
    prior_blocks,
    refuse,
)
from genbat.systems.heads import Foretelling
from genbat.systems.npvae_growth import grown
from genbat.systems.npvae_network import TARGETS, Config, Network, Trees
from genbat.systems.npvae_trees import Vocabulary

NAME = "npvae"
BATCH = 256
LEGAL_TARGETS: tuple[str, ...] = ()


def make_card(parameters: int = 0) -> SystemCard:
    """What the app says about this system."""
    return SystemCard(
        name=NAME,
        domain="molecules",
        family="VAE",
        title="NP-VAE for additives",
        paper="Yoon et al., Appl. Sci. 2025, 15, 3640, doi:10.3390/app15073640, on Ochiai et al., "
        "Commun. Chem. 2023, 6, 249",
        capabilities=("sample", "encode", "decode", "predict"),
        trained_on="21,900 neutral organics of up to 12 heavy atoms (package chemicals) and the "
        "named battery compounds, xTB labels of GenBat",
        licence="MIT",
        parameters=parameters,
    )


class NPVAE(Foretelling, Trained[Config, Network]):
    """The trained system."""

    targets, units = TARGETS, UNITS
    config_type, network_type = Config, Network
    describe = staticmethod(make_card)

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """Its pieces and ways."""
        return self.config.vocabulary()

    # ------------------------------------------------------------------ latent space
    @torch.inference_mode()
    def encode(self, objects: Sequence[str]) -> np.ndarray:
        """Latent points of normal-form SMILES, the mean of q(z|x); (n, latent).

        Raises
        ------
        ValueError : a molecule with a piece that no training molecule has.
        """
        rows = [self.vocabulary.steps(tree_of(smiles)) for smiles in objects]
        pieces = self.network.pieces()
        parts = [
            self.network.encoder(Trees.of(rows[k : k + BATCH]), pieces)[0].numpy()
            for k in range(0, len(rows), BATCH)
        ]
        return np.concatenate(parts) if parts else np.empty((0, self.config.latent), "f4")

    def decode_texts(self, z: np.ndarray) -> list[str]:
        """SMILES at latent points (n, latent)."""
        points = torch.as_tensor(np.atleast_2d(np.asarray(z, "f4")))
        trees = [tree for part in points.split(BATCH)
                 for tree in grown(self.network, self.vocabulary, part)]  # fmt: skip
        return [molecule_of(tree) for tree in trees]

    def decode(self, z: np.ndarray, *, seed: int = 0) -> list[Candidate]:
        """The molecule at each latent point (n, latent), as candidates."""
        points = np.atleast_2d(np.asarray(z, "f4"))
        pairs = zip(self.decode_texts(points), points, strict=True)
        return [self._candidate(t, seed, {}, action="decode", latent=p) for t, p in pairs]

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
        ValueError : n below 1, or any wish: it is asked by walking from molecule to molecule.
        """
        at_least_one(n)
        refuse(self.card.name, condition, "moleculegpt can be asked")
        yield from counted(self._draws(seed), n, "molecules", progress)

    def _draws(self, seed: int) -> Iterator[Candidate]:
        for first, z in prior_blocks(self.config.latent, BATCH, seed):
            for k, text in enumerate(self.decode_texts(z), first):
                yield self._candidate(text, seed, {"index": k}, latent=z[k - first])

    def _candidate(self, text: str, seed: int, arguments: dict, **story: Any) -> Candidate:
        mol = Chem.MolFromSmiles(text)
        verdict = judge(mol) if mol is not None else Verdict(False, ("cannot be read",))
        return self.made(text, verdict, seed, arguments, **story)
