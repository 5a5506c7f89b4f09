"""Which systems there are, where their weights lie, and one shared copy of each."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

from genbat.core.paths import ASSETS
from genbat.systems.base import SystemCard

# name -> module with the class and `make_card`; a new system is one line here.
SYSTEMS: dict[str, tuple[str, str]] = {
    "chemvae": ("genbat.systems.chemvae", "ChemVAE"),
    "cdvae": ("genbat.systems.cdvae", "CDVAE"),
    "mattergen": ("genbat.systems.mattergen", "MatterGen"),
    "slicegan": ("genbat.systems.slicegan", "SliceGAN"),
    "dcgan3d": ("genbat.systems.dcgan3d", "DCGAN3D"),
    "superres": ("genbat.systems.superres", "SuperRes"),
    "microvae": ("genbat.systems.microvae", "MicroVAE"),
    "seivae": ("genbat.systems.seivae", "SEIVAE"),
    "microdiffusion": ("genbat.systems.microdiffusion", "MicroDiffusion"),
    "microgpt": ("genbat.systems.microgpt", "MicroGPT"),
}
DOMAINS: dict[str, str] = {"molecules": "Molecules", "crystals": "Crystals"}
FIRST = "molecules"
# Whose latent space draws the domain's map.
REFERENCE: dict[str, str] = {"molecules": "chemvae", "crystals": "cdvae"}


def names(domain: str | None = None) -> list[str]:
    """Names of all systems, or of one domain's."""
    return [n for n in SYSTEMS if domain is None or _make_card(n)().domain == domain]


def offered() -> dict[str, str]:
    """Domains that can be shown, with their names: the first one, and those whose map and
    reference system are here."""
    return {d: title for d, title in DOMAINS.items() if d == FIRST or _complete(d)}


def _complete(domain: str) -> bool:
    return (ASSETS / "maps" / f"{domain}.npz").exists() and trained(REFERENCE[domain])


def trained(name: str) -> bool:
    """Whether a system's weights are here."""
    return (folder(name) / "weights.safetensors").exists()


def _check(name: str) -> str:
    if name not in SYSTEMS:
        raise ValueError(f"system: unknown {name!r}; there are {', '.join(SYSTEMS)}")
    return name


def folder(name: str) -> Path:
    """Where a system's weights, card and metrics lie."""
    return ASSETS / "weights" / _check(name)


def _make_card(name: str) -> Callable[..., SystemCard]:
    return import_module(SYSTEMS[_check(name)][0]).make_card


def card(name: str) -> SystemCard:
    """A system's card with its last evaluation."""
    found = _make_card(name)()
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
    module, cls = SYSTEMS[_check(name)]
    return getattr(import_module(module), cls).load(folder(name))


def target_keys(name: str) -> set[str]:
    """Property keys a system can be asked for: its heads' and those read off a structure."""
    return set(import_module(SYSTEMS[_check(name)][0]).LEGAL_TARGETS)
