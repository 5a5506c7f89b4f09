"""The parts of "Token by token": what is asked for, the text with its probabilities, what else
might stand at a place, the molecule so far and the whole one.

The address holds the seed, what is asked and the tokens that are fixed.
"""

from __future__ import annotations

import html
from collections.abc import Sequence

import streamlit as st

from genbat.studio import spelling
from genbat.studio.rooms import rooms
from genbat.studio.spelling import STOP, Place
from genbat.ui import faces, state
from genbat.ui.card import card
from genbat.ui.words import count, plain

GIVEN, AT, BEGIN = "gpt:given", "gpt:at", "gpt:begin"
NOTHING = "nothing"
MOST_SEED = 1_000_000


def page() -> None:
    """All of it."""
    seed, asked = _question()
    given = _given()
    try:
        places = _written(tuple(asked.items()), given, seed)
    except ValueError as wrong:
        st.error(plain(str(wrong)))
        return
    left, right = st.columns([1.5, 1], gap="large")
    tokens = [place.token for place in places]
    with left:
        _text(places, len(given))
        _place(places, len(given))
    with right:
        card(spelling.candidate(tokens, asked, len(given), seed), "gpt:card")


@st.cache_data(max_entries=256, show_spinner="Writing a molecule")
def _written(
    asked: tuple[tuple[str, float], ...], given: tuple[str, ...], seed: int
) -> list[Place]:
    return spelling.written(dict(asked), given, seed)


# ---------------------------------------------------------------------- the question
def _question() -> tuple[int, dict[str, float]]:
    """Seed, and the value of the property that is asked for, if any."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        asked = _asked()
        start = int(_number("seed", 0))
        seed = int(st.number_input("Seed", 0, MOST_SEED, start, key="gpt:seed", width=120))
        st.text_input(
            "Begin with",
            key=BEGIN,
            placeholder="SMILES, e.g. FC(F)O",
            on_change=_begin,
            width=220,
            help="Its tokens are fixed; the model goes on from there.",
        )
    (key, value) = next(iter(asked.items()), (None, None))
    state.link(ask=key, value=None if value is None else f"{value:g}", seed=seed or None)
    return seed, asked


def _asked() -> dict[str, float]:
    """A property with its value, or none."""
    names = {p.key: p for p in rooms("molecules").properties if p.key in spelling.asked_for()}
    legal, told = [NOTHING, *names], st.query_params.get("ask", NOTHING)
    key = st.selectbox(
        "Ask for",
        legal,
        index=legal.index(told) if told in legal else 0,
        format_func=lambda k: names[k].label if k in names else "nothing, write freely",
        key="gpt:ask",
        width=240,
    )
    if key not in names:
        return {}
    own = names[key]
    label = f"{own.label} / {own.unit}" if own.unit else own.label
    usual = _number("value", spelling.usual(key)) if key == told else spelling.usual(key)
    value = st.number_input(
        label, value=usual, step=0.5, format="%.2f", key=f"gpt:{key}", width=160
    )
    return {key: float(value)}


def _number(name: str, usual: float) -> float:
    """A number of the link, or the usual one."""
    try:
        value = float(st.query_params.get(name, ""))
    except ValueError:
        return usual
    return value if abs(value) <= MOST_SEED and (name != "seed" or value >= 0) else usual


# ---------------------------------------------------------------------- what is fixed
def _given() -> tuple[str, ...]:
    """Tokens that are fixed, from this tab or the link."""
    linked = st.query_params.get("given", "")
    return tuple(f"[{part}" for part in linked.split("[")[1:])


def _fix(tokens: Sequence[str]) -> None:
    """Fix these first tokens; the end is not one that can be."""
    kept = [t for t in tokens if t != STOP]
    state.link(given="".join(kept) or None)
    st.session_state[AT] = None


def _begin() -> None:
    text = st.session_state[BEGIN].strip()
    try:
        _fix(spelling.tokens_of(text) if text else [])
    except ValueError as wrong:
        st.toast(plain(str(wrong)))


# ---------------------------------------------------------------------- the text
def _text(places: Sequence[Place], given: int) -> None:
    """Every token with its probability; one can be picked."""
    st.subheader("The text", anchor=False)
    st.pills(
        "Tokens", range(len(places)), key=AT, label_visibility="collapsed",
        format_func=lambda k: _label(places[k], k < given), wrap=True,
    )  # fmt: skip
    bits = spelling.surprise(places[given:])
    fixed = f"{count(given, 'token')} fixed · " if given else ""
    st.caption(
        f"{fixed}each with the probability the model gave it · {bits:.1f} bits a token on average. "
        "Pick a token to see what else might stand there."
    )
    if given:
        st.button("Let all of it go", icon=":material/lock_open:", on_click=_fix, args=([],))


def _label(place: Place, fixed: bool) -> str:
    mark = ":material/lock: " if fixed else ""
    return f"{mark}{plain(place.token)}  **{percent(place.chance)}**"


def percent(chance: float) -> str:
    """`83 %`, `0.4 %`, `< 0.1 %`."""
    if chance < 0.001:
        return "< 0.1 %"
    return f"{100 * chance:.1f} %" if chance < 0.1 else f"{100 * chance:.0f} %"


def _place(places: Sequence[Place], given: int) -> None:
    """What might stand at the picked place, and the molecule up to it."""
    at = st.session_state.get(AT)
    if at is None or at >= len(places):
        st.info("The molecule grows from left to right; the card shows it whole.")
        return
    tokens = [place.token for place in places]
    left, right = st.columns([1.2, 1], gap="medium")
    with left:
        st.html(_bars(places[at]))
        _others(tokens, at, places[at])
    with right:
        _so_far(tokens[: at + 1])


def _bars(place: Place) -> str:
    """The likeliest tokens with their probabilities as bars."""
    rows = "".join(
        f"<tr{' class=gb-here' if token == place.token else ''}><th>{html.escape(token)}</th>"
        f"<td><span class='gb-bar' style='width:{max(1.0, 100 * chance):.0f}%'></span></td>"
        f"<td>{percent(chance)}</td></tr>"
        for token, chance in place.likeliest
    )
    return f"<table class='gb-chances'>{rows}</table>"


def _others(tokens: list[str], at: int, place: Place) -> None:
    """Buttons: fix the text up to here, or another token here, and go on."""
    with st.container(horizontal=True):
        if place.token != STOP:
            st.button("Fix up to here", icon=":material/lock:", on_click=_fix,
                      args=(tokens[: at + 1],))  # fmt: skip
        for token, _ in place.likeliest:
            if token not in (place.token, STOP):
                st.button(f"Put {plain(token)}", key=f"gpt:put:{token}", on_click=_fix,
                          args=([*tokens[:at], token],))  # fmt: skip


def _so_far(tokens: Sequence[str]) -> None:
    text = spelling.molecule(tokens)
    st.caption(f"The molecule after {count(len(tokens), 'token')}")
    if text:
        st.html(faces.image("molecules", text, 240, 150))
    else:
        st.caption("none yet")
