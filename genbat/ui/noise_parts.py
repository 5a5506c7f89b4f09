"""The parts of "Out of noise": the periodic table filling step by step, the crystal of the step.

The address holds what the crystal is made of, seed, index and step.
"""

from __future__ import annotations

import html
import math

import plotly.graph_objects as go
import streamlit as st
from plotly.colors import sample_colorscale

from genbat.studio import crystal_facts, table_noise
from genbat.studio.table_noise import Step, Way
from genbat.ui import basket, faces, maker_parts, state
from genbat.ui.words import count, plain

OF, STEP = "noise:of", "noise:step"
LEAST, MOST = 0.01, 10.0  # atoms at the ends of the colours
MARKS = (0.01, 0.1, 1.0, 10.0)
LINES = 6  # elements of the chart
LAST = table_noise.STEPS - 1


def page() -> None:
    """All of it."""
    made_of, seed, index = _question()
    try:
        way = _way(made_of, seed, index)
    except ValueError as wrong:
        st.error(plain(str(wrong)))
        return
    _walk(way)


@st.cache_data(max_entries=64, show_spinner="Denoising a crystal")
def _way(made_of: str, seed: int, index: int) -> Way:
    return table_noise.way(made_of, seed, index)


def _question() -> tuple[str, int, int]:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        made_of = st.text_input(
            "Made of", st.query_params.get("of", "")[:60], key=OF, max_chars=60, width=220,
            placeholder="anything; or LiCoO2, or Li-Co-O",
            help="A formula or elements, which are kept exactly; empty leaves them to the model.",
        ).strip()  # fmt: skip
        seed = maker_parts.seed()
        index = maker_parts.number("Which", "index", table_noise.MOST_INDEX, 0,
                                   help="The crystals of a seed are numbered from 0.")  # fmt: skip
    state.link(of=made_of or None)
    return made_of, seed, index


@st.fragment
def _walk(way: Way) -> None:
    """The steps rerun without the rest of the page."""
    left, right = st.columns([1.5, 1], gap="large")
    with left:
        at = _step()
        step = way.steps[at]
        st.html(table(step))
        st.plotly_chart(chart(way, at), key="noise:chart", config={"displayModeBar": False})
    with right:
        _seen(step, at)
        _end(way, at)


def _step() -> int:
    start = maker_parts.told("step", range(LAST + 1), LAST // 2)
    at = st.slider("Step", 0, LAST, start, key=STEP,
                   help="From noise to the crystal; the arrow keys walk.")  # fmt: skip
    state.link(step=at)
    return at


# ---------------------------------------------------------------------- the table
def table(step: Step) -> str:
    """The periodic table, coloured by the expected number of atoms."""
    cells = "".join(
        _cell(row.symbol, row.name, row.row, row.column, step.atoms[row.symbol])
        for row in crystal_facts.elements()
    )
    best = sorted(step.atoms, key=lambda e: -step.atoms[e])[:4]
    told = ", ".join(f"{e} {step.atoms[e]:.2g}" for e in best)
    return (
        f"<div class='gb-ptable' role='img' aria-label='Expected atoms: {html.escape(told)}'>"
        f"{cells}</div>{_legend()}"
    )


def _cell(symbol: str, name: str, row: int, column: int, atoms: float) -> str:
    words = f"{atoms:.1f}" if atoms >= 0.95 else f"{atoms:.2f}".lstrip("0") if atoms >= 0.05 else ""
    return (
        f"<span style='grid-area:{row}/{column};{shade(atoms)}' "
        f"title='{html.escape(name)}: {atoms:.2g} atoms'>{symbol}<small>{words}</small></span>"
    )


def shade(atoms: float) -> str:
    """CSS of a number of atoms: nothing below LEAST, cividis up to MOST, on a scale of tens."""
    if atoms < LEAST:
        return ""
    share = min(1.0, math.log10(atoms / LEAST) / math.log10(MOST / LEAST))
    (colour,) = sample_colorscale("Cividis", [share])
    ink = "#fff" if share < 0.55 else "#111"
    return f"background:{colour};color:{ink};border-color:{colour}"


def _legend() -> str:
    marks = "".join(f"<span style='{shade(mark)}'>{mark:g}</span>" for mark in MARKS)
    return (
        f"<p class='gb-note gb-shades'>expected atoms of an element: <span>none</span>{marks}</p>"
    )


def chart(way: Way, at: int) -> go.Figure:
    """How the elements that lead at some step win or lose."""
    figure = go.Figure()
    for name in way.leading(LINES):
        figure.add_scatter(
            x=list(range(len(way.steps))), y=[step.atoms[name] for step in way.steps],
            mode="lines", name=name, line={"width": 2.2},
        )  # fmt: skip
    figure.add_vline(x=at, line={"width": 1.4, "dash": "dot", "color": "#8a93a0"})
    figure.update_layout(
        height=200, margin={"l": 52, "r": 8, "t": 26, "b": 40},
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
    )  # fmt: skip
    figure.update_xaxes(title_text="step", fixedrange=True, range=[0, len(way.steps) - 1])
    figure.update_yaxes(title_text="expected atoms", rangemode="tozero", fixedrange=True)
    return figure


# ---------------------------------------------------------------------- the crystal
def _seen(step: Step, at: int) -> None:
    """The crystal that the network sees at this step."""
    name = step.formula or "nothing yet"
    st.html(
        f"<div class='gb-heading'><h3>{html.escape(name)}</h3><p>step {at} of {LAST} · "
        f"{100 * step.time:.0f} % noise time left · {count(step.sites, 'atom')} in the cell</p>"
        "</div>"
    )
    try:
        faces.scene(step.text, "noise:3d", 380)
    except ValueError:
        st.info(_undrawn(step))


def _undrawn(step: Step) -> str:
    """Why there is nothing to see."""
    if not step.sites:
        return "The network sees no atoms here yet."
    if not step.text:
        return f"The network sees {step.sites} atoms here, too many to draw."
    return f"The network sees {count(step.sites, 'atom')} here, too close together to be drawn."


def _end(way: Way, at: int) -> None:
    """What comes of it."""
    if at < LAST:
        st.caption(
            "What the network takes the noise for; the crystal is finished at the last step."
        )
        return
    verdict = way.candidate.verdict
    if not verdict.ok:
        st.warning(f"Not a valid crystal here: it {plain('; '.join(verdict.reasons))}")
    elif st.button("Add to shortlist", key="noise:add", type="primary", icon=":material/add:",
                   width="stretch"):  # fmt: skip
        basket.add(maker_parts.described([way.candidate])[0])
        st.rerun()
