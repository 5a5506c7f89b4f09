"""Volumes of any size from the shipped models that follow their images alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from genbat.core.candidate import Candidate
from genbat.studio import registry

SIZES = (64, 128, 192, 256)


@dataclass(frozen=True)
class Shift:
    """Mean effective diffusivity of the pore, of bulk: of periodic and of other volumes."""

    periodic: float
    free: float


@dataclass(frozen=True)
class Maker:
    """A model that makes volumes of any size: title, whether it makes periodic ones, and what
    periodic borders do to diffusion through the pore (see `Shift`), where it was measured."""

    name: str
    title: str
    periodic: bool
    shift: Shift | None = None


def makers() -> dict[str, Maker]:
    """Those that are here, by name."""
    here = [n for n in registry.names("microstructures") if registry.trained(n)]
    return {name: _maker(name) for name in here if _free(name)}


def _free(name: str) -> bool:
    """Whether a model takes a size and nothing else."""
    return hasattr(registry.kind(name), "volume") and not registry.target_keys(name)


def _maker(name: str) -> Maker:
    card, periodic = registry.card(name), registry.method_of(name) == "dcgan3d"
    found: Any = card.metrics.get("periodic_diffusivity")
    if not found:
        return Maker(name, card.title, periodic)
    shift = Shift(found["value"], found["baselines"]["not periodic"])
    return Maker(name, card.title, periodic, shift)


def made(name: str, size: int, seed: int, *, periodic: bool = False) -> Candidate:
    """A volume of size^3 voxels with its story.

    Raises
    ------
    ValueError : no such model, or what it does not make.
    """
    legal = makers()
    if name not in legal:
        raise ValueError(f"system: {name!r} is not here; legal are {', '.join(legal) or 'none'}")
    if size not in SIZES:
        raise ValueError(f"size: got {size}; legal are {', '.join(map(str, SIZES))}")
    if periodic and not legal[name].periodic:
        raise ValueError(f"periodic: {name} makes no periodic volumes")
    options = {"periodic": True} if periodic else {}
    candidate: Candidate = next(registry.load(name).sample(1, seed=seed, size=size, **options))
    return candidate
