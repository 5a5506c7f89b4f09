"""Jobs: everything that takes longer than a second, what it is doing and what it found."""

import streamlit as st

from genbat.studio.jobs import Job
from genbat.ui import jobs_parts, progress, shared, state
from genbat.ui.frame import page_file
from genbat.ui.words import count, plain

SHOWN = 10
MOST = "jobs:most"


def _asked() -> tuple[str, Job | None]:
    """The job of the link: what is wrong with it, or the job."""
    ident = st.query_params.get("job", "")
    if not ident:
        return "", None
    try:
        return "", shared.jobs().get(ident)
    except ValueError:
        return "There is no job of this link (any more). Your own jobs are listed here.", None


def _empty() -> None:
    st.info(
        "No jobs yet. A job starts when you ask for a design run or let the physics compute a "
        "shortlist; "
        "it goes on when you close the page, and its results are kept.",
        icon=":material/schedule:",
    )
    with st.container(horizontal=True):
        st.page_link(page_file("design"), label="Start a design run", icon=":material/tune:")
        st.page_link(
            page_file("shortlist"), label="Compute a shortlist", icon=":material/checklist:"
        )


def _everything(was_active: bool) -> None:
    """All boxes; drawn again every second while something is active."""
    mine = shared.jobs().list(state.owner())
    problem, asked = _asked()
    if was_active and not any(job.active for job in [*mine, asked] if job):
        st.rerun()  # without the clock
    if problem:
        st.warning(problem)
    if asked and asked.owner != state.owner():
        st.caption("This job was shared with you by its link.")
        jobs_parts.box(asked, True)
    if not mine:
        _empty()
    else:
        _mine(mine, asked.id if asked else "")


def _mine(mine: list[Job], opened: str) -> None:
    active = [job for job in mine if job.active]
    ended = [job for job in mine if not job.active]
    st.caption(
        f"{count(len(active), 'job')} under way; close the page, they go on."
        if active
        else f"Nothing is running; {count(len(ended), 'job')} ended."
    )
    opened = opened or mine[0].id
    for job in active:
        jobs_parts.box(job, job.id == opened)
    most = st.session_state.get(MOST, SHOWN)
    first = sorted(ended, key=lambda job: job.id != opened)[:most]
    for job in first:
        jobs_parts.box(job, job.id == opened)
    if len(ended) > most and st.button(f"Show {len(ended) - most} older"):
        st.session_state[MOST] = len(ended)
        st.rerun()


st.title("Jobs", anchor=False)
shown = [*shared.jobs().list(state.owner()), _asked()[1]]
running = any(job.active for job in shown if job)
if shared.jobs().server_problem():
    st.warning(f"The job server does not start: {plain(shared.jobs().server_problem()[:200])}")
st.fragment(_everything, run_every=progress.EVERY_S if running else None)(running)
