"""What a user asks of a design run, how it reads in words, and what became of one candidate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from genbat.core.candidate import Candidate
from genbat.core.condition import Condition, Window
from genbat.domains.molecules import data as molecules
from genbat.domains.molecules.properties import BY_KEY
from genbat.domains.molecules.structure import ELEMENTS
from genbat.domains.molecules.wishes import EXACT, pattern, read_wishes
from genbat.studio import registry
from genbat.studio.explore import Atlas
from genbat.studio.store import Evaluation
from genbat.systems.chemvae_targets import TARGETS

MAX_CANDIDATES = 500
MAX_MINUTES = 60
METHODS = ("gradient", "bayes", "both")
WITHOUT = {"pfas": "PFAS", "hazards": "hazard groups"}  # wishes that only forbid
ELEMENT_ORDER = tuple(e for e in ["C", "N", "O", "F", "P", "S", "Cl", "B", "Si"] if e in ELEMENTS)


def systems_for(domain: str) -> list[str]:
    """Systems of a domain that can be asked for properties."""
    return [n for n in registry.names(domain) if "search" in registry.card(n).capabilities]


def wishable(system: str) -> list[str]:
    """Property keys a wish may name, in the page's order; all searching systems share them."""
    legal = {*TARGETS, *EXACT} if system in registry.SYSTEMS else set()
    return [key for key in BY_KEY if key in legal and key not in WITHOUT]


def check_substructure(text: str) -> None:
    """ValueError, saying what is wrong, where a text is neither SMARTS nor SMILES."""
    pattern(text)


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
        if self.domain not in registry.DOMAINS or self.system not in systems_for(self.domain):
            raise ValueError(f"system: got {self.system!r}; legal are {systems_for('molecules')}")
        if not 1 <= self.count <= MAX_CANDIDATES:
            raise ValueError(f"count: got {self.count}; legal are 1 to {MAX_CANDIDATES}")
        if not 0 < self.minutes <= MAX_MINUTES:
            raise ValueError(f"minutes: got {self.minutes}; legal is up to {MAX_MINUTES}")
        if self.method not in METHODS:
            raise ValueError(f"method: got {self.method!r}; legal are {', '.join(METHODS)}")
        if not set(self.condition.windows) - set(WITHOUT):
            raise ValueError("wishes: none; ask for at least one property window")
        strange = set(self.condition.windows) - set(TARGETS) - set(EXACT)
        if strange:
            raise ValueError(f"property: {', '.join(sorted(strange))} cannot be asked for")
        read_wishes(self.condition)

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
        asked = {k: w for k, w in self.condition.windows.items() if k not in WITHOUT}
        text = f"{self.domain} with " + " and ".join(wish_text(k, w) for k, w in asked.items())
        wishes = self.condition.wishes
        elements = wishes.get("elements")
        if elements and set(elements) != ELEMENTS - {"H"}:
            text += f", made of {' '.join(['H', *elements])}"
        gone = [word for key, word in WITHOUT.items() if key in self.condition.windows]
        text += f", without {' and '.join(gone)}" if gone else ""
        text += f", keeping {', '.join(wishes['keep'])}" if wishes.get("keep") else ""
        return text + (f", starting from {wishes['start']}" if wishes.get("start") else "")


def wish_text(key: str, window: Window) -> str:
    """`LUMO below −7 eV`."""
    known = BY_KEY[key]
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
    told = []
    for key, window in question.condition.windows.items():
        known, wish = _finite(place, key), wish_text(key, window)
        if len(known) and (window.low > known.max() or window.high < known.min()):
            told.append(
                f"{wish}: beyond everything the model was trained on "
                f"({known.min():.3g} to {known.max():.3g}); expect extrapolation"
            )
        elif len(known) and _share(known, window) < 0.002:
            told.append(f"{wish}: fewer than 2 in 1,000 known molecules have it")
        if key not in judged_keys():
            told.append(
                f"{wish}: only predicted, no calculation here can judge it; "
                f"{len(known):,} measured values taught the model"
            )
    return told


def _share(values: np.ndarray, window: Window) -> float:
    return float(np.mean((values >= window.low) & (values <= window.high)))


def judged_keys() -> set[str]:
    """Properties that xTB or RDKit compute for any molecule."""
    return {key for key, _, _ in molecules.computed_columns()}


def known_share(question: Question, place: Atlas) -> float | None:
    """Share of all known objects that honour the windows the physics can judge: the hit rate of
    somebody who picks known molecules blindly. None where the physics can judge nothing."""
    windows = question.condition.windows
    decided = [k for k in windows if k in judged_keys()]
    if not set(decided) - set(WITHOUT):
        return None
    values = np.array([place.values(k)[: place.n_known] for k in decided])
    values = values[:, np.isfinite(values).all(0)]
    holds = [
        (v >= windows[k].low) & (v <= windows[k].high) for k, v in zip(decided, values, strict=True)
    ]
    return float(np.mean(np.all(holds, axis=0))) if values.shape[1] else None


@dataclass(frozen=True)
class Outcome:
    """A judged candidate against what was asked.

    Attributes
    ----------
    held : per window whether it holds by physics, None where only a prediction is known.
    likely : per window of the latter kind whether the prediction lies in it.
    failed : why the physics gave no value, else "".
    """

    candidate: Candidate
    held: Mapping[str, bool | None]
    failed: str = ""
    likely: Mapping[str, bool] = field(default_factory=dict)

    @property
    def hit(self) -> bool:
        """Every window the physics can answer holds, one that asks for a value among them."""
        known = {k: h for k, h in self.held.items() if h is not None}
        return bool(set(known) - set(WITHOUT)) and all(known.values()) and not self.failed

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
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Outcome:
        """Inverse of `to_json`."""
        candidate = Candidate.from_json(data["candidate"])
        return cls(candidate, data["held"], data["failed"], data.get("likely", {}))


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
    return Outcome(known.with_properties(predicted), held, evaluation.failed, likely)
