"""Asked against achieved: a strip for each wish of a candidate, a histogram for each wish."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from genbat.core.condition import Window
from genbat.core.properties import Measurement, Property

ASKED, PREDICTED, COMPUTED, GREY = "#2456c7", "#b07210", "#3b6fd4", "#8a93a0"
BINS = 32


def scale(known: np.ndarray, window: Window) -> tuple[float, float]:
    """Ends of an axis that holds the known values' bulk and the window's finite ends."""
    good = known[np.isfinite(known)]
    low, high = np.percentile(good, [1, 99]) if len(good) else (0.0, 1.0)
    ends = [v for v in (window.low, window.high) if math.isfinite(v)]
    low, high = min([low, *ends]), max([high, *ends])
    pad = 0.06 * (high - low or 1.0)
    return float(low - pad), float(high + pad)


def _share(value: float, ends: tuple[float, float]) -> float:
    """Place of a value on an axis, in % of its length."""
    return 100 * min(1.0, max(0.0, (value - ends[0]) / (ends[1] - ends[0])))


def strip(
    asked: str,
    achieved: str,
    ends: tuple[float, float],
    window: Window,
    predicted: Measurement | None,
    found: Measurement | None,
) -> str:
    """One wish as markup: window shaded, ring with error bar predicted, diamond computed."""
    left, right = _share(max(window.low, ends[0]), ends), _share(min(window.high, ends[1]), ends)
    parts = [_box(left, right - left, 3, 10, f"background:{ASKED};opacity:.22;border-radius:3px")]
    if predicted is not None:
        low, high = (_share(v, ends) for v in predicted.ends)
        parts.append(_box(low, high - low, 7, 2, f"background:{PREDICTED};opacity:.7"))
        parts.append(_dot(_share(predicted.value, ends), f"border:2px solid {PREDICTED};"
                          "border-radius:50%;width:6px;height:6px"))  # fmt: skip
    if found is not None:
        parts.append(_dot(_share(found.value, ends), f"background:{COMPUTED};width:8px;height:8px;"
                          "rotate:45deg"))  # fmt: skip
    return (
        "<div style='display:flex;flex-wrap:wrap;justify-content:space-between;column-gap:4px;"
        "font-size:10.5px;"
        "white-space:nowrap'><span style='opacity:.75;overflow:hidden;text-overflow:ellipsis'>"
        f"{html.escape(asked)}</span>"
        f"<span style='font-weight:600;white-space:normal'>{html.escape(achieved)}</span></div>"
        "<div style='position:relative;height:16px;margin-bottom:3px'>"
        f"{_box(0, 100, 7, 1, 'background:currentColor;opacity:.3')}{''.join(parts)}</div>"
    )


def _box(left: float, width: float, top: int, height: int, style: str) -> str:
    return (
        f"<div style='position:absolute;left:{left:.1f}%;width:{max(width, 0.6):.1f}%;"
        f"top:{top}px;height:{height}px;{style}'></div>"
    )


def _dot(left: float, style: str) -> str:
    centred = f"left:{left:.1f}%;top:8px;translate:-50% -50%"
    return f"<div style='position:absolute;{centred};{style}'></div>"


@dataclass(frozen=True)
class Spread:
    """A wish, what the known objects have, and what the candidates achieved."""

    known: Property
    window: Window
    values: np.ndarray
    achieved: np.ndarray


def histograms(spreads: Sequence[Spread], many: str) -> go.Figure:
    """Share of known objects and of candidates by value, the asked window shaded."""
    figure = make_subplots(1, len(spreads), horizontal_spacing=0.08)
    for column, one in enumerate(spreads, 1):
        _histogram(figure, one, column, many)
    figure.update_layout(
        height=230,
        barmode="overlay",
        bargap=0.04,
        margin={"l": 48, "r": 8, "t": 26, "b": 44},
        legend={"orientation": "h", "x": 0, "y": 1.04, "yanchor": "bottom", "font": {"size": 11}},
    )
    figure.update_yaxes(title_text="share / %", col=1)
    figure.update_yaxes(fixedrange=True, rangemode="tozero")
    return figure


def _histogram(figure: go.Figure, one: Spread, column: int, many: str) -> None:
    good = one.values[np.isfinite(one.values)]
    low, high = scale(one.values, one.window)
    if len(one.achieved):
        low, high = min(low, float(one.achieved.min())), max(high, float(one.achieved.max()))
    edges = np.linspace(low, high, BINS + 1)
    for values, name, colour, opacity in (
        (good, f"known {many}, n = {len(good):,}", GREY, 0.55),
        (one.achieved, f"candidates, n = {len(one.achieved):,}", ASKED, 0.75),
    ):
        if not len(values):
            continue
        shares = 100 * np.histogram(values, edges)[0] / max(1, len(values))
        figure.add_bar(
            x=(edges[:-1] + edges[1:]) / 2,
            y=shares,
            width=np.diff(edges),
            name=name if column == 1 else name.split(",")[0],
            showlegend=column == 1,
            marker={"color": colour, "opacity": opacity},
            hovertemplate="%{x:.3g}: %{y:.1f} %<extra></extra>",
            row=1,
            col=column,
        )
    figure.add_vrect(
        x0=max(one.window.low, low), x1=min(one.window.high, high), fillcolor=ASKED, opacity=0.13,
        line_width=0, row=1, col=column,
    )  # fmt: skip
    figure.update_xaxes(title_text=one.known.axis, range=[low, high], row=1, col=column)
