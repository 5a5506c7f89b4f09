"""The few exceptions a caller reacts to; users' mistakes are plain ValueErrors."""

from __future__ import annotations

from dataclasses import dataclass


class JobCancelled(Exception):
    """Raised by a progress callable once the user has cancelled the job."""


class PhysicsFailed(Exception):
    """A calculation gave no number; the message is the reason shown instead of it."""


@dataclass(frozen=True)
class InputProblem:
    """One thing that is wrong in a user's file: where it stands and what is legal.

    `line` counts from 1; 0 means the file as a whole.
    """

    filename: str
    line: int
    message: str

    def __str__(self) -> str:
        place = f"{self.filename}, line {self.line}" if self.line else self.filename
        return f"{place}: {self.message}"
