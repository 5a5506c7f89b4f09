"""Which systems there are, where their weights lie, and one shared copy of each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

from genbat.core import paths
from genbat.core.paths import ASSETS
from genbat.systems.base import SystemCard

# name -> module with the class and `make_card`; a new system is one line here.
SYSTEMS: dict[str, tuple[str, str]] = {
    "chemvae": ("genbat.systems.chemvae", "ChemVAE"),
    "cdvae": ("genbat.systems.cdvae", "CDVAE"),
    "mattergen": ("genbat.systems.mattergen", "MatterGen"),
    "unimat": ("genbat.systems.unimat", "UniMat"),
    "cubicgan": ("genbat.systems.cubicgan", "CubicGAN"),
    "crystalgpt": ("genbat.systems.crystalgpt", "CrystalGPT"),
    "imatgen": ("genbat.systems.imatgen", "IMatGen"),
    "crystalgan": ("genbat.systems.crystalgan", "CrystalGAN"),
    "slicegan": ("genbat.systems.slicegan", "SliceGAN"),
    "dcgan3d": ("genbat.systems.dcgan3d", "DCGAN3D"),
    "superres": ("genbat.systems.superres", "SuperRes"),
    "microvae": ("genbat.systems.microvae", "MicroVAE"),
    "seivae": ("genbat.systems.seivae", "SEIVAE"),
    "microdiffusion": ("genbat.systems.microdiffusion", "MicroDiffusion"),
    "microgpt": ("genbat.systems.microgpt", "MicroGPT"),
    "moleculegpt": ("genbat.systems.moleculegpt", "MoleculeGPT"),
    "moleculediffusion": ("genbat.systems.moleculediffusion", "MoleculeDiffusion"),
    "latentgan": ("genbat.systems.latentgan", "LatentGAN"),
    "npvae": ("genbat.systems.npvae", "NPVAE"),
    "additivevae": ("genbat.systems.additivevae", "AdditiveVAE"),
    "polymervae": ("genbat.systems.polymervae", "PolymerVAE"),
    "polymergpt": ("genbat.systems.polymergpt", "PolymerGPT"),
    "polymerdiffusion": ("genbat.systems.polymerdiffusion", "PolymerDiffusion"),
    "polymermasking": ("genbat.systems.polymermasking", "PolymerMasking"),
    "polymersurrogate": ("genbat.systems.polymersurrogate", "Surrogate"),
}


@dataclass(frozen=True)
class Variant:
    """A system of the same method that learnt from another material.

    Attributes
    ----------
    system : whose method it is, a name of SYSTEMS.
    material : what is named behind the system's title.
    trained_on : for its card.
    files : what it learns from, below the folder of data that do not ship, by the names that the
        system's training gives them.
    """

    system: str
    material: str
    trained_on: str
    files: Mapping[str, str]


_SUPER_RES = "(published with Dahari's SuperRes, MIT)"
VARIANTS: dict[str, Variant] = {
    "slicegan-sofc": Variant(
        "slicegan",
        "fuel-cell anode",
        f"one image of a solid-oxide fuel cell's anode {_SUPER_RES}",
        {"image.tif": "microstructures/sofc_hr.tif"},
    ),
    "superres-sofc": Variant(
        "superres",
        "fuel-cell anode",
        f"a coarse scan and one fine image of a solid-oxide fuel cell's anode {_SUPER_RES}",
        {"coarse.tif": "microstructures/sofc_lr.tif", "fine.tif": "microstructures/sofc_hr.tif"},
    ),
    "superres-separator": Variant(
        "superres",
        "separator",
        f"a coarse scan of a polymer separator and fine images along and across its lamellae "
        f"{_SUPER_RES}",
        {
            "coarse.tif": "microstructures/separator_lr.tif",
            "fine_z.tif": "microstructures/separator_hr_rods.tif",
            "fine_y.tif": "microstructures/separator_hr_rods.tif",
            "fine_x.tif": "microstructures/separator_hr_speckles.tif",
        },
    ),
}
DOMAINS: dict[str, str] = {
    "molecules": "Molecules",
    "crystals": "Crystals",
    "microstructures": "Microstructures",
    "interphases": "Interphases",
    "polymers": "Polymers",
}
FIRST = "molecules"
# Whose latent space draws the domain's map.
REFERENCE: dict[str, str] = {
    "molecules": "chemvae",
    "crystals": "cdvae",
    "microstructures": "microvae",
    "interphases": "seivae",
    "polymers": "polymervae",
}


def names(domain: str | None = None) -> list[str]:
    """Names of all systems and their variants, or of one domain's."""
    everything = (*SYSTEMS, *VARIANTS)
    return [n for n in everything if domain is None or _module(n).make_card().domain == domain]


def method_of(name: str) -> str:
    """The system whose method a name's is: itself, but for variants.

    Raises
    ------
    ValueError : unknown name.
    """
    method = VARIANTS[name].system if name in VARIANTS else name
    if method not in SYSTEMS:
        raise ValueError(f"system: unknown {name!r}; legal are {', '.join((*SYSTEMS, *VARIANTS))}")
    return method


def offered() -> dict[str, str]:
    """Domains that can be shown, with their names: the first one, and those whose map and
    reference system are here."""
    return {d: title for d, title in DOMAINS.items() if d == FIRST or _complete(d)}


def _complete(domain: str) -> bool:
    return (ASSETS / "maps" / f"{domain}.npz").exists() and trained(REFERENCE[domain])


def trained(name: str) -> bool:
    """Whether a system's weights are here."""
    return (folder(name) / "weights.safetensors").exists()


def folder(name: str) -> Path:
    """Where a system's weights, card and metrics lie."""
    method_of(name)
    return ASSETS / "weights" / name


def _module(name: str) -> Any:
    return import_module(SYSTEMS[method_of(name)][0])


def kind(name: str) -> Any:
    """The class of a system."""
    return getattr(_module(name), SYSTEMS[method_of(name)][1])


def sources(name: str) -> dict[str, Path]:
    """What a variant learns from: files by the names its training gives them; none of a system that
    is no variant.

    Raises
    ------
    ValueError : the folder of data that do not ship is not there.
    """
    if name not in VARIANTS:
        return {}
    beside = paths.beside()
    if beside is None:
        raise ValueError(f"GENBAT_DATA: names no folder; {name} learns from "
                         f"{', '.join(VARIANTS[name].files.values())} in it")  # fmt: skip
    return {own: beside / file for own, file in VARIANTS[name].files.items()}


def described(name: str, plain: SystemCard) -> SystemCard:
    """A method's card as that of a name: a variant has a name and a material of its own."""
    if name not in VARIANTS:
        return plain
    own = VARIANTS[name]
    title = f"{plain.title}, {own.material}"
    return replace(plain, name=name, title=title, trained_on=own.trained_on)


def card(name: str) -> SystemCard:
    """A system's card with its last evaluation."""
    found = described(name, _module(name).make_card())
    metrics = folder(name) / "metrics.json"
    if metrics.exists():
        found = replace(found, metrics=json.loads(metrics.read_text("utf-8"))["metrics"])
    config = folder(name) / "card.json"
    if config.exists():
        found = replace(found, parameters=json.loads(config.read_text("utf-8"))["parameters"])
    return found


@lru_cache(maxsize=8)
def load(name: str) -> Any:
    """The trained system, one copy a process.

    Raises
    ------
    ValueError : unknown name, or weights missing.
    """
    return load_from(folder(name), name)


def load_from(place: Path, name: str) -> Any:
    """The system of a name with the weights of a folder."""
    system = kind(name).load(place)
    system.card = described(name, system.card)
    return system


def target_keys(name: str) -> set[str]:
    """Property keys a system can be asked for: its heads' and those read off a structure."""
    return set(_module(name).LEGAL_TARGETS)
