"""`genbat build`: the shipped files, each from its sources by one command, resumable."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from genbat.core import paths
from genbat.core.paths import home
from genbat.studio import registry
from genbat.studio.library import LABELLED, SIZE, make_library

Progress = Callable[[float, str], None]
OUTLIERS = "data/molecules_outliers.csv"
CRYSTALS = "data/crystals.parquet"
PHASES = "data/crystals_known_phases.csv"

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
        r"weights/(\w+)/metrics\.json",
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


def build(dataset: str, workers: int = 2, progress: Progress | None = None) -> Path:
    """Make one of DATASETS under assets/ and return its path; a stopped build goes on.

    "molecules" takes hours, a library and a map minutes; "manifest" comes last.

    Raises
    ------
    ValueError : unknown name, with the legal ones; or what it is made from is missing.
    """
    if dataset not in _BUILDERS:
        raise ValueError(f"dataset: unknown {dataset!r}; legal are {', '.join(DATASETS)}")
    return _BUILDERS[dataset](workers, progress or _silent)


def _silent(fraction: float, text: str) -> None:
    pass


# ---------------------------------------------------------------------- molecules
def build_molecules(workers: int, progress: Progress) -> Path:
    """Labels of all known molecules, and the list of measured values that were left out."""
    from genbat.domains.molecules import build as labels

    log = home() / "build" / "molecules.jsonl"
    table = labels.build(_asset("data/molecules.parquet"), log, workers=workers, progress=progress)
    write_outliers(table, _asset(OUTLIERS), progress)
    return table


def write_outliers(table: Path, out: Path, progress: Progress = _silent) -> Path:
    """The measured values of a table's molecules that disagree, as CSV: cas,key,values,reason."""
    from genbat.domains.molecules.measured import read_measured

    progress(1.0, "listing measured values that disagree")
    numbers = pd.read_parquet(table, columns=["cas"])["cas"]
    _, outliers = read_measured(cas for cas in numbers if cas)
    rows = sorted(outliers, key=lambda o: (o.key, o.reason, o.cas))
    columns = ["cas", "key", "values", "reason"]
    frame = pd.DataFrame([asdict(row) for row in rows], columns=columns)
    frame.to_csv(out, index=False, lineterminator="\n")
    return out


# ---------------------------------------------------------------------- crystals
def build_crystals(workers: int, progress: Progress) -> Path:
    """Relaxed and labelled crystals: hours; logs are JSONL files under `home()`.

    With GENBAT_DATA set, the Materials Project structures there are relaxed too and join the hull.
    """
    from genbat.domains.crystals import build as labels

    shipped = _shipped_crystals()
    known = [] if shipped is None else shipped["name"].tolist()
    labels.label_missing(crystal_log(), known, workers=workers, progress=progress)
    return write_crystals(workers, progress)


def write_crystals(workers: int, progress: Progress) -> Path:
    """assets/data/crystals.parquet from what the log holds so far, beside what is shipped."""
    from genbat.domains.crystals import build as labels
    from genbat.domains.crystals import known_phases, table

    phases = _asset(PHASES)
    if folder := known_phases.folder():
        log = home() / "build" / "known_phases.jsonl"
        known_phases.relax_known(folder / known_phases.ARCHIVE, log, progress)
        known_phases.hull_entries(log).round(5).to_csv(phases, index=False, lineterminator="\n")
    others = known_phases.as_entries(pd.read_csv(phases)) if phases.exists() else []
    out = _asset(CRYSTALS)
    rows = labels.read_log(crystal_log())
    return table.make_table(rows, out, known=_shipped_crystals(), others=others, progress=progress)


def build_elements(workers: int, progress: Progress) -> Path:
    """The elements' reference energies of the crystals domain."""
    from genbat.domains.crystals import references

    progress(0.0, "relaxing the elements")
    return references.make_table(Path(references.__file__).with_name(references.TABLE))


def crystal_log() -> Path:
    """Where the rows of `build_crystals` go as they come."""
    return home() / "build" / "crystals.jsonl"


def _shipped_crystals() -> pd.DataFrame | None:
    """The shipped table where its labels were made as they would be made now."""
    from genbat.domains.crystals.table import LABEL_VERSION

    file = paths.ASSETS / CRYSTALS
    table = pd.read_parquet(file) if file.exists() else None
    current = table is not None and table.attrs.get("label_version") == LABEL_VERSION
    return table if current else None


# ---------------------------------------------------------------------- library and map
def build_library(name: str, workers: int, progress: Progress) -> Path:
    """SIZE of a system's own molecules, LABELLED of them judged by xTB."""
    out = _asset(f"libraries/{name}.parquet")
    log = home() / "build" / f"library-{name}.jsonl"
    table = make_library(
        registry.load(name),
        known_texts(),
        log,
        size=SIZE,
        labelled=LABELLED,
        workers=workers,
        progress=progress,
    )
    partial = out.with_suffix(".part")
    table.to_parquet(partial, compression="zstd", index=False)
    partial.replace(out)
    return out


def build_map(domain: str, workers: int, progress: Progress) -> Path:
    """The domain's map: all known objects in the order of their table, placed by UMAP."""
    from genbat.latent.maps import LatentMap

    progress(0.0, "encoding the known molecules")
    latents = registry.load(registry.REFERENCE[domain]).encode(known_texts())
    progress(0.2, f"laying {len(latents)} points out in the plane (UMAP)")
    out = _asset(f"maps/{domain}.npz")
    LatentMap.fit(latents.astype("f2")).save(out)  # 16 bits suffice and halve the file
    progress(1.0, f"{len(latents)} points placed")
    return out


def known_texts() -> list[str]:
    """Normal-form SMILES of all known molecules, in the order of their table."""
    table = paths.ASSETS / "data/molecules.parquet"
    if not table.exists():
        raise ValueError(f"data: {table} is missing; run genbat build molecules first")
    return pd.read_parquet(table, columns=["smiles"])["smiles"].tolist()


# ---------------------------------------------------------------------- manifest
def build_manifest(workers: int, progress: Progress) -> Path:
    """assets/manifest.json: every shipped file with sha256, bytes, licence, source, command.

    Raises
    ------
    ValueError : a file nobody knows the origin of.
    """
    out = _asset("manifest.json")
    files = sorted(f for f in paths.ASSETS.rglob("*") if f.is_file() and f != out)
    entries = {f.relative_to(paths.ASSETS).as_posix(): f for f in files if f.name[0] != "."}
    text = json.dumps({name: describe(name, f) for name, f in entries.items()}, indent=1)
    out.write_text(text + "\n", "utf-8")
    progress(1.0, f"{len(entries)} files listed")
    return out


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


def _asset(name: str) -> Path:
    path = paths.ASSETS / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"assets: {path.parent} cannot be written; build in a checkout") from error
    return path


def _builders() -> dict[str, Callable[[int, Progress], Path]]:
    def library(name: str) -> Callable[[int, Progress], Path]:
        return lambda workers, progress: build_library(name, workers, progress)

    def plane(domain: str) -> Callable[[int, Progress], Path]:
        return lambda workers, progress: build_map(domain, workers, progress)

    return {
        "molecules": build_molecules,
        "crystals": build_crystals,
        "crystals:table": write_crystals,
        "crystals:elements": build_elements,
        **{f"library:{name}": library(name) for name in registry.SYSTEMS},
        **{f"map:{domain}": plane(domain) for domain in registry.REFERENCE},
        "manifest": build_manifest,
    }


_BUILDERS = _builders()
DATASETS = tuple(_BUILDERS)
