"""Design by sampling: a conditional system proposes, the physics judges in batches.

The system is steered by whatever of the condition it honours; the rest filters what it made. A
crystal is judged, and compared with the wishes, as it is after its relaxation.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from genbat.core.candidate import Candidate, Verdict
from genbat.core.condition import Condition
from genbat.studio.design_near import near
from genbat.studio.explore import Atlas
from genbat.studio.question import WISHES, Outcome, Question, judge
from genbat.studio.registry import load, target_keys
from genbat.studio.rooms import Judgement
from genbat.studio.store import Store
from genbat.studio.work import judged

FIRST_BATCH = 24  # small, so that the first results come soon
LEAST_BATCH = 8
SYMMETRY = ("space_group", "crystal_system", "not_p1")
Say = Callable[[float, str], object]


def steering(system: Any, condition: Condition) -> Condition:
    """The part of a condition that a system has learnt to honour."""
    adapters = getattr(system.config, "adapters", None)
    if adapters is None:  # it honours what it lists, always
        keys = target_keys(system.card.name)
        windows = {k: w for k, w in condition.windows.items() if k in keys}
        return Condition(windows, system.honoured(condition.wishes))
    windows = {k: w for k, w in condition.windows.items() if k in adapters}
    keep = "space_group" in adapters
    wishes = {k: v for k, v in condition.wishes.items() if keep or k not in SYMMETRY}
    return Condition(windows, wishes)


def sampled(
    question: Question,
    place: Atlas,
    store: Store,
    on_result: Callable[[Outcome], object],
    report: Say,
) -> None:
    """Sample and judge until count or time is used up; `on_result` gets each outcome at once.

    `report` is called often; what it raises ends the search, and so cancels it.
    """
    run = _Run(question, place.rooms.words.judge, report)
    made = _proposals(question, place, load(question.system))
    run.say(0.0, "sampling")
    while batch := list(islice(made, run.size(place.rooms.batch))):
        run.batch = len(batch)
        for found in judged_batch(question, place, store, batch, run.say):
            run.done, run.hits = run.done + 1, run.hits + found.hit
            on_result(found)
        if run.left_s <= 0:
            break
        run.say(0.0, "sampling")
    report(1.0, run.so_far() + ("; time used up" if run.done < question.count else ""))


@dataclass
class _Run:
    """How far a run is."""

    question: Question
    judge: str
    report: Say
    done: int = 0
    hits: int = 0
    batch: int = 0

    def __post_init__(self) -> None:
        self.began = time.monotonic()

    @property
    def left_s(self) -> float:
        """Seconds until its time is used up."""
        return 60 * self.question.minutes - (time.monotonic() - self.began)

    def so_far(self) -> str:
        """`24 of 96 judged by CHGNet, 10 hits`."""
        word = "hit" if self.hits == 1 else "hits"
        return f"{self.done} of {self.question.count} judged by {self.judge}, {self.hits} {word}"

    def say(self, fraction: float, text: str = "") -> None:
        """Tell how far it is; `fraction` is that of the batch."""
        share = (self.done + fraction * self.batch) / self.question.count
        self.report(min(0.99, share), f"{self.so_far()}; {text}" if text else self.so_far())

    def size(self, most: int) -> int:
        """How many to judge next, of the most that are judged at once: few at first, and what the
        time left will do."""
        if not self.done:
            return min(FIRST_BATCH, most)
        spent = time.monotonic() - self.began
        return min(most, max(LEAST_BATCH, int(self.done / spent * self.left_s)))


def _proposals(question: Question, place: Atlas, system: Any) -> Iterator[Candidate]:
    if not system.takes_windows and "decode" in system.card.capabilities:
        return near(question, place, system)
    return _sampled(question, system)


def _sampled(question: Question, system: Any) -> Iterator[Candidate]:
    steer = steering(system, question.condition)
    wanted = steer if steer.windows or steer.wishes else None
    return system.sample(question.count, condition=wanted, seed=question.seed)


def judged_batch(
    question: Question, place: Atlas, store: Store, batch: Sequence[Candidate], say: Say
) -> Iterator[Outcome]:
    """Outcomes of candidates, each placed on the map where it can be."""
    owners: dict[str, list[Candidate]] = {}
    for candidate in batch:
        owners.setdefault(candidate.text, []).append(candidate)
    found = list(judged(place.rooms, store, list(owners), say))
    pairs = [(own, one) for one in found for own in owners[one.evaluation.text]]
    settled = [place.rooms.settled(own, one) for own, one in pairs]
    points = places(place, [c.text for c in settled])
    for (_, one), candidate, point in zip(pairs, settled, points, strict=True):
        yield outcome(question, place, replace(candidate, latent=point), one)


def places(place: Atlas, texts: Sequence[str]) -> list[tuple[float, ...] | None]:
    """Latent points of texts, None for those the reference system cannot encode."""
    try:
        return [tuple(round(float(v), 5) for v in z) for z in place.system.encode(list(texts))]
    except ValueError:
        if len(texts) < 2:
            return [None] * len(texts)
    half = len(texts) // 2
    return places(place, texts[:half]) + places(place, texts[half:])


def outcome(
    question: Question, place: Atlas, candidate: Candidate, judgement: Judgement
) -> Outcome:
    """A settled candidate against what was asked."""
    room, told = place.rooms, dict(judgement.more.get("told", {}))
    failed = judgement.evaluation.failed
    named = replace(
        candidate, name=room.title(candidate.text), provenance=_story(question, candidate)
    )
    if failed:
        lost = replace(named, verdict=Verdict(False, (failed,)))
        return Outcome(lost, {}, failed, told=told)
    match = place.known.match(candidate.text)
    name = named.name if match is None else place.names[match]
    good = replace(named, verdict=Verdict(True), novel=match is None, name=name)
    found = judge(good, judgement.evaluation, question.condition)
    if unmet := room.unmet(question.condition, candidate.text):
        told["breaks"] = "; ".join(unmet)
    return replace(found, held={**found.held, WISHES: not unmet}, told=told)


def _story(question: Question, candidate: Candidate) -> Any:
    asked = {"asked": question.condition.to_json()}
    story = candidate.provenance
    return replace(story, arguments={**story.arguments, **asked})
