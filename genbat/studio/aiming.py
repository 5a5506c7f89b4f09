"""Where a system has to aim so that the physics finds what was asked for.

Of candidates that a model's own heads have chosen, less comes true than they expect: a choice
favours what they overrate. So the sampler is asked for some values, CHGNet says what it made, and
the two rows of numbers are kept with the weights. The seed is none that an evaluation uses.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from genbat.core.condition import Condition, Window
from genbat.domains.crystals.stability import landscape
from genbat.domains.crystals.structure import from_text
from genbat.studio.judging import Ruling, rule
from genbat.systems.base import part_of
from genbat.systems.crystal_corpus import TARGETS, Corpus
from genbat.systems.mattergen_heads import KNOTS

SEED = 271
EACH = {"formation_ev": 128, "hull_ev": 128, "voltage_v": 256}  # of which many are refused
QUANTILES = (0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.98)  # of the training values: what is aimed at
Progress = Callable[[float, str], None]


def targets_of(system: Any) -> list[str]:
    """Targets that a system has an adapter for, the one that needs most care first."""
    return [name for name in reversed(TARGETS) if name in system.config.adapters]


def calibrate(system: Any, name: str, corpus: Corpus, log: Path | None, progress: Progress) -> None:
    """Measure and keep the aims of a target, in place."""
    heads, even, place = system.network.heads, np.linspace(-3.0, 3.0, KNOTS), TARGETS.index(name)
    aimed = np.nanquantile(corpus.values[corpus.training_rows(), place], QUANTILES)
    heads.calibrate(name, even, even)  # what is asked is what is aimed at
    found = [
        _median(system, name, float(value), log, part_of(progress, k / KNOTS, 1 / KNOTS))
        for k, value in enumerate(aimed)
    ]
    mean, spread = system.config.mean[place], system.config.spread[place]
    heads.calibrate(name, (aimed - mean) / spread, (np.array(found) - mean) / spread)


def _median(system: Any, name: str, value: float, log: Path | None, progress: Progress) -> float:
    """Median of what CHGNet finds of samples asked for one value."""
    asked = Condition({name: Window(value, value)})
    made = [from_text(c.text) for c in system.sample(EACH[name], condition=asked, seed=SEED)]
    found = [_value(ruling, name) for ruling in rule(made, log, progress=progress)]
    return float(np.nanmedian(found)) if np.isfinite(found).any() else value


def _value(ruling: Ruling, name: str) -> float:
    if name == "hull_ev" and ruling.cell is not None:
        return landscape().above(ruling.cell, ruling.get("formation_ev"))
    return ruling.get(name)
