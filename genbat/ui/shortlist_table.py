"""The Shortlist's table and, under it, the note, tags and rank of the chosen one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from genbat.core.candidate import Candidate
from genbat.studio import path, texts
from genbat.studio.rooms import rooms
from genbat.studio.shortlist import Entry
from genbat.studio.store import Conflict
from genbat.ui import shared, state, tables
from genbat.ui.words import moment, plain, short

TABLE = "shortlist:table"
PLOT_TURN = "shortlist:plot"  # a new number makes the chart forget its own selection
CHOSEN = "shortlist:entry"
CONFLICT = "shortlist:conflict"
REMOVED = "shortlist:removed"
AGAIN = "shortlist:again"
PROBLEM = "shortlist:problem"


def chosen(entries: Sequence[Entry]) -> Entry | None:
    """The entry in force: the one clicked last, else the link's, else the first."""
    wanted = st.session_state.get(CHOSEN) or st.query_params.get("entry", "")
    found = next((e for e in entries if str(e.id) == str(wanted)), entries[0] if entries else None)
    if found is not None:
        st.session_state[CHOSEN] = found.id
        state.link(entry=found.id)
    return found


def table(
    entries: Sequence[Entry], keys: Sequence[str], front: Sequence[bool | None], at: Entry
) -> None:
    """Drawings, names, values, notes; a click on a row chooses it."""
    candidates = [e.candidate for e in entries]
    styled = tables.values(
        candidates,
        keys,
        {
            "front": ["★" if flag else "" for flag in front],
            tables.DRAWING: tables.thumbnails(candidates),
            "name": [short(c.name or c.text, 40) for c in candidates],
        },
        {
            "rank": [str(e.rank or "") for e in entries],
            "tags": [", ".join(e.tags) for e in entries],
            "note": [e.note for e in entries],
        },
    )
    _mark(entries.index(at))
    st.dataframe(
        styled,
        key=TABLE,
        on_select=_on_row([e.id for e in entries]),
        selection_mode=["single-row-required", "single-cell"],
        column_config={**tables.configuration(at.candidate.domain, keys), **_own_columns()},
        row_height=tables.ROW_HEIGHT,
        height=tables.height(len(entries)),
        hide_index=True,
        alt="The shortlist as a table",
    )


def _own_columns() -> dict[str, Any]:
    text = st.column_config.TextColumn
    return {
        "front": text("★", help="On the front of the plot", width=34),
        "rank": text("Rank", width=52),
        "tags": text("Tags", width=110),
        "note": text("Note", width=220),
    }


def _mark(row: int) -> None:
    """Let the table show what was chosen elsewhere."""
    selection = (st.session_state.get(TABLE) or {}).get("selection", {})
    if list(selection.get("rows", [])) != [row] or selection.get("cells"):
        st.session_state[TABLE] = {"selection": {"rows": [row], "columns": [], "cells": []}}


def _rows(event: Any) -> list[int]:
    """The row that a table's event speaks of: a clicked cell counts as its row."""
    selection = (event or {}).get("selection", {})
    cells = selection.get("cells") or []
    return [cells[0][0]] if cells else list(selection.get("rows", []))


def _on_row(idents: list[int]) -> Callable[[], None]:
    def changed() -> None:
        rows = _rows(st.session_state.get(TABLE))
        if rows and rows[0] < len(idents):
            st.session_state[CHOSEN] = idents[rows[0]]
            st.session_state[PLOT_TURN] = st.session_state.get(PLOT_TURN, 0) + 1

    return changed


def plot_key() -> str:
    """Key of the chart; it changes when a row was chosen in the table."""
    return f"front:{st.session_state.get(PLOT_TURN, 0)}"


def on_point() -> None:
    """A click on a point of the chart chooses its row."""
    event = st.session_state.get(plot_key()) or {}
    points = event.get("selection", {}).get("points", [])
    ident = points[0].get("customdata") if points else None
    if isinstance(ident, list | tuple):
        ident = ident[0] if ident else None
    if ident is not None:
        st.session_state[CHOSEN] = int(ident)


# ---------------------------------------------------------------------------- note, tags, rank
def words_of(entry: Entry) -> None:
    """Note, tags and rank in place; each change is saved at once."""
    _sync(entry)
    note, tags, rank = (f"{name}:{entry.id}" for name in ("note", "tags", "rank"))
    left, middle, right = st.columns([5, 3, 2])
    left.text_area(
        "Note",
        key=note,
        height=88,
        max_chars=texts.MAX_NOTE,
        placeholder="why it is here, what to try",
        on_change=lambda: _save(entry, note=st.session_state[note]),
    )
    middle.multiselect(
        "Tags",
        list(entry.tags),
        key=tags,
        accept_new_options=True,
        max_selections=texts.MAX_TAGS,
        placeholder="type a word",
        on_change=lambda: _save(entry, tags=st.session_state[tags]),
    )
    right.number_input(
        "Rank",
        1,
        texts.MAX_RANK,
        value=None,
        step=1,
        key=rank,
        placeholder="1 is best",
        on_change=lambda: _rank(entry, st.session_state[rank]),
    )
    _conflict(entry)
    if PROBLEM in st.session_state:
        st.error(plain(st.session_state.pop(PROBLEM)))


def _sync(entry: Entry) -> None:
    """Fill the widgets where the database knows better: first sight, or somebody else's change."""
    names = (f"note:{entry.id}", f"tags:{entry.id}", f"rank:{entry.id}")
    mark = _stand(entry)
    if st.session_state.get(f"seen:{entry.id}") == mark and all(
        name in st.session_state for name in names
    ):
        return
    for name, value in zip(names, (entry.note, list(entry.tags), entry.rank), strict=True):
        st.session_state[name] = value
    st.session_state[f"seen:{entry.id}"] = mark


def _stand(entry: Entry) -> tuple[Any, ...]:
    return entry.stamp, entry.note, entry.tags, entry.rank


def _save(entry: Entry, **change: Any) -> None:
    """Write one change of an entry as it was seen; keep both texts where two people wrote."""
    st.session_state.pop(PROBLEM, None)
    try:
        now = shared.shortlists().annotate(entry, **change)
        st.session_state[f"seen:{entry.id}"] = _stand(now)
        if list(now.tags) != st.session_state.get(f"tags:{entry.id}"):
            st.session_state.pop(f"seen:{entry.id}")
    except Conflict as conflict:
        st.session_state[CONFLICT] = (entry.id, change["note"], conflict.theirs, conflict.stamp)
    except ValueError as wrong:
        st.session_state[PROBLEM] = f"Not saved: {wrong}"
        st.session_state.pop(f"seen:{entry.id}", None)


def _rank(entry: Entry, rank: int | None) -> None:
    if rank is None:
        _save(entry, unrank=True)
    else:
        _save(entry, rank=int(rank))


def _conflict(entry: Entry) -> None:
    """Both texts and a choice, where somebody else changed the note meanwhile."""
    ident, mine, theirs, stamp = st.session_state.get(CONFLICT, (None, "", "", None))
    if ident != entry.id:
        return
    with st.container(border=True):
        st.warning(
            f"Somebody else changed this note at {moment(stamp)} while you were writing. Nothing "
            "is lost; choose what stays."
        )
        left, right = st.columns(2)
        for column, heading, text in ((left, "Yours", mine), (right, "Theirs", theirs)):
            column.caption(heading)
            column.code(text or "(empty)", language=None, wrap_lines=True)
        both = f"{theirs}\n\n{mine}".strip()
        with st.container(horizontal=True):
            for label, text in (("Keep mine", mine), ("Keep theirs", theirs), ("Keep both", both)):
                st.button(
                    label,
                    key=f"conflict:{label}",
                    on_click=lambda text=text: _settle(entry, text, stamp),
                )


def _settle(entry: Entry, text: str, stamp: Any) -> None:
    st.session_state.pop(CONFLICT, None)
    try:
        shared.shortlists().set_note(entry.id, text, expected=stamp)
    except Conflict as again:
        st.session_state[CONFLICT] = (entry.id, text, again.theirs, again.stamp)
    except ValueError as wrong:
        st.session_state[PROBLEM] = f"Not saved: {wrong}"


# ---------------------------------------------------------------------------- actions
def actions(entry: Entry, list_id: str) -> None:
    """Make it again, take it off the list."""
    with st.container(horizontal=True):
        st.button(
            "Make this exact candidate again",
            key="again",
            icon=":material/replay:",
            on_click=_make_again,
            args=(entry.candidate,),
            help="From its provenance: same system, weights, seed and latent point.",
        )
        st.button(
            "Remove",
            key="remove",
            icon=":material/close:",
            on_click=_remove,
            args=(entry, list_id),
        )
    outcome = st.session_state.get(AGAIN)
    if outcome and outcome[0] == entry.candidate.text:
        (st.success if outcome[1] else st.warning)(plain(outcome[2]))


def _make_again(candidate: Candidate) -> None:
    try:
        made, same = path.make_again(candidate)
    except (ValueError, KeyError, IndexError) as wrong:
        told = (False, f"It cannot be made again here: {wrong}")
    else:
        told = same, _told(candidate, made, same)
    st.session_state[AGAIN] = (candidate.text, *told)


def _told(candidate: Candidate, made: Candidate, same: bool) -> str:
    words = rooms(candidate.domain).words
    action, system = candidate.provenance.action, candidate.provenance.system
    if same and action in ("known", "typed"):
        return "The same: it is no model's invention but a structure that was given."
    if same:
        return f"The same: {system} makes exactly this {words.one} again."
    name = made.name if not words.inline else made.text
    return f"Not the same: it came out as {name or f'no {words.one}'}."


def _remove(entry: Entry, list_id: str) -> None:
    shared.shortlists().remove(entry.id)
    st.session_state[REMOVED] = (list_id, entry)
    st.session_state.pop(CHOSEN, None)


def undo(list_id: str) -> None:
    """Offer to put the last removed one back, with its words."""
    where, entry = st.session_state.get(REMOVED, ("", None))
    if entry is None or where != list_id:
        return
    name = plain(short(entry.candidate.name or entry.candidate.text))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"Removed {name}.")
        st.button("Put it back", key="undo", icon=":material/undo:", on_click=_put_back)


def _put_back() -> None:
    list_id, entry = st.session_state.pop(REMOVED)
    lists = shared.shortlists()
    try:
        fresh = lists.add(list_id, entry.candidate)
        words = {"note": entry.note, "tags": entry.tags, "rank": entry.rank}
        lists.annotate(fresh, **words)
        st.session_state[CHOSEN] = fresh.id
    except (ValueError, Conflict) as wrong:
        st.session_state[PROBLEM] = str(wrong)
