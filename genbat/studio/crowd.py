"""A crowd: many more of a system's samples, as points only; a molecule is decoded when asked for.

A library's members are decoded and judged. A crowd of a million shows how the whole prior lies on
the map: latent points, places and predicted values in one .npz, made by `make_crowd` and opened
where the environment variable GENBAT_CROWD names it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

import numpy as np

from genbat.latent.maps import LatentMap

_BLOCK = 2_000


@dataclass(frozen=True)
class Crowd:
    """latents (n, d) float16, places xy (n, 2) float32, predicted values by property key (n,)."""

    latents: np.ndarray
    xy: np.ndarray
    values: dict[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.latents)

    def save(self, path: Path) -> None:
        """One .npz of plain arrays."""
        columns = {f"value_{k}": v for k, v in self.values.items()}
        np.savez(path, latents=self.latents, xy=self.xy, **columns)  # type: ignore[arg-type]

    @classmethod
    def load(cls, path: Path) -> Crowd:
        """Inverse of `save`."""
        with np.load(path, allow_pickle=False) as data:
            values = {k[6:]: data[k] for k in data.files if k.startswith("value_")}
            return cls(data["latents"], data["xy"], values)


def make_crowd(system: Any, latent_map: LatentMap, n: int, *, seed: int = 0) -> Crowd:
    """n draws from the prior with their places and predictions."""
    rng = np.random.default_rng(seed)
    latents = rng.standard_normal((n, system.config.latent), dtype=np.float32).astype("f2")
    xy = np.empty((n, 2), "f4")
    tables = []
    for first in range(0, n, _BLOCK):
        block = latents[first : first + _BLOCK].astype("f4")
        xy[first : first + _BLOCK] = latent_map.place(block)
        tables.append(system.predict_table(block)[0].astype("f4"))
    predicted = np.concatenate(tables)
    return Crowd(latents, xy, dict(zip(system.targets, predicted.T, strict=True)))


def asked_crowd() -> Crowd | None:
    """The crowd that GENBAT_CROWD names, if any."""
    path = os.environ.get("GENBAT_CROWD")
    return Crowd.load(Path(path)) if path else None


class Texts(Sequence[str]):
    """Texts of known and of library rows, and behind them the crowd's, decoded one by one."""

    def __init__(
        self,
        known: Sequence[str],
        library: Sequence[str],
        crowd: Crowd | None = None,
        system: Any = None,
    ) -> None:
        self._known, self._library, self._crowd, self._system = known, library, crowd, system

    def __len__(self) -> int:
        behind = len(self._crowd) if self._crowd else 0
        return len(self._known) + len(self._library) + behind

    @overload
    def __getitem__(self, row: int) -> str: ...
    @overload
    def __getitem__(self, row: slice) -> Sequence[str]: ...
    def __getitem__(self, row: int | slice) -> str | Sequence[str]:
        if isinstance(row, slice):
            return [self[k] for k in range(*row.indices(len(self)))]
        if row < len(self._known):
            return self._known[row]
        row -= len(self._known)
        if row < len(self._library):
            return self._library[row]
        row -= len(self._library)
        if self._crowd is None or row >= len(self._crowd):
            raise IndexError(f"row: there are {len(self)}")
        z = self._crowd.latents[row].astype("f4")
        return self._system.decode_texts(z[None])[0] or ""
