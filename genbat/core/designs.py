"""Designs of experiments: data sets whose rows are runs of a simulation, brought back by number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

SPLITS = ("train", "calibration", "test")
TRAINED = 8  # of ten rows; of the other two one calibrates and one tests


def evenly(ranges: Mapping[str, tuple[float, float]], count: int, digits: int) -> list[dict]:
    """`count` settings that fill ranges evenly (a scrambled Sobol sequence, seed 0); a beginning of
    them fills the ranges as evenly as all do."""
    from scipy.stats import qmc

    low, high = ([ends[k] for ends in ranges.values()] for k in (0, 1))
    sobol = qmc.Sobol(len(ranges), seed=0).random_base2((count - 1).bit_length())[:count]
    rows = qmc.scale(sobol, low, high).round(digits)
    return [dict(zip(ranges, row.tolist(), strict=True)) for row in rows]


def split_of(seed: int) -> str:
    """Of every ten settings the last two are held out; a coin says which of them calibrates.

    Without it that would always be the even one, and a Sobol sequence differs between even and odd.
    """
    ten, place = divmod(seed, 10)
    if place < TRAINED:
        return SPLITS[0]
    coin = sha256(str(ten).encode()).digest()[0] & 1
    return SPLITS[1 + ((place - TRAINED) ^ coin)]


def write_table(rows: Iterable[Mapping[str, Any]], out: Path, version: str) -> Path:
    """Rows with a seed each, in the order of their seeds, with their splits, as parquet."""
    import pandas as pd

    by_seed = {row["seed"]: row for row in rows}
    table = pd.DataFrame([by_seed[seed] for seed in sorted(by_seed)])
    table["split"] = [split_of(seed) for seed in table["seed"]]
    table.attrs["label_version"] = version
    partial = out.with_suffix(".part")
    table.to_parquet(partial, compression="zstd", index=False)
    partial.replace(out)
    return out
