"""The two ends of a walk: by name, formula or text, from the shortlist, from the map."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

import streamlit as st

from genbat.ui import basket, shared, state
from genbat.ui.finding import Found, find, name_of
from genbat.ui.tables import thumbnail
from genbat.ui.words import plain, short, with_article

LETTERS = "AB"


def read_link() -> tuple[str, str]:
    """The ends in force as normal texts, remembered and written into the link; "" for none."""
    place = shared.atlas(state.domain())
    kept = []
    for which, asked in enumerate(state.ends()):
        try:
            kept.append(find(place, asked)[0].text if asked else "")
        except ValueError as wrong:
            st.session_state[f"end:{which}:wrong"] = str(wrong)
            kept.append("")
        _remember(which, kept[which])
    return kept[0], kept[1]


def _remember(which: int, text: str) -> None:
    handle = shared.atlas(state.domain()).handle(text) if text else ""
    state.link(**{"ab"[which]: handle})
    state.set_end(which, text)


def set_end(which: int, text: str) -> None:
    """Put an object at an end (0 is A, 1 is B); the walk begins anew."""
    for name in ("wrong", "others"):
        st.session_state.pop(f"end:{which}:{name}", None)
    _remember(which, text)
    st.session_state["walk:step"] = 0


def end(which: int, text: str) -> None:
    """One end: what stands there, and the box that changes it."""
    letter = LETTERS[which]
    with st.container(border=True, key=f"end-{letter}"):
        _portrait(letter, text)
        prompt = state.words().prompt
        st.text_input(
            f"{letter}: {prompt[0].lower()}{prompt[1:]}",
            key=f"end:{which}:box",
            placeholder=prompt,
            label_visibility="collapsed",
            on_change=_typed,
            args=(which,),
        )
        wrong = st.session_state.get(f"end:{which}:wrong")
        if wrong:
            st.error(plain(wrong))
        _others(which, text)
        _from_shortlist(which)


def _portrait(letter: str, text: str) -> None:
    place, words = shared.atlas(state.domain()), state.words()
    if not text:
        st.html(
            f"<div class='gb-end'><b>{letter}</b><span>Type {with_article(words.one)} you know: "
            f"{html.escape(words.example)}</span></div>"
        )
        return
    name = html.escape(name_of(place, text))
    row = place.row_of.get(text)
    kinds = place.group(next(iter(place.rooms.groups)))
    role = html.escape(str(kinds[row])) if row is not None else ""
    known = "known" if row is not None and row < place.n_known else "new"
    source = thumbnail(state.domain(), text, state.is_dark())
    st.html(
        f"<div class='gb-end'><b>{letter}</b><img src='{source}' alt=''>"
        f"<span><strong>{name}</strong><br><small>{known}{' · ' if role else ''}{role}</small>"
        "</span></div>"
    )


def _typed(which: int) -> None:
    asked = st.session_state[f"end:{which}:box"]
    if not asked.strip():
        return
    try:
        found = find(shared.atlas(state.domain()), asked)
    except ValueError as wrong:
        st.session_state[f"end:{which}:wrong"] = str(wrong)
        return
    set_end(which, found[0].text)
    st.session_state[f"end:{which}:box"] = ""
    if len(found) > 1 and not found[0].whole:
        st.session_state[f"end:{which}:others"] = (asked, found)


def _others(which: int, text: str) -> None:
    """Where a word meant several objects: the other ones."""
    asked, found = st.session_state.get(f"end:{which}:others", ("", []))
    if text not in [f.text for f in found]:
        return
    labels: Mapping[str, str] = {f.text: f.label for f in found}
    picked = st.selectbox(
        f"“{short(asked, 30)}” may mean",
        list(labels),
        index=list(labels).index(text),
        format_func=labels.__getitem__,
        key=f"end:{which}:pick:{asked}",
    )
    if picked != text:
        _remember(which, picked)
        st.rerun()


def _from_shortlist(which: int) -> None:
    entries = shared.shortlists().entries(basket.current().id)
    if not entries:
        return
    candidates = [e.candidate for e in entries if e.candidate.verdict.ok]
    labels = {c.text: short(c.name or c.text, 50) for c in candidates}
    st.selectbox(
        "From the shortlist",
        list(labels),
        index=None,
        format_func=labels.__getitem__,
        placeholder="From the shortlist",
        label_visibility="collapsed",
        key=f"end:{which}:list",
        on_change=_listed,
        args=(which,),
    )


def _listed(which: int) -> None:
    picked = st.session_state.get(f"end:{which}:list")
    if picked:
        set_end(which, picked)
        st.session_state[f"end:{which}:list"] = None


def suggestions() -> None:
    """What to do first: three walks between objects every battery chemist knows."""
    place, words = shared.atlas(state.domain()), state.words()
    st.html(
        "<div class='gb-empty'><h3>Choose where to start and where to arrive</h3><p>GenBat walks "
        f"from one {words.one} to another through the space its model has learnt, and writes down "
        f"the {words.one} it meets at every step. Try one of these walks, or name your own two "
        f"{words.many} above.</p></div>"
    )
    pairs = place.rooms.pairs
    for column, (title, a, b, why) in zip(st.columns(len(pairs)), pairs, strict=True):
        with column:
            if st.button(title, key=f"pair:{title}", width="stretch", icon=":material/timeline:"):
                _choose_pair(place, a, b)
            st.caption(why)


def _choose_pair(place: Any, a: str, b: str) -> None:
    try:
        ends: list[Found] = [find(place, name)[0] for name in (a, b)]
    except ValueError as wrong:
        st.error(plain(str(wrong)))
        return
    for which, one in enumerate(ends):
        set_end(which, one.text)
    st.rerun()


def clicked(event: Mapping[str, Any], which: int) -> None:
    """A click on the map sets an end: the point under it, or what an empty place decodes to."""
    place = shared.atlas(state.domain())
    if event["kind"] == "pick":
        set_end(which, place.texts[event["index"]])
        return
    found = place.spot(*event["at"]).candidate
    if found.verdict.ok:
        set_end(which, found.text)
    else:
        one = state.words().one
        st.toast(f"No valid {one} is decoded at that place; click nearer to a point.")
