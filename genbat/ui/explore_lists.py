"""Many objects at once on Explore: a selection, a neighbourhood, a person's own list."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from genbat.core.candidate import Candidate
from genbat.studio import own_list
from genbat.studio.explore import Atlas
from genbat.ui import basket, card, compute, shared, state
from genbat.ui.components import latmap
from genbat.ui.components.gallery import Tile, gallery
from genbat.ui.explore_filters import Filters
from genbat.ui.explore_parts import LASSO, choose
from genbat.ui.words import count, plain, short

MOST = 200  # objects taken over at once
SHOWN = 500  # rows of a table
OWN = "explore:ownlist"  # the objects uploaded in this tab
DRAWN = 6
DECODED = 24  # rows of a table whose text must be decoded first
PROBLEMS = 12
ORDER = "Put disordered crystals in order"
ORDER_HELP = (
    "A shared site takes its most frequent element and a mostly empty one is left out; what was "
    "done stands beside the crystal. Otherwise disordered crystals are refused."
)
MARKS = 300


# ---------------------------------------------------------------------- selection
def selection(place: Atlas, colour: str, show: str, filters: Filters) -> None:
    """What a lasso or box holds: how many, which, and what can be done with them."""
    event = st.session_state.get(LASSO)
    if not event:
        return
    rows = selected(event, place, colour, show, filters)
    with st.container(border=True):
        many = count(len(rows), place.rooms.words.one)
        st.html(f"<div class='gb-heading'><h3>{many} selected</h3></div>")
        if not len(rows):
            st.caption("None of them passes the filters. Draw another one, or clear the filters.")
            return
        _drawings(place, rows[:DRAWN])
        listed = _listed(place, rows)
        _table(place, listed)
        if len(rows) > len(listed):
            st.caption(f"{len(listed):,} of {len(rows):,} are listed.")
        _take(place, rows[:MOST], len(rows))


def selected(
    event: dict[str, Any], place: Atlas, colour: str, show: str, filters: Filters
) -> np.ndarray:
    """Rows inside a lasso that are in question, the same ones the map counts."""
    domain = state.domain()
    column = shared.colour(domain, colour)
    live = filters.live(place, show)
    back = shared.known_mask(domain) if filters.behind(show) else None
    hidden = latmap.unseen(event, column, back)
    return latmap.lassoed(event, shared.positions(domain), live, hidden)


def _listed(place: Atlas, rows: np.ndarray) -> np.ndarray:
    """Rows of the table: those with a text come first, a few that must be decoded follow."""
    named = rows[rows < place.n_named][:SHOWN]
    return np.concatenate([named, rows[rows >= place.n_named][:DECODED]])


def _drawings(place: Atlas, rows: np.ndarray) -> None:
    domain, dark = place.rooms.domain, state.is_dark()
    tiles = [
        Tile(card.picture(domain, place.texts[r], 150, 100, dark), short(place.names[r]))
        for r in rows
    ]
    hit = gallery(tiles, key="explore:selected", columns=DRAWN)
    if hit is not None:
        choose(place.candidate(int(rows[hit])))


def _table(place: Atlas, rows: np.ndarray) -> None:
    room = place.rooms
    known = [p for p in place.properties if p.key in room.first]
    columns: dict[str, Any] = {"Name": [place.names[r] for r in rows]}
    if room.words.inline:
        columns[room.words.text] = [place.texts[r] for r in rows]
    columns |= {label: place.group(key)[rows] for key, label in room.groups.items()}
    columns |= {p.axis: np.round(place.values(p.key)[rows], 3) for p in known}
    st.dataframe(pd.DataFrame(columns), hide_index=True, height=240)


def _take(place: Atlas, rows: np.ndarray, total: int) -> None:
    """Buttons for the whole selection, capped."""
    if total > MOST:
        st.caption(f"At most {MOST} can be taken at once: these are the first {MOST}.")
    many = count(len(rows), place.rooms.words.one)
    if st.button(f"Add {many} to shortlist", icon=":material/add:"):
        _add_all(place, rows)
    name = hashlib.blake2b(rows.tobytes(), digest_size=8).hexdigest()
    pairs = lambda: [(place.texts[r], place.names[r]) for r in rows]  # noqa: E731
    compute.several(len(rows), pairs, "explore:ask", name)


def _add_all(place: Atlas, rows: np.ndarray) -> None:
    target, lists = basket.current(), shared.shortlists()
    bar = st.progress(0.0, text="Adding")
    added = 0
    try:
        for k, candidate in enumerate(place.candidates(rows)):
            lists.add(target.id, candidate)
            added += 1
            bar.progress((k + 1) / len(rows), text=f"{k + 1} of {len(rows)}")
    except ValueError as full:
        st.toast(plain(str(full)))
    st.toast(f"Added {count(added, place.rooms.words.one)} to {plain(target.name)}")
    st.rerun()


# ---------------------------------------------------------------------- around
def around(candidate: Candidate) -> None:
    """Objects decoded near the chosen one, on request."""
    if candidate.latent is None or not candidate.verdict.ok:
        return
    asked = _radius(st.query_params.get("r", ""))
    on = st.toggle("Decode around here", value=asked > 0, key="explore:around", help=_AROUND)
    if not on:
        state.link(r=None)
        return
    radius = st.slider(
        "Radius", 0.25, 4.0, asked or 1.0, 0.25, key="explore:radius",
        help="1 is the typical distance between a known one and its neighbours.",
    )  # fmt: skip
    state.link(r=f"{radius:g}")
    found = _decoded(state.domain(), candidate.latent, radius)
    others = [c for c in found if c.text != candidate.text]
    if not others:
        st.info("Nothing else is written here. Try a larger radius.")
        return
    new = sum(c.novel is not False for c in others)
    st.caption(f"{count(len(others), f'other {state.words().one}')}, {new} of them new")
    tiles = [card.tile(c, "known" if c.novel is False else "new") for c in others]
    hit = gallery(tiles, key="explore:tiles", columns=6)
    if hit is not None:
        choose(others[hit])


_AROUND = (
    "Takes random steps from the chosen one in the model's space and writes down what lies "
    "there. Small steps give close relatives, large ones surprises."
)


def _radius(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return 0.0
    return min(4.0, max(0.25, round(value * 4) / 4)) if value > 0 else 0.0


@st.cache_resource(show_spinner="Decoding the neighbourhood …", max_entries=128)
def _decoded(domain: str, latent: tuple[float, ...], radius: float) -> list[Candidate]:
    place = shared.warmup(domain).atlas()
    z = np.array(latent, "f4")
    return place.around(z, radius * shared.step_size(domain), n=18)


# ---------------------------------------------------------------------- own list
def own(place: Atlas, slot: Any) -> own_list.OwnList | None:
    """A person's own objects; `slot` is where she uploads them, None while that is folded."""
    if slot is not None:
        with slot:
            _upload()
    found = st.session_state.get(OWN)
    return found if found is not None and len(found) else None


def _upload() -> None:
    """The way in, and what is wrong with the file."""
    room = shared.atlas(state.domain()).rooms
    file = st.file_uploader(
        f"Your own {room.words.many}", type=list(room.uploads), key="explore:own",
        help=f"{room.words.upload} They are placed on the map; the file is read once and not kept.",
    )  # fmt: skip
    order = room.ordering and st.checkbox(ORDER, key="explore:order", help=ORDER_HELP)
    if file is not None:
        st.session_state[OWN] = _read(state.domain(), file.getvalue(), file.name, order)
    found = st.session_state.get(OWN)
    if found is None:
        return
    if found.problems:
        _problems(found)
    if file is None and st.button("Take them off the map", type="tertiary"):
        st.session_state[OWN] = None
        st.rerun(scope="fragment")


def _problems(found: own_list.OwnList) -> None:
    lines = [plain(short(p, 200)) for p in found.problems[:PROBLEMS]]
    more = len(found.problems) - len(lines)
    lines += [f"and {more} more"] if more else []
    many = count(len(found), state.words().one)
    kept = f"{many} kept. " if len(found) else "Nothing could be used. "
    st.warning(kept + "\n\n" + "\n\n".join(lines))


@st.cache_resource(show_spinner="Placing what you brought …", max_entries=32)
def _read(domain: str, data: bytes, filename: str, order: bool) -> own_list.OwnList:
    return own_list.read(shared.warmup(domain).atlas(), data, filename, order)


def own_marks(found: own_list.OwnList | None) -> list[dict[str, Any]]:
    """Rings of an own list; names where they are few."""
    if found is None:
        return []
    few = len(found) <= 12
    return [
        {"x": round(float(x), 3), "y": round(float(y), 3)}
        | ({"label": short(n, 20)} if few else {})
        for (x, y), n in zip(found.xy[:MARKS], found.names, strict=False)
    ]


def _own_columns(found: own_list.OwnList) -> dict[str, Any]:
    words = state.words()
    columns: dict[str, Any] = {"Name": found.names}
    columns |= {words.text: found.texts} if words.inline else {}
    columns["Known"] = found.known
    return columns | ({"What was done": found.notes} if any(found.notes) else {})


def own_table(found: own_list.OwnList | None) -> None:
    """The own list; a row chosen goes on the card."""
    if found is None:
        return
    with st.container(border=True):
        words = count(len(found), state.words().one)
        st.html(f"<div class='gb-heading'><h3>{words} of yours on the map</h3></div>")
        if len(found) > MARKS:
            st.caption(f"The first {MARKS} wear a ring on the map.")
        frame = pd.DataFrame(_own_columns(found))
        told = st.dataframe(
            frame, hide_index=True, height=min(240, 40 + 35 * len(found)), key="explore:owned",
            on_select="rerun", selection_mode="single-row",
        )  # fmt: skip
        rows: Sequence[int] = told["selection"]["rows"]
        picked = found.texts[rows[0]] if rows and rows[0] < len(found) else None
        if picked and picked != st.session_state.get("explore:own:last"):
            st.session_state["explore:own:last"] = picked
            choose(shared.candidate(state.domain(), picked))
