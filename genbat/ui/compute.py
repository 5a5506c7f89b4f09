"""Asking the physics: for one candidate on its card, or for a selection; always as a job."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from genbat.core.candidate import Candidate
from genbat.studio.rooms import Judgement, rooms
from genbat.ui import shared, state
from genbat.ui.progress import job_progress
from genbat.ui.words import count, plain, short

JOBS = "compute:jobs"  # what was asked for -> its job, in this tab
Choose = Callable[[Candidate], None]
Objects = Callable[[], Sequence[tuple[str, str]]]  # (text, name) of each


def offer(candidate: Candidate, key: str, choose: Choose | None = None) -> None:
    """A button where the physics has not spoken yet; then progress, then what came of it.

    Parameters
    ----------
    choose : called with the relaxed crystal, where there is one and somebody wants to see it.
    """
    running = _jobs().get(candidate.text)
    if running:
        job = job_progress(running, key)
        _verdict(candidate)
        if job.state == "done":
            _relaxed(candidate, running, key, choose)
        return
    if not _only_predicted(candidate):
        return
    words = rooms(candidate.domain).words
    if st.button(
        f"Compute with {words.judge}", key=key, icon=":material/calculate:", help=words.judge_help
    ):
        name = candidate.name or candidate.text
        submit([(candidate.text, name)], f"{words.judge} of {short(name, 60)}", candidate.text)
        st.rerun()


def _relaxed(candidate: Candidate, job_id: str, key: str, choose: Choose | None) -> None:
    """What the relaxation did, and the way to the relaxed crystal."""
    mine = [r.payload for r in shared.jobs().results(job_id)]
    more: dict[str, Any] = next(
        (p.get("more", {}) for p in mine if p["asked"] == candidate.text), {}
    )
    if not more.get("relaxed"):
        return
    told = " · ".join(f"{name}: {text}" for name, text in more["told"].items())
    st.caption(plain(f"The values are of the relaxed crystal. {told}"))
    found = shared.store().evaluation(candidate.domain, candidate.text)
    if choose and found and st.button("Show the relaxed crystal", key=f"{key}:relaxed"):
        choose(shared.atlas(candidate.domain).settled(candidate, Judgement(found, more)))


def _only_predicted(candidate: Candidate) -> bool:
    room = rooms(candidate.domain)
    kinds = {m.kind for k, m in candidate.properties.items() if k in room.physics}
    return "computed" not in kinds and "measured" not in kinds


def _verdict(candidate: Candidate) -> None:
    found = shared.store().evaluation(candidate.domain, candidate.text)
    if found is not None and found.failed:
        judge = rooms(candidate.domain).words.judge
        st.warning(f"{judge} gave no value: {plain(found.failed)}")


def _jobs() -> dict[str, str]:
    return st.session_state.setdefault(JOBS, {})


def submit(objects: Sequence[tuple[str, str]], title: str, name: str) -> str:
    """Queue (text, name) pairs and remember the job under `name`."""
    job = queue(objects, title)
    _jobs()[name] = job
    return job


def queue(objects: Sequence[tuple[str, str]], title: str, **more: str) -> str:
    """Queue (text, name) pairs of the domain in force; `more` stands in the job's arguments."""
    texts, names = [t for t, _ in objects], [n for _, n in objects]
    arguments = {"domain": state.domain(), "texts": texts, "names": names, **more}
    return shared.jobs().submit("label", title, arguments, state.owner())


def several(number: int, objects: Objects, key: str, name: str) -> None:
    """A button for a selection called `name`, then its progress; `objects` gives the pairs."""
    running = _jobs().get(name)
    if running:
        job = job_progress(running, key)
        if not job.active:
            st.caption("The values are on the cards now; the table of this run is on Jobs.")
        return
    words = state.words()
    many = count(number, words.one)
    label = f"Compute {many} with {words.judge}"
    if st.button(label, key=key, icon=":material/calculate:", help=words.judge_help):
        submit(objects(), f"{words.judge} of {many} selected on the map", name)
        st.rerun()
