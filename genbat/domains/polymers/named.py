"""Polymers with names that a battery chemist knows: a table of our own, repeat units only."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pandas as pd

from genbat.domains.polymers.repeat_unit import normal

FILE = Path(__file__).with_name("named.csv")


@dataclass(frozen=True)
class Named:
    """`table` has one row a polymer: name, short, text (its normal form), kind."""

    table: pd.DataFrame

    def __len__(self) -> int:
        return len(self.table)


@lru_cache
def load() -> Named:
    """All of them, in the order of the file."""
    table = pd.read_csv(FILE, keep_default_na=False)
    table["text"] = [normal(unit).text for unit in table["unit"]]
    return Named(table.drop(columns="unit"))
