"""Polymers as files: a repeat unit a line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from genbat.core.candidate import Candidate

Extra = Mapping[str, str]
TEXT_COLUMN = "smiles"
VALID_ONLY = False


def smi(candidates: Sequence[Candidate], extras: Sequence[Extra] = ()) -> str:
    """One `SMILES name` a line, units between [Cu] and [Au]; `extras` have no place here."""
    return "".join(" ".join(f"{c.text} {c.name}".split()) + "\n" for c in candidates)


FORMATS: dict[str, Callable[[Sequence[Candidate], Sequence[Extra]], str]] = {"smi": smi}
