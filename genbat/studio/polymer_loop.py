"""The feedback loop of Khajeh et al. 2025: write, judge, learn from the best, write again.

Each round the GPT writes polymers of the best class; the valid, new ones are judged by the
surrogate, the best of them join what it learns from, and it is trained a little further. Where the
simulated polymers are not here, what it has learnt is kept by rehearsing: polymers it writes itself
with nothing asked, with the surrogate's values, stand for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from genbat.core import paths
from genbat.core.candidate import Candidate, Verdict
from genbat.core.condition import Condition, Window
from genbat.core.properties import Measurement
from genbat.core.provenance import Provenance, versions
from genbat.domains.polymers import data as tables
from genbat.domains.polymers.properties import BY_KEY
from genbat.domains.polymers.repeat_unit import normal, views
from genbat.studio import registry
from genbat.studio.metrics_polymers import COLUMN, TOP, normals
from genbat.studio.work import Report
from genbat.systems.polymer_corpus import Texts, batches_of
from genbat.systems.polymer_words import TARGET
from genbat.systems.polymergpt import PolymerGPT
from genbat.systems.polymergpt_training import batch_loss
from genbat.systems.polymersurrogate import METHOD, Surrogate
from genbat.systems.run import Run, Schedule

REHEARSED = 2000  # polymers that stand for those it has learnt from
KEPT = 0.25  # share of a round's new polymers, the best ones, that it learns from
STEPS, BATCH, RATE = 150, 128, 2e-4  # of a round's training
MOST_ROUNDS, LEAST, MOST = 8, 10, 4000
Say = Callable[[float, str], object]


@dataclass(frozen=True)
class Round:
    """What one round gave.

    Attributes
    ----------
    valid, new : shares of the written ones, and of the distinct valid ones.
    top : share of the new ones whose conductivity is, by the surrogate, in the top 5 % of what was
        learnt from at the start; mean : their mean, log10 of S/cm.
    best : the best new ones, each (text, value, half width of the 90 % interval).
    """

    number: int
    written: int
    valid: float
    new: float
    top: float
    mean: float
    best: tuple[tuple[str, float, float], ...]


@dataclass(frozen=True)
class Start:
    """Where a loop begins: who writes, who judges, polymers with values of log10 S/cm."""

    system: PolymerGPT
    judge: Surrogate
    texts: list[str]
    values: list[float]


def start(report: Say) -> Start:
    """The shipped GPT and surrogate, with the simulated polymers or rehearsed ones."""
    system, judge = registry.load("polymergpt"), registry.load("polymersurrogate")
    try:
        own = tables.simulated().rows("train")
        return Start(system, judge, own["text"].tolist(), own[TARGET].tolist())
    except ValueError:
        report(0.0, f"rehearsing {REHEARSED} polymers")
        made = (candidate.text for candidate in system.sample(REHEARSED, seed=1))
        texts = sorted(set(normals(list(made))))
        return Start(system, judge, texts, values_of(judge, texts)[0].tolist())


def values_of(judge: Surrogate, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """The surrogate's log10 of the conductivity and its half width (n,)."""
    values, halves = judge.predict_table(list(texts))
    return values[:, COLUMN], halves[:, COLUMN]


def rounds(
    begin: Start, folder: Path, *, count: int, many: int, seed: int = 0, report: Say
) -> Iterator[Round]:
    """`count` rounds of `many` written polymers; a round is handed over before it is learnt from.

    Raises
    ------
    ValueError : count or many out of range.
    """
    if not 1 <= count <= MOST_ROUNDS:
        raise ValueError(f"rounds: got {count}; legal are 1 to {MOST_ROUNDS}")
    if not LEAST <= many <= MOST:
        raise ValueError(f"polymers: got {many} a round; legal are {LEAST} to {MOST}")
    network = deepcopy(begin.system.network).requires_grad_(True)
    system = PolymerGPT(begin.system.config, network)
    texts, values = list(begin.texts), list(begin.values)
    best = float(np.nanpercentile(values_of(begin.judge, texts)[0], TOP))
    for number in range(1, count + 1):
        report((number - 1) / count, f"round {number} of {count}: writing {many} polymers")
        found, fresh = _round(system, begin.judge, number, many, seed, set(texts), best)
        yield found
        if number < count and fresh:
            report((number - 0.4) / count, f"round {number} of {count}: learning from the best")
            texts, values = texts + [t for t, _ in fresh], values + [v for _, v in fresh]
            _learn(system, texts, values, len(fresh), folder, seed + number)


def _round(
    system: PolymerGPT, judge: Surrogate, number: int, many: int, seed: int, known: set[str],
    best: float,
) -> tuple[Round, list[tuple[str, float]]]:  # fmt: skip
    """A round, and the polymers to learn from with the values they are learnt with."""
    asked = Condition({TARGET: Window(low=system.config.borders[-1])})
    made = system.sample(many, condition=asked, seed=seed * 1_000 + number)
    valid = normals([candidate.text for candidate in made])
    distinct = sorted(set(valid))
    new = [text for text in distinct if text not in known]
    if not new:
        empty = Round(number, many, len(valid) / many, 0.0, 0.0, float("nan"), ())
        return empty, []
    values, halves = values_of(judge, new)
    order = np.argsort(-values, kind="stable")
    keep = order[: max(1, round(KEPT * len(new)))]
    found = Round(
        number, many, len(valid) / many, len(new) / len(distinct),
        float(np.mean(values >= best)), float(values.mean()),
        tuple((new[k], float(values[k]), float(halves[k])) for k in order[:24]),
    )  # fmt: skip
    # They are learnt as what was asked for: the surrogate's values reach less far than those of the
    # simulations between which the classes lie.
    border = system.config.borders[-1]
    kept = [(new[k], max(float(values[k]), border)) for k in keep]
    return found, [(text, value) for text, value in kept if _can_be_learnt(system, text)]


def _can_be_learnt(system: PolymerGPT, text: str) -> bool:
    """Whether the network can write all of a polymer's texts: a normal form may hold an atom in
    brackets that was written without."""
    try:
        longest = max(len(system.vocabulary.numbers(way)) for way in views(normal(text)))
    except ValueError:
        return False
    return longest + 2 <= system.config.longest


def _learn(
    system: PolymerGPT, texts: list[str], values: list[float], fresh: int, folder: Path, seed: int
) -> None:
    """Train further; half of what is read are the newest polymers."""
    own = Texts.of(texts, values)
    run = Run(system.network.train(), system.config, Schedule(STEPS, BATCH, RATE, 10, seed), folder)
    old = len(texts) - fresh
    for step, rows in enumerate(batches_of(old, run.schedule, 0)):
        rng = np.random.default_rng((seed, step, 1))
        rows[: BATCH // 2] = (old + rng.integers(fresh, size=BATCH // 2)).tolist()
        loss, _ = batch_loss(system.network, system.config, own, rows, seed * 1_000_003 + step)
        run.advance(loss)
    system.network.eval()


def candidates(found: Round, seed: int) -> list[Candidate]:
    """The best polymers of a round, with what the surrogate says of their conductivity."""
    unit = BY_KEY[TARGET].unit
    story = Provenance(
        "polymergpt", "loop", seed=seed, arguments={"round": found.number}, versions=versions()
    )
    return [
        Candidate(
            text, "polymers", Verdict(True), story,
            properties={TARGET: Measurement(value, unit, METHOD, "predicted", half)},
        )
        for text, value, half in found.best
    ]  # fmt: skip


def round_of(payload: Mapping[str, Any]) -> Round:
    """A round from its JSON."""
    best = tuple((str(text), float(v), float(half)) for text, v, half in payload["best"])
    return Round(**{**payload, "best": best})


def run(told: Mapping[str, Any], report: Report) -> None:
    """The job: emits each `Round` as JSON."""
    begin = start(report)
    folder = paths.home() / "own"
    made = rounds(begin, folder, count=int(told["rounds"]), many=int(told["many"]),
                  seed=int(told["seed"]), report=report)  # fmt: skip
    for found in made:
        report.emit(asdict(found))
    report(1.0, f"{told['rounds']} rounds")
