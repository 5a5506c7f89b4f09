"""What a user asks of a design run, how it reads in words, and what became of one candidate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from genbat.core.candidate import Candidate
from genbat.core.condition import Condition, Window
from genbat.studio import registry
from genbat.studio.explore import Atlas
from genbat.studio.rooms import rooms
from genbat.studio.store import Evaluation

MAX_MINUTES = 60
SEARCHES = ("gradient", "bayes", "both")  # methods of a system that searches its latent space
SAMPLING = "sample"  # the method of the others
WISHES = "wishes"  # what stands for all the discrete wishes in `Outcome.held`


def systems_for(domain: str) -> list[str]:
    """Systems of a domain that can be asked for something, best suited first."""
    able = [n for n in registry.names(domain) if registry.trained(n) and methods_of(n)]
    return sorted(able, key=_suits)


def _suits(system: str) -> tuple[int, bool]:
    """First those that are told windows, then those that can be searched, then those that only
    draw; among them those without a latent space, which sample and do no more."""
    told = registry.kind(system).takes_windows and bool(registry.target_keys(system))
    latent = "encode" in registry.card(system).capabilities
    return (0 if told else 1 if latent else 2), latent


def methods_of(system: str) -> tuple[str, ...]:
    """How a system can be asked, the usual way last."""
    able = registry.card(system).capabilities
    if "search" in able:
        return SEARCHES
    return (SAMPLING,) if "sample" in able else ()


def wishable(domain: str) -> list[str]:
    """Property keys a wish may name, in the page's order."""
    return list(rooms(domain).wishable)


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
        legal = systems_for(self.domain) if self.domain in registry.DOMAINS else []
        if self.system not in legal:
            raise ValueError(f"system: got {self.system!r}; legal are {legal}")
        room, methods = rooms(self.domain), methods_of(self.system)
        if not 1 <= self.count <= room.most:
            raise ValueError(f"count: got {self.count}; legal are 1 to {room.most}")
        if not 0 < self.minutes <= MAX_MINUTES:
            raise ValueError(f"minutes: got {self.minutes}; legal is up to {MAX_MINUTES}")
        if self.method not in methods:
            raise ValueError(f"method: got {self.method!r}; legal are {', '.join(methods)}")
        if SAMPLING not in methods and not set(self.condition.windows) - set(room.without):
            raise ValueError("wishes: none; ask for at least one property window")
        strange = set(self.condition.windows) - {*room.wishable, *room.without}
        if strange:
            raise ValueError(f"property: {', '.join(sorted(strange))} cannot be asked for")
        room.read_wishes(self.condition)

    @property
    def asked(self) -> dict[str, Window]:
        """The windows that ask for a value, not those that only forbid."""
        gone = rooms(self.domain).without
        return {k: w for k, w in self.condition.windows.items() if k not in gone}

    def to_json(self) -> dict[str, Any]:
        """Plain JSON: the job's arguments."""
        rest = {k: getattr(self, k) for k in ("system", "domain", "count", "minutes", "method")}
        return {**rest, "seed": self.seed, "condition": self.condition.to_json()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Question:
        """Inverse of `to_json`."""
        return cls(**{**data, "condition": Condition.from_json(data["condition"])})

    def sentence(self) -> str:
        """`molecules with LUMO below −7 eV and Vertical IP above 15 eV, without PFAS`."""
        wishes = [wish_text(self.domain, k, w) for k, w in self.asked.items()]
        text = f"{self.domain} with {' and '.join(wishes)}" if wishes else self.domain
        return text + rooms(self.domain).wish_words(self.condition)


def wish_text(domain: str, key: str, window: Window) -> str:
    """`LUMO below −7 eV`."""
    known = next(p for p in rooms(domain).properties if p.key == key)
    return f"{known.label} {window.text()} {known.unit}".replace("-", "−").strip()


def usual_range(place: Atlas, key: str) -> tuple[float, float, int]:
    """5 % and 95 % quantile of a property among the known objects, and how many have a value."""
    known = _finite(place, key)
    if not len(known):
        return float("nan"), float("nan"), 0
    low, high = np.percentile(known, [5, 95])
    return float(low), float(high), len(known)


def _finite(place: Atlas, key: str) -> np.ndarray:
    known = place.values(key)[: place.n_known]
    return known[np.isfinite(known)]


def warnings_for(question: Question, place: Atlas) -> list[str]:
    """Wishes that say so themselves: beyond what training saw, held by nearly no known object,
    or without any calculation that could judge them."""
    told, judged = [], place.rooms.judged()
    for key, window in question.condition.windows.items():
        known, wish = _finite(place, key), wish_text(question.domain, key, window)
        if len(known) and (window.low > known.max() or window.high < known.min()):
            told.append(
                f"{wish}: beyond everything the model was trained on "
                f"({known.min():.3g} to {known.max():.3g}); expect extrapolation"
            )
        elif len(known) and _share(known, window) < 0.002:
            told.append(f"{wish}: fewer than 2 in 1,000 known {place.rooms.domain} have it")
        if key not in judged:
            told.append(
                f"{wish}: only predicted, no calculation here can judge it; "
                f"{len(known):,} measured values taught the model"
            )
    return told


def _share(values: np.ndarray, window: Window) -> float:
    return float(np.mean((values >= window.low) & (values <= window.high)))


def known_share(question: Question, place: Atlas) -> float | None:
    """Share of all known objects that honour the windows the physics can judge: the hit rate of
    somebody who picks known molecules blindly. None where the physics can judge nothing."""
    windows = question.condition.windows
    judged = place.rooms.judged()
    decided = [k for k in windows if k in judged]
    if not set(decided) & set(question.asked):
        return None
    wishes = place.rooms.read_wishes(question.condition)
    legal = place.known.fulfil(wishes)
    values = np.array([place.values(k)[: place.n_known] for k in decided])
    if not place.known.complete:  # else an unknown value is one that there is not
        known = np.isfinite(values).all(0)
        values, legal = values[:, known], legal[known]
    holds = [
        (v >= windows[k].low) & (v <= windows[k].high) for k, v in zip(decided, values, strict=True)
    ]
    return float(np.mean(np.all([legal, *holds], axis=0))) if values.shape[1] else None


@dataclass(frozen=True)
class Outcome:
    """A judged candidate against what was asked.

    Attributes
    ----------
    held : per window whether it holds by physics, None where only a prediction is known; under
        WISHES whether all discrete wishes hold, where the physics may have changed the object.
    likely : per window of the latter kind whether the prediction lies in it.
    failed : why the physics gave no value, else "".
    told : further facts in words, for the page: what the physics found on the way.
    """

    candidate: Candidate
    held: Mapping[str, bool | None]
    failed: str = ""
    likely: Mapping[str, bool] = field(default_factory=dict)
    told: Mapping[str, str] = field(default_factory=dict)

    @property
    def hit(self) -> bool:
        """Every window the physics can answer holds, one that asks for a value among them."""
        known = {k: h for k, h in self.held.items() if h is not None}
        asking = set(known) - set(rooms(self.candidate.domain).without)
        return bool(asking) and all(known.values()) and not self.failed

    @property
    def standing(self) -> str:
        """ "hit": all windows hold by physics. "likely": no window fails, those the physics does
        not know hold by prediction. Else "miss", or "failed" where the calculation did."""
        if self.failed:
            return "failed"
        if False in self.held.values() or not all(self.likely.values()):
            return "miss"
        return "hit" if self.hit and None not in self.held.values() else "likely"

    def to_json(self) -> dict[str, Any]:
        """Payload of a job result."""
        return {
            "candidate": self.candidate.to_json(),
            "held": dict(self.held),
            "failed": self.failed,
            "likely": dict(self.likely),
            "told": dict(self.told),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Outcome:
        """Inverse of `to_json`."""
        candidate = Candidate.from_json(data["candidate"])
        return cls(
            candidate, data["held"], data["failed"], data.get("likely", {}), data.get("told", {})
        )


def judge(candidate: Candidate, evaluation: Evaluation, condition: Condition) -> Outcome:
    """A candidate with its xTB values beside the asked windows; predictions never decide.

    Where the physics gives a value, the prediction is kept as "<key>:predicted".
    """
    known = candidate.with_properties(evaluation.values)
    predicted = {
        f"{k}:predicted": m
        for k, m in candidate.properties.items()
        if m.kind == "predicted" and k in evaluation.values
    }
    judged = rooms(candidate.domain).judged()
    held: dict[str, bool | None] = {}
    likely: dict[str, bool] = {}
    for key, window in condition.windows.items():
        found = known.properties.get(key)
        if found is not None and found.kind != "predicted":
            held[key] = window.holds(found.value)
            continue
        held[key] = None
        if found is not None:
            likely[key] = window.holds(found.value)
        elif not evaluation.failed and key in judged:
            held[key] = False  # the physics was asked and has no such value
    return Outcome(known.with_properties(predicted), held, evaluation.failed, likely)
