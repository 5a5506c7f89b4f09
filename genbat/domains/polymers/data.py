"""What is known of polymer electrolytes: simulated ones to learn from, measured ones to check with.

HTP-MD (TRI, MIT): repeat units of the class of carbonates, esters, amides and ethers with molecular
dynamics in LiTFSI at 1.5 mol/kg, 353 K. Neither table ships with GenBat; what is learnt from them
does. Units that are the same polymer are one row: the same cut elsewhere, read from the other end,
or doubled.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rdkit import Chem

from genbat.core import paths
from genbat.domains.polymers.repeat_unit import Unit, normal

SIMULATED = "polymers/htpmd_polymer_electrolytes_6025.csv"
MEASURED = "polymers/chemarr_experimental_spe_10114.csv"
# Property -> column of the simulated table, and whether its logarithm to base 10 is taken.
COLUMNS = {
    "log_conductivity": ("conductivity", True),
    "transference": ("transference_number", False),
    "log_li_diffusivity": ("li_diffusivity", True),
    "log_anion_diffusivity": ("tfsi_diffusivity", True),
    "log_polymer_diffusivity": ("poly_diffusivity", True),
}
SPLITS = ("train", "calibration", "test")
_SHARES = (0.8, 0.9)


@dataclass(frozen=True)
class Polymers:
    """`table` has one row a polymer: text (its normal form), scaffold, split, and COLUMNS, NaN
    where unknown; `bad` says what could not be used, by line."""

    table: pd.DataFrame
    bad: tuple[str, ...] = ()

    def rows(self, split: str) -> pd.DataFrame:
        """The rows of a split."""
        return self.table[self.table["split"] == split]


def simulated() -> Polymers:
    """The simulated polymers.

    Raises
    ------
    ValueError : the table is not there; says what it is.
    """
    folder = paths.beside()
    if folder is None or not (folder / SIMULATED).exists():
        raise ValueError(
            f"GENBAT_DATA: names no folder with {SIMULATED}; it is the table of HTP-MD (TRI)"
        )
    return read(folder / SIMULATED, unit="mol_smiles")


LITFSI = "O=S(=O)([N-]S(=O)(=O)C(F)(F)F)C(F)(F)F.[Li+]"
AT_C, NEAR_C = 80.0, 10.0  # of the simulations, and how far a measurement may be from it
MOLALITY = (0.75, 3.0)  # mol/kg of salt that is near the simulations' 1.5


def measured() -> dict[str, float]:
    """Measured log10 of the conductivity in S/cm of polymers in LiTFSI near the simulations'
    temperature and salt: their median, by normal form.

    Raises
    ------
    ValueError : the table is not there; says what it is.
    """
    folder = paths.beside()
    if folder is None or not (folder / MEASURED).exists():
        raise ValueError(
            f"GENBAT_DATA: names no folder with {MEASURED}; it is the training table of Chem-prop-"
            "pred (MIT)"
        )
    raw = pd.read_csv(folder / MEASURED)
    near = (raw["temperature"] - AT_C).abs() <= NEAR_C
    spelt = {text: _canonical(text) == _canonical(LITFSI) for text in raw["salt smiles"].unique()}
    salt = raw["salt smiles"].map(spelt) & raw["molality"].between(*MOLALITY)
    found: dict[str, list[float]] = {}
    for text, value in raw.loc[near & salt, ["smiles", "conductivity"]].itertuples(index=False):
        try:
            found.setdefault(normal(str(text)).text, []).append(float(value))
        except ValueError:
            continue
    return {text: float(np.median(values)) for text, values in found.items()}


def _canonical(text: object) -> str | None:
    mol = Chem.MolFromSmiles(str(text))
    return None if mol is None else Chem.MolToSmiles(mol)


def read(file: Path, unit: str = "smiles") -> Polymers:
    """A table of repeat units between [Cu] and [Au], with any of COLUMNS' columns.

    Raises
    ------
    ValueError : no column of units, or no usable row; names the file and the first lines.
    """
    try:
        raw = pd.read_csv(file)
    except (ValueError, OSError, UnicodeDecodeError) as wrong:
        raise ValueError(f"{file.name}: cannot be read as CSV ({wrong})") from wrong
    if unit not in raw:
        raise ValueError(f"{file.name}: has no column {unit}; it has {', '.join(raw.columns)}")
    rows, bad = [], []
    for line, row in enumerate(raw.to_dict("records"), 2):
        try:
            rows.append({**_values(row), **_named(normal(str(row[unit])))})
        except ValueError as wrong:
            bad.append(f"line {line}: {wrong}")
    if not rows:
        raise ValueError(f"{file.name}: no row can be used; {'; '.join(bad[:3])}")
    return Polymers(_once(pd.DataFrame(rows)), tuple(bad))


def _values(row: dict[Any, Any]) -> dict[str, float]:
    out = {}
    for name, (column, logarithmic) in COLUMNS.items():
        value = _number(row.get(column))
        good = np.isfinite(value) and not (logarithmic and value <= 0)
        out[name] = float(np.log10(value) if logarithmic else value) if good else np.nan
    return out


def _number(cell: Any) -> float:
    """A cell as a number, NaN where it is none."""
    try:
        return float(cell)
    except (TypeError, ValueError):
        return float("nan")


def _named(unit: Unit) -> dict[str, str]:
    scaffold = scaffold_of(unit)
    return {"text": unit.text, "scaffold": scaffold, "split": split_of(scaffold)}


def _once(table: pd.DataFrame) -> pd.DataFrame:
    """One row a polymer: the mean of what is known of it, in the order of the file."""
    numbers = dict.fromkeys(COLUMNS, "mean")
    words = dict.fromkeys(("scaffold", "split"), "first")
    grouped = table.groupby("text", sort=False).agg({**words, **numbers})
    return grouped.reset_index()


# ---------------------------------------------------------------------- near copies
def scaffold_of(unit: Unit) -> str:
    """What kinds of segments a chain is built of, however many and in whatever order: polymers
    that differ in the length of a spacer alone share it."""
    return " ".join(sorted(set(unit.segments)))


def split_of(scaffold: str) -> str:
    """The split of all polymers of a scaffold, by a hash of it."""
    number = int.from_bytes(hashlib.sha256(scaffold.encode()).digest()[:8], "big")
    share = number / 2**64
    return SPLITS[sum(share >= border for border in _SHARES)]
