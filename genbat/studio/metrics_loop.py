"""What the feedback loop of Khajeh et al. 2025 gains: its second round beside its first."""

from __future__ import annotations

import tempfile
from pathlib import Path

from genbat.studio import polymer_loop
from genbat.studio.metrics import Metrics, metric
from genbat.studio.metrics_polymers import Subject
from genbat.systems.polymer_words import TARGET

ROUNDS = 2
BEFORE = "round before"


def loop(subject: Subject) -> Metrics:
    """ROUNDS rounds of n polymers, or as many as a loop may have, of the best class: of the new
    ones, the share in the top 5 % of the training set and the mean conductivity, both by the
    surrogate, of the last round beside the one before, which is the bar."""
    own = subject.polymers.rows("train")
    begin = polymer_loop.Start(
        subject.system, subject.judge, own["text"].tolist(), own[TARGET].tolist()
    )
    many = min(max(subject.n, polymer_loop.LEAST), polymer_loop.MOST)
    with tempfile.TemporaryDirectory() as folder:
        rounds = list(
            polymer_loop.rounds(
                begin, Path(folder), count=ROUNDS, many=many, seed=subject.seed,
                report=subject.report,
            )
        )  # fmt: skip
    first, last = rounds[-2:]
    beside = {
        "loop in the top 5 %": (last.top, first.top, "share"),
        "loop mean": (last.mean, first.mean, "log10 S/cm"),
        "loop new": (last.new, first.new, "share"),
    }
    return {
        key: metric(
            value, unit, baselines={BEFORE: before}, bar=before if "new" not in key else None
        )
        for key, (value, before, unit) in beside.items()
    }
