"""The sentence builder of Design: wishes as words with gaps, checked at the place of each gap."""

from __future__ import annotations

from typing import Any

import streamlit as st

from genbat.core.properties import Property, format_value
from genbat.studio import question as asking
from genbat.studio import registry
from genbat.ui import shared, state
from genbat.ui.design_draft import (
    MOST_WISHES,
    SENSES,
    contradiction,
    draft,
    part,
    put,
    suggested,
    write_link,
)
from genbat.ui.design_gaps import gap, key, line, number, words
from genbat.ui.words import plain

METHODS = {
    "both": "gradient first, then a Gaussian process that learns from xTB",
    "gradient": "gradient on the model's own predictions",
    "bayes": "Gaussian process that learns from xTB",
    "sample": "samples steered by the wishes, each judged",
}


def sentence() -> bool:
    """All gaps of the sentence; what is written goes into the draft. Whether all gaps are well
    filled: a mistake is told where it stands."""
    asked = draft()
    for at, wish in enumerate(list(asked["wishes"])):
        _wish_line(at, wish)
    if not asked["wishes"]:
        with line():
            words(f"Find **{_many()}**")
            _another(asked)
    wrong = [contradiction(asked)]
    _tell(wrong[0])
    for one in (*part().PARTS, _asking):
        wrong.append(one(asked))
        _tell(wrong[-1])
    _more(asked)
    write_link(asked)
    return not any(wrong)


def _many() -> str:
    """What the domain's objects are called."""
    many: str = shared.atlas(state.domain()).rooms.words.many
    return many


def _tell(wrong: str) -> None:
    if wrong:
        st.error(plain(wrong), icon=":material/error:")


def _wish_line(at: int, wish: dict[str, Any]) -> None:
    known = {p.key: p for p in shared.atlas(state.domain()).properties}
    keys = asking.wishable(state.domain())
    with line():
        words(f"Find **{_many()}** with" if at == 0 else "and with")
        picked = st.selectbox(
            "Property",
            keys,
            format_func=lambda k: known[k].label,
            key=gap(f"wish{at}:key", wish["key"]),
            label_visibility="collapsed",
            width=190,
        )
        if picked != wish["key"]:
            kept = [suggested(picked) if w is wish else w for w in draft()["wishes"]]
            put({**draft(), "wishes": kept})
            st.rerun()
        wish["sense"] = st.selectbox(
            "How",
            SENSES,
            key=gap(f"wish{at}:sense", wish["sense"]),
            label_visibility="collapsed",
            width=115,
        )
        wish["first"] = _number("Value", f"wish{at}:first", wish["first"], known[wish["key"]])
        if wish["sense"] == "between":
            words("and")
            wish["second"] = _number(
                "Upper value", f"wish{at}:second", wish["second"], known[wish["key"]]
            )
        words(known[wish["key"]].unit or " ")
        _usual(known[wish["key"]])
        _more_or_less(at, wish)


def _more_or_less(at: int, wish: dict[str, Any]) -> None:
    """Buttons at the end of a wish: drop it, and after the last one another one."""
    asked = draft()
    last = at == len(asked["wishes"]) - 1
    if len(asked["wishes"]) > part().LEAST_WISHES and st.button(
        "", icon=":material/close:", key=key(f"drop{at}"), help="Drop this wish",
        type="tertiary",
    ):  # fmt: skip
        put({**asked, "wishes": [w for w in asked["wishes"] if w is not wish]})
        st.rerun()
    if last and len(asked["wishes"]) < MOST_WISHES:
        _another(asked)


def _another(asked: dict[str, Any]) -> None:
    word = "and …" if asked["wishes"] else "with …"
    if st.button(word, key=key("more"), help="One more wish", icon=":material/add:"):
        put({**asked, "wishes": [*asked["wishes"], suggested(_unused(asked))]})
        st.rerun()


def _unused(asked: dict[str, Any]) -> str:
    """A property no wish names yet."""
    keys = asking.wishable(state.domain())
    named = {w["key"] for w in asked["wishes"]}
    usual = [k for k in shared.atlas(state.domain()).rooms.first if k in keys]
    return next((k for k in (*usual, *keys) if k not in named), keys[0])


def _number(label: str, name: str, value: float, known: Property) -> float:
    return float(
        number(label, name, float(value), step=max(0.1, 10 * known.floor), format="%.4g", width=130)
    )


def _usual(known: Property) -> None:
    low, high, count = asking.usual_range(shared.atlas(state.domain()), known.key)
    if count:
        floor = max(known.floor, 0.1 if abs(high - low) > 1 else 0.01)
        ends = f"{format_value(low, None, floor)} to {format_value(high, None, floor)}"
        told = (
            f"From 5 % to 95 % of the {count:,} known {state.domain()} with a value. {known.help}"
        )
        st.caption(f"usual: {ends}", width="content", help=told)


def _asking(asked: dict[str, Any]) -> str:
    systems = asking.systems_for(state.domain())
    titles = {name: registry.card(name).title for name in systems}
    with line():
        words("asking")
        asked["systems"] = st.pills(
            "Systems",
            systems,
            selection_mode="multi",
            format_func=titles.__getitem__,
            key=gap("systems", [s for s in asked["systems"] if s in systems]),
            label_visibility="collapsed",
        )
        words("for at most")
        ends = {"min_value": 0.5, "max_value": float(asking.MAX_MINUTES)}
        minutes = float(asked["minutes"])
        asked["minutes"] = number(
            "Minutes", "minutes", minutes, step=0.5, format="%g", width=110, **ends
        )
        words("minutes or")
        most = shared.atlas(state.domain()).rooms.most
        options = {"min_value": 1, "max_value": most, "step": 1, "width": 110}
        asked["count"] = number("Candidates", "count", int(asked["count"]), **options)
        words("candidates.")
    if narrow := [f"{titles[s]} {scope}" for s in asked["systems"]
                  if (scope := registry.card(s).scope)]:  # fmt: skip
        st.caption(f"Some make a part of the domain only: {', '.join(narrow)}.")
    return "" if asked["systems"] else "Choose at least one system to ask."


def _methods(asked: dict[str, Any]) -> list[str]:
    systems = asked["systems"] or asking.systems_for(state.domain())
    order = {m: None for system in systems for m in asking.methods_of(system)}
    return [m for m in METHODS if m in order] or list(METHODS)


def _more(asked: dict[str, Any]) -> None:
    labels = {p.key: p.label for p in shared.atlas(state.domain()).properties}
    with st.expander("More: weights, method, seed"):
        for at, wish in enumerate(asked["wishes"]):
            wish["weight"] = st.slider(
                f"Weight of {labels[wish['key']]} (wish {at + 1})",
                min_value=0.1,
                max_value=5.0,
                step=0.1,
                key=gap(f"wish{at}:weight", float(wish["weight"])),
            )
        left, right = st.columns([3, 1])
        methods = _methods(asked)
        asked["method"] = left.selectbox(
            "Method",
            methods,
            format_func=METHODS.__getitem__,
            key=gap("method", asked["method"] if asked["method"] in methods else methods[-1]),
        )
        asked["seed"] = right.number_input(
            "Seed",
            min_value=0,
            max_value=999_999,
            key=gap("seed", int(asked["seed"])),
            help="The same seed repeats the search; another one explores differently.",
        )
