"""assets/manifest.json: where every shipped file comes from, and how to make it again."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

# File under assets/ -> licence, where its content comes from, the command that makes it.
_ORIGINS: tuple[tuple[str, str, str, str], ...] = (
    (
        r"data/molecules\.parquet",
        "MIT (labels); identifiers from the package chemicals, MIT",
        "package chemicals (PubChem identifiers), named.csv; GFN2-xTB and IPEA1-xTB by tblite",
        "genbat build molecules",
    ),
    (
        r"data/molecules_outliers\.csv",
        "MIT",
        "measurements in the package chemicals that GenBat leaves out",
        "genbat build molecules",
    ),
    (
        r"data/crystals\.parquet",
        "MIT",
        "prototypes (textbooks; AFLOW's in pymatgen), random search; CHGNet 0.3.0 and r2SCAN",
        "genbat build crystals",
    ),
    (
        r"data/crystals_known_phases\.csv",
        "CC BY 4.0 (Materials Project's structures); energies MIT",
        "Materials Project structures relaxed with CHGNet 0.3.0: formula and formation energy",
        "GENBAT_DATA=<folder of shared data> genbat build crystals:table",
    ),
    (
        r"data/conductors\.csv",
        "CC BY 4.0",
        "OBELiX (NRC and Mila): composition, space group, measured conductivity, reference",
        "GENBAT_DATA=<folder of shared data> genbat build crystals:conductors",
    ),
    (
        r"data/microstructures\.parquet",
        "MIT",
        "GenBat's packed and pressed particles; voxels counted, TauFactor 1.2.1",
        "genbat build microstructures",
    ),
    (
        r"data/microstructures_band\.json",
        "BSD-3 (MATBOX's tomogram, of which these are statistics)",
        "crops of nmc-1-cal_generatedCBD_bridge, NREL's MATBOX",
        "GENBAT_DATA=<folder of shared data> genbat build microstructures:band",
    ),
    (
        r"data/interphases\.parquet",
        "MIT",
        "GenBat's lattice kinetic Monte Carlo",
        "genbat build interphases",
    ),
    (
        r"data/compare_(\w+)\.json",
        "MIT",
        "assets/weights, assets/data",
        "genbat compare {0} -n 1000 --seed 0 --out assets/data/compare_{0}.json",
    ),
    (
        r"weights/(slicegan|dcgan3d|superres)/(?!metrics)[\w.]+",
        "MIT",
        "slices of nmc-1-cal_generatedCBD_bridge, NREL's MATBOX (BSD-3)",
        "GENBAT_DATA=<folder of shared data> genbat train {0}",
    ),
    (
        r"weights/((?:slicegan|superres)-\w+)/(?!metrics)[\w.]+",
        "MIT",
        "images published with Dahari's SuperRes (MIT)",
        "GENBAT_DATA=<folder of shared data> genbat train {0}",
    ),
    (
        r"weights/(polymer\w+)/(?!metrics)[\w.]+",
        "MIT",
        "HTP-MD (TRI, MIT): repeat units with molecular dynamics",
        "GENBAT_DATA=<folder of shared data> genbat train {0}",
    ),
    (
        r"libraries/(micro\w+|slicegan|dcgan3d)\.parquet",
        "MIT",
        "assets/weights/{0}; voxels counted, TauFactor 1.2.1",
        "genbat build library:{0}",
    ),
    (
        r"weights/(cdvae|mattergen|unimat|cubicgan|crystalg\w+)/(?!metrics)[\w.]+",
        "MIT",
        "assets/data; Materials Project structures (CC BY 4.0) of at most 20 atoms",
        "GENBAT_DATA=<folder of shared data> genbat train {0}",
    ),
    (
        r"libraries/(cdvae|mattergen|unimat|imatgen|cubicgan|crystalg\w+)\.parquet",
        "MIT",
        "assets/weights/{0}; CHGNet 0.3.0 and r2SCAN",
        "genbat build library:{0}",
    ),
    (
        r"weights/([\w-]+)/metrics\.json",
        "MIT",
        "assets/weights/{0}, assets/data",
        "genbat evaluate {0} -n 1000 --seed 0 --out assets/weights/{0}/metrics.json",
    ),
    (r"weights/(\w+)/[\w.]+", "MIT", "assets/data", "genbat train {0}"),
    (
        r"libraries/(\w+)\.parquet",
        "MIT",
        "assets/weights/{0}; GFN2-xTB and IPEA1-xTB by tblite",
        "genbat build library:{0}",
    ),
    (r"maps/(\w+)\.npz", "MIT", "assets/weights, assets/data", "genbat build map:{0}"),
)


def write(assets: Path, out: Path) -> int:
    """List every file of a folder but `out` and hidden ones; returns how many there are.

    Raises
    ------
    ValueError : a file nobody knows the origin of.
    """
    files = sorted(f for f in assets.rglob("*") if f.is_file() and f != out)
    entries = {f.relative_to(assets).as_posix(): f for f in files if f.name[0] != "."}
    text = json.dumps({name: describe(name, f) for name, f in entries.items()}, indent=1)
    out.write_text(text + "\n", "utf-8")
    return len(entries)


def describe(name: str, file: Path) -> dict[str, Any]:
    """One manifest entry of a file whose path under assets/ is `name`."""
    content = file.read_bytes()
    for pattern, licence, source, script in _ORIGINS:
        if match := re.fullmatch(pattern, name):
            return {
                "sha256": hashlib.sha256(content).hexdigest(),
                "bytes": len(content),
                "licence": licence,
                "source": source.format(*match.groups()),
                "script": script.format(*match.groups()),
            }
    legal = ", ".join(origin[0].replace("\\", "") for origin in _ORIGINS)
    raise ValueError(f"assets: nobody knows the origin of {name}; known are {legal}")
