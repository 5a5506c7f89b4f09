"""A small scatter plot as one inline SVG element, for the report."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _HEIGHT = 640, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 20, 16, 52


@dataclass(frozen=True)
class Point:
    """One dot: data coordinates, the number written beside it, whether it is on the front."""

    x: float
    y: float
    mark: str
    front: bool


def scatter(points: Sequence[Point], x_title: str, y_title: str) -> str:
    """Dots over named axes with round ticks; filled where on the front.

    ValueError without points.
    """
    if not points:
        raise ValueError("points: got none; one is needed to draw axes")
    x_ticks = ticks([p.x for p in points])
    y_ticks = ticks([p.y for p in points])
    parts = [_grid(x_ticks, y_ticks), _titles(x_title, y_title)]
    for point in _joined(points):
        x = _place(point.x, x_ticks, _LEFT, _WIDTH - _RIGHT)
        y = _place(point.y, y_ticks, _HEIGHT - _BOTTOM, _TOP)
        kind = "front" if point.front else "rest"
        parts.append(f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="5"/>')
        parts.append(_text(x + 8, y - 6, point.mark, "start", "number"))
    size = f'viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}"'
    return f'<svg {size} role="img">{"".join(parts)}</svg>'


def _joined(points: Sequence[Point]) -> list[Point]:
    # Dots at one place share a dot and list their marks.
    places: dict[tuple[float, float], list[Point]] = {}
    for point in points:
        places.setdefault((point.x, point.y), []).append(point)
    return [
        Point(x, y, ", ".join(p.mark for p in here), any(p.front for p in here))
        for (x, y), here in places.items()
    ]


def ticks(values: Sequence[float]) -> list[float]:
    """Round numbers that span the values, four to eight of them."""
    low, high = min(values), max(values)
    span = (high - low) or max(abs(high), 1.0) * 0.1
    rough = span / 5
    power = 10 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough)
    first, last = math.floor(low / step), math.ceil(high / step)
    if first == last:
        first, last = first - 1, last + 1
    return [k * step for k in range(first, last + 1)]


def _place(value: float, axis: Sequence[float], start: float, end: float) -> float:
    return start + (value - axis[0]) / (axis[-1] - axis[0]) * (end - start)


def _grid(x_ticks: Sequence[float], y_ticks: Sequence[float]) -> str:
    bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    parts = []
    for value in x_ticks:
        x = _place(value, x_ticks, _LEFT, right)
        parts += [_line(x, _TOP, x, bottom, "grid"), _text(x, bottom + 18, _number(value))]
    for value in y_ticks:
        y = _place(value, y_ticks, bottom, _TOP)
        parts += [_line(_LEFT, y, right, y, "grid"), _text(_LEFT - 8, y + 4, _number(value), "end")]
    parts += [
        _line(_LEFT, bottom, right, bottom, "axis"),
        _line(_LEFT, _TOP, _LEFT, bottom, "axis"),
    ]
    return "".join(parts)


def _titles(x_title: str, y_title: str) -> str:
    middle = (_TOP + _HEIGHT - _BOTTOM) / 2
    turned = f'<g transform="rotate(-90 16 {middle})">{_text(16, middle, y_title)}</g>'
    return _text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 12, x_title) + turned


def _number(value: float) -> str:
    return f"{value:.6g}".replace("-", "−")


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _text(x: float, y: float, text: str, anchor: str = "middle", kind: str = "") -> str:
    return (
        f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
    )
