"""What a command line asks for: systems, places to write to, conditions."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from genbat.core.condition import Condition, parse_targets

# Endings that `--out` may have, by domain.
ENDINGS = {
    "molecules": (".smi", ".csv", ".sdf", ".json"),
    "crystals": (".cif", ".vasp", ".extxyz", ".csv", ".json"),
    "microstructures": (".tif", ".csv", ".json", ".npz", ".zip"),
    "interphases": (".csv", ".json", ".npz"),
    "polymers": (".smi", ".csv", ".json"),
}


def legal(what: str, got: str, choices: Iterable[str]) -> None:
    """ValueError where something is none of the choices, which it names."""
    if got not in (names := list(choices)):
        raise ValueError(f"{what}: got {got!r}; legal are {', '.join(names) or 'none yet'}")


def known(system: str) -> str:
    """A system's name; ValueError where there is none."""
    from genbat.studio import registry

    legal("SYSTEM", system, registry.names())
    return system


def writable(out: Path, endings: tuple[str, ...], folder: bool = False) -> None:
    """Asked before the work, not after it: whether a place can be written to, with one of the
    endings or, with `folder`, as a folder; ValueError where not."""
    if not (folder and (out.is_dir() or not out.suffix)):
        legal(f"--out {out}: ending", out.suffix.lower(), endings)
    if not out.absolute().parent.is_dir():
        raise ValueError(f"--out {out}: there is no folder {str(out.parent)!r}; make it first")


def condition_of(system: str, targets: list[str], settings: list[str]) -> Condition | None:
    """A condition of windows ("lumo_ev<=-8") and wishes ("key=value"); None where nothing is asked.

    Raises
    ------
    ValueError : one that cannot be read, or a property that the system cannot be asked for.
    """
    from genbat.studio import registry

    if not (targets or settings):
        return None
    windows = parse_targets(targets, registry.target_keys(system)) if targets else {}
    return Condition(windows, dict(map(_wish, settings)))


def _wish(text: str) -> tuple[str, Any]:
    # "key=value": a value that is JSON is read as such, anything else stays text (a SMILES, say).
    key, sign, value = text.partition("=")
    if not (sign and key.strip()):
        raise ValueError(f"--set: got {text!r}; write key=value")
    try:
        return key.strip(), json.loads(value)
    except json.JSONDecodeError:
        return key.strip(), value
