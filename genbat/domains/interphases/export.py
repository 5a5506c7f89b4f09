"""Interphases as files: all sites in NumPy's archive."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from genbat.core.candidate import Candidate
from genbat.domains.interphases.kmc import SPECIES
from genbat.domains.interphases.texts import from_text

Extra = Mapping[str, str]
TEXT_COLUMN = "interphase"
VALID_ONLY = False


def npz(candidates: Sequence[Candidate], extras: Sequence[Extra] = ()) -> bytes:
    """Sites (n, rows from the electrode, columns) with the names of the interphases and of the
    species by number."""
    file = io.BytesIO()
    np.savez_compressed(
        file,
        sites=np.stack([from_text(candidate.text) for candidate in candidates]),
        names=np.array([candidate.name for candidate in candidates]),
        species=np.array(SPECIES),
    )
    return file.getvalue()


FORMATS: dict[str, Callable[[Sequence[Candidate], Sequence[Extra]], bytes]] = {"npz": npz}
