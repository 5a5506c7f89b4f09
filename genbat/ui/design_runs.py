"""Design runs: their jobs read as they stand, ranked, opened again, their hits kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import streamlit as st

from genbat.core.candidate import Candidate
from genbat.studio import registry
from genbat.studio.jobs import Job
from genbat.studio.question import Outcome, Question
from genbat.ui import basket, shared, state
from genbat.ui.words import count, plain

ORDER = {"hit": 0, "likely": 1, "miss": 2, "failed": 3}
FOUND = "design:found"  # outcomes by job, read once a tab


@dataclass
class Run:
    """A job, its question and what has come so far."""

    job: Job
    question: Question
    outcomes: list[Outcome]


def read(job_id: str) -> Run:
    """A run as it stands; only new results are fetched.

    Raises
    ------
    ValueError : no such job, or no design run.
    """
    job = shared.jobs().get(job_id)
    if job.kind != "design":
        raise ValueError(f"This link names a job of another kind: {job.title}")
    memory = st.session_state.setdefault(FOUND, {})
    last, outcomes = memory.get(job_id, (0, []))
    for result in shared.jobs().results(job_id, after=last):
        outcomes = [*outcomes, Outcome.from_json(result.payload)]
        last = result.sequence
    memory[job_id] = (last, outcomes)
    return Run(job, Question.from_json(job.arguments), outcomes)


def linked() -> list[str]:
    """Ids of the runs the link names, one a system."""
    return [one for one in st.query_params.get("job", "").split(",") if one][:8]


def follow(runs: Sequence[Run]) -> None:
    """Turn to the domain of linked runs; ValueError where it is not here."""
    wanted = runs[0].question.domain
    if wanted == state.domain():
        return
    if wanted not in registry.offered():
        raise ValueError(f"it is about {wanted}, whose map or weights are not here")
    job = st.query_params.get("job", "")
    state.change_domain(wanted)
    state.link(job=job)
    st.rerun()


def earlier() -> None:
    """This person's past runs, to be opened again."""
    here = state.domain()
    mine = [j for j in shared.jobs().list(state.owner()) if j.kind == "design"]
    jobs = [j for j in mine if j.arguments.get("domain", here) == here][:30]
    if not jobs:
        return
    titles = {j.id: f"{j.title} · {j.state}" for j in jobs}
    picked = st.selectbox(
        "Earlier searches",
        list(titles),
        index=None,
        format_func=titles.__getitem__,
        placeholder=f"Open one of {count(len(jobs), 'earlier search', 'earlier searches')}",
        label_visibility="collapsed",
    )
    if picked:
        state.link(job=picked)
        st.rerun()


def ranked(outcomes: Sequence[Outcome]) -> list[int]:
    """Places of the outcomes, hits first, then in the order found."""
    return sorted(range(len(outcomes)), key=lambda k: (ORDER[outcomes[k].standing], k))


def without_shadow(candidate: Candidate) -> Candidate:
    """The candidate without the predictions kept beside computed values."""
    kept = {k: m for k, m in candidate.properties.items() if not k.endswith(":predicted")}
    return replace(candidate, properties=kept)


def add_hits(runs: Sequence[Run]) -> None:
    """All hits to the shortlist, at once in the database."""
    hits = [o.candidate for run in runs for o in run.outcomes if o.hit]
    chosen = basket.current()
    try:
        for candidate in hits:
            shared.shortlists().add(chosen.id, without_shadow(candidate))
        st.toast(plain(f"{count(len(hits), 'hit')} added to {chosen.name}"))
    except ValueError as full:
        st.toast(plain(str(full)))
