"""Logs of long builds: one JSON object a line, appended as results come."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO


def read_rows(log: Path) -> Iterator[dict[str, Any]]:
    """Rows of a log in their order, none if there is no log; a torn line is left out."""
    if not log.exists():
        return
    for line in log.read_text("utf-8").splitlines():
        try:
            yield json.loads(line)
        except json.JSONDecodeError:
            continue


def adding(log: Path) -> TextIO:
    """A log opened for further rows; a torn last line is ended first, so that it swallows none."""
    log.parent.mkdir(parents=True, exist_ok=True)
    lines = log.open("a+", encoding="utf-8")
    if lines.tell() and not log.read_bytes().endswith(b"\n"):
        lines.write("\n")
    return lines
