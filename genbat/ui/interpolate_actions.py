"""Around a walk: what it amounts to in words, all its steps judged, all to the shortlist."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from genbat.core.candidate import Candidate
from genbat.ui import basket, compute, interpolate_charts, shared, state
from genbat.ui.card import learned
from genbat.ui.finding import name_of
from genbat.ui.interpolate_parts import Shown
from genbat.ui.progress import job_progress
from genbat.ui.words import count, plain, short


def summary(found: Shown) -> None:
    """How many objects, all valid or not, and how far from the data beside the straight line."""
    walk = found.walk
    broken = sum(not c.verdict.ok for c in walk.candidates)
    valid = "every step valid" if not broken else f"{count(broken, 'step')} not valid"
    new = len({c.text for c in walk.candidates if c.verdict.ok and c.novel is not False})
    parts = [count(walk.distinct, f"different {state.words().one}"), valid, f"{new} new"]
    means = ", ".join(f"{interpolate_charts.WAYS[k]} {v:.1f}" for k, v in found.means.items())
    parts.append(f"mean distance to the data: {means}")
    far = walk.leaves_data
    amber = _far_words(far, "this way") if far else ""
    if found.line_percentile is not None:
        line = [int(k) for k in np.flatnonzero(found.line_percentile > interpolate_charts.FAR)]
        amber += _far_words(line, "the straight line") if line else ""
    st.html(f"<p class='gb-summary'>{' · '.join(parts)}{amber}</p>")


def _far_words(steps: Sequence[int], what: str) -> str:
    listed = ", ".join(str(k) for k in steps[:8]) + (" …" if len(steps) > 8 else "")
    word = "step" if len(steps) == 1 else "steps"
    return f" · <span class='gb-far'>⚠ {what} leaves the data at {word} {listed}</span>"


def actions(found: Shown) -> None:
    """All steps to the physics, all steps to the shortlist."""
    valid = list({c.text: c for c in found.walk.candidates if c.verdict.ok}.values())
    words = state.words()
    ask = st.button(
        f"Compute all steps with {words.judge}",
        key="walk:compute",
        icon=":material/calculate:",
        help=f"{words.judge_help} {count(len(valid), words.one)} to compute; the values appear in "
        "the chart as they come.",
    )
    if ask:
        place = shared.atlas(state.domain())
        names = [name_of(place, found.walk.candidates[k].text) for k in (0, -1)]
        title = f"{words.judge} along {short(names[0], 40)} → {short(names[1], 40)}"
        pairs = [(c.text, c.name or c.text) for c in valid]
        st.session_state["walk:job"] = compute.queue(pairs, title)
    if st.button("Add whole path to shortlist", key="walk:addall", icon=":material/playlist_add:"):
        _add_all(valid)
        st.rerun()


def _add_all(candidates: Sequence[Candidate]) -> None:
    chosen = basket.current()
    try:
        for candidate in candidates:
            shared.shortlists().add(chosen.id, learned(candidate))
        many = count(len(candidates), state.words().one)
        st.toast(plain(f"{many} added to {chosen.name}"))
    except ValueError as full:
        st.toast(plain(str(full)))


def job_part() -> None:
    """Progress of the job; each new value brings the page up to date."""
    job_id = st.session_state.get("walk:job")
    if not job_id:
        return
    job = job_progress(job_id, "walk:job")
    if job.active:
        st.fragment(_watch, run_every=2.0)(job_id)
    else:
        st.session_state.pop("walk:job")


def _watch(job_id: str) -> None:
    came = len(shared.jobs().results(job_id))
    if came != st.session_state.get("walk:came", 0):
        st.session_state["walk:came"] = came
        st.rerun()
