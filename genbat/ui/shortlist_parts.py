"""The parts around the Shortlist page: lists, import, calculation, downloads, empty state."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from urllib.parse import urlsplit

import streamlit as st

from genbat.core.candidate import Candidate
from genbat.core.errors import PhysicsFailed
from genbat.studio import exports, own_list, registry, texts, views
from genbat.studio.jobs import Job
from genbat.studio.report import report
from genbat.studio.rooms import rooms
from genbat.studio.shortlist import MAX_ENTRIES, Entry, Shortlist
from genbat.ui import basket, shared, state
from genbat.ui.components import html_view
from genbat.ui.compute import queue
from genbat.ui.explore_lists import ORDER, ORDER_HELP
from genbat.ui.frame import page_file
from genbat.ui.progress import job_progress
from genbat.ui.words import count, plain, short, with_article

IMPORTED = "shortlist:imported"
LEARNED = "shortlist:learned"
SURE = "shortlist:sure"  # the list that is about to be deleted
_MIME = {
    "csv": "text/csv",
    "json": "application/json",
    "sdf": "chemical/x-mdl-sdfile",
    "cif": "chemical/x-cif",
}


def manage(shortlist: Shortlist) -> None:
    """New list, rename, share, delete."""
    lists, owner = shared.shortlists(), state.owner()
    fresh = st.text_input("New list", placeholder="its name", max_chars=texts.MAX_NAME, key="new")
    if st.button("Make it", key="new:do", disabled=not fresh.strip()):
        _try(lambda: basket.take(lists.create(owner, fresh, shortlist.domain).id))
    name = st.text_input(
        "Rename this list", shortlist.name, max_chars=texts.MAX_NAME, key=f"rename:{shortlist.id}"
    )
    if st.button("Rename", key="rename:do", disabled=name.strip() in ("", shortlist.name)):
        _try(lambda: lists.rename(shortlist.id, name))
    st.caption("Share: whoever opens this address sees the list and can edit it.")
    st.code(link_of(shortlist.id), language=None)
    if shortlist.owner == owner:
        _deletion(shortlist)
    else:
        st.caption("This list was shared with you; only its owner can delete it.")


def link_of(list_id: str) -> str:
    """The address to share: the list alone, without who I am."""
    parts = urlsplit(st.context.url or "http://127.0.0.1:8501")
    here = state.domain()
    domain = "" if here == registry.FIRST else f"&domain={here}"
    return f"{parts.scheme}://{parts.netloc}/shortlist?list={list_id}{domain}"


def _try(action: Callable[[], None]) -> None:
    """Do it and draw the page again; say what was wrong instead, where something was."""
    try:
        action()
    except ValueError as wrong:
        st.error(plain(str(wrong)))
    else:
        st.rerun()


def _deletion(shortlist: Shortlist) -> None:
    """Delete, asked twice."""
    if st.session_state.get(SURE) != shortlist.id:
        st.button(
            "Delete this list …",
            key="delete",
            icon=":material/delete:",
            on_click=st.session_state.__setitem__,
            args=(SURE, shortlist.id),
        )
        return
    st.warning(
        f"{plain(shortlist.name)} with {count(shortlist.count, 'candidate')}, their notes and "
        "tags will be gone for everybody who has its link. This cannot be undone."
    )
    with st.container(horizontal=True):
        st.button("Keep it", key="delete:no", on_click=st.session_state.pop, args=(SURE, None))
        if st.button("Delete it", key="delete:yes", icon=":material/delete:"):
            _try(lambda: _delete(shortlist))


def _delete(shortlist: Shortlist) -> None:
    shared.shortlists().delete(shortlist.id, state.owner())
    basket.take("")


# ---------------------------------------------------------------------------- import
def import_form(shortlist: Shortlist) -> None:
    """Objects of the user's own file."""
    room = rooms(shortlist.domain)
    with st.form("import", clear_on_submit=True, border=False):
        st.caption(room.words.upload)
        file = st.file_uploader("Your file", type=list(room.uploads), key="import:file")
        order = room.ordering and st.checkbox(ORDER, key="import:order", help=ORDER_HELP)
        if st.form_submit_button(f"Add its {room.words.many}") and file is not None:
            take_in(shortlist, file.getvalue(), file.name, order)
            st.rerun()


def take_in(shortlist: Shortlist, data: bytes, filename: str, order: bool = False) -> None:
    """Read a file and put its objects on the list, one after the other, each saved at once."""
    place = shared.atlas(shortlist.domain)
    found = own_list.read(place, data, filename, order)
    problems, added, many = list(found.problems), 0, place.rooms.words.many
    bar = st.progress(0.0, text=f"reading your {many}") if len(found) else None
    for k, (text, name) in enumerate(zip(found.texts, found.names, strict=True)):
        try:
            made = _with_note(place.typed(text), found.notes[k])
            shared.shortlists().add(shortlist.id, replace(made, name=name or made.name))
            added += 1
        except ValueError as wrong:  # the list is full, say
            problems.append(f"{filename}: {short(text, 60)} was left out: {wrong}")
            if added + shortlist.count >= MAX_ENTRIES:
                break
        if bar:
            bar.progress((k + 1) / len(found), text=f"{k + 1} of {len(found)} {many}")
    st.session_state[IMPORTED] = (added, problems)


def _with_note(candidate: Candidate, note: str) -> Candidate:
    """What was done to a user's crystal stays with it."""
    story = candidate.provenance
    told = replace(story, arguments={**story.arguments, "note": note})
    return replace(candidate, provenance=told) if note else candidate


def import_outcome() -> None:
    """What the last import brought, until it is put away."""
    if IMPORTED not in st.session_state:
        return
    added, problems = st.session_state[IMPORTED]
    words = f"{count(added, state.words().one)} added."
    box = st.container(border=True)
    with box:
        if problems:
            st.warning(f"{words} {count(len(problems), 'problem')}; the good rows were kept.")
            st.dataframe(
                {"What was wrong": problems[:500]},
                hide_index=True,
                height=min(240, 40 + 35 * len(problems)),
            )
        else:
            st.success(words)
        if st.button("Put away", key="import:away"):
            del st.session_state[IMPORTED]
            st.rerun()


# ---------------------------------------------------------------------------- physics
def calculation(shortlist: Shortlist) -> None:
    """Progress of this list's running calculation, and its values once they are there."""
    for job in jobs_of(shortlist):
        if job.active:
            job_progress(job.id, "calculation")
            return


def jobs_of(shortlist: Shortlist) -> list[Job]:
    """Calculations that were asked for this list, newest first."""
    mine = shared.jobs().list(state.owner())
    return [j for j in mine if j.kind == "label" and j.arguments.get("list") == shortlist.id]


def learn(shortlist: Shortlist) -> None:
    """Take over what the physics has said since; asked again only when a calculation has moved."""
    mark = (shortlist.id, [(j.id, j.state) for j in jobs_of(shortlist)])
    if st.session_state.get(LEARNED) != mark:
        shared.shortlists().learn(shortlist.id)
        st.session_state[LEARNED] = mark


def compute(shortlist: Shortlist, entries: Sequence[Entry]) -> None:
    """Queue the physics of the whole list."""
    words = rooms(shortlist.domain).words
    title = f"{words.judge} of {count(len(entries), words.one)} of {shortlist.name}"
    pairs = [(e.candidate.text, e.candidate.name) for e in entries]
    queue(pairs, title, list=shortlist.id)


# ---------------------------------------------------------------------------- downloads
def downloads(shortlist: Shortlist, entries: Sequence[Entry], goals: Mapping[str, int]) -> None:
    """The domain's formats, and the whole story as one HTML file."""
    stem = exports_stem(shortlist.name)
    for fmt, words in rooms(shortlist.domain).files.items():
        _download(words, writer(entries, fmt), f"{stem}.{fmt}", _MIME.get(fmt, "text/plain"))
    st.divider()
    author = st.text_input("Author of the report", key="report:author", max_chars=120)
    _download(
        "HTML report · one file, opens anywhere",
        lambda: page_of(shortlist, entries, goals, author).encode("utf-8"),
        f"{stem}.html",
        "text/html",
    )


def _download(label: str, data: Callable[[], bytes], name: str, mime: str) -> None:
    st.download_button(
        label,
        data,
        name,
        mime,
        key=f"download:{name.partition('.')[2]}",
        icon=":material/download:",
        on_click="ignore",
        width="stretch",
    )


def writer(entries: Sequence[Entry], fmt: str) -> Callable[[], bytes]:
    """Makes the file once somebody asks for it."""
    extras = [
        {"note": e.note, "tags": ", ".join(e.tags), "rank": str(e.rank or "")} for e in entries
    ]
    return lambda: exports.export([e.candidate for e in entries], fmt, extras)


def exports_stem(name: str) -> str:
    """A file name from a list's name: letters, digits and lines only."""
    kept = "".join(c if c.isascii() and c.isalnum() else "-" for c in name)
    return "-".join(filter(None, kept.split("-")))[:60] or "shortlist"


def page_of(
    shortlist: Shortlist, entries: Sequence[Entry], goals: Mapping[str, int], author: str
) -> str:
    """The self-contained report; its 3D views share one canvas and carry their library."""
    return report(
        shortlist.name,
        entries,
        author=author,
        goals=goals,
        view_html=_view,
        head_html=html_view.report_head(),
    )


def _view(candidate: Candidate) -> str:
    try:
        spec = views.view(candidate.domain, candidate.text)
    except (PhysicsFailed, ValueError):
        return ""
    return html_view.report_view(spec.text, spec.format)


def empty(shortlist: Shortlist) -> None:
    """What to do with an empty list."""
    one = state.words().one
    st.info(
        f"Nothing here yet. Click {with_article(one)} on the map of **Explore**, or let "
        "**Design** find some for your wishes, and press “Add to shortlist” on its card. Or bring "
        "your own file with **Import**. What you add is saved at once.",
        icon=":material/checklist:",
    )
    with st.container(horizontal=True):
        st.page_link(page_file("explore"), label="Explore the map", icon=":material/explore:")
        st.page_link(page_file("design"), label="Design for your wishes", icon=":material/tune:")
    others = [one for one in _others(shortlist) if one.count]
    for other in others:
        words = f"Open {plain(other.name)} · {count(other.count, 'candidate')}"
        if st.button(words, key=f"open:{other.id}"):
            basket.take(other.id)
            st.rerun()


def _others(shortlist: Shortlist) -> list[Shortlist]:
    mine = shared.shortlists().lists(state.owner(), shortlist.domain)
    return [one for one in mine if one.id != shortlist.id]


def title(shortlist: Shortlist) -> None:
    """Name of the list and what it is."""
    st.title(plain(shortlist.name), anchor=False)
    words = [count(shortlist.count, "candidate"), "saved as you go"]
    if shortlist.owner != state.owner():
        words.append("shared with you: others see your changes")
    st.caption(" · ".join(words))


def current() -> Shortlist:
    """The list of the page: the basket."""
    return basket.current()
