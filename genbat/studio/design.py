"""Design: ask for properties, search latent space, let the physics judge, learn from it.

One job: rounds of gradient search on the heads, then Bayesian rounds whose Gaussian process learns
from every xTB result. Each judged candidate is stored and emitted the moment it is known.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from genbat.core.candidate import Candidate
from genbat.studio.design_sampling import sampled
from genbat.studio.explore import Atlas, atlas
from genbat.studio.question import SAMPLING, Outcome, Question, judge, known_share, warnings_for
from genbat.studio.store import Evaluation
from genbat.studio.tables import now
from genbat.studio.work import Report, physics_of
from genbat.systems.latent_bayes import achieved_miss, bayes_search
from genbat.systems.latent_search import Search, gradient_search

__all__ = ["Outcome", "Question", "judge", "known_share", "run", "start_points", "warnings_for"]

_STARTS = 12
_BATCH = 6  # judged after one round; the best of _CHOICE times as many met
_CHOICE = 4
_ROUNDS = 12  # a lot is judged at the latest after so many rounds
_DECODED_EACH = 400  # latent points decoded at most for each candidate asked for
_TAUGHT = 8  # known misses the Gaussian process needs to start with

Values = Mapping[str, float] | None


class Enough(Exception):
    """Count or time is used up; the message says which."""


def start_points(search: Search, place: Atlas) -> np.ndarray:
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
    """The job: emits one `Outcome` after another until count, time or ideas are used up."""
    question = Question.from_json(arguments)
    report(0.0, f"opening the map of known {question.domain}")
    place = atlas(question.domain)
    emit: Callable[[Outcome], object] = lambda o: report.emit(o.to_json())  # noqa: E731
    if question.method == SAMPLING:
        sampled(question, place, report.store, emit, report)
        return
    physics = lambda text: physics_of(report.store, question.domain, text)  # noqa: E731
    design(question, place, physics, emit, report)


def design(
    question: Question,
    place: Atlas,
    physics: Callable[[str], Evaluation],
    on_result: Callable[[Outcome], object],
    report: Callable[[float, str], object],
) -> None:
    """Search until count, time or ideas are used up; `on_result` gets each outcome at once.

    `report` is called before every single calculation and once a round; what it raises ends the
    search, and so cancels it.
    """
    search = Search(
        place.system,
        question.condition,
        place.manifold,
        seed=question.seed,
        seen=set(place.dataset.row_of),
    )
    search.seen.add(search.wishes.start)
    session = _Session(question, place, search, physics, on_result, report)
    try:
        session.search_all()
        reason = "nothing new to propose; widen the wishes or take another seed"
    except Enough as end:
        reason = str(end)
    report(1.0, f"{session.so_far()}{'; ' if reason else ''}{reason}")


@dataclass
class _Session:
    """One run: what it has judged and learnt."""

    question: Question
    place: Atlas
    search: Search
    physics: Callable[[str], Evaluation]
    on_result: Callable[[Outcome], object]
    report: Callable[[float, str], object]
    done: int = 0
    hits: int = 0
    phase: str = "gradient"
    latents: list[np.ndarray] = field(default_factory=list)
    values: list[Values] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.began = time.monotonic()
        self.start = start_points(self.search, self.place)

    def search_all(self) -> None:
        """All phases of the method; the gradient fills up where the process has no more ideas."""
        asked = self.question
        if asked.method != "bayes":
            self._gradient(asked.count if asked.method == "gradient" else max(4, asked.count // 3))
        if asked.method != "gradient":
            self._bayes()
            self._gradient(asked.count - self.done)

    def so_far(self) -> str:
        """`12 of 24 judged by xTB, 5 hits`."""
        word = "hit" if self.hits == 1 else "hits"
        judge = self.place.rooms.words.judge
        return f"{self.done} of {self.question.count} judged by {judge}, {self.hits} {word}"

    def look(self) -> None:
        """Tell how far it is; raises `Enough`, or what `report` raises once cancelled."""
        spent = (time.monotonic() - self.began) / (60 * self.question.minutes)
        if self.done >= self.question.count:
            raise Enough("")
        if spent >= 1:
            raise Enough("time used up")
        self.report(min(0.99, max(self.done / self.question.count, spent)), self.so_far())

    # ------------------------------------------------------------------ phases
    def _gradient(self, count: int) -> None:
        """Walk down the heads' predicted miss; of each lot the best by prediction are judged."""
        self.phase, pending, until = "gradient", list[Candidate](), self.done + count
        rounds = 0
        budget = self.search.decoded + _DECODED_EACH * max(count, _BATCH)
        for fresh in gradient_search(self.search, self.start, budget=budget):
            self.look()
            pending, rounds = pending + fresh, rounds + 1
            if len(pending) >= _CHOICE * _BATCH or (pending and rounds >= _ROUNDS):
                self._judge_best(pending, until)
                pending, rounds = [], 0
            if self.done >= until:
                return
        self._judge_best(pending, until)

    def _judge_best(self, pending: Sequence[Candidate], until: int) -> None:
        if pending:
            score = self.search.score(np.array([c.latent for c in pending], "f4"))
            best = np.argsort(score, kind="stable")[: min(_BATCH, max(0, until - self.done))]
            self.judge_all([pending[k] for k in best])

    def _bayes(self) -> None:
        """Let a Gaussian process learn from what the physics has said, and propose."""
        near = min(24, self.place.n_known)
        rows = np.unique(self.place.manifold.neighbours.query(self.start, near)[1])[:200]
        known = [_known_values(self.place, int(r)) for r in rows]
        z = np.concatenate([self.place.latents[rows], *[p[None] for p in self.latents]])
        values = [*known, *self.values]
        if np.isfinite(achieved_miss(self.search, values)).sum() < _TAUGHT:
            return  # nothing the physics could teach: only measured properties were asked for
        from botorch.exceptions import ModelFittingError

        self.phase, budget = "bayes", self.search.decoded + 20_000
        try:
            for _ in bayes_search(
                self.search, z, values, self.judge_all, budget=budget, a_round=_BATCH
            ):
                self.look()
        except (ArithmeticError, RuntimeError, ModelFittingError):
            return  # a process that cannot be fitted has no ideas

    # ------------------------------------------------------------------ judging
    def judge_all(self, fresh: Sequence[Candidate]) -> list[Values]:
        """Judge one after the other, hand each over at once, remember what it taught."""
        again = self.search.system.decode(np.array([c.latent for c in fresh], "f4"))
        taught: list[Values] = []
        for candidate, repeated in zip(fresh, again, strict=True):
            # Only what its stored latent point gives again can be "made again".
            taught.append(self._judge(candidate) if repeated.text == candidate.text else None)
        return taught

    def _judge(self, candidate: Candidate) -> Values:
        self.look()
        told = self.place.describe(candidate)
        story = replace(candidate.provenance, arguments=self._arguments())
        try:
            evaluation = self.physics(candidate.text)
        except RuntimeError as error:  # given up in a way nobody foresaw
            method = self.place.rooms.method()
            evaluation = Evaluation(candidate.text, method, {}, str(error)[:500], now())
        outcome = judge(replace(told, provenance=story), evaluation, self.question.condition)
        self.done, self.hits = self.done + 1, self.hits + outcome.hit
        self.on_result(outcome)
        self.latents.append(np.array(candidate.latent, "f4"))
        self.values.append(values_of(outcome))
        return self.values[-1]

    def _arguments(self) -> dict[str, Any]:
        asked = self.question.to_json()
        kept = {k: asked[k] for k in ("method", "count", "minutes")}
        return {
            **kept,
            "phase": self.phase,
            "number": self.done + 1,
            "judge": self.place.rooms.method(),
        }


def _known_values(place: Atlas, row: int) -> Mapping[str, float]:
    return {k: m.value for k, m in place.dataset.measurements(row).items()}


def values_of(outcome: Outcome) -> Values:
    """What physics or measurement say of a judged candidate; None where they failed."""
    if outcome.failed:
        return None
    known = {k: m.value for k, m in outcome.candidate.properties.items() if m.kind != "predicted"}
    return {k: v for k, v in known.items() if math.isfinite(v)}
