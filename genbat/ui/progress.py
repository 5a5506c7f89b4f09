"""A job on any page: how far it is, what it says, a way to stop it, and how it ended."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from genbat.studio.jobs import Job
from genbat.ui import shared
from genbat.ui.words import count, duration, plain

EVERY_S = 1.0
SLOW_START_S = 30.0


def job_progress(job_id: str, key: str) -> Job:
    """Draw a job with progress and cancel, and return it as it stands.

    While it is active only this part of the page is drawn again, every second; once the job has
    ended the whole page runs again, so that the caller can show the results. `key` names the
    place on the page.

    Raises
    ------
    ValueError : no job has this id.
    """
    job = shared.jobs().get(job_id)
    if job.active:
        st.fragment(_live, run_every=EVERY_S)(job_id, key)
    else:
        ending(job)
    return job


def _live(job_id: str, key: str) -> None:
    job = shared.jobs().get(job_id)
    if not job.active:
        st.rerun()
    bar(job, key)


def bar(job: Job, key: str, who: str = "") -> None:
    """Progress of an active job with its cancel button, after a word of who works."""
    left, right = st.columns([5, 1], vertical_alignment="center")
    left.progress(job.fraction, text=plain(who + state_words(job)))
    if right.button("Cancel", key=f"{key}:cancel", width="stretch"):
        shared.jobs().cancel(job.id)
        st.rerun()
    if job.state == "queued":
        _server_trouble(job)


def state_words(job: Job) -> str:
    """What an active job is doing, in one line."""
    if job.state == "queued":
        before = shared.jobs().place(job.id)
        if before:
            return f"waiting; {count(before, 'job')} before this one"
        return "waiting for a free worker"
    return f"{job.message or 'starting'} · {duration(used_s(job))}"


def used_s(job: Job) -> float:
    """Seconds that a job has run so far, or ran; 0 for one that never started."""
    if job.started is None:
        return 0.0
    return ((job.finished or datetime.now(UTC)) - job.started).total_seconds()


def _server_trouble(job: Job) -> None:
    problem = shared.jobs().server_problem()
    waited = (datetime.now(UTC) - job.created).total_seconds()
    if problem:
        st.warning("The job server does not start; it is tried again every 10 s. The job is kept.")
        technical(problem)
    elif waited > SLOW_START_S and not shared.jobs().place(job.id):
        st.caption("The workers are busy or just starting. You may leave this page; the job stays.")


def ending(job: Job, who: str = "") -> None:
    """How a job ended: done, cancelled, or failed with its reason, after a word of who worked."""
    if job.state == "done":
        st.caption(f"✓ {who}done in {duration(used_s(job))}")
    elif job.state == "cancelled":
        st.info(f"{who}Cancelled. The results it had so far are kept.", icon=":material/block:")
    else:
        st.error(f"{who}It failed: {plain(job.error)}", icon=":material/error:")
        technical(job.trace)


def technical(text: str) -> None:
    """The technical part of a failure, folded away, with a copy button."""
    if text:
        with st.expander("Technical details"):
            st.code(text, language=None)
