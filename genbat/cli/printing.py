"""What a command prints: complaints, progress, tables."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

Progress = Callable[[float, str], None]


def complain(message: str, status: int) -> int:
    """One line on stderr; returns the status."""
    print(f"genbat: {' '.join(message.split())}", file=sys.stderr)
    return status


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A bar on stderr; where that is a file, a line for each tenth of the way."""
    from rich import progress as rich
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield _tenths()
        return
    text = rich.TextColumn("{task.description}", markup=False)
    columns = (text, rich.BarColumn(), rich.TaskProgressColumn(), rich.TimeElapsedColumn())
    with rich.Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=1.0)
        yield lambda fraction, what: bar.update(task, completed=fraction, description=what)


def _tenths() -> Progress:
    last = -1

    def report(fraction: float, text: str) -> None:
        nonlocal last
        if int(fraction * 10) > last:
            last = int(fraction * 10)
            print(f"{fraction:4.0%} {text}", file=sys.stderr)

    return report


def show(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    """Print a table."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(*columns)
    for row in rows:
        table.add_row(*map(escape, row))
    Console(width=None if sys.stdout.isatty() else 160).print(table)


def metric_rows(metrics: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, ...]]:
    """Lines of a table of metrics."""
    for name, metric in metrics.items():
        baselines = metric.get("baselines") or {}
        others = ", ".join(f"{key} {_number(value)}" for key, value in baselines.items())
        ends = (_number(metric.get("real")), _number(metric.get("bar")))
        yield (name, _number(metric["value"]), metric.get("unit") or "", others, *ends)


def _number(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def to_json(data: object) -> str:
    """Indented JSON of anything, dataclasses and arrays too."""
    import orjson

    return orjson.dumps(data, option=orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY).decode()
