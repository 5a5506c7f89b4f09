"""What a system that makes molecules answers to questions, judged by xTB.

Ten questions about properties, each the rarest tenth or twentieth of the training set or two of
them at once; of the system's answers, of its own draws with nothing asked (the bar is a multiple of
theirs) and of all known molecules, the share that holds the windows by GFN2- and IPEA1-xTB.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from genbat.core import paths
from genbat.core.condition import Condition, Window
from genbat.studio.keeping import kept
from genbat.studio.labelling import label_many
from genbat.studio.metrics import Metrics, metric
from genbat.studio.metrics_molecules import Subject

ANSWERS = 50  # molecules a question that xTB judges
UNASKED = 200  # and with nothing asked, for all questions
CHUNK, WORKERS = 64, 2
# Wanted of the hit rate, as a multiple of the system's own draws with nothing asked.
TIMES = {"moleculegpt": 5.0, "moleculediffusion": 5.0, "latentgan": 2.0}
KNOWN_TIMES = 2.0  # of known molecules drawn at random, at equal numbers of calculations


@dataclass(frozen=True)
class Ask:
    """A property and which end of it: below or above a per cent of the training set."""

    key: str
    per_cent: float

    def window(self, table: pd.DataFrame) -> Window:
        """Its window."""
        border = float(np.nanpercentile(table[self.key], self.per_cent))
        return Window(high=border) if self.per_cent < 50 else Window(low=border)


QUESTIONS: dict[str, Sequence[Ask]] = {
    "low LUMO": (Ask("lumo_ev", 5),),
    "high LUMO": (Ask("lumo_ev", 95),),
    "high IP": (Ask("vip_ev", 95),),
    "low IP": (Ask("vip_ev", 5),),
    "wide gap": (Ask("gap_ev", 95),),
    "narrow gap": (Ask("gap_ev", 5),),
    "large dipole": (Ask("dipole_d", 95),),
    "low HOMO": (Ask("homo_ev", 5),),
    "high IP and large dipole": (Ask("vip_ev", 75), Ask("dipole_d", 75)),
    "low LUMO and high IP": (Ask("lumo_ev", 25), Ask("vip_ev", 75)),
}


def asked(subject: Subject) -> Metrics:
    """Mean hit rate over the questions, and each question's."""
    windows = {name: _windows(parts, subject.train) for name, parts in QUESTIONS.items()}
    plain = _texts(subject, None, UNASKED)
    answers = {name: _texts(subject, own, ANSWERS) for name, own in windows.items()}
    rows = judged([*plain, *(t for own in answers.values() for t in own)], subject)
    rates = {
        name: {
            "": _hits(answers[name], own, rows) / ANSWERS,
            "nothing asked": _hits(plain, own, rows) / UNASKED,
            "known molecules": _known_share(subject.train, own),
        }
        for name, own in windows.items()
    }
    mean = {kind: float(np.mean([row[kind] for row in rates.values()])) for kind in _KINDS}
    times = TIMES.get(subject.system.card.name, 1.0)
    bar = max(times * mean["nothing asked"], KNOWN_TIMES * mean["known molecules"])
    out = {"hit rate": _entry(mean, min(1.0, bar))}
    return out | {f"hits, {name}": _entry(row, None) for name, row in rates.items()}


_KINDS = ("", "nothing asked", "known molecules")


def _entry(rates: Mapping[str, float], bar: float | None) -> dict[str, Any]:
    others = {kind: rates[kind] for kind in _KINDS[1:]}
    return metric(rates[""], "share", baselines=others, bar=bar)


def _windows(parts: Sequence[Ask], table: pd.DataFrame) -> dict[str, Window]:
    return {part.key: part.window(table) for part in parts}


def _texts(subject: Subject, windows: Mapping[str, Window] | None, most: int) -> list[str]:
    """The first `most` distinct valid molecules that the training set does not hold."""
    condition = Condition(dict(windows)) if windows else None
    trained, found = set(subject.train["smiles"]), dict.fromkeys([""])
    made = subject.system.sample(20 * most, condition=condition, seed=subject.seed)
    for candidate in made:
        if candidate.verdict.ok and candidate.text not in trained:
            found[candidate.text] = None
        if len(found) > most:
            break
    return [text for text in found if text]


def judged(texts: Sequence[str], subject: Subject) -> Mapping[str, Mapping[str, Any]]:
    """xTB's values by SMILES; what was judged before is read from the user's folder."""
    log = paths.home() / "evaluation" / "molecules.jsonl"
    items = {text: text for text in dict.fromkeys(texts)}
    return kept(log, items, _labelled, chunk=CHUNK, progress=subject.report,
                what="molecules judged by xTB")  # fmt: skip


def _labelled(chunks: Sequence[Sequence[str]]) -> Iterator[Sequence[dict[str, Any]]]:
    for chunk in chunks:
        rows = label_many(chunk, workers=WORKERS)
        yield [rows[text] for text in chunk]


def _hits(
    texts: Sequence[str], windows: Mapping[str, Window], rows: Mapping[str, Mapping[str, Any]]
) -> int:
    """How many molecules hold all windows; one that xTB cannot do does not."""
    return sum(
        all(_holds(rows[text].get(key), own) for key, own in windows.items()) for text in texts
    )


def _known_share(table: pd.DataFrame, windows: Mapping[str, Window]) -> float:
    """Share of a table's molecules that hold all windows by their labels: what drawing at random
    finds, with as many calculations."""
    held = [table[key].map(lambda value, own=own: _holds(value, own))
            for key, own in windows.items()]  # fmt: skip
    return float(np.logical_and.reduce(held).mean())


def _holds(value: Any, window: Window) -> bool:
    return value is not None and np.isfinite(value) and window.holds(float(value))
