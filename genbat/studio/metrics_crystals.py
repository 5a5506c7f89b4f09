"""How well a system writes crystals, by the measures of Xie et al., ICLR 2022, Sec. 5.

Beside every number: the training set resampled, random substitution into its crystals, and the same
measured on real held-out crystals.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from genbat.core import paths
from genbat.core.condition import Condition
from genbat.domains.crystals.catalogue import Catalogue, first_of_each
from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.measures import smact_valid, structurally_valid
from genbat.domains.crystals.structure import from_text
from genbat.domains.crystals.swaps import substituted
from genbat.domains.crystals.symmetry import space_group_number
from genbat.domains.crystals.table import LABEL_VERSION
from genbat.studio.metrics import Metrics, Progress, metric
from genbat.systems.crystal_corpus import Corpus

Made = list[Cell | None]
RESAMPLED, SUBSTITUTED = "training set resampled", "prototype substitution"
FREELY, ALONE = "sampled without moulds", "the model alone"
SOME = 200  # samples of a baseline that is slow
PEROV_ATOMS = 5
# What is wanted, by system, and of both on Perov-5; displacement_a, elements_distance
# and shares of P1 are a most, all others a least.
BARS = {
    "cdvae": {"reconstruction_match": 0.40, "structural_validity": 0.98, "smact_validity": 0.85},
    "crystalgpt": {"structural_validity": 0.95},
    "imatgen": {
        "image_recovery": 0.80,
        "latent_recovery": 0.50,
        "stability_auc": 0.90,
        "rediscovered": 5,
    },
    "mattergen": {
        "structural_validity": 0.98,
        "displacement_a": 0.15,
        "sun": 0.30,
        "p1_share": 0.5,
        "relaxed_p1": 0.5,
    },
    "unimat": {"structural_validity": 0.95, "smact_validity": 0.80, "elements_distance": 0.1},
}
PEROV_BARS = {"reconstruction_match": 0.60, "cov_recall": 0.9, "cov_precision": 0.9}


@dataclass(frozen=True)
class Subject:
    """What is measured: a system on a corpus, with n draws and one seed.

    `log` keeps CHGNet's rulings, `memory` what several parts need.
    """

    system: Any
    corpus: Corpus
    n: int
    seed: int
    report: Progress
    log: Path | None = None
    memory: dict[str, Any] = field(default_factory=dict)

    def reporting(self, report: Progress) -> Subject:
        """The same subject with another progress."""
        return replace(self, report=report)

    @cached_property
    def train(self) -> Corpus:
        """Crystals the system learnt from."""
        return self.corpus.part(self.corpus.training_rows())

    @cached_property
    def test(self) -> Corpus:
        """Crystals nothing was fitted to."""
        if not (rows := self.corpus.rows("test")):
            raise ValueError("data: no crystal of the split test")
        return self.corpus.part(rows)

    @property
    def perov(self) -> bool:
        """Whether the crystals are as those of Perov-5, with five atoms each: its bars hold."""
        return bool((self.corpus.sizes == PEROV_ATOMS).all())

    @property
    def bars(self) -> dict[str, float]:
        """What is wanted of this system on this data."""
        if not self.perov:
            return BARS.get(self.system.card.name, {})
        return BARS.get(self.system.card.name, {}) | PEROV_BARS

    def rng(self, purpose: int) -> np.random.Generator:
        """Random numbers of one purpose, the same in every run of a seed."""
        return np.random.default_rng((self.seed, purpose))

    def some(self, corpus: Corpus, most: int, purpose: int) -> Corpus:
        """At most so many of a corpus' crystals, chosen at random."""
        rows = self.rng(purpose).permutation(len(corpus))[:most]
        return corpus.part(sorted(rows.tolist()))

    def drawn(self) -> Made:
        """n unconditional samples."""
        if "drawn" not in self.memory:
            begun = time.perf_counter()
            self.memory["drawn"] = self.draw(self.n, None)
            self.memory["seconds"] = time.perf_counter() - begun
        return self.memory["drawn"]

    def freely(self) -> dict[str, Made]:
        """SOME samples with less help, where the system has such a plan: held to no symmetry, or
        made once each, whatever comes."""
        if "freely" not in self.memory:
            plans = {FREELY: "free_plan", ALONE: "bare_plan"}
            self.memory["freely"] = {
                name: self.draw(min(self.n, SOME), None, plan=getattr(self.system, plan))
                for name, plan in plans.items()
                if hasattr(self.system, plan)
            }
        return self.memory["freely"]

    def draw(self, n: int, condition: Condition | None, **options: Any) -> Made:
        """n samples as they leave the system; None where one cannot be read."""
        options |= {} if condition is None else {"condition": condition}
        samples = self.system.sample(n, seed=self.seed, progress=self.report, **options)
        return [cell_read(candidate.text) for candidate in samples]

    def others(self) -> dict[str, Made]:
        """What else is measured beside the samples: both baselines, n of each."""
        if "others" not in self.memory:
            cells = self.train.cells
            rows = self.rng(2).integers(len(cells), size=self.n)
            self.memory["others"] = {
                RESAMPLED: [cells[int(k)] for k in rows],
                SUBSTITUTED: list(substituted(cells, self.n, self.seed)),
            }
        return self.memory["others"]


def subject_of(system: Any, corpus: Corpus, n: int, seed: int) -> Subject:
    """What `genbat evaluate` measures; rulings are kept in the user's folder."""
    log = paths.home() / "evaluation" / f"crystals-{LABEL_VERSION}.jsonl"
    return Subject(system, corpus, n, seed, lambda fraction, text: None, log)


def cell_read(text: str) -> Cell | None:
    """The crystal of a text; None where it says none."""
    try:
        return from_text(text)
    except ValueError:
        return None


# ---------------------------------------------------------------------- samples
def samples(subject: Subject) -> Metrics:
    """Validity, uniqueness, novelty and symmetry of n samples.

    Unique and novel are shares of the valid and of the distinct valid ones; novel: not in the
    training set. P1 by spglib at 0.1 Å, as generated.
    """
    groups = {"": subject.drawn(), **subject.others(), **subject.freely()}
    groups["real"] = list(subject.some(subject.test, subject.n, 1).cells)
    known = Catalogue(subject.train.cells)
    found = {}
    for k, (name, cells) in enumerate(groups.items()):
        subject.report(0.5 + 0.5 * k / len(groups), f"comparing {name or 'samples'}")
        found[name] = counts(cells, known)
    return table_of(found, dict.fromkeys(found[""], "share"), subject.bars)


def table_of(
    found: Mapping[str, Mapping[str, float]],
    units: Mapping[str, str],
    bars: Mapping[str, float],
) -> Metrics:
    """Metrics of sets of crystals by name: "" is the system's, "real" the held-out ones, all others
    are baselines."""
    others = [name for name in found if name not in ("", "real")]
    return {
        key: metric(
            value,
            units.get(key, ""),
            baselines={name: found[name][key] for name in others},
            real=found["real"][key] if "real" in found else None,
            bar=bars.get(key),
        )
        for key, value in found[""].items()
    }


def counts(cells: Made, known: Catalogue) -> dict[str, float]:
    """Shares structurally valid, SMACT-valid, both, unique, novel, and in P1."""
    sound = [cell is not None and structurally_valid(cell) for cell in cells]
    neutral = [cell is not None and smact_valid(cell) for cell in cells]
    both = [a and b for a, b in zip(sound, neutral, strict=True)]
    valid = valid_of(cells)
    distinct = [c for c, new in zip(valid, first_of_each(valid), strict=True) if new]
    fresh = sum(not known.holds(cell) for cell in distinct)
    plain = sum(space_group_number(cell) == 1 for cell in valid)
    return {
        "structural_validity": float(np.mean(sound)),
        "smact_validity": float(np.mean(neutral)),
        "validity": float(np.mean(both)),
        "unique": len(distinct) / max(1, len(valid)),
        "novel": fresh / max(1, len(distinct)),
        "p1_share": plain / max(1, len(valid)),
    }


def valid_of(cells: Made) -> list[Cell]:
    """Those that are structurally and in composition valid."""
    return [c for c in cells if c is not None and structurally_valid(c) and smact_valid(c)]
