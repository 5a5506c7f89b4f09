"""The known microstructures: GenBat's own generated electrodes, brought back from their recipes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import pandas as pd

from genbat.core.paths import ASSETS
from genbat.domains.microstructures import build
from genbat.domains.microstructures.generator import Recipe, make
from genbat.domains.microstructures.volume import Volume

TABLE = "data/microstructures.parquet"
LICENCE = "recipes and labels: MIT, GenBat (TauFactor and counting voxels)"


@dataclass(frozen=True)
class Dataset:
    """Known volumes; `table` has one row a volume: seed, recipe, every label, split. Of what is
    both asked and counted (porosity, binder) it holds what was counted."""

    table: pd.DataFrame

    def __len__(self) -> int:
        return len(self.table)

    def seed(self, row: int) -> int:
        """The number of a volume in the design of experiments."""
        return int(self.table["seed"].to_numpy()[row])

    def recipe(self, row: int) -> Recipe:
        """How a volume is made: the recipe of its seed."""
        return build.recipes()[self.seed(row)]

    def volume(self, row: int) -> Volume:
        """The volume itself, made anew: some tenths of a second."""
        return make(self.recipe(row), self.seed(row))


@lru_cache
def load() -> Dataset:
    """The shipped table.

    Raises
    ------
    ValueError : it is not there; says how to make it.
    """
    file = ASSETS / TABLE
    if not file.exists():
        raise ValueError(f"data: {file} is missing; `genbat build microstructures` makes it")
    return Dataset(pd.read_parquet(file))
