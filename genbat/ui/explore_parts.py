"""The parts of Explore: what is chosen, the map with its controls, and the first suggestion.

The address holds everything that matters: by (colour), show, f (filters), q (search), and the
candidate as mol (its text) or x and y (a place that is decoded).
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from genbat.core.candidate import Candidate
from genbat.studio import map_colours, registry
from genbat.studio.explore import Atlas
from genbat.ui import card, explore_filters, shared, state
from genbat.ui.components import latmap
from genbat.ui.components.gallery import gallery
from genbat.ui.explore_filters import SHOW, Filters
from genbat.ui.words import plain, short, with_article

HEARD = "explore:heard"  # when the last event of the map happened
LASSO = "explore:lasso"  # rows of the last lasso
LOST = "explore:lost"  # a search that found nothing
MAP_HEIGHT = 490
SPOT_NOTE = "You clicked an empty place: this is what the model writes there."


@dataclass(frozen=True)
class Chosen:
    """What the card shows: a candidate, where its ring goes, a note; or what is wrong."""

    candidate: Candidate | None = None
    mark: dict[str, Any] | None = None
    note: str = ""
    problem: str = ""


def map_key() -> str:
    """The map's widget key; one a domain."""
    return f"map:{state.domain()}"


# ---------------------------------------------------------------------- choosing
def choose(candidate: Candidate) -> None:
    """Put a candidate on the card and into the address, and draw anew."""
    put(candidate)
    st.rerun(scope="fragment")


def put(candidate: Candidate) -> None:
    """Put a candidate on the card and into the address."""
    state.choose(candidate)
    handle = shared.atlas(candidate.domain).handle(candidate.text)
    state.link(mol=handle, x=None, y=None)


def hear(place: Atlas) -> None:
    """Take the map's last event, once."""
    event = state.told(map_key(), "event")
    if not event or event["t"] == st.session_state.get(HEARD):
        return
    st.session_state[HEARD] = event["t"]
    if event["kind"] == "pick" and event["index"] < len(place):
        put(place.candidate(event["index"]))
    elif event["kind"] == "spot":
        x, y = (f"{v:.4g}" for v in event["at"])
        state.choose(None)
        state.link(mol=None, x=x, y=y)
    elif event["kind"] == "lasso":
        st.session_state[LASSO] = event if event["count"] else None


def chosen(place: Atlas) -> Chosen:
    """What the address asks for."""
    text, x, y = (st.query_params.get(k, "") for k in ("mol", "x", "y"))
    if text:
        return _by_text(place, text)
    try:
        at = (float(x), float(y)) if x and y else None
    except ValueError:
        at = None
    if at is None or not all(math.isfinite(v) and abs(v) < 1e6 for v in at):
        return Chosen()
    found = shared.spot(state.domain(), *at)
    mark = {"x": at[0], "y": at[1], "label": "here"}
    return Chosen(found.candidate, mark, SPOT_NOTE)


def _by_text(place: Atlas, text: str) -> Chosen:
    candidate = state.chosen()
    if candidate is None or text not in (candidate.text, place.handle(candidate.text)):
        try:
            candidate = shared.candidate(state.domain(), text)
        except ValueError as wrong:
            return Chosen(problem=str(wrong))
    return Chosen(candidate, mark(place, candidate))


def mark(place: Atlas, candidate: Candidate, label: bool = True) -> dict[str, Any] | None:
    """The ring of a candidate on the map."""
    name = {"label": short(candidate.name or candidate.text, 28)} if label else {}
    row = place.row_of.get(candidate.text)
    if row is not None:
        return {"i": row, **name}
    if candidate.latent is None:
        return None
    x, y = place.place(np.array([candidate.latent], "f4"))[0]
    return {"x": round(float(x), 4), "y": round(float(y), 4), **name}


# ---------------------------------------------------------------------- controls
def heading() -> None:
    """Title, and in one line what the picture is."""
    words = state.words()
    st.html(
        f"<div class='gb-title'><h1>Explore {words.many}</h1><p>"
        f"Click {with_article(words.one)} to see it, or between them to invent one.</p></div>"
    )


def colour_control(place: Atlas) -> str:
    """What colours the map."""
    known = {p.key: p.axis for p in place.properties}
    first = place.rooms.colour
    added = {key: one.label for key, one in map_colours.added(place.rooms.domain).items()}
    status = "Made by" if len(place.makers) > 1 else "Known or generated"
    options = {**known, **place.rooms.groups, **added, "status": status}
    asked = st.query_params.get("by", first)
    keys = list(options)
    key = st.selectbox(
        "Colour", keys, index=keys.index(asked) if asked in keys else 0,
        format_func=options.__getitem__, key=f"explore:by:{place.rooms.domain}",
    )  # fmt: skip
    state.link(by=None if key == first else key)
    return key


def show_control(place: Atlas) -> str:
    """Known objects, generated ones, or both."""
    asked = st.query_params.get("show", "all")
    names = SHOW | _makers(place)
    keys = list(names)
    key = st.selectbox(
        place.rooms.words.many.capitalize(), keys, index=keys.index(asked) if asked in keys else 0,
        format_func=names.__getitem__, key="explore:show",
    )  # fmt: skip
    state.link(show=None if key == "all" else key)
    return key


def _makers(place: Atlas) -> dict[str, str]:
    """What to show of the systems whose libraries are on the map: one's own or, of several, each
    one's."""
    titles = {name: f"Made by {registry.card(name).title}" for name in place.makers}
    if len(titles) > 1:
        return titles
    return {"generated": next(iter(titles.values()), f"Made by {place.system.card.title}")}


def search_control(place: Atlas) -> list[int]:
    """The search box; its best hit goes on the card. Rows of all hits."""
    text = st.text_input(
        "Search", value=st.query_params.get("q", ""), key="explore:q", max_chars=300,
        placeholder=_prompt(place), on_change=_searched, args=(place,),
    )  # fmt: skip
    return shared.search(state.domain(), text) if text.strip() else []


def _prompt(place: Atlas) -> str:
    text = place.rooms.words.prompt
    return f"{text[0].lower()}{text[1:]}"


def _searched(place: Atlas) -> None:
    text = st.session_state["explore:q"].strip()
    state.link(q=text)
    if not text:
        return
    hits = shared.search(state.domain(), text)
    if hits:
        put(place.candidate(hits[0]))
        return
    try:
        put(shared.candidate(state.domain(), text))  # a SMILES nobody knows yet
    except ValueError:
        st.session_state[LOST] = text


def hits_row(place: Atlas, hits: Sequence[int]) -> None:
    """Other hits of the search, to pick from; or what to try where there is none."""
    text = st.query_params.get("q", "")
    if not text:
        return
    if st.session_state.get(LOST) == text:
        st.info(
            f"Nothing is called “{plain(short(text, 60))}”. Try {plain(place.rooms.words.tries)}."
        )
    if len(hits) > 1:
        shown = list(hits[:12])
        st.pills(
            f"{len(hits)} hits", shown, format_func=lambda r: plain(short(place.names[r], 34)),
            key=f"explore:hits:{text}", on_change=_picked_hit, args=(place, f"explore:hits:{text}"),
        )  # fmt: skip


def _picked_hit(place: Atlas, key: str) -> None:
    row = st.session_state[key]
    if row is not None:
        put(place.candidate(row))


# ---------------------------------------------------------------------- map
def draw_map(
    place: Atlas, colour: str, show: str, filters: Filters, marks: Sequence[dict[str, Any]]
) -> None:
    """The map itself and what it means."""
    domain = state.domain()
    latmap.latent_map(
        shared.positions(domain),
        shared.colour(domain, colour),
        key=map_key(),
        filter=mask(show, filters),
        back=shared.known_mask(domain) if filters.behind(show) else None,
        names=shared.name_column(domain),
        marks=marks,
        note=counts(place),
        height=MAP_HEIGHT,
    )


def mask(show: str, filters: Filters) -> latmap.Column | None:
    """Rows in question, for the browser; None for all of them."""
    return _mask(state.domain(), show, filters.text(), filters)


@st.cache_resource(show_spinner=False, max_entries=64)
def _mask(domain: str, show: str, text: str, _filters: Filters) -> latmap.Column | None:
    live = _filters.live(shared.warmup(domain).atlas(), show)
    return None if live is None else latmap.mask(live)


def counts(place: Atlas) -> str:
    """How many there are."""
    return f"{place.n_known:,} known · {len(place) - place.n_known:,} generated"


def meaning(place: Atlas) -> None:
    """What distance on the map says, and what it does not."""
    trust = place.map.trustworthiness
    st.html(
        "<p class='gb-note'>Distance on this map means similarity only nearby; the axes have no "
        f"meaning. <b>Trustworthiness {trust:.2f}</b>: how surely neighbours on the map are "
        "neighbours in the model's own space, too (1 means always).</p>"
    )


# ---------------------------------------------------------------------- first visit
def suggestion(problem: str = "") -> None:
    """What to try while nothing is chosen."""
    if problem:
        one = state.words().one
        st.warning(f"The link asks for something that is no {one} here: {plain(problem)}")
    st.html(
        "<div class='gb-heading'><h3>Start with one you know</h3><p>Or click anywhere on the map. "
        "Drag to move, wheel to zoom, Lasso to take many.</p></div>"
    )
    domain, dark = state.domain(), state.is_dark()
    familiar = shared.familiar(domain)
    tiles = [card.Tile(card.picture(domain, text, 150, 100, dark), n) for n, text in familiar]
    hit = gallery(tiles, key=f"explore:familiar:{domain}", columns=2)
    if hit is not None:
        choose(shared.candidate(domain, familiar[hit][1]))
    st.html(f"<p class='gb-note'>{html.escape(state.words().marks)}</p>")


def filters_expander(place: Atlas) -> tuple[Filters, Any]:
    """The rare options, made when they are opened: the filters in force, and room for more."""
    filters = Filters.read(st.query_params.get(explore_filters.LINK, ""), place)
    on = f" · {len(filters)} on" if len(filters) else ""
    words = f"More: filters, your own list{on}"
    fold = st.expander(words, icon=":material/filter_alt:", key="more", on_change="rerun")
    if not fold.open:
        return filters, None
    with fold:
        filters = explore_filters.controls(place)
        if len(filters):
            st.button("Clear all filters", on_click=explore_filters.clear, type="tertiary")
        return filters, st.container()
