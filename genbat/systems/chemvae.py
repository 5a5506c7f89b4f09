"""chemvae: Gomez-Bombarelli et al., ACS Cent. Sci. 2018, 4, 268, for electrolyte molecules.

Kept from the paper: a variational autoencoder from a string of tokens to a continuous z and back,
trained jointly with a property network on z, so that the latent space is ordered by properties;
search in that space by gradient and by a Gaussian process (`latent_search`).

Changed, and why:
- SELFIES instead of SMILES (Krenn et al. 2020): every decoded string is a molecule.
- The encoder is a pair of GRUs instead of convolutions; it reads the molecule in a random atom
  order and the decoder writes the normal form, which makes z a matter of structure, not of
  spelling (Bjerrum and Sattarov, Biomolecules 2018, 8, 131).
- One-layer GRU decoder of 384 units instead of three of 488, z of 64 instead of 156: sized for two
  cores and molecules of at most about 24 heavy atoms.
- Properties are xTB labels (HOMO, LUMO, gap, dipole, vertical IP) and, masked where unknown,
  measured ones; an ensemble of heads instead of one, calibrated by split conformal prediction.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from genbat.core.candidate import Candidate, Verdict
from genbat.core.condition import Condition
from genbat.core.properties import Measurement
from genbat.domains.molecules.codec import MAX_TOKENS, Vocabulary
from genbat.domains.molecules.properties import BY_KEY
from genbat.domains.molecules.structure import judge, parse_smiles
from genbat.domains.molecules.wishes import EXACT
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
)
from genbat.systems.chemvae_targets import LOGARITHMIC, TARGETS, Calibration

NAME = "chemvae"
BATCH = 256
REFINE_BETA = 0.05  # the weight of the prior in training
# What a condition may ask of this system: its heads' targets, and what RDKit answers exactly.
LEGAL_TARGETS = (*TARGETS, *EXACT)


@dataclass(frozen=True)
class Config(Settings):
    """Sizes, vocabulary and scales: all that the weights need to be used."""

    tokens: tuple[str, ...]
    latent: int = 64
    embedding: int = 64
    encoder_hidden: int = 224
    decoder_hidden: int = 384
    dropout: float = 0.15
    members: int = 5
    head_hidden: int = 160
    mean: tuple[float, ...] = (0.0,) * len(TARGETS)
    scale: tuple[float, ...] = (1.0,) * len(TARGETS)
    calibration: Calibration = field(default_factory=Calibration)
    steps_trained: int = 0


class Network(nn.Module):
    """The VAE and its property heads."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        c, words = config, len(config.tokens)
        self.vae = VAE(
            GRUEncoder(words, c.embedding, c.encoder_hidden, c.latent),
            GRUDecoder(words, c.embedding, c.decoder_hidden, c.latent, c.dropout),
        )
        self.heads = HeadEnsemble(c.members, c.latent, c.head_hidden, len(TARGETS))


def pad(rows: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Rows of token numbers -> (n, longest) padded with 0, and lengths (n,)."""
    lengths = torch.tensor([len(r) for r in rows])
    out = torch.zeros(len(rows), int(lengths.max()), dtype=torch.long)
    for k, row in enumerate(rows):
        out[k, : len(row)] = torch.tensor(row)
    return out, lengths


def with_ends(rows: Sequence[Sequence[int]]) -> Tensor:
    """Start and end token around each row, padded; (n, longest + 2)."""
    return pad([[1, *row, 2] for row in rows])[0]


def make_card(parameters: int = 0) -> SystemCard:
    """What the app says about this system."""
    return SystemCard(
        name=NAME,
        domain="molecules",
        family="VAE",
        title="Chemical VAE",
        paper="Gomez-Bombarelli et al., ACS Cent. Sci. 2018, 4, 268, "
        "doi:10.1021/acscentsci.7b00572",
        capabilities=("sample", "encode", "decode", "predict", "search"),
        trained_on="21,900 neutral organics of up to 12 heavy atoms (package chemicals) and the "
        "named battery compounds, xTB labels of GenBat",
        licence="MIT",
        parameters=parameters,
    )


class ChemVAE(Trained[Config, Network]):
    """The trained system."""

    targets = TARGETS
    config_type, network_type = Config, Network
    describe = staticmethod(make_card)

    def __init__(self, config: Config, network: Network, weights: str = "") -> None:
        super().__init__(config, network, weights)
        self.vocabulary = Vocabulary(config.tokens)

    # ------------------------------------------------------------------ latent space
    def encode(self, objects: Sequence[str], *, exact: bool = True) -> np.ndarray:
        """Latent points of normal-form SMILES; (n, latent).

        The mean of q(z|x); where the decoder does not write the very molecule there, `exact`
        moves the point to where it does (`families.vae.refine`).

        Raises
        ------
        ValueError : a molecule the vocabulary cannot write.
        """
        rows = [self.vocabulary.encode(smiles) for smiles in objects]
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

    def decode_texts(
        self, z: np.ndarray, *, temperature: float = 0.0, seed: int = 0
    ) -> list[str | None]:
        """SMILES at latent points (n, latent); None where nothing was written."""
        generator = torch.Generator().manual_seed(seed)
        decoder = cast(GRUDecoder, self.network.vae.decoder)
        texts: list[str | None] = []
        points = torch.as_tensor(np.asarray(z, "f4"))
        for part in points.split(BATCH):
            numbers = decoder.generate(
                part,
                start=1,
                end=2,
                steps=MAX_TOKENS + 1,
                temperature=temperature,
                generator=generator,
            )
            texts += [self.vocabulary.decode(row) for row in numbers.tolist()]
        return texts

    def decode(self, z: np.ndarray, *, seed: int = 0) -> list[Candidate]:
        """The likeliest molecule at each latent point (n, latent), as candidates."""
        points = np.atleast_2d(np.asarray(z, "f4"))
        pairs = zip(self.decode_texts(points, seed=seed), points, strict=True)
        return [self._candidate(t, seed, {}, action="decode", latent=p) for t, p in pairs]

    def _candidate(self, text: str | None, seed: int, arguments: dict, **story: Any) -> Candidate:
        if text is None:
            verdict = Verdict(False, ("the decoder wrote an empty molecule",))
        else:
            verdict = judge(parse_smiles(text))
        return self.made(text or "", verdict, seed, arguments, **story)

    # ------------------------------------------------------------------ properties
    @torch.inference_mode()
    def predict_raw(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Prediction and half width of the 90 % interval in the standardised unit, each (n, t)."""
        members = self.network.heads(torch.as_tensor(np.asarray(z, "f4"))).numpy()
        calibration = self.config.calibration
        spread = np.sqrt(members.var(0) + np.square(calibration.floor))
        return members.mean(0), spread * np.array(calibration.quantile)

    def predict_table(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Prediction and half width in the properties' units, each (n, t); columns as TARGETS."""
        middle, half = self.predict_raw(z)
        mean, scale = np.array(self.config.mean), np.array(self.config.scale)
        middle, half = middle * scale + mean, half * scale
        for k, key in enumerate(TARGETS):
            if key in LOGARITHMIC:
                low, high = 10 ** (middle[:, k] - half[:, k]), 10 ** (middle[:, k] + half[:, k])
                middle[:, k], half[:, k] = 10 ** middle[:, k], (high - low) / 2
        return middle, half

    def predict(self, z: np.ndarray) -> list[dict[str, Measurement]]:
        """Properties at latent points (n, latent), each with its 90 % interval."""
        values, halves = self.predict_table(np.atleast_2d(z))
        return [
            {k: _predicted(k, float(v), float(h)) for k, v, h in zip(TARGETS, *row, strict=True)}
            for row in zip(values, halves, strict=True)
        ]

    # ------------------------------------------------------------------ sampling
    def sample(
        self,
        n: int,
        *,
        condition: Condition | None = None,
        seed: int = 0,
        progress: Progress | None = None,
    ) -> Iterator[Candidate]:
        """n draws from the prior N(0, I), decoded; with a condition, by latent search.

        Raises
        ------
        ValueError : n below 1, or a wish this system cannot honour.
        """
        at_least_one(n)
        if condition and (condition.windows or condition.wishes):
            from genbat.systems.latent_search import search_prior

            yield from search_prior(self, n, condition, seed=seed, progress=progress)
            return
        yield from counted(self._draws(seed), n, "molecules", progress)

    def _draws(self, seed: int) -> Iterator[Candidate]:
        for first, z in prior_blocks(self.config.latent, BATCH, seed):
            for k, text in enumerate(self.decode_texts(z, seed=seed), first):
                yield self._candidate(text, seed, {"index": k}, latent=z[k - first])

    @cached_property
    def training_range(self) -> dict[str, tuple[float, float]]:
        """Mean +- 3 standard deviations of every target in training, in its unit."""
        ends = {}
        for key, mean, scale in zip(TARGETS, self.config.mean, self.config.scale, strict=True):
            low, high = mean - 3 * scale, mean + 3 * scale
            ends[key] = (10**low, 10**high) if key in LOGARITHMIC else (low, high)
        return ends


def _predicted(key: str, value: float, half: float) -> Measurement:
    ends = None
    if key in LOGARITHMIC:  # value = sqrt(low * high), half = (high - low) / 2
        reach = math.hypot(value, half)
        ends = reach - half, reach + half
    unit = BY_KEY[key].unit
    return Measurement(value, unit, f"{NAME} heads", "predicted", half, interval=ends)
