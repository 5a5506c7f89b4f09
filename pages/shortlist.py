"""Shortlist: the candidates kept, compared, judged, annotated and taken along."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from genbat.studio.shortlist import Entry, Shortlist, pareto
from genbat.ui import card, shared, shortlist_plot, state, tables
from genbat.ui import shortlist_parts as parts
from genbat.ui import shortlist_table as rows

GOALS = "shortlist:wanted"


def _bar(shortlist: Shortlist, entries: list[Entry]) -> None:
    """Name of the list and what can be done with it as a whole."""
    left, right = st.columns([2, 3], vertical_alignment="bottom")
    with left:
        parts.title(shortlist)
    with right.container(horizontal=True, horizontal_alignment="right"):
        words = state.words()
        busy = any(job.active for job in parts.jobs_of(shortlist))
        if entries and st.button(
            f"Compute all with {words.judge}",
            type="primary",
            icon=":material/calculate:",
            disabled=busy,
            help=f"As a job. {words.judge_help}",
        ):
            parts.compute(shortlist, entries)
            st.rerun()
        if entries:
            with st.popover("Download", icon=":material/download:"):
                parts.downloads(shortlist, entries, st.session_state.get(GOALS, {}))
        with st.popover("Import", icon=":material/upload:"):
            parts.import_form(shortlist)
        with st.popover("Lists", icon=":material/folder_open:"):
            parts.manage(shortlist)


def _columns(entries: list[Entry], domain: str) -> list[str]:
    known = tables.known(domain)
    candidates = [e.candidate for e in entries]
    return st.multiselect(
        "Columns of the table",
        [k for k in known if any(k in c.properties for c in candidates)],
        tables.useful_keys(candidates, 2),
        format_func=lambda k: known[k].axis,
        key="columns",
        bind="query-params",
    )


def _compare(shortlist: Shortlist, entries: list[Entry]) -> None:
    """Table, note, tags, rank left; front and card right; one selection for both."""
    at = rows.chosen(entries)
    assert at is not None  # there are entries
    known = tables.known(shortlist.domain)
    left, right = st.columns([3, 2], gap="medium")
    with right:
        goals = shortlist_plot.axes(entries, known)
        place = st.container()
        with st.expander("More: columns, further wishes"):
            keys = _columns(entries, shortlist.domain)
            goals = shortlist_plot.more_goals(entries, known, goals) if goals else goals
    st.session_state[GOALS] = goals
    with place:
        if goals:
            shortlist_plot.plot(entries, goals, known, at.id, rows.plot_key(), rows.on_point)
        else:
            judge = state.words().judge
            st.info(f"The plot needs candidates with two properties. Let {judge} compute the list.")
    with left:
        front = pareto(entries, goals) if goals else [None] * len(entries)
        rows.table(entries, keys, front, at)
    _one(at, shortlist.id, left, right)


def _one(entry: Entry, list_id: str, left: DeltaGenerator, right: DeltaGenerator) -> None:
    """The chosen one: words and numbers under the table, its 3D view under the plot."""
    with left:
        card.heading(entry.candidate)
        rows.words_of(entry)
        rows.actions(entry, list_id)
    if not entry.candidate.verdict.ok:
        return
    with right:
        card.structure(entry.candidate, "shortlist:3d")
    with left:
        card.rest(entry.candidate, "shortlist")


shortlist = parts.current()
parts.learn(shortlist)
entries = shared.shortlists().entries(shortlist.id)
_bar(shortlist, entries)
parts.import_outcome()
parts.calculation(shortlist)
rows.undo(shortlist.id)
if entries:
    _compare(shortlist, entries)
else:
    parts.empty(shortlist)
