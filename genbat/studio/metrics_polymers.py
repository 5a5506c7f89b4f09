"""How well a system writes polymers: the eight measures of the GPT-against-diffusion study.

Yang et al. 2024 compare validity, uniqueness, novelty, synthesisability, similarity to what was
learnt, diversity, the distribution of the property, and the cost. Everything is measured on n texts
of the system, of the training set drawn again (trivial), of random mutations of it (trivial), of
the model alone where a system writes what is illegal again, and on the polymers that were held out
(real). The property is the surrogate's for molecular dynamics.
"""

from __future__ import annotations

import time
from collections.abc import Sequence, Set
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem import rdFingerprintGenerator
from rdkit.DataStructs import BulkTanimotoSimilarity
from scipy.stats import wasserstein_distance

from genbat.core.condition import Condition, Window
from genbat.domains.molecules.descriptors import sa_score
from genbat.domains.polymers.data import Polymers
from genbat.domains.polymers.repeat_unit import HEAD, TAIL, capped, normal
from genbat.domains.polymers.tokens import Vocabulary, split
from genbat.studio import registry
from genbat.studio.metrics import Metrics, Progress, metric
from genbat.systems.polymer_words import BORDERS, TARGET
from genbat.systems.polymersurrogate import TARGETS, Surrogate

AGAIN, MUTATED, ONCE = "training set resampled", "random mutation", "each written once"
RADIUS, BITS = 2, 2048
SOME = 500  # polymers whose likenesses are measured
TOP = BORDERS[-1]  # per cent of the training set below the best class
COLUMN = TARGETS.index(TARGET)
# What is wanted of each system's valid, unique and novel shares.
BARS: dict[str, dict[str, float]] = {
    "polymergpt": {"valid": 0.95, "unique": 0.95, "novel": 0.90},
    "polymerdiffusion": {"valid": 0.85, "unique": 0.90, "novel": 0.90},
    "polymermasking": {"valid": 0.90, "unique": 0.90, "novel": 0.90},
}


@dataclass(frozen=True)
class Subject:
    """What is measured: a system on polymers, with n texts and one seed, and who judges them."""

    system: Any
    polymers: Polymers
    n: int
    seed: int
    report: Progress
    judge: Surrogate
    memory: dict[str, Any] = field(default_factory=dict)

    def reporting(self, report: Progress) -> Subject:
        """The same subject with another progress."""
        return replace(self, report=report)

    def rng(self, purpose: int) -> np.random.Generator:
        """Random numbers of one purpose."""
        return np.random.default_rng((self.seed, purpose))

    @cached_property
    def trained(self) -> list[str]:
        """Normal forms of the polymers it learnt from."""
        return self.polymers.rows("train")["text"].tolist()

    @cached_property
    def held(self) -> list[str]:
        """Normal forms of those held out."""
        return self.polymers.rows("test")["text"].tolist()

    def drawn(self, condition: Condition | None = None, **options: Any) -> tuple[list[str], float]:
        """n texts, and the seconds a thousand took; `options` as the system takes them."""
        key = str((condition and condition.to_json(), options))
        if key not in self.memory:
            start = time.perf_counter()
            made = self.system.sample(
                self.n, seed=self.seed, condition=condition, progress=self.report, **options
            )
            texts = [candidate.text for candidate in made]
            spent = 1000 * (time.perf_counter() - start) / self.n
            self.memory[key] = texts, spent
        found: tuple[list[str], float] = self.memory[key]
        return found

    @cached_property
    def groups(self) -> dict[str, list[str]]:
        """Texts by origin: "" is the system's."""
        again = self.rng(1).choice(self.trained, self.n).tolist()
        held = self.held
        real = self.rng(2).permutation(held)[: self.n].tolist()
        mutated = mutations(self.trained, self.n, self.rng(3))
        return {"": self.drawn()[0], AGAIN: again, MUTATED: mutated, "real": real} | self._once()

    def _once(self) -> dict[str, list[str]]:
        """What the model alone writes, where the system mends what is illegal."""
        plan = getattr(self.system, "bare_plan", None)
        return {ONCE: self.drawn(plan=plan)[0]} if plan else {}


def subject_of(system: Any, polymers: Polymers, n: int, seed: int) -> Subject:
    """What `genbat evaluate` measures; the shipped surrogate judges."""
    judge = registry.load("polymersurrogate")
    return Subject(system, polymers, n, seed, lambda fraction, text: None, judge)


def mutations(texts: Sequence[str], n: int, rng: np.random.Generator) -> list[str]:
    """n texts with one to three tokens changed, put in or left out at random, ends kept."""
    tokens = [t for t in Vocabulary.of(texts).tokens[2:] if t not in (HEAD, TAIL)]
    return [_mutated(split(str(rng.choice(texts))), tokens, rng) for _ in range(n)]


def _mutated(row: list[str], tokens: Sequence[str], rng: np.random.Generator) -> str:
    for _ in range(int(rng.integers(1, 4))):
        free = [k for k, token in enumerate(row) if token not in (HEAD, TAIL)]
        if not free:
            break
        place, token = int(rng.choice(free)), str(rng.choice(tokens))
        kind = int(rng.integers(3))
        if kind == 0:
            row[place] = token
        elif kind == 1:
            row.insert(place, token)
        else:
            del row[place]
    return "".join(row)


# ---------------------------------------------------------------------- measures
def normals(texts: Sequence[str]) -> list[str]:
    """Normal forms of the valid ones, in order, with repeats."""
    found = []
    for text in texts:
        try:
            found.append(normal(text).text)
        except ValueError:
            continue
    return found


def writing(subject: Subject) -> Metrics:
    """All eight measures."""
    measured = {}
    for k, (name, texts) in enumerate(subject.groups.items()):
        subject.report(k / len(subject.groups), f"measuring polymers: {name or 'made'}")
        measured[name] = measures(subject, texts)
    measured[""]["seconds a thousand"] = subject.drawn()[1]
    bars = BARS.get(subject.system.card.name, {})
    return {key: _beside(measured, key, bars.get(key)) for key in measured[""]}


UNITS = {"seconds a thousand": "s", "distance of conductivities": "log10 S/cm", "SA score": ""}


def _beside(measured: dict[str, dict[str, float]], key: str, bar: float | None) -> dict[str, Any]:
    plain = {
        name: found[key]
        for name, found in measured.items()
        if name in (AGAIN, MUTATED, ONCE) and key in found
    }
    real = measured["real"].get(key)
    value = measured[""][key]
    return metric(value, UNITS.get(key, "share"), baselines=plain, real=real, bar=bar)


def measures(subject: Subject, texts: Sequence[str]) -> dict[str, float]:
    """The measures of some texts, all but the cost."""
    good = normals(texts)
    distinct = sorted(set(good))
    new = set(distinct) - set(subject.trained)
    out = {
        "valid": len(good) / len(texts),
        "unique": len(distinct) / max(1, len(good)),
        "novel": len(new) / max(1, len(distinct)),
    }
    some = subject.rng(4).permutation(distinct)[:SOME].tolist()
    own, known = fingerprints(some), subject_prints(subject)
    likes = [max(BulkTanimotoSimilarity(one, known)) for one in own]
    pairs = [BulkTanimotoSimilarity(one, own[k + 1 :]) for k, one in enumerate(own[:-1])]
    return out | {
        "SA score": _mean([sa_score(Chem.MolFromSmiles(capped(normal(t)))) for t in some]),
        "similarity": _mean(likes),
        "diversity": 1 - _mean([value for row in pairs for value in row]),
        "distance of conductivities": _distance(subject, some),
    }


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if len(values) else float("nan")


def _distance(subject: Subject, texts: Sequence[str]) -> float:
    """Wasserstein distance of the surrogate's values to those of the polymers held out."""
    if not texts:
        return float("nan")
    return float(wasserstein_distance(judged(subject, texts), judged(subject, subject.held)))


def judged(subject: Subject, texts: Sequence[str]) -> NDArray[np.float64]:
    """The surrogate's log10 of the conductivity of polymers (n,)."""
    return np.asarray(subject.judge.predict_table(list(texts))[0][:, COLUMN], float)


def fingerprints(texts: Sequence[str]) -> list[Any]:
    """Morgan fingerprints of two units in a row, which holds the bond between them."""
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=RADIUS, fpSize=BITS)
    return [generator.GetFingerprint(Chem.MolFromSmiles(capped(normal(t), 2))) for t in texts]


def subject_prints(subject: Subject) -> list[Any]:
    """Fingerprints of all polymers it learnt from."""
    if "prints" not in subject.memory:
        subject.memory["prints"] = fingerprints(subject.trained)
    found: list[Any] = subject.memory["prints"]
    return found


# ---------------------------------------------------------------------- coming back
def reconstruction(subject: Subject) -> Metrics:
    """Share of held-out polymers that encode and decode to exactly themselves, by the encoder
    alone; one with a token that no training polymer has counts as lost."""
    known = [text for text in subject.held if _writable(subject.system, text)]
    z = subject.system.encode(known, exact=False)
    back = subject.system.decode_texts(z)
    same = sum(a == b for a, b in zip(known, back, strict=True)) / len(subject.held)
    own, prints = fingerprints(subject.held), subject_prints(subject)
    near = [int(np.argmax(BulkTanimotoSimilarity(one, prints))) for one in own]
    plain = sum(subject.trained[k] == t for k, t in zip(near, subject.held, strict=True))
    baselines = {"nearest training polymer": plain / len(subject.held)}
    return {"reconstruction_exact": metric(same, "share", baselines=baselines)}


def _writable(system: Any, text: str) -> bool:
    try:
        system.config.row(text)
    except ValueError:
        return False
    return True


# ---------------------------------------------------------------------- what was asked
def asked(subject: Subject) -> Metrics:
    """Share of the distinct new polymers whose conductivity, by the surrogate, is among the best
    five of a hundred of the training set's, when that class is asked for and when it is not."""
    best = float(np.percentile(judged(subject, subject.trained), TOP))
    border = subject.system.config.borders[-1]
    told = subject.drawn(Condition({TARGET: Window(low=border)}))[0]
    known = set(subject.trained)
    shares = {name: _top(subject, texts, best) for name, texts in subject.groups.items()}
    shares[""] = _top(subject, subject.groups[""], best, known)
    valid = normals(told)
    distinct = set(valid)
    plain = {"nothing asked": shares[""], AGAIN: shares[AGAIN], MUTATED: shares[MUTATED]}
    value = _top(subject, told, best, known)
    return {
        "in the top 5 %": metric(value, "share", baselines=plain, real=shares["real"], bar=0.3),
        "valid when asked": metric(len(valid) / len(told), "share"),
        "unique when asked": metric(len(distinct) / max(1, len(valid)), "share"),
        "novel when asked": metric(len(distinct - known) / max(1, len(distinct)), "share"),
    }


def _top(
    subject: Subject, texts: Sequence[str], best: float, known: Set[str] = frozenset()
) -> float:
    distinct = sorted(set(normals(texts)) - known)
    return float(np.mean(judged(subject, distinct) >= best)) if distinct else 0.0
