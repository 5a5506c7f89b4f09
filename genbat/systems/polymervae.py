"""polymervae: Gomez-Bombarelli et al., ACS Cent. Sci. 2018, 4, 268, for polymer electrolytes.

Kept from the paper: a variational autoencoder from a string of tokens to a continuous z and back,
trained jointly with a property network on z, so that the latent space is ordered by the property.

Changed, and why:
- Strings are SMILES of repeat units between two end markers, as in the polymer studies.
- The encoder is a pair of GRUs; it reads the unit in any of its texts (cut elsewhere, or from the
  other end) and the decoder writes the normal form, which makes z a matter of the chain, not of
  where it is cut (Bjerrum and Sattarov, Biomolecules 2018, 8, 131).
- 1.3 million parameters, for two cores. It gives the domain its map and its walks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from torch import nn

from genbat.core.candidate import Candidate
from genbat.core.condition import Condition
from genbat.domains.polymers.properties import UNITS
from genbat.domains.polymers.tokens import Vocabulary
from genbat.families.blocks import GRUDecoder, GRUEncoder, HeadEnsemble
from genbat.families.vae import VAE, refine
from genbat.systems.base import (
    Progress,
    Settings,
    SystemCard,
    Trained,
    at_least_one,
    counted,
    prior_blocks,
    refuse,
)
from genbat.systems.chemvae import pad, with_ends
from genbat.systems.heads import Foretelling
from genbat.systems.polymer_words import unit_of

NAME = "polymervae"
TARGETS = ("log_conductivity",)
LEGAL_TARGETS: tuple[str, ...] = ()
BATCH = 256
START, END = 1, 2  # of the coders; a text's own numbers follow
REFINE_BETA = 0.05  # the weight of the prior in training


@dataclass(frozen=True)
class Config(Settings):
    """Sizes, vocabulary and scales: all that the weights need to be used."""

    tokens: tuple[str, ...] = ()
    longest: int = 64
    latent: int = 64
    embedding: int = 48
    encoder_hidden: int = 192
    decoder_hidden: int = 320
    dropout: float = 0.15
    members: int = 5
    head_hidden: int = 96
    mean: tuple[float, ...] = (0.0,) * len(TARGETS)
    spread: tuple[float, ...] = (1.0,) * len(TARGETS)
    quantile: tuple[float, ...] = (1.645,) * len(TARGETS)
    floor: tuple[float, ...] = (0.3,) * len(TARGETS)
    steps_trained: int = 0

    def row(self, text: str) -> list[int]:
        """Numbers of a text as the coders take them, without its ends; ValueError for unknown
        tokens."""
        return [number + 1 for number in Vocabulary(self.tokens).numbers(text)]

    def text(self, row: Sequence[int]) -> str:
        """The text of what the decoder wrote."""
        return Vocabulary(self.tokens).text(number - 1 for number in row)


class Network(nn.Module):
    """The VAE and its property heads."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        c, words = config, len(config.tokens) + 1
        self.vae = VAE(
            GRUEncoder(words, c.embedding, c.encoder_hidden, c.latent),
            GRUDecoder(words, c.embedding, c.decoder_hidden, c.latent, c.dropout),
        )
        self.heads = HeadEnsemble(c.members, c.latent, c.head_hidden, len(TARGETS))


def make_card(parameters: int = 0) -> SystemCard:
    """What the app says about this system."""
    return SystemCard(
        name=NAME,
        domain="polymers",
        family="VAE",
        title="Polymer VAE",
        paper="Gomez-Bombarelli et al., ACS Cent. Sci. 2018, 4, 268, "
        "doi:10.1021/acscentsci.7b00572",
        capabilities=("sample", "encode", "decode", "predict"),
        trained_on="HTP-MD (TRI, MIT): repeat units with conductivity by molecular dynamics",
        licence="MIT",
        parameters=parameters,
    )


class PolymerVAE(Foretelling, Trained[Config, Network]):
    """The trained system."""

    targets, units = TARGETS, UNITS
    config_type, network_type = Config, Network
    describe = staticmethod(make_card)
    takes_windows = False

    # ------------------------------------------------------------------ latent space
    def encode(self, objects: Sequence[str], *, exact: bool = True) -> np.ndarray:
        """Latent points of repeat units in their normal form; (n, latent).

        The mean of q(z|x); where the decoder does not write the very unit there, `exact` moves the
        point to where it does (`families.vae.refine`).

        Raises
        ------
        ValueError : a token that no training polymer has.
        """
        rows = [self.config.row(text) for text in objects]
        parts = [self._encode(rows[k : k + BATCH], exact) for k in range(0, len(rows), BATCH)]
        return np.concatenate(parts) if parts else np.empty((0, self.config.latent), "f4")

    def _encode(self, rows: list[list[int]], exact: bool) -> np.ndarray:
        decoder = cast(GRUDecoder, self.network.vae.decoder)
        with torch.no_grad():
            mean, _ = self.network.vae.encoder(*pad(rows))
            targets = with_ends(rows)
            off = torch.nonzero(~decoder.exact(mean, targets))[:, 0] if exact else torch.empty(0)
        if len(off):
            mean[off] = refine(decoder, mean[off], targets[off], beta=REFINE_BETA)
        return mean.numpy()

    def decode_texts(self, z: np.ndarray) -> list[str]:
        """What the decoder writes at latent points (n, latent), polymers or not."""
        decoder = cast(GRUDecoder, self.network.vae.decoder)
        points = torch.as_tensor(np.atleast_2d(np.asarray(z, "f4")))
        texts: list[str] = []
        for part in points.split(BATCH):
            rows = decoder.generate(part, start=START, end=END, steps=self.config.longest)
            texts += [self.config.text(row) for row in rows.tolist()]
        return texts

    def decode(self, z: np.ndarray, *, seed: int = 0) -> list[Candidate]:
        """The likeliest polymer at each latent point (n, latent), as candidates."""
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
        ValueError : n below 1, or any wish: this system is asked by latent search.
        """
        at_least_one(n)
        refuse(NAME, condition, "ask polymergpt, or search from a polymer")
        yield from counted(self._draws(seed), n, "polymers", progress)

    def _draws(self, seed: int) -> Iterator[Candidate]:
        for first, z in prior_blocks(self.config.latent, BATCH, seed):
            for k, text in enumerate(self.decode_texts(z), first):
                yield self._candidate(text, seed, {"index": k}, latent=z[k - first])

    def _candidate(self, text: str, seed: int, arguments: dict, **story: Any) -> Candidate:
        return self.made(*unit_of(text), seed, arguments, **story)
