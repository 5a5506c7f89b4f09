"""`genbat train`: a system anew or further, on the shipped data or on the user's own."""

from __future__ import annotations

import importlib
import json
import math
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from genbat.core import paths
from genbat.core.errors import InputProblem
from genbat.domains.molecules.codec import survives
from genbat.domains.molecules.reading import MAX_BYTES, Row, read_molecules
from genbat.domains.molecules.splits import assign_splits
from genbat.studio import registry
from genbat.studio.model_card import write_card
from genbat.systems.chemvae_targets import LOGARITHMIC, TARGETS

Progress = Callable[[float, str], None]
# System -> module with `train`, `PRESETS` and `SIZES`.
TRAINERS: dict[str, str] = {"chemvae": "genbat.systems.chemvae_training"}


def train(
    name: str,
    preset: str = "base",
    data: Path | None = None,
    start: Path | None = None,
    minutes: float | None = None,
    progress: Progress | None = None,
) -> Path:
    """Train a system and save it; returns the folder of the finished system.

    Parameters
    ----------
    preset : "tiny" (seconds, to try) or "base" (the shipped one, some two hours on two cores).
    data : a CSV with a column smiles and any of the columns TARGETS, instead of ours.
    start : a checkpoint or a finished system to go on from; its vocabulary and scales stay.
    minutes : stop early after this time.

    The checkpoint stays in <home>/training/<name> (with -tiny and -own where those apply). The
    shipped system (preset "base", our data) is replaced only when GenBat runs from a checkout;
    every other training ends in the folder `finished` beside its checkpoint.

    Raises
    ------
    ValueError : unknown name or preset, no usable row in `data` (names file and line), no data.
    """
    trainer = _trainer(name, preset)
    table, problems = _shipped() if data is None else read_own(data)
    kind = ("" if preset == "base" else f"-{preset}") + ("" if data is None else "-own")
    folder = paths.home() / "training" / f"{name}{kind}"
    threads = torch.get_num_threads()
    torch.set_num_threads(free_cores() if preset == "base" else 1)
    try:
        system = trainer.train(
            table,
            folder,
            schedule=trainer.PRESETS[preset],
            sizes=trainer.SIZES[preset],
            start=_existing(start),
            minutes=math.inf if minutes is None else minutes,
            progress=progress,
        )
    finally:
        torch.set_num_threads(threads)
    target = target_folder(name, preset, data, folder)
    _save(system, target, table, trainer.PRESETS[preset], data, len(problems))
    return target


def free_cores() -> int:
    """Cores that are idle now, at least 1: threads that have to wait for one another spin."""
    cores = os.cpu_count() or 1
    busy = int(os.getloadavg()[0]) if hasattr(os, "getloadavg") else 0
    return max(1, cores - busy)


def _trainer(name: str, preset: str) -> Any:
    if name not in TRAINERS:
        raise ValueError(f"system: unknown {name!r}; legal are {', '.join(TRAINERS)}")
    trainer = importlib.import_module(TRAINERS[name])
    if preset not in trainer.PRESETS:
        raise ValueError(f"preset: unknown {preset!r}; legal are {', '.join(trainer.PRESETS)}")
    return trainer


def target_folder(name: str, preset: str, data: Path | None, folder: Path) -> Path:
    """Where a finished system belongs: over the shipped one, or in the user's own folder."""
    shipped = preset == "base" and data is None and (paths.ROOT / ".git").exists()
    return registry.folder(name) if shipped else folder / "finished"


def _existing(start: Path | None) -> Path | None:
    if start is None:
        return None
    start = start if start.is_dir() else start.parent
    if not any((start / f).exists() for f in ("checkpoint.safetensors", "weights.safetensors")):
        raise ValueError(f"--from {start}: holds neither a checkpoint nor finished weights")
    return start


def _shipped() -> tuple[pd.DataFrame, list[InputProblem]]:
    from genbat.domains.molecules import data

    table = paths.ASSETS / data.TABLE
    if not table.exists():
        raise ValueError(f"data: {table} is missing; run genbat build molecules first")
    return data.load().table, []


# ---------------------------------------------------------------------- the user's own data
def read_own(path: Path) -> tuple[pd.DataFrame, list[InputProblem]]:
    """A user's molecules as a table to train on, and what was wrong with single rows.

    Property columns are named as TARGETS, units as in the names; empty cells are unknown. A
    molecule that stands twice counts once, known values averaged. The split is made as for the
    shipped data.

    Raises
    ------
    ValueError : nothing usable; names the file and the first bad line.
    """
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(f"{path.name}: at most {MAX_BYTES // 1_000_000} MB are read")
    rows, problems = read_molecules(path.read_bytes(), path.name)
    good = []
    for row in rows:
        try:
            good.append(_own_row(row))
        except ValueError as wrong:
            problems.append(InputProblem(path.name, row.line, str(wrong)))
    if not good:
        raise ValueError(f"{problems[0]} (and no good row in {path.name})")
    table = pd.DataFrame(good).groupby("smiles", as_index=False).mean()
    texts = table["smiles"].tolist()
    table["split"] = assign_splits(texts, [False] * len(texts))
    if not (table["split"] == "train").any():  # of very few molecules none may fall there
        table["split"] = "train"
    return table, sorted(problems, key=lambda p: p.line)


def _own_row(row: Row) -> dict[str, Any]:
    if not survives(row.text):
        raise ValueError(f"SMILES: {row.text!r} does not come back unchanged from SELFIES")
    return {"smiles": row.text, **{key: _number(row, key) for key in TARGETS}}


def _number(row: Row, key: str) -> float:
    text = row.cells.get(key, "").strip()
    if text.lower() in ("", "nan", "na", "n/a", "-"):
        return math.nan
    try:
        value = float(text)
    except ValueError:
        value = math.inf
    if not np.isfinite(value) or (key in LOGARITHMIC and value <= 0):
        legal = "a number above 0" if key in LOGARITHMIC else "a number"
        raise ValueError(f"{key}: got {text[:40]!r}; legal is {legal} or an empty cell")
    return value


# ---------------------------------------------------------------------- the finished system
def _save(
    system: Any, target: Path, table: pd.DataFrame, schedule: Any, data: Path | None, bad: int
) -> None:
    parameters = sum(p.numel() for p in system.network.parameters())
    system.save(target)
    (target / "metrics.json").unlink(missing_ok=True)  # they were measured on other weights
    (target / "card.json").write_text(json.dumps({"parameters": parameters}) + "\n", "utf-8")
    card = replace(registry.card(system.card.name), parameters=parameters)
    if data is not None:
        card = replace(
            card, trained_on=f"{len(table):,} molecules of the user's own file {data.name}"
        )
    counts = Counter(table["split"])
    write_card(target / "card.md", card, system.config, schedule, counts, bad)
