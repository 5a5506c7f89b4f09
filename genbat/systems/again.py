"""Rows of a block are made again, with other random numbers, where what was made is not legal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

FAR = 400_009  # between the random numbers of two turns: more than anybody samples
T = TypeVar("T")
U = TypeVar("U")


def until_legal(
    make: Callable[[int, Sequence[int]], Sequence[T]],
    finish: Callable[[T], U],
    is_legal: Callable[[U], bool],
    tries: int,
    size: int,
) -> list[U]:
    """Rows of a block, each as the first of `tries` turns made it that is legal, or as the first
    turn made it where none is.

    Parameters
    ----------
    make : number of a turn, and which rows of the block of `size` are wanted -> these.
    """
    kept = [finish(row) for row in make(0, range(size))]
    for turn in range(1, tries):
        missing = [k for k, one in enumerate(kept) if not is_legal(one)]
        if not missing:
            break
        again = dict(zip(missing, map(finish, make(turn, missing)), strict=True))
        kept = [again[k] if k in again and is_legal(again[k]) else one
                for k, one in enumerate(kept)]  # fmt: skip
    return kept
