"""`genbat compare`: the systems of a domain side by side, with the same judges and baselines."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from genbat.core.provenance import versions
from genbat.studio import evaluation, registry
from genbat.studio.metrics import REAL, Progress, finite
from genbat.studio.training import gather
from genbat.systems.base import part_of

# Domain -> the parts of the evaluations that all its systems share.
SHARED: dict[str, tuple[str, ...]] = {
    "polymers": ("writing",),
    "molecules": ("prior",),
    "crystals": ("samples", "distribution", "stability", "phonons"),
}
# Domains whose systems have learnt different data; all are measured on those of the reference.
ONE_DATA = ("crystals",)


def compare(
    domain: str, n: int = 1000, seed: int = 0, progress: Progress | None = None
) -> pd.DataFrame:
    """One row a system that is here, each trivial baseline, and real objects; one column a metric.
    A baseline that not all systems have is named with its system.

    Raises
    ------
    ValueError : a domain whose systems share no measure, or none of them is trained.
    """
    if domain not in SHARED:
        raise ValueError(f"domain: got {domain!r}; legal are {', '.join(SHARED)}")
    names = [name for name in registry.names(domain) if _able(name, domain)]
    if not names:
        raise ValueError(f"domain: no system of {domain} is trained here")
    examples = gather(registry.REFERENCE[domain], None).examples if domain in ONE_DATA else None
    found: dict[str, Mapping[str, Any]] = {}
    for k, name in enumerate(names):
        mine = part_of(progress, k / len(names), 1 / len(names))
        result = evaluation.evaluate(name, n, seed, mine, parts=SHARED[domain], examples=examples)
        found[name] = result["metrics"]
    return pd.DataFrame.from_dict(rows_of(found), orient="index")


def rows_of(found: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Numbers of all systems, then of the baselines that all of them have, then of the others."""
    others = {name: others_of(metrics) for name, metrics in found.items()}
    shared = set.intersection(*map(set, others.values()))
    own = {name: values_of(metrics) for name, metrics in found.items()}
    alike = {other: row for rows in others.values() for other, row in rows.items()
             if other in shared}  # fmt: skip
    rest = {f"{name}, {other}": row for name, rows in others.items() for other, row in rows.items()
            if other not in shared}  # fmt: skip
    return own | alike | rest


def _able(name: str, domain: str) -> bool:
    return registry.trained(name) and set(SHARED[domain]) <= set(evaluation.parts_of(name))


def values_of(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """A system's own numbers."""
    return {key: row["value"] for key, row in metrics.items()}


def others_of(metrics: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Those of the baselines, and of real objects."""
    out: dict[str, dict[str, Any]] = {}
    for key, row in metrics.items():
        for name, value in row["baselines"].items():
            out.setdefault(name, {})[key] = value
        if row["real"] is not None:
            out.setdefault(REAL, {})[key] = row["real"]
    return out


def document(table: pd.DataFrame, domain: str, n: int, seed: int) -> dict[str, Any]:
    """A comparison as plain JSON: what was asked, each row's numbers (None where there is none),
    which rows are systems, and the versions of the judges."""
    rows = {
        str(name): {str(key): finite(float(value)) for key, value in row.items()}
        for name, row in table.astype(float).iterrows()
    }
    systems = [name for name in rows if name in registry.names(domain)]
    used = {**versions(), **evaluation.judges(domain)}
    return {
        "domain": domain, "n": n, "seed": seed, "systems": systems, "rows": rows, "versions": used
    }  # fmt: skip


def write(table: pd.DataFrame, out: Path, domain: str, n: int, seed: int) -> None:
    """As CSV, one row a system, or as JSON, which the app shows, by the ending."""
    if out.suffix.lower() == ".json":
        told = document(table, domain, n, seed)
        out.write_text(json.dumps(told, indent=1, allow_nan=False) + "\n", "utf-8")
    else:
        table.to_csv(out, index_label="system", float_format="%.4g")
