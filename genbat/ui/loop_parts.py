"""The parts of "Feedback loop": how long, what each round gave, its best polymers.

The address holds the job that is watched.
"""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go
import streamlit as st

from genbat.studio import polymer_loop
from genbat.studio.jobs import Job
from genbat.studio.polymer_loop import MOST, MOST_ROUNDS, Round
from genbat.ui import basket, faces, micrograph_parts, progress, shared, state
from genbat.ui.words import count

SHOWN = 12  # polymers of a round


def page() -> None:
    """All of it: the job of the link, or the way to one."""
    job = micrograph_parts.watched("loop")
    if job is None:
        _start()
        return
    job = progress.job_progress(job.id, "loop")
    found = [polymer_loop.round_of(r.payload) for r in shared.jobs().results(job.id)]
    if not job.active and st.button("Another loop", icon=":material/replay:"):
        state.link(job=None)
        st.rerun()
    if found:
        _gains(found)
        _best(found, job)


def _start() -> None:
    st.caption(
        "The GPT writes polymers of the best class; the surrogate for molecular dynamics judges "
        "them; the best new ones join what the GPT learns from; it writes again. The shipped "
        "model stays as it is."
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        rounds = st.number_input("Rounds", 1, MOST_ROUNDS, 3, key="loop:rounds", width=120)
        many = st.number_input("Polymers a round", 10, MOST, 1000, step=100, key="loop:many",
                               width=160)  # fmt: skip
        seed = st.number_input("Seed", 0, 1_000_000, 0, key="loop:seed", width=120)
        go_on = st.button("Start", type="primary", icon=":material/loop:")
    if go_on:
        told = {"domain": "polymers", "rounds": int(rounds), "many": int(many), "seed": int(seed)}
        title = f"{count(int(rounds), 'round')} of {int(many):,} polymers"
        state.link(job=shared.jobs().submit("loop", title, told, state.owner()))
        st.rerun()


def _gains(found: Sequence[Round]) -> None:
    """What each round gave, in numbers and over the rounds."""
    left, right = st.columns([1, 1], gap="large")
    left.plotly_chart(gains(found), key="loop:gains", config={"displayModeBar": False})
    rows = "".join(
        f"<tr><th>{one.number}</th><td>{100 * one.valid:.0f} %</td><td>{100 * one.new:.0f} %</td>"
        f"<td>{100 * one.top:.0f} %</td><td>{one.mean:.2f}</td></tr>"
        for one in found
    )
    right.html(
        "<table class='gb-values'><tr><th>Round</th><th>valid</th><th>new</th>"
        f"<th>top 5 %</th><th>mean log10 S/cm</th></tr>{rows}</table>"
    )
    right.caption(
        "Top 5 %: share of the new polymers whose conductivity is, by the surrogate, above that of "
        "95 of 100 the model began with. No simulation was run for them."
    )


def gains(found: Sequence[Round]) -> go.Figure:
    """Share of the best class over the rounds."""
    figure = go.Figure()
    figure.add_scatter(
        x=[one.number for one in found], y=[100 * one.top for one in found],
        mode="lines+markers", name="in the top 5 %", line={"width": 2.4},
    )  # fmt: skip
    figure.add_hline(y=5, line={"width": 1.2, "dash": "dot"}, annotation_text="by chance")
    figure.update_layout(height=240, margin={"l": 52, "r": 8, "t": 16, "b": 40}, showlegend=False)
    figure.update_xaxes(title_text="round", dtick=1, fixedrange=True)
    figure.update_yaxes(title_text="new polymers in the top 5 % / %", rangemode="tozero",
                        fixedrange=True)  # fmt: skip
    return figure


def _best(found: Sequence[Round], job: Job) -> None:
    """The best polymers of the last round."""
    last = found[-1]
    best = polymer_loop.candidates(last, int(job.arguments["seed"]))[:SHOWN]
    if not best:
        st.info(f"Round {last.number} wrote no new polymer.")
        return
    st.subheader(f"Best of round {last.number}", anchor=False)
    if st.button("Add these to the shortlist", type="primary", icon=":material/playlist_add:"):
        for one in best:
            basket.add(one)
    columns = st.columns(4)
    for k, one in enumerate(best):
        (value,) = one.properties.values()
        with columns[k % 4]:
            st.html(faces.image("polymers", one.text, 200, 120))
            st.caption(f"{value.value:.2f} ± {value.uncertainty:.2f} log10 S/cm")
