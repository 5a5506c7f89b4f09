"""Explore's filters: what they are, how they travel in a link, and their controls."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import streamlit as st

from genbat.core.condition import Window
from genbat.core.properties import Property, digits
from genbat.studio.explore import Atlas
from genbat.ui import shared, state

SHOW = {"all": "All", "known": "Known", "generated": "Generated"}
NOVELTY = {"": "All", "new": "Only new ones", "known": "Only known ones"}
LINK = "f"
ROUND = "filters:round"  # counts how often the filters were cleared: new widgets each time

_NAME = re.compile(r"^\w{1,40}$")


@dataclass(frozen=True)
class Filters:
    """What stays in question; empty fields ask for nothing.

    Attributes
    ----------
    windows : property key -> lowest and highest value, infinite where open.
    elements : the only ones allowed; hydrogen always is, where it does not count.
    groups : category -> names asked for.
    novelty : a key of NOVELTY: whether an object stands among the known ones.
    """

    windows: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    elements: tuple[str, ...] = ()
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    novelty: str = ""

    def __len__(self) -> int:
        lists = len(self.windows) + len(self.groups)
        return lists + bool(self.elements) + bool(self.novelty)

    def text(self) -> str:
        """For links: `lumo_ev:-8:;el:C.O.F;role:additive;is:new`."""
        parts = [f"{k}:{_end(low)}:{_end(high)}" for k, (low, high) in self.windows.items()]
        for name, values in (("el", self.elements), *self.groups.items()):
            parts += [f"{name}:{'.'.join(values)}"] if values else []
        return ";".join(parts + ([f"is:{self.novelty}"] if self.novelty else []))

    @classmethod
    def read(cls, text: str, place: Atlas) -> Filters:
        """Inverse of `text`; what it does not know, it leaves out."""
        parts = [part.split(":") for part in text[:2000].split(";")]
        keys = {p.key for p in place.properties}
        windows = {p[0]: ends for p in parts if p[0] in keys and (ends := _ends(p[1:]))}
        lists = {p[0]: p[1].split(".") for p in parts if len(p) == 2}
        novelty = lists.get("is", [""])[0]
        return cls(
            windows,
            tuple(e for e in place.rooms.element_order if e in lists.get("el", [])),
            {key: names for key in place.rooms.groups if (names := _legal(key, lists))},
            novelty if novelty in NOVELTY else "",
        )

    def keep(self, place: Atlas, show: str) -> np.ndarray:
        """Rows that stay (n,), booleans."""
        closed = {k: e for k, e in self.windows.items() if e != (-math.inf, math.inf)}
        windows = {k: Window(*ends) for k, ends in closed.items()}
        elements = frozenset(self.elements) if self.elements else None
        statuses = ("known", "generated") if show == "all" else (show,)
        keep = place.filter(windows, elements, self.groups, statuses)
        if self.novelty:
            keep &= shared.new_rows(state.domain()) == (self.novelty == "new")
        return keep

    def behind(self, show: str) -> bool:
        """Whether the known ones lie grey behind what was generated, and can be taken, too."""
        return show not in ("all", "known") and not len(self)

    def live(self, place: Atlas, show: str) -> np.ndarray | None:
        """Rows on the map (n,), booleans; None for all of them."""
        if not len(self) and show in ("all", "generated"):
            return None
        keep = self.keep(place, show)
        return keep | ~place.generated if self.behind(show) else keep


def _legal(key: str, lists: Mapping[str, list[str]]) -> tuple[str, ...]:
    """Names of a category that a link asks for and that there are."""
    asked = lists.get(key, [])
    return tuple(n for n in shared.group_names(state.domain(), key) if n in asked) if asked else ()


def _end(value: float) -> str:
    return f"{value:.6g}" if math.isfinite(value) else ""


def _ends(texts: list[str]) -> tuple[float, float] | None:
    try:
        low, high = (float(t) if t else None for t in texts)
    except ValueError:
        return None
    ends = (-math.inf if low is None else low, math.inf if high is None else high)
    return ends if ends[0] <= ends[1] else None  # False for NaN too


def controls(place: Atlas) -> Filters:
    """The filters' widgets; they start as the link says, and the link follows them."""
    start = Filters.read(st.query_params.get(LINK, ""), place)
    turn = st.session_state.get(ROUND, 0)
    known = {p.key: p for p in place.properties}
    keys = st.multiselect(
        "Property windows",
        list(known),
        default=list(start.windows),
        format_func=lambda k: known[k].label,
        placeholder="any property, as many as you like",
        key=f"filters:{turn}:windows",
    )
    windows = {k: _window(known[k], start.windows.get(k), turn) for k in keys}
    room = place.rooms
    order, count = room.element_order, bool(room.element_order) + len(room.groups) + 1
    slots = iter([*st.columns(3), *(st.columns(3) if count > 3 else ())])
    elements = start.elements
    if order:
        elements = next(slots).multiselect(
            "Only these elements", order, default=start.elements, placeholder="any",
            key=f"filters:{turn}:elements", help=room.words.element_help,
        )  # fmt: skip
    groups: dict[str, tuple[str, ...]] = {}
    for key, label in room.groups.items():
        picked = next(slots).multiselect(
            label, shared.group_names(state.domain(), key), default=start.groups.get(key, ()),
            placeholder="any", key=f"filters:{turn}:{key}:names",
            help=f"What has no known {label[0].lower()}{label[1:]} drops out.",
        )  # fmt: skip
        groups |= {key: tuple(picked)} if picked else {}
    novelty = next(slots).selectbox(
        "Novelty", list(NOVELTY), index=list(NOVELTY).index(start.novelty),
        format_func=NOVELTY.__getitem__, key=f"filters:{turn}:novelty",
        help=f"New: not among the known {room.domain}. Everything shown is valid.",
    )  # fmt: skip
    found = Filters(windows, tuple(e for e in order if e in elements), groups, novelty)
    state.link(**{LINK: found.text()})
    return found


def _window(known: Property, start: tuple[float, float] | None, turn: int) -> tuple[float, float]:
    """A slider over the middle 99 % of the known values; its ends stand for no limit."""
    spread = shared.distribution(state.domain(), known.key)
    low, high = (spread.low, spread.high) if spread.high > spread.low else (0.0, 10.0)
    places = max(0, digits(known.floor) - 1) if high - low < 1000 else 0
    asked = [v for v in start or () if math.isfinite(v)]  # a link may ask for more than usual
    low, high = round(min([low, *asked]), places), round(max([high, *asked]), places)
    a, b = (max(start[0], low), min(start[1], high)) if start else (low, high)
    a, b = st.slider(
        known.axis, low, high, (a, b), step=10.0**-places, format=f"%.{places}f",
        key=f"filters:{turn}:{known.key}", help=known.help,
    )  # fmt: skip
    down, up = start or (-math.inf, math.inf)
    return (a if a > low or a == down else -math.inf), (b if b < high or b == up else math.inf)


def clear() -> None:
    """Forget every filter: for a button's on_click."""
    st.session_state[ROUND] = st.session_state.get(ROUND, 0) + 1
    state.link(**{LINK: None})
