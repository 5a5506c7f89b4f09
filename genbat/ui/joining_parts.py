"""The parts of "Two binaries into one": the binaries, known or a person's own, and the ternaries.

The address holds the names of known binaries, how many, and the seed; a person's own files stay in
the tab.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

import streamlit as st

from genbat.core.candidate import Candidate
from genbat.studio import joining
from genbat.studio.joining import Limit
from genbat.ui import faces, maker_parts, state
from genbat.ui.words import plain

LARGEST = 200_000  # bytes of a file


def page() -> None:
    """All of it."""
    usual = joining.usual()
    columns = st.columns([1, 1, 0.9], gap="large")
    ends = []
    for column, which, first in zip(columns[:2], ("first", "second"), usual, strict=True):
        with column:
            ends.append(_binary(which, first))
    with columns[2]:
        many = maker_parts.number("How many", "n", joining.MOST, 8, least=1)
        seed = maker_parts.seed()
        st.caption("Both must be hydrides or both oxides, of two metals." + _trust())
    one, two = ends
    if not (one and two):
        return
    try:
        found = _made(one, two, many, seed)
    except ValueError as wrong:
        st.error(plain(str(wrong)))
        return
    maker_parts.results(maker_parts.described(found), "join", _below, _note)


def _trust() -> str:
    """What a relaxation makes of ternaries, as measured."""
    if (found := joining.stays()) is None:
        return ""
    return (
        f" A ternary is a start: CHGNet moves its atoms by {found[1]:.1f} Å (median), and "
        f"{100 * found[0]:.0f} % keep their structure. Compute before you trust one."
    )


@st.cache_data(max_entries=64, show_spinner="Joining the two")
def _made(one: str, two: str, many: int, seed: int) -> list[Candidate]:
    return joining.joined(one, two, many, seed)


def _binary(which: str, usual: str) -> str:
    """A known binary or an uploaded one as CIF; "" where the file cannot be read."""
    names, told = list(joining.binaries()), st.query_params.get(which, "")
    name = st.selectbox(
        f"{which.capitalize()} binary", names, key=f"join:{which}",
        index=names.index(told if told in names else usual),
    )  # fmt: skip
    state.link(**{which: None if name == usual else name})
    with st.popover("Use your own POSCAR", icon=":material/upload_file:"):
        given = st.file_uploader("POSCAR or CIF of a metal and H or O", key=f"join:{which}:own",
                                 help="It takes the place of the known one.")  # fmt: skip
    text = joining.binaries()[name] if given is None else _own(given)
    if text:
        st.html(_picture(text))
    return text


def _own(given: Any) -> str:
    """A person's file; what is wrong with it is said."""
    data: bytes = given.getvalue()
    if len(data) > LARGEST:
        st.error(f"The file has {len(data):,} bytes; legal are at most {LARGEST:,}.")
        return ""
    try:
        text = joining.read(data, given.name)
    except ValueError as wrong:
        st.error(plain(str(wrong)))
        return ""
    st.caption("Your own file is joined.")
    return text


def _picture(text: str) -> str:
    return f"<div style='text-align:center'>{faces.image('crystals', text, 220, 140)}</div>"


# ---------------------------------------------------------------------- a ternary
def _note(candidate: Candidate) -> str:
    mark = "✓" if joining.keeps(candidate.text) else "✗"
    return f"{mark} distances · {maker_parts.novelty(candidate)}"


def _below(candidate: Candidate) -> None:
    """The distance constraint, and the POSCAR."""
    st.html(constraint(joining.limits(candidate.text)))
    poscar = joining.poscar(candidate.text)
    st.download_button("POSCAR", poscar, "POSCAR", "text/plain", icon=":material/download:",
                       on_click="ignore", key="join:poscar")  # fmt: skip
    with st.expander("The POSCAR"):
        st.code(poscar, language=None)


def constraint(parts: Sequence[Limit]) -> str:
    """Each part of the constraint: found, legal, and whether it holds."""
    rows = "".join(
        f"<tr><th>{html.escape(p.label)}</th><td class='gb-number'>{html.escape(p.found)}</td>"
        f"<td>{html.escape(p.legal)}</td>"
        f"<td class='gb-{'yes' if p.holds else 'no'}'>{'✓ holds' if p.holds else '✗ broken'}</td>"
        "</tr>"
        for p in parts
    )
    return (
        "<p class='gb-note'>Distances of neighbours in sums of covalent radii, beside what the "
        f"known binaries keep</p><table class='gb-values'>{rows}</table>"
    )
