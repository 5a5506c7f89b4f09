"""Measured properties of known molecules, read from the package `chemicals` with their method.

Estimates (Joback, Fedors, psi4 and the like) are not measurements and stay out. The median
of the sources is kept where at least two lie close to it; sources that disagree are dropped and
listed as outliers, as are values that contradict each other (melting above boiling).
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from importlib.metadata import version
from pathlib import Path
from typing import Any

import chemicals
import pandas as pd

from genbat.core.properties import Measurement

ROOM_K = 298.15
PACKAGE = f"chemicals {version('chemicals')}"
# Computed or estimated sources inside `chemicals`.
ESTIMATES = frozenset({"JOBACK", "PSI4_2022A", "WILSON_JASPERSON", "FEDORS", "NONE"})
UNITS = {
    "tm_k": "K",
    "tb_k": "K",
    "tflash_k": "K",
    "permittivity": "",
    "viscosity_mpas": "mPa s",
    "dipole_exp_d": "D",
}
MEASURED = tuple(UNITS)
# Sources farther than this from their median disagree: absolute, and as a share of the value.
_TOLERANCE = {
    "tm_k": (10.0, 0.0),
    "tb_k": (10.0, 0.0),
    "tflash_k": (10.0, 0.0),
    "viscosity_mpas": (0.02, 0.15),
    "dipole_exp_d": (0.5, 0.0),
}
_LEGAL = {
    "tm_k": (50.0, 900.0),
    "tb_k": (80.0, 1000.0),
    "tflash_k": (120.0, 700.0),
    "viscosity_mpas": (0.05, 5000.0),
    "dipole_exp_d": (0.0, 15.0),
}


@dataclass(frozen=True)
class Outlier:
    """A measured value that was left out, and why."""

    cas: str
    key: str
    values: str
    reason: str


Found = dict[str, tuple[float, float | None, str]]  # key -> value, half spread, method


def _by_function(
    cas: str, methods: Callable[[str], list[str]], value: Callable[..., float | None]
) -> dict[str, float]:
    usable = [m for m in methods(cas) if m not in ESTIMATES]
    pairs = {m: value(cas, method=m) for m in usable}
    return {m: float(v) for m, v in pairs.items() if v is not None}


def _agree(key: str, found: dict[str, float]) -> tuple[float, float | None, str] | str:
    """One value out of several sources, or the reason why there is none."""
    low, high = _LEGAL[key]
    values = {m: v for m, v in found.items() if low <= v <= high}
    if not values:
        return "outside the plausible range"
    middle = statistics.median(values.values())
    absolute, share = _TOLERANCE[key]
    reach = max(absolute, share * middle)
    near = {m: v for m, v in values.items() if abs(v - middle) <= reach}
    if len(values) > 1 and len(near) < 2:
        return "sources disagree"
    half = (max(near.values()) - min(near.values())) / 2 if len(near) > 1 else None
    return middle, half, ", ".join(near)


_FUNCTIONS: dict[str, tuple[Callable[[str], list[str]], Callable[..., float | None]]] = {
    "tm_k": (chemicals.Tm_methods, chemicals.Tm),
    "tb_k": (chemicals.Tb_methods, chemicals.Tb),
    "tflash_k": (chemicals.T_flash_methods, chemicals.T_flash),
    "dipole_exp_d": (chemicals.dipole_moment_methods, chemicals.dipole_moment),
}


@lru_cache
def _table(folder: str, name: str) -> pd.DataFrame:
    path = Path(str(resources.files("chemicals"))) / folder / name
    return pd.read_csv(path, sep="\t").drop_duplicates("CAS").set_index("CAS")


def permittivity(cas: str) -> tuple[float, float | None, str] | None:
    """Relative permittivity: by the CRC polynomial at 298.15 K inside its range, otherwise the
    tabulated value with its temperature in the method's text."""
    table = _table("Electrolytes", "Permittivity (Dielectric Constant) of Liquids.tsv")
    if cas not in table.index:
        return None
    row: dict[str, Any] = dict(table.loc[cas])
    if row["Tmin"] <= ROOM_K <= row["Tmax"] and pd.notna(row["A"]):
        terms = [row[c] * ROOM_K**k for k, c in enumerate("ABCD") if pd.notna(row[c])]
        return float(sum(terms)), None, "CRC polynomial, 298.15 K"
    return float(row["Permittivity"]), None, f"CRC table, {row['T']:g} K"


def _at_room(table: pd.DataFrame, cas: str) -> dict[str, Any] | None:
    if cas not in table.index:
        return None
    row: dict[str, Any] = dict(table.loc[cas])
    return row if row["Tmin"] <= ROOM_K <= row["Tmax"] else None


def viscosity(cas: str) -> dict[str, float]:
    """Dynamic viscosity of the liquid at 298.15 K in mPa s, by each correlation valid there."""
    found = {}
    perry = _at_room(
        _table("Viscosity", "Table 2-313 Viscosity of Inorganic and Organic Liquids.tsv"), cas
    )
    if perry is not None:
        constants = [float(perry[f"C{k}"]) for k in range(1, 6)]
        found["Perry 2-313"] = float(chemicals.dippr.EQ101(ROOM_K, *constants)) * 1e3
    three = _at_room(_table("Viscosity", "Viswanath Natarajan Dynamic 3 term.tsv"), cas)
    if three is not None:
        # This table's constants give mPa s (cP), not the Pa s that the function's text promises.
        a, b, c = (float(three[k]) for k in "ABC")
        found["Viswanath-Natarajan"] = float(chemicals.Viswanath_Natarajan_3(ROOM_K, a, b, c))
    return found


def _one(cas: str) -> tuple[Found, list[Outlier]]:
    found: Found = {}
    outliers = []
    tables = {key: _by_function(cas, *calls) for key, calls in _FUNCTIONS.items()}
    for key, sources in {**tables, "viscosity_mpas": viscosity(cas)}.items():
        agreed = _agree(key, sources) if sources else None
        if isinstance(agreed, str):
            text = "; ".join(f"{m} {v:g}" for m, v in sources.items())
            outliers.append(Outlier(cas, key, text, agreed))
        elif agreed:
            found[key] = agreed
    constant = permittivity(cas)
    if constant:
        found["permittivity"] = constant
    return _consistent(cas, found, outliers)


def _consistent(cas: str, found: Found, outliers: list[Outlier]) -> tuple[Found, list[Outlier]]:
    if "tm_k" in found and "tb_k" in found and found["tm_k"][0] > found["tb_k"][0]:
        text = f"Tm {found['tm_k'][0]:g} K, Tb {found['tb_k'][0]:g} K"
        outliers.append(Outlier(cas, "tb_k", text, "melts above its boiling point"))
        found = {k: v for k, v in found.items() if k not in ("tm_k", "tb_k")}
    return found, outliers


def read_measured(numbers: Iterable[str]) -> tuple[pd.DataFrame, list[Outlier]]:
    """Measured values of many CAS numbers.

    Returns
    -------
    table : indexed by CAS; for each key the columns `key`, `key_spread`, `key_method`.
    outliers : what was left out, and why.
    """
    rows: dict[str, dict[str, float | str | None]] = {}
    outliers: list[Outlier] = []
    for cas in numbers:
        found, bad = _one(cas)
        outliers += bad
        if found:
            rows[cas] = {
                f"{key}{end}": part
                for key, parts in found.items()
                for end, part in zip(("", "_spread", "_method"), parts, strict=True)
            }
    columns = [f"{k}{end}" for k in MEASURED for end in ("", "_spread", "_method")]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns), outliers


def measurement(key: str, value: float, spread: float | None, method: str) -> Measurement:
    """A measured value with unit and source."""
    return Measurement(value, UNITS[key], f"{method} ({PACKAGE})", "measured", spread)
