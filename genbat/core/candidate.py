"""A candidate: one known or generated thing with its whole story."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from genbat.core.properties import Measurement
from genbat.core.provenance import Provenance


@dataclass(frozen=True)
class Verdict:
    """Whether an object is valid; `reasons` say why not, in words a chemist uses."""

    ok: bool
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Candidate:
    """One object of a domain.

    Attributes
    ----------
    text : the object's canonical text (SMILES, CIF, ...), its identity inside the domain.
    domain : "molecules", ...
    latent : point in the system's latent space (d,), or None.
    novel : not among the known objects; None where nobody looked.
    """

    text: str
    domain: str
    verdict: Verdict
    provenance: Provenance
    properties: Mapping[str, Measurement] = field(default_factory=dict)
    latent: tuple[float, ...] | None = None
    name: str = ""
    novel: bool | None = None

    def with_properties(self, more: Mapping[str, Measurement]) -> Candidate:
        """The same candidate knowing more."""
        return replace(self, properties={**self.properties, **more})

    def to_json(self) -> dict[str, Any]:
        """Plain JSON for stores and exports."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Candidate:
        """Inverse of `to_json`."""
        latent = data.get("latent")
        return cls(
            text=data["text"],
            domain=data["domain"],
            verdict=Verdict(data["verdict"]["ok"], tuple(data["verdict"]["reasons"])),
            provenance=Provenance.from_json(data["provenance"]),
            properties={k: Measurement(**m) for k, m in data.get("properties", {}).items()},
            latent=None if latent is None else tuple(latent),
            name=data.get("name", ""),
            novel=data.get("novel"),
        )


@dataclass(frozen=True)
class ViewSpec:
    """What the 3D viewer shows: a structure's text, its format and 3Dmol styles."""

    text: str
    format: str
    style: Mapping[str, Any]
    ident: str
