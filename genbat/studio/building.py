"""`genbat build`: the shipped files, each from its sources by one command, resumable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from genbat.core import paths
from genbat.core.paths import home
from genbat.studio import manifest, registry
from genbat.systems.base import part_of

Progress = Callable[[float, str], None]
OUTLIERS = "data/molecules_outliers.csv"
CRYSTALS = "data/crystals.parquet"
PHASES = "data/crystals_known_phases.csv"


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
    if folder := paths.beside():
        log = home() / "build" / "known_phases.jsonl"
        known_phases.relax_known(folder / known_phases.ARCHIVE, log, progress)
        known_phases.hull_entries(log).round(5).to_csv(phases, index=False, lineterminator="\n")
    others = known_phases.as_entries(pd.read_csv(phases)) if phases.exists() else []
    out = _asset(CRYSTALS)
    rows = labels.read_log(crystal_log())
    return table.make_table(rows, out, known=_shipped_crystals(), others=others, progress=progress)


def build_conductors(workers: int, progress: Progress) -> Path:
    """The measured electrolytes of OBELiX, which lies in the folder GENBAT_DATA."""
    from genbat.domains.crystals import conductors

    folder = paths.beside()
    if folder is None:
        raise ValueError("GENBAT_DATA: not set; name the folder with OBELiX's table")
    progress(0.0, "reading measured conductivities")
    return conductors.make_table(folder / conductors.SOURCE_FILE, _asset(conductors.TABLE))


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


def build_aims(workers: int, progress: Progress) -> Path:
    """What mattergen has to aim at, measured with CHGNet and kept with its weights, target by
    target: half an hour."""
    from genbat.studio import aiming
    from genbat.systems.crystal_corpus import embedded

    system, place, corpus = registry.load("mattergen"), registry.folder("mattergen"), embedded()
    log, names = home() / "evaluation" / "aims.jsonl", aiming.targets_of(system)
    for k, name in enumerate(names):
        mine = part_of(progress, k / len(names), 1 / len(names))
        aiming.calibrate(system, name, corpus, log, mine)
        system.save(place)
    return place


# ---------------------------------------------------------------------- microstructures
def build_microstructures(workers: int, progress: Progress) -> Path:
    """Generated electrodes and their labels: hours; the log is a JSONL file under `home()`."""
    from genbat.domains.microstructures import build as labels
    from genbat.domains.microstructures import data

    log = home() / "build" / "microstructures.jsonl"
    labels.label_missing(log, workers=workers, progress=progress)
    return labels.make_table(log, _asset(data.TABLE))


def build_band(workers: int, progress: Progress) -> Path:
    """What crops of the tomogram have of two-point correlation, for the cards."""
    from genbat.domains.microstructures import band, tomography

    progress(0.0, "measuring crops of the tomogram")
    crops = tomography.crops(tomography.load().train)
    found = band.measure(crops, "a calendered NMC cathode (X-ray CT, NREL; MATBOX)")
    return band.write(found, _asset(band.TABLE))


# ---------------------------------------------------------------------- interphases
def build_interphases(workers: int, progress: Progress) -> Path:
    """Grown interphases and their labels: half an hour; the log is a JSONL file under `home()`."""
    from genbat.domains.interphases import build as labels
    from genbat.domains.interphases import data

    log = home() / "build" / "interphases.jsonl"
    labels.label_missing(log, paths.cache_folder(), progress=progress)
    return labels.make_table(log, _asset(data.TABLE))


# ---------------------------------------------------------------------- library and map
def build_library(name: str, workers: int, progress: Progress) -> Path:
    """A system's own new objects, judged by the domain's physics."""
    out = _asset(f"libraries/{name}.parquet")
    log = home() / "build" / f"library-{name}.jsonl"
    shelf = _shelf(registry.card(name).domain)
    table = shelf.make_library(registry.load(name), log=log, workers=workers, progress=progress)
    partial = out.with_suffix(".part")
    table.to_parquet(partial, compression="zstd", index=False)
    partial.replace(out)
    return out


def build_map(domain: str, workers: int, progress: Progress) -> Path:
    """The domain's map: all known objects in the order of their table, placed by UMAP; behind them
    those of its libraries, where too few are known (`anchors`)."""
    from genbat.latent.maps import LatentMap

    progress(0.0, f"encoding the known {domain}")
    shelf, reference = _shelf(domain), registry.load(registry.REFERENCE[domain])
    latents = shelf.known_latents(reference)
    if hasattr(shelf, "anchors"):
        latents = np.concatenate([latents, shelf.anchors()])
    progress(0.2, f"laying {len(latents)} points out in the plane (UMAP)")
    out = _asset(f"maps/{domain}.npz")
    LatentMap.fit(latents.astype("f2")).save(out)  # 16 bits suffice and halve the file
    progress(1.0, f"{len(latents)} points placed")
    return out


def _shelf(domain: str) -> Any:
    return import_module(f"genbat.studio.library_{domain}")


# ---------------------------------------------------------------------- manifest
def build_manifest(workers: int, progress: Progress) -> Path:
    """assets/manifest.json: every shipped file with sha256, bytes, licence, source, command."""
    out = _asset("manifest.json")
    count = manifest.write(paths.ASSETS, out)
    progress(1.0, f"{count} files listed")
    return out


def _asset(name: str) -> Path:
    path = paths.ASSETS / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"assets: {path.parent} cannot be written; build in a checkout") from error
    return path


# Whose library is made.
_SHELVED = (
    "chemvae", "moleculegpt", "moleculediffusion", "latentgan", "npvae", "additivevae",
    "cdvae", "mattergen", "unimat", "cubicgan", "crystalgpt", "imatgen", "crystalgan",
    "slicegan", "dcgan3d", "microvae", "microdiffusion", "microgpt", "seivae",
    "polymervae", "polymergpt", "polymerdiffusion", "polymermasking",
)  # fmt: skip


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
        "crystals:conductors": build_conductors,
        "crystals:aims": build_aims,
        "microstructures": build_microstructures,
        "microstructures:band": build_band,
        "interphases": build_interphases,
        **{f"library:{name}": library(name) for name in _SHELVED},
        **{f"map:{domain}": plane(domain) for domain in registry.REFERENCE},
        "manifest": build_manifest,
    }


_BUILDERS = _builders()
DATASETS = tuple(_BUILDERS)
