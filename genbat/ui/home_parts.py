"""The parts of Home: a picture of a walk through the map, drawn from data; what numbers mean."""

from __future__ import annotations

import html
from dataclasses import dataclass

import numpy as np
import streamlit as st

from genbat.core.candidate import Candidate
from genbat.studio import path, views
from genbat.studio.explore import Atlas
from genbat.studio.rooms import rooms
from genbat.ui import shared, state
from genbat.ui.slim import slim
from genbat.ui.words import short

WIDTH, HEIGHT = 1200, 400
ROAD = 112  # height of the walk's middle
TILE, TILE_HEIGHT, TOP = 200, 150, 230
SPANS = (800, 620, 480, 360)  # pixels from A to B; the first that shows enough molecules
ENOUGH, MOST = 500, 4000  # molecules in the picture
STEPS = 13


@dataclass(frozen=True)
class Ink:
    """Colours of one theme."""

    paper: str
    text: str
    dots: str
    line: str
    accent: str


LIGHT = Ink("#ffffff", "#1f2430", "#c3c9d3", "#dfe2e7", "#2456c7")
DARK = Ink("#14161b", "#e6e8ec", "#4a515e", "#343943", "#7d9ff5")


def picture() -> None:
    """The walk; while the map opens, room for it."""
    domain = state.domain()
    opening = shared.warmup(domain)
    if not opening.ready:
        st.fragment(_waiting, run_every=0.5)(domain)
    elif opening.error is not None:
        st.warning("The map is not there yet: open Explore to see what is missing.")
    else:
        source = html.escape(_drawn(domain, state.is_dark()), quote=True)
        st.html(
            f'<img class="gb-picture" alt="{_ALT}" src="data:image/svg+xml;utf8,{source}">'
            f"<p class='gb-note'>A real walk: each grey dot is a known {state.words().one}, the "
            "blue line runs through the model's own space, and the drawings are what it writes on "
            "the way.</p>"
        )


_ALT = "A line through a cloud of dots, from one end of a walk to the other"


def walk_names() -> tuple[str, str]:
    """What the two ends of the first walk are called."""
    _, a, b, _ = rooms(state.domain()).pairs[-1]
    return a, b


def start_walk() -> None:
    """Set the two ends."""
    for which, text in enumerate(_ends(shared.atlas(state.domain()))):
        state.set_end(which, text)


def walk_link() -> dict[str, str]:
    """The same as an address."""
    place = shared.atlas(state.domain())
    return {letter: place.handle(text) for letter, text in zip("ab", _ends(place), strict=True)}


def _ends(place: Atlas) -> tuple[str, str]:
    _, *names, _ = place.rooms.pairs[-1]
    rows = [place.search(name, 1) or [k] for k, name in enumerate(names)]
    return place.texts[rows[0][0]], place.texts[rows[1][0]]


def _waiting(domain: str) -> None:
    opening = shared.warmup(domain)
    if opening.ready:
        st.rerun()
    st.html(shared.skeleton(opening.words, 300))


@st.cache_resource(show_spinner=False, max_entries=8)
def _drawn(domain: str, dark: bool) -> str:
    place = shared.warmup(domain).atlas()
    walk = path.walk_in(place, *_ends(place), steps=STEPS)
    return svg(place, walk, dark).replace("%", "%25").replace("#", "%23")


def svg(place: Atlas, walk: path.Walk, dark: bool) -> str:
    """The map, turned so that the walk runs from left to right, with its molecules below."""
    ink = DARK if dark else LIGHT
    dots, road = _framed(place.xy[: place.n_known], walk.xy)
    stops = _stops(walk)
    middle = np.linspace(TILE / 2 + 12, WIDTH - TILE / 2 - 12, len(stops))
    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {HEIGHT}' "
        f"font-family='system-ui,sans-serif' font-size='15' fill='{ink.text}'>",
        f"<path d='{_points(dots)}' stroke='{ink.dots}' stroke-width='4' stroke-linecap='round'/>",
        f"<path d='M{_line(road)}' stroke='{ink.accent}' stroke-width='3' fill='none'/>",
        *(
            _stop(walk.candidates[k], road[k], x, ink, dark)
            for k, x in zip(stops, middle, strict=True)
        ),
    ]
    return "".join(parts) + "</svg>"


def _stops(walk: path.Walk, most: int = 5) -> list[int]:
    """Steps to draw: both ends, and between them different molecules, evenly picked."""
    last = len(walk.candidates) - 1
    seen = {walk.candidates[0].text, walk.candidates[last].text}
    inner = []
    for k in range(1, last):
        candidate = walk.candidates[k]
        if candidate.verdict.ok and candidate.text not in seen:
            seen.add(candidate.text)
            inner.append(k)
    picked = np.unique(np.linspace(0, len(inner) - 1, min(most - 2, len(inner))).round())
    return [0, *(inner[int(i)] for i in picked), last]


def _framed(xy: np.ndarray, walk: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Map and walk in the picture's pixels, by turning, shifting and scaling alone."""
    middle = (walk.max(0) + walk.min(0)) / 2
    along = np.linalg.svd(walk - walk.mean(0), full_matrices=False)[2][0]
    along = along * (np.sign((walk[-1] - walk[0]) @ along) or 1.0)
    turn = np.array([[along[0], -along[1]], [along[1], along[0]]])
    dots, road = (xy - middle) @ turn, (walk - middle) @ turn
    wide, high = np.ptp(road, axis=0)
    seen, scale = dots, 1.0
    for span in SPANS:
        scale = min(span / max(wide, 1e-9), 2 * (ROAD - 20) / max(high, 1e-9))
        seen = dots * scale + _shift(road * scale)
        seen = seen[(seen > 0).all(1) & (seen[:, 0] < WIDTH) & (seen[:, 1] < HEIGHT)]
        if len(seen) >= ENOUGH:
            break
    return seen[:: max(1, len(seen) // MOST)], road * scale + _shift(road * scale)


def _shift(road: np.ndarray) -> np.ndarray:
    """What moves the middle of a walk to the middle of the road."""
    return np.array([WIDTH / 2, ROAD]) - (road.max(0) + road.min(0)) / 2


def _points(dots: np.ndarray) -> str:
    return "".join(f"M{x:.0f} {y:.0f}h0" for x, y in dots)


def _line(road: np.ndarray) -> str:
    return "L".join(f"{x:.0f} {y:.0f}" for x, y in road)


def _stop(made: Candidate, at: np.ndarray, x: float, ink: Ink, dark: bool) -> str:
    """A molecule of the walk: its drawing in a box, tied to its place."""
    left = x - TILE / 2
    drawing = slim(views.drawing(made.domain, made.text, TILE - 10, TILE_HEIGHT - 30, dark))
    placed = drawing.replace("<svg", f"<svg x='{left + 5:.0f}' y='{TOP + 2}'", 1)
    name = html.escape(short(made.name or made.text, 26))
    return (
        f"<path d='M{at[0]:.0f} {at[1]:.0f}L{x:.0f} {TOP}' stroke='{ink.accent}' "
        "stroke-dasharray='3 4' fill='none'/>"
        f"<circle cx='{at[0]:.0f}' cy='{at[1]:.0f}' r='6' fill='{ink.paper}' stroke='{ink.accent}' "
        "stroke-width='3'/>"
        f"<rect x='{left:.0f}' y='{TOP}' width='{TILE}' height='{TILE_HEIGHT}' rx='10' "
        f"fill='{ink.paper}' stroke='{ink.line}'/>{placed}"
        f"<text x='{x:.0f}' y='{TOP + TILE_HEIGHT - 11}' text-anchor='middle'>{name}</text>"
    )


VERBS = {
    "explore": ("Explore", "A map of all {many}: click, search, filter, lasso."),
    "interpolate": ("Interpolate", "Walk from one {one} to another and see what lies between."),
    "design": ("Design", "Ask for what you need, in windows of properties."),
    "shortlist": ("Shortlist", "Weigh what you kept, and take it home as a report."),
}
STEPS_TOLD = (
    ("Start the walk", "from {a} to {b}."),
    ("Press play", "and watch structure and properties change, step by step."),
    (
        "Add to shortlist",
        "what you like: it is kept under this page's address, for a bookmark.",
    ),
)
