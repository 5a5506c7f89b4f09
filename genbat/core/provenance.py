"""Where a candidate comes from, complete enough to make it again."""

from __future__ import annotations

import hashlib
import importlib.metadata
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

_PACKAGES = ("genbat", "torch", "rdkit", "tblite", "selfies", "numpy")


@dataclass(frozen=True)
class Provenance:
    """How one candidate was made.

    Attributes
    ----------
    system : the system's name, "data" for known objects, "user" for typed or uploaded ones.
    weights : sha256 of the weights file (first 16 digits), empty where none was used.
    action : "sample", "join", "decode", "path", "design", "known", "typed".
    seed : the call's seed; `arguments` holds all the rest that the call needs.
    condition : `Condition.to_json()`.
    parents : texts of the objects it was made from.
    """

    system: str
    action: str
    weights: str = ""
    seed: int = 0
    arguments: Mapping[str, Any] = field(default_factory=dict)
    condition: Mapping[str, Any] = field(default_factory=dict)
    parents: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Provenance:
        """Inverse of `to_json`."""
        return cls(**{**data, "parents": tuple(data.get("parents", ()))})


@lru_cache
def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def versions() -> dict[str, str]:
    """Versions of the packages a result depends on."""
    return dict(_versions())


def file_hash(path: Path) -> str:
    """First 16 hex digits of a file's sha256."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
