"""What `genbat train` needs to know of additivevae: npvae, and which molecules are additives."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rdkit.DataStructs import BulkTanimotoSimilarity

from genbat.studio import registry
from genbat.studio.metrics_molecules import fingerprints
from genbat.studio.training import Lesson, Material, Progress, begin_from
from genbat.studio.training_molecules import gather
from genbat.systems import additivevae, npvae_training
from genbat.systems.run import Schedule

__all__ = ["PRESETS", "families", "gather", "learn"]
PRESETS: dict[str, dict[str, Any]] = {
    additivevae.NAME: {
        "tiny": Schedule(steps=3, batch=8, rate=2e-4, warm_steps=1),
        "base": Schedule(steps=600, batch=64, rate=2e-4, warm_steps=50),
    }
}
NEAR = 0.25  # Tanimoto similarity within a family
EARLY = 5  # per cent of the solvents that have a lower LUMO than what counts as early


def families(table: pd.DataFrame) -> pd.DataFrame:
    """The named additives, and the molecules NEAR one of them that are reduced before the solvents:
    of a LUMO as only EARLY per cent of these have, or lower.

    Raises
    ------
    ValueError : the table names no additives.
    """
    if "role" not in table or not (named := table["role"] == "additive").any():
        raise ValueError("molecules: no additives among them; additivevae learns from ours alone")
    solvents = table.loc[table["role"] == "solvent", "lumo_ev"]
    early = table["lumo_ev"] <= np.nanpercentile(solvents, EARLY)
    chosen = fingerprints(table.loc[named, "smiles"])
    prints = fingerprints(table["smiles"])
    near = np.array([max(BulkTanimotoSimilarity(p, chosen), default=0.0) for p in prints]) >= NEAR
    return table[named | (near & early)]


def learn(
    name: str,
    material: Material,
    folder: Path,
    *,
    preset: str,
    start: Path | None = None,
    minutes: float = math.inf,
    progress: Progress | None = None,
) -> Lesson:
    """Teach the shipped npvae further; `start` is a checkpoint.

    Raises
    ------
    ValueError : a checkpoint that is none, no additives, or no npvae.
    """
    if start is not None:
        begin_from(start, folder)
    rules, table = PRESETS[name][preset], material.examples
    run = npvae_training.taught_further(
        registry.load("npvae"), families(table), folder, schedule=rules,
        resume=start is not None, minutes=minutes, progress=progress,
    )  # fmt: skip
    kind = additivevae.AdditiveVAE
    return Lesson(npvae_training.finished(run, table, progress, kind), rules)
