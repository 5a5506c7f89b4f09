"""The known molecules with labels, measurements, names and split, joined at load."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import pandas as pd
from rdkit import Chem

from genbat.core.paths import ASSETS, cache_folder
from genbat.core.properties import Measurement
from genbat.domains.molecules import build, descriptors, physics
from genbat.domains.molecules.measured import MEASURED, PACKAGE, measurement, read_measured
from genbat.domains.molecules.properties import BY_KEY
from genbat.domains.molecules.sources import named, names_by_cas

TABLE = "data/molecules.parquet"
LICENCE = "labels: MIT, GenBat; identifiers and measurements: package chemicals, MIT (PubChem)"


@dataclass(frozen=True)
class Dataset:
    """Known molecules.

    `table` has one row a molecule: smiles, cas, name, synonyms, role, reference, split, named,
    every computed label, every measured value with `_spread` and `_method`, and `failed`.
    """

    table: pd.DataFrame

    def __len__(self) -> int:
        return len(self.table)

    @cached_property
    def row_of(self) -> Mapping[str, int]:
        """Normal-form SMILES -> row number."""
        return {s: k for k, s in enumerate(self.table["smiles"])}

    def split(self, name: str) -> pd.DataFrame:
        """Rows of "train", "calibration" or "test"."""
        return self.table[self.table["split"] == name]

    def measurements(self, row: int) -> dict[str, Measurement]:
        """All that is known of one molecule, with unit, method and kind."""
        series = self.table.iloc[row]
        return dict(_row_measurements(series))


def _row_measurements(series: pd.Series) -> Iterator[tuple[str, Measurement]]:
    values = {k: float(series[k]) for k in physics.COMPUTED if pd.notna(series[k])}
    yield from physics.measurements(values).items()
    for key in MEASURED:
        if pd.notna(series[key]):
            spread = series[f"{key}_spread"]
            half = float(spread) if pd.notna(spread) and spread > 0 else None
            yield key, measurement(key, float(series[key]), half, series[f"{key}_method"])
    known = {k: series[k] for k in build.label_columns()[len(physics.COMPUTED) :]}
    yield from _descriptors({k: v for k, v in known.items() if pd.notna(v)}).items()


def _descriptors(values: Mapping[str, float]) -> dict[str, Measurement]:
    return {
        key: Measurement(float(v), BY_KEY[key].unit, descriptors.METHOD, "computed")
        for key, v in values.items()
    }


def descriptor_measurements(smiles: str) -> dict[str, Measurement]:
    """What RDKit reads off a structure, with unit and method."""
    return _descriptors(descriptors.describe(Chem.MolFromSmiles(smiles)))


def computed_columns() -> list[tuple[str, str, str]]:
    """(key, unit, method) of every computed label column."""
    orbital = [
        (k, physics.UNITS[k], physics.IPEA1 if k == "vip_ev" else physics.GFN2)
        for k in physics.COMPUTED
    ]
    rest = build.label_columns()[len(physics.COMPUTED) :]
    return [*orbital, *((k, BY_KEY[k].unit, descriptors.METHOD) for k in rest)]


@lru_cache(maxsize=2)
def load(path: Path | None = None) -> Dataset:
    """The shipped data set; the join with `chemicals` is kept in the user's cache folder."""
    path = path or ASSETS / TABLE
    labels = pd.read_parquet(path)
    measured = _measured(labels["cas"], path)
    table = labels.merge(measured, how="left", left_on="cas", right_index=True)
    return Dataset(_with_names(table).reset_index(drop=True))


def _measured(cas: pd.Series, path: Path) -> pd.DataFrame:
    cached = cache_folder() / f"measured-{PACKAGE.replace(' ', '-')}-{path.stat().st_size}.parquet"
    if cached.exists():
        return pd.read_parquet(cached)
    table, _ = read_measured(c for c in cas if c)
    partial = cached.with_suffix(".part")
    table.to_parquet(partial)
    partial.replace(cached)  # several processes may build it at once; the last one wins whole
    return table


def _with_names(table: pd.DataFrame) -> pd.DataFrame:
    ours = {s.smiles: s for s in named()}
    theirs = names_by_cas(set(table["cas"]))
    pairs = list(zip(table["smiles"], table["cas"], strict=True))
    sources = [ours.get(smiles) for smiles, _ in pairs]
    names = [
        (s.name, s.synonyms) if s else theirs.get(cas, (smiles, ()))
        for s, (smiles, cas) in zip(sources, pairs, strict=True)
    ]
    table["name"] = [name for name, _ in names]
    table["synonyms"] = ["|".join(more) for _, more in names]
    table["role"] = [s.role if s else "" for s in sources]
    table["reference"] = [s.reference if s else "" for s in sources]
    return table
