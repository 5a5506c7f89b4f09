"""A system's card.md: what it is, what it learnt from, how to make it again, where it fails."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from genbat.core.provenance import versions
from genbat.studio import registry
from genbat.systems.base import SystemCard

_LIMITS = """\
- Molecules of H, B, C, N, O, F, Si, P, S and Cl, neutral, without stereo marks; trained on at most
  12 heavy atoms (named compounds up to 17), so that larger ones are guesses.
- HOMO, LUMO, gap, dipole and vertical IP are learnt from GFN2- and IPEA1-xTB, whose trends are
  right and whose absolute values are offset by some eV; sulfones oxidise too early in them.
- The 90 % intervals are calibrated on held-out molecules of the same kind; far from the data
  they are too narrow. Measured properties are known of few molecules, their intervals are wide.
- Valid means that valences are right. Whether a molecule can be made, is stable or is safe, the
  system does not know."""


def write_card(
    path: Path,
    card: SystemCard,
    config: Any,
    schedule: Any,
    counts: Mapping[str, int],
    bad: int = 0,
) -> None:
    """Write the model card in Markdown.

    Parameters
    ----------
    counts : molecules of each split.
    bad : rows of the user's file that were left out.
    """
    parts = [
        f"# {card.name}: {card.title}",
        _about(card.name),
        f"Paper: {card.paper}",
        "## Data",
        _data(card, counts, bad),
        "## Training",
        _training(card, config, schedule),
        "## How to train it again",
        _again(card.name),
        "## Limits",
        _LIMITS,
        f"Licence of code and weights: {card.licence}.",
    ]
    path.write_text("\n\n".join(parts) + "\n", "utf-8")


def _about(name: str) -> str:
    # The method section stands once, in the module's own docstring.
    module = sys.modules[registry.SYSTEMS[name][0]]
    return (module.__doc__ or "").strip()


def _data(card: SystemCard, counts: Mapping[str, int], bad: int) -> str:
    shares = ", ".join(f"{counts.get(s, 0):,} {s}" for s in ("train", "calibration", "test"))
    left = f" {bad} rows of the file could not be used." if bad else ""
    return (
        f"{card.trained_on}. Split by scaffold and composition: {shares}.{left} GenBat's own "
        "labels: MIT; its identifiers and measured values: package chemicals, MIT."
    )


def _training(card: SystemCard, config: Any, schedule: Any) -> str:
    settings = ", ".join(f"{key} {value:g}" for key, value in asdict(schedule).items())
    used = ", ".join(f"{name} {number}" for name, number in versions().items())
    return (
        f"{card.parameters:,} parameters, {config.steps_trained:,} steps. Schedule: {settings}. "
        f"Versions: {used}."
    )


def _again(name: str) -> str:
    return (
        f"    genbat train {name}\n"
        f"    genbat train {name} --data mine.csv --from assets/weights/{name}\n\n"
        "The second line goes on with molecules of your own: a column smiles, and property columns "
        "named as in the app. `genbat evaluate` measures the outcome."
    )
