"""`genbat evaluate`: what a system is worth on held-out data, beside its baselines and bars."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from genbat.core.provenance import file_hash, versions
from genbat.studio import metrics_heads, metrics_molecules, metrics_search, registry
from genbat.studio.metrics_molecules import Metrics, Progress, Subject
from genbat.systems.chemvae import ChemVAE

Part = Callable[[Subject], Metrics]
# Each part by its name, with its share of the time.
_PARTS: dict[str, tuple[Part, float]] = {
    "reconstruction": (metrics_molecules.reconstruction, 0.05),
    "prior": (metrics_molecules.prior, 0.05),
    "heads": (metrics_heads.heads, 0.4),
    "search": (metrics_search.search, 0.45),
    "paths": (metrics_search.paths, 0.05),
}
PARTS = tuple(_PARTS)
_JUDGES = ("fcd_torch", "scikit-learn", "botorch", "chemicals")


def evaluate(
    name: str,
    n: int = 1000,
    seed: int = 0,
    progress: Progress | None = None,
    *,
    parts: Sequence[str] = PARTS,
    system: ChemVAE | None = None,
    table: pd.DataFrame | None = None,
) -> dict[str, Any]:
    """Metrics of a system on the split "test", some of PARTS or all.

    Parameters
    ----------
    n : samples from the prior; the other parts use all held-out molecules they can.
    seed : of the samples, the baselines and the starting molecules.
    system, table : instead of the shipped ones (a training in progress, a test).

    Returns
    -------
    {"system", "n", "seed", "metrics": {name: {"value", "unit", "baselines", "real", "bar"}},
    "versions"}; a bar of one number is the least or, for errors and distances, the most that is
    wanted, one of two numbers the ends of the wanted range. Takes about half an hour in full.

    Raises
    ------
    ValueError : unknown system or part, n below 2, or no data.
    """
    strange = [part for part in parts if part not in PARTS]
    if strange:
        raise ValueError(f"parts: unknown {', '.join(strange)}; legal are {', '.join(PARTS)}")
    if n < 2:
        raise ValueError(f"n: got {n}; at least 2 samples are needed")
    system = system or registry.load(name)
    table = _shipped() if table is None else table
    metrics: Metrics = {}
    whole, done = sum(_PARTS[part][1] for part in parts), 0.0
    for part in parts:
        measure, share = _PARTS[part]
        report = _scaled(progress, done / whole, share / whole)
        metrics |= measure(Subject(system, table, n, seed, report))
        done += share
    return {
        "system": name,
        "n": n,
        "seed": seed,
        "metrics": metrics,
        "versions": {**versions(), **{j: version(j) for j in _JUDGES}, "weights": system.weights},
    }


def save_metrics(result: dict[str, Any]) -> Path:
    """Keep an evaluation beside the system's weights, where its card finds it.

    Raises
    ------
    ValueError : it was measured on other weights.
    """
    path = registry.folder(result["system"]) / "metrics.json"
    weights = path.with_name("weights.safetensors")
    measured = result["versions"]["weights"]
    if weights.exists() and file_hash(weights) != measured:
        raise ValueError(f"metrics: measured on {measured}, installed is {file_hash(weights)}")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=1, allow_nan=False) + "\n", "utf-8")
    return path


def _shipped() -> pd.DataFrame:
    from genbat.domains.molecules import data

    return data.load().table


def _scaled(progress: Progress | None, begin: float, share: float) -> Progress:
    def report(fraction: float, text: str) -> None:
        if progress:
            progress(min(1.0, begin + share * fraction), text)

    return report
