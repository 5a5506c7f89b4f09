"""seivae: Rajagopal et al., Adv. Energy Mater. 2023, 13, 2301985: a conditional VAE of interphases.

Kept from the paper: configurations of a kinetic Monte Carlo on a lattice, learnt by a conditional
variational autoencoder (Sohn et al., NeurIPS 2015) whose condition is how thick and how porous the
interphase is, so that the latent space is organised by both and a thin, dense interphase can be
walked into a thick, porous one.

Changed, and why:
- The lattice is GenBat's own (`domains/interphases/kmc`), as no code of the published ones can be
  had. The share of inorganic is a third condition.
- Convolutions are periodic along the electrode, as the lattice is, and know their distance from it.
- A latent point is the condition followed by z. So the first coordinates of the map are what an
  electrochemist asks for, and the others how it is arranged.
- Sites are drawn from the likelihood, with a seed: the likeliest species alone would fill every
  pore that the decoder is not sure of.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import count
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from genbat.core.candidate import Candidate, Verdict
from genbat.core.condition import Condition, Window
from genbat.core.properties import Measurement
from genbat.domains.interphases.kmc import ORGANIC, Sites
from genbat.domains.interphases.measures import label
from genbat.domains.interphases.properties import BY_KEY
from genbat.domains.interphases.texts import from_text, to_text
from genbat.systems.base import Progress, SystemCard, Trained, at_least_one, counted
from genbat.systems.heads import standard_aims
from genbat.systems.seivae_network import CONDITION_WEIGHT, SPECIES, TARGETS, Config, Network

NAME = "seivae"
LEGAL_TARGETS = TARGETS
SHARES = ("porosity", "inorganic")


def make_card(parameters: int = 0) -> SystemCard:
    """What the app says about this system."""
    return SystemCard(
        name=NAME,
        domain="interphases",
        family="VAE",
        title="SEI VAE",
        paper="Rajagopal et al., Adv. Energy Mater. 2023, 13, 2301985, "
        "doi:10.1002/aenm.202301985; conditional VAE after Sohn et al., NeurIPS 2015",
        capabilities=("sample", "encode", "decode", "predict"),
        trained_on="GenBat's own kinetic Monte Carlo of the interphase, a design over its barriers",
        licence="MIT",
        parameters=parameters,
    )


class SEIVAE(Trained[Config, Network]):
    """The trained system."""

    targets = TARGETS
    config_type, network_type = Config, Network
    describe = staticmethod(make_card)

    # ------------------------------------------------------------------ latent space
    def encode(self, objects: Sequence[str]) -> np.ndarray:
        """Latent points of interphases as text (n, latent): what they measure, and the mean of z.

        Raises
        ------
        ValueError : a text that is no interphase, or one without any solid.
        """
        return self.encode_sites([from_text(text) for text in objects])

    @torch.inference_mode()
    def encode_sites(self, all_sites: Sequence[Sites]) -> np.ndarray:
        """As `encode`, of sites."""
        if not all_sites:
            return np.empty((0, self.config.latent), "f4")
        c = torch.tensor([self.condition_of(label(sites)) for sites in all_sites])
        if c.isnan().any():
            raise ValueError("interphase: holds no solid on the electrode; nothing to encode")
        kinds = torch.as_tensor(np.stack(all_sites).astype("i8"))
        x = F.one_hot(kinds, SPECIES).movedim(-1, 1).float()
        z = self.network.posterior(x, c).mean
        return torch.cat([CONDITION_WEIGHT * c, z], 1).numpy()

    def condition_of(self, numbers: Mapping[str, float]) -> list[float]:
        """Measured TARGETS, standardised."""
        scales = zip(TARGETS, self.config.mean, self.config.spread, strict=True)
        return [(numbers[name] - mean) / spread for name, mean, spread in scales]

    def decode(self, z: np.ndarray, *, seed: int = 0) -> list[Candidate]:
        """Interphases at latent points (n, latent): the same noise for all of them, so that a walk
        changes what it must and nothing else."""
        points = np.atleast_2d(np.asarray(z, "f4"))
        pairs = zip(self.decode_sites(points, seed=seed), points, strict=True)
        return [self._candidate(s, seed, {}, action="decode", latent=p) for s, p in pairs]

    @torch.inference_mode()
    def decode_sites(self, z: np.ndarray, *, seed: int = 0) -> list[Sites]:
        """As `decode`, without judging."""
        points = torch.as_tensor(np.asarray(z, "f4"))
        n = len(TARGETS)
        logits = self.network.logits(points[:, n:], points[:, :n] / CONDITION_WEIGHT)
        generator = torch.Generator().manual_seed(seed)
        return list(drawn(logits, generator).to(torch.uint8).numpy())

    # ------------------------------------------------------------------ properties
    def predict(self, z: np.ndarray) -> list[dict[str, Measurement]]:
        """The condition of latent points (n, latent), with the 90 % interval of what is counted."""
        own = np.atleast_2d(z)[:, : len(TARGETS)] / CONDITION_WEIGHT
        values = own * np.array(self.config.spread) + np.array(self.config.mean)
        kinds = [(name, BY_KEY[name].unit, half) for name, half in
                 zip(TARGETS, self.config.half, strict=True)]  # fmt: skip
        return [
            {name: Measurement(float(v), unit, f"{NAME}, its condition", "predicted", half)
             for (name, unit, half), v in zip(kinds, row, strict=True)}
            for row in values
        ]  # fmt: skip

    def calibrated(self, values: np.ndarray, share: float = 0.9) -> Config:
        """The config with half widths that hold a share of what is counted, from held-out
        conditions (n, TARGETS): each is decoded once, with noise of its own."""
        rng = np.random.default_rng(0)
        c = (values - np.array(self.config.mean)) / np.array(self.config.spread)
        noise = rng.standard_normal((len(c), self.config.noise))
        made = self.decode_sites(np.concatenate([CONDITION_WEIGHT * c, noise], 1))
        found = np.array([[own[name] for name in TARGETS] for own in map(label, made)])
        error = np.abs(found - values)[~np.isnan(found).any(1)]
        if not len(error):
            return self.config
        rank = min(1.0, np.ceil((len(error) + 1) * share) / len(error))
        half = np.quantile(error, rank, axis=0, method="higher")
        return replace(self.config, half=tuple(float(h) for h in half))

    # ------------------------------------------------------------------ sampling
    def sample(
        self,
        n: int,
        *,
        condition: Condition | None = None,
        seed: int = 0,
        progress: Progress | None = None,
    ) -> Iterator[Candidate]:
        """n interphases; what windows leave open is drawn from the training's distribution. A
        longer sample starts with the shorter one.

        Raises
        ------
        ValueError : n below 1, or a wish that is none of TARGETS.
        """
        at_least_one(n)
        asked = condition or Condition()
        if strange := [*sorted(set(asked.windows) - set(TARGETS)), *sorted(asked.wishes)]:
            raise ValueError(f"{NAME}: cannot aim at {strange}; legal are {list(TARGETS)}")
        yield from counted(self._draws(asked, seed), n, "interphases", progress)

    def _draws(self, asked: Condition, seed: int) -> Iterator[Candidate]:
        for k in count():
            rng = np.random.default_rng((seed, k))
            point = self._point(asked.windows, rng)
            (sites,) = self.decode_sites(point[None], seed=int(rng.integers(2**31)))
            yield self._candidate(sites, seed, {"index": k}, condition=asked, latent=point)

    def _point(self, windows: Mapping[str, Window], rng: np.random.Generator) -> np.ndarray:
        c = rng.standard_normal(len(TARGETS))
        for k, (name, aim) in enumerate(zip(TARGETS, self.aims(windows), strict=True)):
            if name in windows:
                c[k] = aim
        return np.concatenate([CONDITION_WEIGHT * c, rng.standard_normal(self.config.noise)])

    def aims(self, windows: Mapping[str, Window]) -> list[float]:
        """Standardised value of each target, see `standard_aims`."""
        return standard_aims(windows, TARGETS, (self.config.mean, self.config.spread))

    def _candidate(self, sites: Sites, seed: int, arguments: dict, **story: Any) -> Candidate:
        good = bool((sites[0] >= ORGANIC).any())
        verdict = Verdict(good, () if good else ("holds no solid on the electrode",))
        return self.made(to_text(sites), verdict, seed, arguments, **story)

    @cached_property
    def training_range(self) -> dict[str, tuple[float, float]]:
        """Mean +- 3 standard deviations of every target in training, shares within 0 and 1."""
        out = {}
        for name, mean, spread in zip(TARGETS, self.config.mean, self.config.spread, strict=True):
            low, high = max(0.0, mean - 3 * spread), mean + 3 * spread
            out[name] = (low, min(1.0, high) if name in SHARES else high)
        return out


def drawn(logits: Tensor, generator: torch.Generator) -> Tensor:
    """Species of every site (B, SIDE, SIDE) from logits (B, SPECIES, SIDE, SIDE); one noise for the
    whole batch (the Gumbel trick)."""
    uniform = torch.rand(logits.shape[1:], generator=generator).clamp(1e-9, 1 - 1e-7)
    return (logits - torch.log(-torch.log(uniform))).argmax(1)
