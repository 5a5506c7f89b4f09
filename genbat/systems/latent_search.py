"""Search in chemvae's latent space: by gradient on the heads, and by a Gaussian process.

Gomez-Bombarelli et al. 2018 move a molecule's z uphill on a model of its properties and decode
what they meet. Here walkers follow the gradient of the heads (Adam), are pulled back where they
leave the data (`Manifold.pull`), are decoded on the way, and never propose a molecule twice.
`latent_bayes` replaces the heads by a Gaussian process that learns from xTB results.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from rdkit import Chem
from torch import Tensor

from genbat.core.candidate import Candidate
from genbat.core.condition import Condition, Window
from genbat.domains.molecules.wishes import EXACT, Wishes, read_wishes
from genbat.systems.base import Progress
from genbat.systems.chemvae import ChemVAE
from genbat.systems.chemvae_targets import LOGARITHMIC, TARGETS

if TYPE_CHECKING:
    from genbat.latent.density import Manifold

WALKERS = 16
STEPS_A_ROUND = 4
RATE = 0.08
CAUTION = 0.5  # ensemble standard deviations by which a prediction must clear its window
LIMIT = 97.0  # percentile of the data's own remoteness that walkers stay inside


@dataclass(frozen=True)
class Objective:
    """How far a prediction lies from what was asked, in the heads' standardised unit."""

    low: np.ndarray
    high: np.ndarray
    weight: np.ndarray

    @classmethod
    def of(cls, system: ChemVAE, condition: Condition) -> Objective:
        """From a condition's windows.

        Raises
        ------
        ValueError : a property this system neither predicts nor reads off the structure.
        """
        strange = sorted(set(condition.windows) - set(TARGETS) - set(EXACT))
        if strange:
            raise ValueError(
                f"property: chemvae cannot aim at {', '.join(strange)}; "
                f"legal are {', '.join((*TARGETS, *EXACT))}"
            )
        windows = [condition.windows.get(key) for key in TARGETS]
        ends = [_ends(w, k, system) for k, w in enumerate(windows)]
        low, high = (np.array(side, "f4") for side in zip(*ends, strict=True))
        return cls(low, high, np.array([w.weight if w else 0.0 for w in windows], "f4"))

    def miss(self, members: Tensor) -> Tensor:
        """Weighted cautious miss of every window for predictions (members, n, t); (n,)."""
        middle, spread = members.mean(0), members.std(0, correction=0)
        under = torch.as_tensor(self.low) - (middle - CAUTION * spread)
        over = (middle + CAUTION * spread) - torch.as_tensor(self.high)
        return (torch.as_tensor(self.weight) * torch.relu(torch.maximum(under, over))).sum(1)


def _ends(window: Window | None, k: int, system: ChemVAE) -> tuple[float, float]:
    if window is None:
        return -np.inf, np.inf
    low, high = window.low, window.high
    if TARGETS[k] in LOGARITHMIC:
        low = np.log10(low) if low > 0 else -np.inf
        high = np.log10(high) if high > 0 else -np.inf
    mean, scale = system.config.mean[k], system.config.scale[k]
    return (low - mean) / scale, (high - mean) / scale


@dataclass
class Search:
    """One search and what it has met; `seen` holds texts that are not proposed again."""

    system: ChemVAE
    condition: Condition
    manifold: Manifold
    seed: int = 0
    seen: set[str] = field(default_factory=set)
    decoded: int = 0
    limit: float = LIMIT

    def __post_init__(self) -> None:
        self.objective = Objective.of(self.system, self.condition)
        self.wishes: Wishes = read_wishes(self.condition)
        self.seen |= {self.wishes.start} - {""}  # the start is no proposal
        self.rng = np.random.default_rng(self.seed)

    def score(self, z: np.ndarray) -> np.ndarray:
        """Predicted miss at latent points (n, d); (n,), 0 where every window holds."""
        with torch.inference_mode():
            return self.objective.miss(self.system.network.heads(torch.as_tensor(z))).numpy()

    def descend(self, z: np.ndarray, steps: int = STEPS_A_ROUND, rate: float = RATE) -> np.ndarray:
        """Walkers (n, d) some Adam steps down the predicted miss, then back to the data."""
        x = torch.tensor(z, requires_grad=True)
        optimiser = torch.optim.Adam([x], lr=rate)
        for _ in range(steps):
            optimiser.zero_grad()
            self.objective.miss(self.system.network.heads(x)).sum().backward()
            optimiser.step()
        return self.manifold.pull(x.detach().numpy(), limit=self.limit).astype("f4")

    def meet(self, z: np.ndarray, action: str = "design") -> list[Candidate]:
        """Decode points; keep what is valid, honours the wishes and was never met before."""
        self.decoded += len(z)
        fresh = []
        for candidate in self.system.decode(z, seed=self.seed):
            if not candidate.verdict.ok or candidate.text in self.seen:
                continue
            self.seen.add(candidate.text)
            if not self.wishes.unmet(Chem.MolFromSmiles(candidate.text)):
                fresh.append(self._tell(candidate, action))
        return fresh

    def _tell(self, candidate: Candidate, action: str) -> Candidate:
        provenance = replace(
            candidate.provenance,
            action=action,
            seed=self.seed,
            condition=self.condition.to_json(),
            parents=(self.wishes.start,) if self.wishes.start else (),
        )
        predicted = self.system.predict(np.array(candidate.latent, "f4"))[0]
        return replace(candidate, provenance=provenance).with_properties(predicted)

    def scatter(self, z: np.ndarray, count: int, width: float) -> np.ndarray:
        """`count` points around the rows of z, jittered and brought back to the data."""
        rows = z[self.rng.integers(len(z), size=count)]
        moved = rows + width * self.rng.standard_normal(rows.shape)
        return self.manifold.pull(moved, limit=self.limit).astype("f4")


def gradient_search(
    search: Search, start: np.ndarray, *, budget: int, walkers: int = WALKERS
) -> Iterator[list[Candidate]]:
    """Rounds of new molecules, walking down the predicted miss from start points (m, d).

    Walkers that meet nothing new jump to the best points so far, jittered; the jitter widens
    while nothing new is met. Stops after `budget` decoded points.
    """
    z = search.scatter(start, walkers, 0.3)
    z[0] = start[0]
    best, width = np.array(start, "f4"), 0.25
    while search.decoded < budget:
        z = search.descend(z)[: max(1, budget - search.decoded)]
        fresh = search.meet(z)
        if fresh:
            best = _elite(search, best, fresh, walkers)
        width = float(np.clip(width * (0.8 if len(fresh) > walkers // 3 else 1.3), 0.1, 1.5))
        stale = search.rng.random(len(z)) < 0.35
        z = np.where(stale[:, None], search.scatter(best, len(z), width), z).astype("f4")
        yield fresh


def _elite(search: Search, best: np.ndarray, fresh: Sequence[Candidate], keep: int) -> np.ndarray:
    pool = np.concatenate([best, np.array([c.latent for c in fresh], "f4")])
    return pool[np.argsort(search.score(pool), kind="stable")[:keep]]


def random_walk(
    search: Search, start: np.ndarray, *, budget: int, width: float = 0.35
) -> Iterator[list[Candidate]]:
    """The baseline: a walk from the start that knows no property; same decoder, same budget."""
    z = np.repeat(start[:1], WALKERS, 0).astype("f4")
    while search.decoded < budget:
        z = z + width * search.rng.standard_normal(z.shape).astype("f4")
        z = search.manifold.pull(z, limit=search.limit).astype("f4")
        yield search.meet(z[: max(1, budget - search.decoded)], "random walk")


def prior_draws(search: Search, *, budget: int) -> Iterator[list[Candidate]]:
    """The other baseline: draws from the prior, nothing learnt; same budget."""
    while search.decoded < budget:
        count = min(64, budget - search.decoded)
        z = search.rng.standard_normal((count, search.system.config.latent)).astype("f4")
        yield search.meet(z, "prior")


def search_prior(
    system: ChemVAE,
    n: int,
    condition: Condition,
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> Iterator[Candidate]:
    """n candidates for a condition by gradient search from the prior or the start molecule.

    The data's place in latent space is taken from prior draws where no map is at hand.
    """
    from genbat.latent.density import Manifold

    rng = np.random.default_rng(seed)
    prior = rng.standard_normal((2_000, system.config.latent)).astype("f4")
    search = Search(system, condition, Manifold(prior), seed=seed)
    start = system.encode([search.wishes.start]) if search.wishes.start else prior[:WALKERS]
    done = 0
    for fresh in gradient_search(search, start, budget=60 * n + 600):
        for candidate in fresh:
            done += 1
            if progress:
                progress(done / n, f"{done} of {n} molecules")
            yield candidate
            if done == n:
                return
