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
    ROUND,
    SENSES,
    contradiction,
    draft,
    patterns,
    put,
    suggested,
    write_link,
)
from genbat.ui.finding import find, name_of
from genbat.ui.words import plain

METHODS = {
    "both": "gradient first, then a Gaussian process that learns from xTB",
    "gradient": "gradient on the model's own predictions",
    "bayes": "Gaussian process that learns from xTB",
}


def _gap(name: str, value: Any) -> str:
    """Key of a gap's widget, which starts with the draft's value; a new draft gets new widgets."""
    key = f"design:{st.session_state[ROUND]}:{name}"
    st.session_state.setdefault(key, value)
    return key


def _key(name: str) -> str:
    return f"design:{st.session_state[ROUND]}:{name}"


def _line() -> Any:
    return st.container(horizontal=True, vertical_alignment="center", gap="small")


def _words(text: str) -> None:
    st.markdown(text, width="content")


def sentence() -> bool:
    """All gaps of the sentence; what is written goes into the draft. Whether all gaps are well
    filled: a mistake is told where it stands."""
    asked = draft()
    for number, wish in enumerate(list(asked["wishes"])):
        _wish_line(number, wish)
    wrong = [contradiction(asked)]
    _tell(wrong[0])
    for part in (_made_of, _keeping, _asking):
        wrong.append(part(asked))
        _tell(wrong[-1])
    _more(asked)
    write_link(asked)
    return not any(wrong)


def _tell(wrong: str) -> None:
    if wrong:
        st.error(plain(wrong), icon=":material/error:")


def _wish_line(number: int, wish: dict[str, Any]) -> None:
    known = {p.key: p for p in shared.atlas(state.domain()).properties}
    keys = asking.wishable(registry.REFERENCE[state.domain()])
    with _line():
        _words(f"Find **{state.domain()}** with" if number == 0 else "and with")
        picked = st.selectbox(
            "Property",
            keys,
            format_func=lambda k: known[k].label,
            key=_gap(f"wish{number}:key", wish["key"]),
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
            key=_gap(f"wish{number}:sense", wish["sense"]),
            label_visibility="collapsed",
            width=115,
        )
        wish["first"] = _number("Value", f"wish{number}:first", wish["first"], known[wish["key"]])
        if wish["sense"] == "between":
            _words("and")
            wish["second"] = _number(
                "Upper value", f"wish{number}:second", wish["second"], known[wish["key"]]
            )
        _words(known[wish["key"]].unit or " ")
        _usual(known[wish["key"]])
        _more_or_less(number, wish)


def _more_or_less(number: int, wish: dict[str, Any]) -> None:
    """Buttons at the end of a wish: drop it, and after the last one another one."""
    asked = draft()
    last = number == len(asked["wishes"]) - 1
    if len(asked["wishes"]) > 1 and st.button(
        "", icon=":material/close:", key=_key(f"drop{number}"), help="Drop this wish",
        type="tertiary",
    ):  # fmt: skip
        put({**asked, "wishes": [w for w in asked["wishes"] if w is not wish]})
        st.rerun()
    if (
        last
        and len(asked["wishes"]) < MOST_WISHES
        and st.button("and …", key=_key("more"), help="One more wish", icon=":material/add:")
    ):
        put({**asked, "wishes": [*asked["wishes"], suggested(_unused(asked))]})
        st.rerun()


def _unused(asked: dict[str, Any]) -> str:
    """A property no wish names yet."""
    keys = asking.wishable(registry.REFERENCE[state.domain()])
    named = {w["key"] for w in asked["wishes"]}
    return next((k for k in ("tflash_k", *keys) if k not in named and k in keys), keys[0])


def _number(label: str, name: str, value: float, known: Property) -> float:
    return float(
        st.number_input(
            label,
            step=max(0.1, 10 * known.floor),
            format="%.4g",
            key=_gap(name, float(value)),
            label_visibility="collapsed",
            width=130,
        )
    )


def _usual(known: Property) -> None:
    low, high, count = asking.usual_range(shared.atlas(state.domain()), known.key)
    if count:
        floor = max(known.floor, 0.1 if abs(high - low) > 1 else 0.01)
        ends = f"{format_value(low, None, floor)} to {format_value(high, None, floor)}"
        told = f"From 5 % to 95 % of the {count:,} known molecules with a value. {known.help}"
        st.caption(f"usual: {ends}", width="content", help=told)


def _made_of(asked: dict[str, Any]) -> str:
    with _line():
        _words("made of H and")
        asked["elements"] = st.pills(
            "Elements",
            asking.ELEMENT_ORDER,
            selection_mode="multi",
            key=_gap("elements", [e for e in asked["elements"] if e in asking.ELEMENT_ORDER]),
            label_visibility="collapsed",
        )
        asked["without"] = [
            key
            for key, word in asking.WITHOUT.items()
            if st.checkbox(f"without {word}", key=_gap(key, key in asked["without"]))
        ]
    return "" if asked["elements"] else "Choose at least one element besides hydrogen."


def _keeping(asked: dict[str, Any]) -> str:
    with _line():
        _words("keeping")
        asked["keep"] = st.text_input(
            "Substructure",
            key=_gap("keep", asked["keep"]),
            label_visibility="collapsed",
            placeholder="any substructure (SMARTS or SMILES)",
            width=280,
            max_chars=200,
        )
        _words("starting from")
        asked["start"] = st.text_input(
            "Start",
            key=_gap("start", asked["start"]),
            label_visibility="collapsed",
            placeholder="the known ones nearest to the wish",
            width=280,
            max_chars=300,
        )
    return _wrong_keep(asked["keep"]) or _wrong_start(asked["start"])


def _wrong_keep(text: str) -> str:
    for part in patterns(text):
        try:
            asking.check_substructure(part)
        except ValueError as wrong:
            return str(wrong)
    return ""


def _wrong_start(asked: str) -> str:
    """Tell which molecule a text means, or return why it means none."""
    if not asked.strip():
        return ""
    place = shared.atlas(state.domain())
    try:
        found = find(place, asked)[0]
    except ValueError as wrong:
        return str(wrong)
    st.caption(f"Starting from {plain(name_of(place, found.text))}, `{found.text}`")
    return ""


def _asking(asked: dict[str, Any]) -> str:
    systems = asking.systems_for(state.domain())
    titles = {name: registry.card(name).title for name in systems}
    with _line():
        _words("asking")
        asked["systems"] = st.pills(
            "Systems",
            systems,
            selection_mode="multi",
            format_func=titles.__getitem__,
            key=_gap("systems", [s for s in asked["systems"] if s in systems]),
            label_visibility="collapsed",
        )
        _words("for at most")
        asked["minutes"] = st.number_input(
            "Minutes",
            min_value=0.5,
            max_value=float(asking.MAX_MINUTES),
            step=0.5,
            format="%g",
            key=_gap("minutes", float(asked["minutes"])),
            label_visibility="collapsed",
            width=110,
        )
        _words("minutes or")
        asked["count"] = st.number_input(
            "Candidates",
            min_value=1,
            max_value=asking.MAX_CANDIDATES,
            step=1,
            key=_gap("count", int(asked["count"])),
            label_visibility="collapsed",
            width=110,
        )
        _words("candidates.")
    return "" if asked["systems"] else "Choose at least one system to ask."


def _more(asked: dict[str, Any]) -> None:
    labels = {p.key: p.label for p in shared.atlas(state.domain()).properties}
    with st.expander("More: weights, method, seed"):
        for number, wish in enumerate(asked["wishes"]):
            wish["weight"] = st.slider(
                f"Weight of {labels[wish['key']]} (wish {number + 1})",
                min_value=0.1,
                max_value=5.0,
                step=0.1,
                key=_gap(f"wish{number}:weight", float(wish["weight"])),
            )
        left, right = st.columns([3, 1])
        asked["method"] = left.selectbox(
            "Method",
            list(METHODS),
            format_func=METHODS.__getitem__,
            key=_gap("method", asked["method"]),
        )
        asked["seed"] = right.number_input(
            "Seed",
            min_value=0,
            max_value=999_999,
            key=_gap("seed", int(asked["seed"])),
            help="The same seed repeats the search; another one explores differently.",
        )
