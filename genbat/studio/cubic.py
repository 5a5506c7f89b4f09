"""Cubic crystals of a space group and three elements, by cubicgan."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from genbat.core.candidate import Candidate
from genbat.core.condition import Condition
from genbat.domains.crystals.structure import from_text
from genbat.domains.crystals.symmetry import space_group_number
from genbat.studio import registry
from genbat.studio.rooms_crystals_text import group_symbol
from genbat.systems.cubicgan import NAME
from genbat.systems.cubicgan_network import ATOMS

MOST = 48  # crystals at once


def groups() -> dict[int, str]:
    """The space groups that were learnt, with their symbols."""
    return {number: f"{group_symbol(number)} ({number})" for number in _config().groups}


def elements() -> tuple[str, ...]:
    """The elements that were learnt."""
    return tuple(_config().elements)


def _config() -> Any:
    return registry.load(NAME).config


def made(group: int, picked: Sequence[str], n: int, seed: int) -> list[Candidate]:
    """n crystals; no group (0) and fewer than three elements leave the rest to the model.

    Raises
    ------
    ValueError : n beyond MOST, or a group or elements that were not learnt.
    """
    if not 1 <= n <= MOST:
        raise ValueError(f"n: got {n}; legal are 1 to {MOST}")
    wishes: dict[str, Any] = {"space_group": group} if group else {}
    if picked:
        wishes["system" if len(picked) == ATOMS else "require"] = list(picked)
    return list(registry.load(NAME).sample(n, condition=Condition(wishes=wishes), seed=seed))


def group_of(candidate: Candidate) -> str:
    """Symbol of a crystal's space group by spglib; "" where it cannot be read."""
    try:
        return group_symbol(space_group_number(from_text(candidate.text)))
    except ValueError:
        return ""
