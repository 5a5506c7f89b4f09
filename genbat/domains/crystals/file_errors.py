"""What is wrong in a line of a person's file."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eEdD][+-]?\d{1,3})?(\(\d+\))?$")


class LineError(ValueError):
    """A mistake in one line, counted from 1; the message says what is legal."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


class Refused(ValueError):
    """What is wrong with a crystal as a whole, in words for whoever wrote the file."""


def number(text: str, line: int, what: str, legal: str = "a number like 0.25") -> float:
    """A written number, a standard deviation in brackets left out; LineError otherwise."""
    if not _NUMBER.match(text):
        raise LineError(line, f"{what} is {text[:30]!r}; legal is {legal}")
    return float(re.sub(r"\(\d+\)", "", text).lower().replace("d", "e"))
