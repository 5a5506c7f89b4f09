"""What a design run has found: candidates against what was asked, the walk, the leaderboard."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from genbat.core.condition import Window
from genbat.studio import question as asking
from genbat.studio import registry
from genbat.studio.explore import Atlas
from genbat.studio.question import Outcome, Question
from genbat.studio.rooms import rooms
from genbat.ui import design_charts, explore_parts, shared, state
from genbat.ui.card import card, picture
from genbat.ui.components.gallery import Tile, gallery
from genbat.ui.components.latmap import latent_map
from genbat.ui.design_runs import Run, ranked, read, without_shadow
from genbat.ui.progress import bar, ending, used_s
from genbat.ui.words import plain, short

EVERY_S = 1.0
FIRST_SHOWN = 6
STANDINGS = {
    "hit": ("✓ all wishes hold by {}", "#0b8a5a"),
    "likely": ("○ holds, partly only predicted", "#b07210"),
    "miss": ("✗ misses a wish", "#8a93a0"),
    "failed": ("⚠ {} gave no value", "#b45f06"),
}
MOST_TILES = 120
MOST_RINGS = 300
CHOSEN = "design:chosen"


# ---------------------------------------------------------------------- the page of a run
def results(job_ids: Sequence[str]) -> None:
    """Everything of the runs; while one is active it is drawn again every second.

    Raises
    ------
    ValueError : as `read`.
    """
    active = any(read(one).job.active for one in job_ids)
    st.fragment(_results, run_every=EVERY_S if active else None)(tuple(job_ids), active)


def _results(job_ids: Sequence[str], was_active: bool) -> None:
    runs = [read(one) for one in job_ids]
    if was_active and not any(run.job.active for run in runs):
        st.rerun()
    _hear(runs)
    for run in runs:
        _status(run)
    _leaderboard(runs)
    left, right = st.columns([1.5, 1], gap="medium")
    with left:
        _columns(runs)
        _map(runs)
        _spread(runs)
    with right:
        _chosen(runs)


def tiles_key(run: Run) -> str:
    """The widget key of a run's gallery."""
    return f"design:tiles:{run.job.id}"


def _hear(runs: Sequence[Run]) -> None:
    """Take the tile that was clicked, before anything is drawn (see `state.told`)."""
    for run in runs:
        hit, order = state.told(tiles_key(run), "picked"), ranked(run.outcomes)
        if hit is not None and 0 <= hit < len(order):
            st.session_state[CHOSEN] = (run.job.id, order[int(hit)])


def _status(run: Run) -> None:
    key, who = f"design:job:{run.job.id}", f"{registry.card(run.question.system).title}: "
    if run.job.active:
        bar(run.job, key, who)
    elif run.job.state == "done":
        st.caption(f"✓ {who}{plain(run.job.message)}")
    else:
        ending(run.job, who)


def _leaderboard(runs: Sequence[Run]) -> None:
    """Per system: judged, hit rate by physics beside that of blind picking, novel, seconds."""
    domain, words = runs[0].question.domain, judge_of(runs[0])
    heads = (
        "", "judged", f"hits by {words}", f"known {domain} that hit", "new", "different", "failed",
        "seconds",
    )  # fmt: skip
    rows = "".join(f"<tr>{_board_row(run)}</tr>" for run in runs)
    st.html(
        f"<table class='gb-board'><tr>{''.join(f'<th>{h}</th>' for h in heads)}</tr>{rows}</table>"
    )


def _board_row(run: Run) -> str:
    made = run.outcomes
    hits = sum(o.hit for o in made)
    base = asking.known_share(run.question, shared.atlas(run.question.domain))
    cells = [
        f"<b>{html.escape(registry.card(run.question.system).title)}</b>",
        str(len(made)),
        f"<b>{hits}</b> ({100 * hits / len(made):.0f} %)" if made else "–",
        "no calculation can tell" if base is None else f"{100 * base:.2g} %",
        str(sum(o.candidate.novel is not False for o in made)),
        str(len({o.candidate.text for o in made})),
        str(sum(bool(o.failed) for o in made)),
        f"{used_s(run.job):.0f}",
    ]
    return "".join(f"<td>{cell}</td>" for cell in cells)


def _columns(runs: Sequence[Run]) -> None:
    """One column a system; a system alone gets the whole width."""
    if not any(run.outcomes for run in runs):
        active = any(run.job.active for run in runs)
        words = "The first candidates appear here in some seconds." if active else "Nothing found."
        st.html(f"<div class='gb-empty'><p>{words}</p></div>")
        return
    most = max(len(run.outcomes) for run in runs)
    shown = min(most, MOST_TILES)
    many = f"all {most}" if shown == most else f"the best {shown} of {most}"
    everything = most > FIRST_SHOWN and st.toggle(f"Show {many}", key="design:all")
    shown = shown if everything else FIRST_SHOWN
    for column, run in zip(st.columns(len(runs)), runs, strict=True):
        with column:
            _gallery(run, shown, 3 if len(runs) == 1 else 1)


def _gallery(run: Run, shown: int, columns: int) -> None:
    order = ranked(run.outcomes)[:shown]
    tiles = [_tile(run, k) for k in order]
    gallery(tiles, key=tiles_key(run), columns=columns)


def _tile(run: Run, number: int) -> Tile:
    outcome = run.outcomes[number]
    words, colour = STANDINGS[outcome.standing]
    windows = run.question.asked
    strips = "".join(_strip(run, outcome, key, window) for key, window in windows.items())
    drawing = _drawing(outcome)
    body = (
        f"<div style='font-size:11px;font-weight:600;color:{colour};text-align:left'>"
        f"{words.format(judge_of(run))}</div>{drawing}{_facts(outcome)}{strips}"
    )
    return Tile(body, short(outcome.candidate.name or outcome.candidate.text, 60), "")


def _facts(outcome: Outcome) -> str:
    """Why there is no number, or what the physics found beside the wishes, as small print."""
    told = {k: v for k, v in outcome.told.items() if k != "no voltage"}
    text = outcome.failed or " · ".join([told.pop("space group", ""), *_pairs(told)]).strip(" ·")
    return f"<div style='font-size:10.5px;opacity:.75'>{html.escape(text)}</div>" if text else ""


def _pairs(told: Mapping[str, str]) -> list[str]:
    return [f"{name} {text}" for name, text in told.items()]


def _drawing(outcome: Outcome) -> str:
    made = outcome.candidate
    try:
        return picture(made.domain, made.text, 190, 110, state.is_dark())
    except ValueError:  # too absurd to be drawn
        return ""


def judge_of(run: Run) -> str:
    """Who judges, in a word."""
    return rooms(run.question.domain).words.judge


def _strip(run: Run, outcome: Outcome, key: str, window: Window) -> str:
    """Asked window, prediction with its interval, computed value, on one scale."""
    place = shared.atlas(run.question.domain)
    known = next(p for p in place.properties if p.key == key)
    found = outcome.candidate.properties.get(key)
    predicted = outcome.candidate.properties.get(f"{key}:predicted")
    if found is not None and found.kind == "predicted":
        found, predicted = None, found
    scale = design_charts.scale(place.values(key)[: place.n_known], window)
    best = found or predicted
    number = best.number(5 * known.floor) if best else "no value"
    mark = "◆" if found else "○"
    return design_charts.strip(
        f"{known.label} {window.text()}".replace("-", "−"),
        f"{number} {known.unit} {mark}",
        scale,
        window,
        predicted,
        found,
    )


# ---------------------------------------------------------------------- map and distribution
def _map(runs: Sequence[Run]) -> None:
    """All candidates on the map: a search's way, numbered in the order found, or the hits."""
    domain = runs[0].question.domain
    place = shared.atlas(domain)
    sampled = runs[0].question.method == asking.SAMPLING
    paths = [() if sampled else _places(run, place) for run in runs]
    key = next(iter(runs[0].question.asked), place.rooms.colour)
    number = _chosen_place(runs)
    latent_map(
        shared.positions(domain),
        shared.colour(domain, key),
        key=f"design:map:{domain}",
        names=shared.name_column(domain),
        path=paths[0],
        path2=paths[1] if len(paths) > 1 else (),
        step=number[1] if number and number[0] == runs[0].job.id else None,
        marks=_rings(runs, place) if sampled else (),
        note="ringed: candidates where all wishes hold"
        if sampled
        else "the search's way: candidates numbered in the order found",
        height=340,
    )


def _places(run: Run, place: Atlas) -> np.ndarray:
    points = [o.candidate.latent for o in run.outcomes if o.candidate.latent is not None]
    return place.place(np.array(points, "f4")) if points else np.empty((0, 2))


def _rings(runs: Sequence[Run], place: Atlas) -> list[dict[str, Any]]:
    """Marks of the hits, and of the one on the card with its name."""
    hits = [o.candidate for run in runs for o in run.outcomes if o.hit][:MOST_RINGS]
    made = [explore_parts.mark(place, c, label=False) for c in hits if c.latent]
    at = _chosen_place(runs)
    if at is not None:
        chosen = next(run for run in runs if run.job.id == at[0]).outcomes[at[1]].candidate
        made.append(explore_parts.mark(place, chosen))
    return [mark for mark in made if mark]


def _spread(runs: Sequence[Run]) -> None:
    """Achieved values over the asked windows, against the known molecules."""
    windows = runs[0].question.condition.windows
    achieved = {key: _achieved(runs, key) for key in windows}
    if any(len(values) for values in achieved.values()):
        figure = spreads(runs[0].question, achieved)
        st.plotly_chart(figure, key="design:spread", config={"displayModeBar": False})


def spreads(question: Question, achieved: Mapping[str, np.ndarray]) -> go.Figure:
    """The first three wishes over what the known objects have and what was achieved."""
    place, windows = shared.atlas(question.domain), question.asked
    known = {p.key: p for p in place.properties}
    asked = list(windows)[:3]
    return design_charts.histograms(
        [
            design_charts.Spread(
                known[key],
                windows[key],
                place.values(key)[: place.n_known],
                achieved.get(key, np.empty(0)),
            )
            for key in asked
        ],
        question.domain,
    )


def _achieved(runs: Sequence[Run], key: str) -> np.ndarray:
    values = [o.candidate.properties.get(key) for run in runs for o in run.outcomes if not o.failed]
    return np.array([m.value for m in values if m is not None])


# ---------------------------------------------------------------------- the card
def _chosen_place(runs: Sequence[Run]) -> tuple[str, int] | None:
    """Run and number of the candidate on the card: the one clicked, else the best so far."""
    picked = st.session_state.get(CHOSEN)
    sizes = {run.job.id: len(run.outcomes) for run in runs}
    if picked and picked[1] < sizes.get(picked[0], 0):
        return picked
    best = [(run.job.id, ranked(run.outcomes)[0]) for run in runs if run.outcomes]
    return best[0] if best else None


def _chosen(runs: Sequence[Run]) -> None:
    place = _chosen_place(runs)
    if place is None:
        st.html("<div class='gb-empty'><p>The best candidate stands here as soon as one is "
                "found.</p></div>")  # fmt: skip
        return
    outcome = next(run for run in runs if run.job.id == place[0]).outcomes[place[1]]
    if outcome.failed:
        st.warning(f"{judge_of(runs[0])} gave no value: {plain(outcome.failed)}")
    elif outcome.told:
        st.caption(plain(" · ".join(f"{name}: {text}" for name, text in outcome.told.items())))
    card(without_shadow(outcome.candidate), "design:card", height=260)
