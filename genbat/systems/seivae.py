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
  pore that the decoder is not sure of. The noise of neighbouring sites is alike (`GRAIN`): the
  decoder says nothing of how they depend on each other, and without it loose sites lie about.
- Codes are drawn from a distribution fitted to the training set (`seivae_prior`).
- What is asked for is counted, and the difference taken off the next of some tries
  (`seivae_settling`); `SEIVAE.unsettled` is the networks alone, for comparison.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import count
from typing import Any

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from genbat.core.candidate import Candidate, Verdict
from genbat.core.condition import Condition, Window
from genbat.core.properties import Measurement
from genbat.domains.interphases.kmc import ORGANIC, Sites
from genbat.domains.interphases.measures import label
from genbat.domains.interphases.properties import BY_KEY
from genbat.domains.interphases.texts import from_text, to_text
from genbat.systems.base import Progress, SystemCard, Trained, at_least_one, counted
from genbat.systems.heads import standard_aims
from genbat.systems.seivae_network import CONDITION_WEIGHT, TARGETS, Config, Network, one_hot
from genbat.systems.seivae_settling import CLOSE, Asked, settled

NAME = "seivae"
LEGAL_TARGETS = TARGETS
SHARES = ("porosity", "inorganic")
GRAIN = 0.67  # sites by which noise is blurred: then held-out interphases are as rough as they were


@dataclass(frozen=True)
class Plan:
    """How a sample is made: new codes, and tries of each after the first one, until what is asked
    is counted."""

    starts: int = 4
    counts: int = 8


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
    unsettled = Plan(starts=1, counts=0)  # what the networks do alone, for comparison
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
        found = [label(sites) for sites in all_sites]
        c = self.config.standard(np.array([[one[name] for name in TARGETS] for one in found]))
        if c.isnan().any():
            raise ValueError("interphase: holds no solid on the electrode; nothing to encode")
        z = self.network.posterior(one_hot(torch.as_tensor(np.stack(all_sites))), c).mean
        return _joined(c.numpy(), z.numpy())

    def decode(self, z: np.ndarray, *, seed: int = 0) -> list[Candidate]:
        """Interphases at latent points (n, latent): the same noise for all of them, so that a walk
        changes what it must and nothing else."""
        points = np.atleast_2d(np.asarray(z, "f4"))
        pairs = zip(self.decode_sites(points, seed=seed), points, strict=True)
        return [self._candidate(s, seed, {}, action="decode", latent=p) for s, p in pairs]

    @torch.inference_mode()
    def decode_sites(self, z: np.ndarray, *, seed: int = 0) -> list[Sites]:
        """As `decode`, without judging."""
        return list(drawn(self._logits(z), seed).to(torch.uint8).numpy())

    def _logits(self, z: np.ndarray) -> Tensor:
        points, n = torch.as_tensor(np.asarray(z, "f4")), len(TARGETS)
        logits: Tensor = self.network.logits(points[:, n:], points[:, :n] / CONDITION_WEIGHT)
        return logits

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
        points = [self._point(row, rng) for row in self.config.standard(values)]
        made = self.decode_sites(np.stack(points))
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
        plan: Plan | None = None,
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
        draws = self._draws(asked, seed, plan or Plan())
        yield from counted(draws, n, "interphases", progress)

    def _draws(self, asked: Condition, seed: int, plan: Plan) -> Iterator[Candidate]:
        for k in count():
            rng = np.random.default_rng((seed, k))
            sites, point = self._nearest(asked.windows, rng, plan)
            yield self._candidate(sites, seed, {"index": k}, condition=asked, latent=point)

    def _nearest(
        self, windows: Mapping[str, Window], rng: np.random.Generator, plan: Plan
    ) -> tuple[Sites, np.ndarray]:
        """Sites with what windows ask for, as near as it gets, and their latent point."""
        found: list[tuple[float, Sites, np.ndarray]] = []
        while len(found) < plan.starts and not (found and found[-1][0] < CLOSE):
            found.append(self._settled(windows, rng, plan.counts))
        return min(found, key=lambda one: one[0])[1:]

    def _settled(
        self, windows: Mapping[str, Window], rng: np.random.Generator, counts: int
    ) -> tuple[float, Sites, np.ndarray]:
        """The nearest of one code."""
        aims = self.aims(windows)
        point = self._point(torch.tensor(aims).float(), rng)
        c, z = point[: len(TARGETS)] / CONDITION_WEIGHT, point[len(TARGETS) :]
        noise = int(rng.integers(2**31))

        def make(c: np.ndarray) -> Sites:
            return self.decode_sites(_joined(c, z)[None], seed=noise)[0]

        scales = enumerate(zip(TARGETS, self.config.mean, self.config.spread, strict=True))
        asked = [Asked(name, k, windows[name], mean + spread * aims[k], spread)
                 for k, (name, mean, spread) in scales if name in windows]  # fmt: skip
        away, sites, c = settled(make, c, asked, counts)
        return away, sites, _joined(c, z)

    def _point(self, told: Tensor, rng: np.random.Generator) -> np.ndarray:
        """A latent point of a standardised condition, whose NaN are left open."""
        prior = self.network.prior
        c = prior.condition(told, rng)[None]
        z = prior(c, torch.as_tensor(rng.standard_normal((1, self.config.noise))).float())
        return _joined(c[0].numpy(), z[0].numpy())

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


def _joined(c: np.ndarray, z: np.ndarray) -> np.ndarray:
    """The latent points (..., latent) of standardised conditions and codes."""
    return np.concatenate([CONDITION_WEIGHT * c, z], -1)


def drawn(logits: Tensor, seed: int) -> Tensor:
    """Species of every site (B, SIDE, SIDE) from logits (B, SPECIES, SIDE, SIDE): each site by its
    likelihood (the Gumbel trick), neighbours alike; one noise for the whole batch."""
    return (logits + _gumbel(seed, tuple(logits.shape[1:]))).argmax(1)


@lru_cache(maxsize=8)
def _gumbel(seed: int, shape: tuple[int, ...]) -> Tensor:
    """Gumbel noise (SPECIES, rows, columns), blurred by GRAIN; all tries of a code share it."""
    white = np.random.default_rng(seed).standard_normal(shape)
    point = np.zeros(shape[1:])
    point[0, 0] = 1.0
    blurred = ndimage.gaussian_filter(white, GRAIN, mode="wrap", axes=(1, 2))
    blurred /= np.linalg.norm(ndimage.gaussian_filter(point, GRAIN, mode="wrap"))
    uniform = torch.special.ndtr(torch.as_tensor(blurred)).clamp(1e-9, 1 - 1e-9)
    return -torch.log(-torch.log(uniform)).float()
