"""The known crystals: GenBat's own relaxed and labelled set, as shipped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from genbat.core.paths import ASSETS
from genbat.core.properties import Measurement
from genbat.domains.crystals import table as packing
from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.properties import measurements

TABLE = "data/crystals.parquet"
LICENCE = "structures and labels: MIT, GenBat (CHGNet 0.3.0 and r2SCAN, not DFT)"


@dataclass(frozen=True)
class Dataset:
    """Known crystals.

    `table` has one row a distinct crystal: name, family, formula, group (spglib, 0.1 Å), every
    label, ion, host_failed, split, and the packed structures.
    """

    table: pd.DataFrame

    def __len__(self) -> int:
        return len(self.table)

    @cached_property
    def row_of(self) -> Mapping[str, int]:
        """Name -> row number."""
        return {name: k for k, name in enumerate(self.table["name"])}

    def split(self, name: str) -> pd.DataFrame:
        """Rows of "train", "calibration" or "test"."""
        return self.table[self.table["split"] == name]

    def cell(self, row: int) -> Cell:
        """The relaxed crystal."""
        one = self.table.iloc[row]
        return packing.unpacked(one["cell"], one["positions"], one["numbers"])

    def empty(self, row: int) -> Cell | None:
        """The relaxed host without its working ion; None where there is none."""
        one = self.table.iloc[row]
        if one["empty_cell"] is None:
            return None
        numbers = packing.emptied(self.cell(row), one["ion"])
        return packing.unpacked(one["empty_cell"], one["empty_positions"], numbers)

    def magmoms(self, row: int) -> np.ndarray:
        """Absolute magnetic moments (n,) in μB."""
        return np.asarray(self.table.iloc[row]["magmoms_cub"], float) / 100

    def measurements(self, row: int) -> dict[str, Measurement]:
        """All that is known of one crystal, with unit, method and kind."""
        one = self.table.iloc[row]
        return measurements({k: float(one[k]) for k in packing.NUMBERS if pd.notna(one[k])})


@lru_cache(maxsize=2)
def load(path: Path | None = None) -> Dataset:
    """The shipped data set: the distinct crystals that passed the gates."""
    whole = pd.read_parquet(path or ASSETS / TABLE)
    good = whole[whole["failed"] == ""].drop(columns="failed").reset_index(drop=True)
    return Dataset(good)


def attempted(path: Path | None = None) -> pd.DataFrame:
    """Every candidate that was tried: name, family, and why it is not in the set (or "")."""
    return pd.read_parquet(path or ASSETS / TABLE, columns=["name", "family", "failed"])
