"""The properties of crystals: names, units and what they mean, for people who never met them."""

from __future__ import annotations

from collections.abc import Mapping

from genbat.core.properties import Measurement, Property

CHGNET = "CHGNet 0.3.0"
R2SCAN = "CHGNet r2SCAN"
GEOMETRY = "geometry relaxed with CHGNet 0.3.0"
_LIKE = "CHGNet 0.3.0 learned PBE+U (Materials Project) energies"

PROPERTIES: tuple[Property, ...] = (
    Property(
        "formation_ev",
        "Formation energy",
        "eV/atom",
        f"Energy gained when the crystal forms from its elements. {_LIKE}; mean error against the "
        "Materials Project about 0.06 eV/atom.",
        "computed",
        better=-1,
    ),
    Property(
        "hull_ev",
        "Above hull",
        "eV/atom",
        "Distance to the most stable mixture of competing phases: 0 is stable, up to 0.1 may be "
        "made. The hull holds GenBat's own entries and Materials Project structures of at most 20 "
        "atoms, all by CHGNet 0.3.0: phases missing from both make crystals look more stable.",
        "computed",
        better=-1,
    ),
    Property(
        "voltage_v",
        "Average voltage",
        "V",
        "Average voltage against the metal when all of the working ion leaves the host. "
        "PBE+U-like, ±0.3 V; no number where the emptied host falls apart.",
        "computed",
        better=1,
    ),
    Property(
        "voltage_r2scan_v",
        "Average voltage (r2SCAN)",
        "V",
        "The same with CHGNet's r2SCAN weights at the same geometries: a second opinion. Where the "
        "two differ much, trust neither.",
        "computed",
        better=1,
    ),
    Property(
        "capacity_mah_g",
        "Capacity",
        "mAh/g",
        "Charge that all of the working ion carries, per gram of the filled host.",
        "computed",
        better=1,
        floor=1.0,
    ),
    Property(
        "swelling",
        "Volume change",
        "",
        "Relative volume change when the working ion leaves; small values keep particles whole.",
        "computed",
    ),
    Property("volume_a3", "Volume per atom", "Å³", f"Of the {GEOMETRY}.", "computed"),
    Property(
        "closest",
        "Shortest distance",
        "",
        "Shortest distance of two atoms, in sums of their covalent radii; below 0.6 a crystal is "
        "refused.",
        "computed",
    ),
    Property(
        "r2scan_formation_ev",
        "Formation energy (r2SCAN)",
        "eV/atom",
        "By CHGNet's r2SCAN weights at the same geometry: a second opinion.",
        "computed",
        better=-1,
    ),
)
BY_KEY: dict[str, Property] = {p.key: p for p in PROPERTIES}
UNITS = {p.key: p.unit for p in PROPERTIES}
# Half widths of 90 % intervals, in the property's unit, where something independent was compared.
UNCERTAINTY = {"voltage_v": 0.5, "formation_ev": 0.14}


def measurements(values: Mapping[str, float]) -> dict[str, Measurement]:
    """Label columns -> measurements with unit and method; unknown columns are left out."""
    return {
        key: Measurement(
            value,
            BY_KEY[key].unit,
            R2SCAN if "r2scan" in key else CHGNET,
            "computed",
            UNCERTAINTY.get(key),
        )
        for key, value in values.items()
        if key in BY_KEY
    }
