"""The known interphases: GenBat's own runs of the kinetic Monte Carlo, grown again when asked."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd

from genbat.core.paths import ASSETS
from genbat.domains.interphases.build import COUNT, LABEL_VERSION, barriers_of, run
from genbat.domains.interphases.kmc import HEIGHT, WIDTH, Barriers, Sites

TABLE = "data/interphases.parquet"
LICENCE = "barriers and labels: MIT, GenBat (its own kinetic Monte Carlo)"


@dataclass(frozen=True)
class Dataset:
    """Known interphases; `table` has one row a run: seed, barriers, every label, split."""

    table: pd.DataFrame

    def __len__(self) -> int:
        return len(self.table)

    def barriers(self, row: int) -> Barriers:
        """With what barriers one was grown."""
        return barriers_of(cast(dict[str, Any], self.table.iloc[row].to_dict()))

    def sites(self, row: int) -> Sites:
        """One interphase, grown again: some tenths of a second."""
        return run(int(self.table.iloc[row]["seed"])).sites


@lru_cache
def load() -> Dataset:
    """The shipped table.

    Raises
    ------
    ValueError : it is not there; says how to make it.
    """
    file = ASSETS / TABLE
    if not file.exists():
        raise ValueError(f"data: {file} is missing; `genbat build interphases` makes it")
    return Dataset(pd.read_parquet(file))


def all_sites(folder: Path) -> Sites:
    """The sites of all designs (COUNT, rows, columns) from a folder of things that can be made
    again, where `build.label_missing` has left them.

    Raises
    ------
    ValueError : they are not there; says how to make them.
    """
    place = folder / f"interphases-{LABEL_VERSION}.npy"
    if not place.exists():
        raise ValueError(f"data: {place} is missing; `genbat build interphases` makes it")
    kept = np.load(place, mmap_mode="r")
    if kept.shape != (COUNT, HEIGHT, WIDTH):
        raise ValueError(f"data: {place} holds {kept.shape}, not {(COUNT, HEIGHT, WIDTH)}")
    return cast(Sites, kept)
