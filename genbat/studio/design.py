"""Design: ask for properties, search latent space, let the physics judge, learn from it.

One job: rounds of gradient search on the heads, then Bayesian rounds whose Gaussian process learns
from every xTB result. Each judged candidate is stored and emitted the moment it is known.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from genbat.core.candidate import Candidate
from genbat.core.condition import Condition, Window
from genbat.core.properties import Measurement
from genbat.studio.explore import Atlas, atlas
from genbat.studio.store import Evaluation
from genbat.studio.work import Report, physics_of
from genbat.systems.latent_bayes import achieved_miss, bayes_search
from genbat.systems.latent_search import Search, gradient_search

MAX_CANDIDATES = 500
MAX_MINUTES = 60
METHODS = ("gradient", "bayes", "both")
_STARTS = 12
_BATCH = 6


@dataclass(frozen=True)
class Question:
    """What a user asks of a design run, checked."""

    condition: Condition
    system: str = "chemvae"
    domain: str = "molecules"
    count: int = 24
    minutes: float = 2.0
    method: str = "both"
    seed: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.count <= MAX_CANDIDATES:
            raise ValueError(f"count: got {self.count}; legal are 1 to {MAX_CANDIDATES}")
        if not 0 < self.minutes <= MAX_MINUTES:
            raise ValueError(f"minutes: got {self.minutes}; legal is up to {MAX_MINUTES}")
        if self.method not in METHODS:
            raise ValueError(f"method: got {self.method!r}; legal are {', '.join(METHODS)}")
        if not self.condition.windows:
            raise ValueError("wishes: none; ask for at least one property window")

    def to_json(self) -> dict[str, Any]:
        """Plain JSON: the job's arguments."""
        rest = {k: getattr(self, k) for k in ("system", "domain", "count", "minutes", "method")}
        return {**rest, "seed": self.seed, "condition": self.condition.to_json()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Question:
        """Inverse of `to_json`."""
        return cls(**{**data, "condition": Condition.from_json(data["condition"])})


def warnings_for(question: Question, place: Atlas) -> list[str]:
    """Wishes that say so themselves: beyond what training saw, or held by no known molecule."""
    told = []
    for key, window in question.condition.windows.items():
        known = place.values(key)[: place.n_known]
        known = known[np.isfinite(known)]
        label = next(p.label for p in place.properties if p.key == key)
        if len(known) and (window.low > known.max() or window.high < known.min()):
            told.append(
                f"{label} {window.text()}: beyond everything the model was trained on "
                f"({known.min():.3g} to {known.max():.3g}); expect extrapolation"
            )
        elif len(known) and _share(known, window) < 0.002:
            told.append(f"{label} {window.text()}: fewer than 2 in 1,000 known molecules have it")
    return told


def _share(values: np.ndarray, window: Window) -> float:
    return float(np.mean((values >= window.low) & (values <= window.high)))


@dataclass(frozen=True)
class Outcome:
    """A judged candidate against what was asked: per window whether it holds by the physics
    (None where only a prediction is known)."""

    candidate: Candidate
    held: Mapping[str, bool | None]
    failed: str = ""

    @property
    def hit(self) -> bool:
        """Every window that the physics or a measurement can answer holds, and there is one."""
        known = [h for h in self.held.values() if h is not None]
        return bool(known) and all(known) and not self.failed

    def to_json(self) -> dict[str, Any]:
        """Payload of a job result."""
        return {
            "candidate": self.candidate.to_json(),
            "held": dict(self.held),
            "failed": self.failed,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Outcome:
        """Inverse of `to_json`."""
        return cls(Candidate.from_json(data["candidate"]), data["held"], data["failed"])


def judge(candidate: Candidate, evaluation: Evaluation, condition: Condition) -> Outcome:
    """A candidate with its xTB values beside the asked windows; predictions never decide."""
    known = candidate.with_properties(evaluation.values)
    predicted = {
        f"{k}:predicted": m
        for k, m in candidate.properties.items()
        if m.kind == "predicted" and k in evaluation.values
    }
    held: dict[str, bool | None] = {}
    for key, window in condition.windows.items():
        found = known.properties.get(key)
        sure = found is not None and found.kind != "predicted"
        held[key] = window.holds(found.value) if sure and found else None
    return Outcome(known.with_properties(predicted), held, evaluation.failed)


def start_points(search: Search, place: Atlas, condition: Condition) -> np.ndarray:
    """Where to start: the wished molecule, else the known ones nearest to the wishes (m, d)."""
    if search.wishes.start:
        return search.system.encode([search.wishes.start])
    rows = _honouring(place, search)
    score = search.score(place.latents[rows])
    return place.latents[rows[np.argsort(score, kind="stable")[:_STARTS]]]


def _honouring(place: Atlas, search: Search) -> np.ndarray:
    """Known rows made of the wished elements only; all rows where there are too few."""
    allowed = np.array([e <= search.wishes.elements for e in place.elements[: place.n_known]])
    rows = np.flatnonzero(allowed)
    return rows if len(rows) >= _STARTS else np.arange(place.n_known)


def run(arguments: Mapping[str, Any], report: Report) -> None:
    """The job: emits one `Outcome` after another until count, time or patience is used up."""
    question = Question.from_json(arguments)
    report(0.0, "loading the map")
    place = atlas(question.domain)
    search = Search(
        place.system,
        question.condition,
        place.manifold,
        seed=question.seed,
        seen=set(place.dataset.row_of),
    )
    ends = time.monotonic() + 60 * question.minutes
    done = 0
    for fresh in _rounds(question, search, place, report):
        for outcome in fresh:
            report.emit(outcome.to_json())
            done += 1
            report(done / question.count, f"{done} of {question.count} judged by xTB")
            if done == question.count:
                return
        if time.monotonic() > ends:
            report(1.0, f"time used up; {done} of {question.count} judged")
            return


def _rounds(
    question: Question, search: Search, place: Atlas, report: Report
) -> Iterator[Iterator[Outcome]]:
    """Lazy rounds of judged candidates: gradient first, then Bayesian on what was learnt."""
    start = start_points(search, place, question.condition)
    memory: list[tuple[Candidate, Mapping[str, float] | None]] = []

    def judged(candidates: Sequence[Candidate]) -> Iterator[Outcome]:
        for candidate in candidates:
            told = replace(
                place.describe(candidate), provenance=candidate.provenance, novel=True
            )
            outcome = judge(told, physics_of(report.store, candidate.text), question.condition)
            memory.append((candidate, _values(outcome)))
            yield outcome

    first = question.count if question.method == "gradient" else max(8, question.count // 3)
    if question.method != "bayes":
        yield from _gradient(search, start, first, judged)
    if question.method != "gradient":
        yield from _bayes(search, place, start, memory, judged)


def _gradient(
    search: Search, start: np.ndarray, count: int, judged: Any
) -> Iterator[Iterator[Outcome]]:
    pending: list[Candidate] = []
    done = 0
    for fresh in gradient_search(search, start, budget=400 * count):
        pending += fresh
        if len(pending) < 4 * _BATCH:
            continue
        z = np.array([c.latent for c in pending], "f4")
        best = np.argsort(search.score(z), kind="stable")[:_BATCH]
        yield judged([pending[k] for k in best])
        done += _BATCH
        pending = []
        if done >= count:
            return
    if pending:
        yield judged(pending[:_BATCH])


def _bayes(
    search: Search,
    place: Atlas,
    start: np.ndarray,
    memory: list[tuple[Candidate, Mapping[str, float] | None]],
    judged: Any,
) -> Iterator[Iterator[Outcome]]:
    rows = place.manifold.neighbours.query(start, 24)[1].ravel()
    rows = np.unique(rows)[:200]
    known = [_known_values(place, int(r)) for r in rows]
    z = np.concatenate([place.latents[rows], *[np.array([c.latent], "f4") for c, _ in memory]])
    outcomes: list[Outcome] = []

    def teach(fresh: Sequence[Candidate]) -> list[Mapping[str, float] | None]:
        outcomes[:] = list(judged(fresh))
        return [_values(o) for o in outcomes]

    values = [*known, *[v for _, v in memory]]
    for _ in bayes_search(search, z, values, teach, budget=20_000, a_round=_BATCH):
        yield iter(list(outcomes))
        outcomes.clear()


def _known_values(place: Atlas, row: int) -> Mapping[str, float]:
    own = place.dataset.measurements(row)
    return {k: m.value for k, m in own.items()}


def _values(outcome: Outcome) -> Mapping[str, float] | None:
    if outcome.failed:
        return None
    sure: dict[str, Measurement] = {
        k: m for k, m in outcome.candidate.properties.items() if m.kind != "predicted"
    }
    return {k: m.value for k, m in sure.items() if math.isfinite(m.value)}


def total_miss(outcomes: Sequence[Outcome], search: Search) -> np.ndarray:
    """Weighted miss of judged outcomes in the heads' unit (n,), for the leaderboard."""
    return achieved_miss(search, [_values(o) for o in outcomes])
