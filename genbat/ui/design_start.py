"""From the sentence to the search and back: warnings, the button, the question that was asked."""

from __future__ import annotations

import html
from collections.abc import Sequence

import streamlit as st

from genbat.studio import question as asking
from genbat.studio.question import Question
from genbat.ui import design_draft, design_results, shared, state
from genbat.ui.design_runs import Run, add_hits, read
from genbat.ui.words import plain

PATIENCE = "It runs as a job: you may close this page and come back by its link or from Jobs."


def search_button(well: bool) -> None:
    """The one primary button, with what stands against the question before it is asked.

    Parameters
    ----------
    well : whether the sentence has told no mistake.
    """
    if not well:
        st.button("Search", type="primary", disabled=True, icon=":material/search:")
        return
    try:
        questions = design_draft.questions()
    except ValueError as wrong:
        st.error(plain(str(wrong)), icon=":material/error:")
        return
    warn(questions[0])
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Search", type="primary", icon=":material/search:", key="design:search"):
            _submit(questions)
        st.caption(f"{_odds(questions[0])} {PATIENCE}")


def preview() -> None:
    """Each wish over what the known objects have."""
    try:
        question = design_draft.questions()[0]
    except (ValueError, IndexError):
        return
    if question.asked:
        figure = design_results.spreads(question, {})
        st.plotly_chart(figure, key="design:preview", config={"displayModeBar": False})


def _odds(question: Question) -> str:
    share = asking.known_share(question, shared.atlas(question.domain))
    if share is None:
        return ""
    return f"{100 * share:.2g} % of the known {question.domain} would do."


def warn(question: Question) -> None:
    """Wishes beyond what training saw, and those no calculation can judge."""
    for words in asking.warnings_for(question, shared.atlas(question.domain)):
        st.warning(plain(words), icon=":material/warning:")


def _submit(questions: Sequence[Question]) -> None:
    ids = [
        shared.jobs().submit("design", q.sentence(), q.to_json(), state.owner()) for q in questions
    ]
    st.session_state.pop(design_results.CHOSEN, None)
    gone = dict.fromkeys(design_draft.part().link(design_draft.draft()))
    state.link(job=",".join(ids), want=None, **gone)
    st.rerun()


def back() -> None:
    """To the sentence builder, with the question as it was."""
    state.link(job=None)
    st.rerun()


def question_line(runs: Sequence[Run]) -> None:
    """The question in words, what to do with its answer, and its warnings."""
    asked = html.escape(runs[0].question.sentence())
    st.html(f"<div class='gb-title'><h1>Design</h1></div><p class='gb-question'>Find {asked}.</p>")
    with st.container(horizontal=True):
        if st.button("Change the question", icon=":material/edit:", key="design:change"):
            back()
        hits = sum(o.hit for run in runs for o in run.outcomes)
        if st.button(
            "Add hits to shortlist", icon=":material/playlist_add:", key="design:addhits",
            disabled=not hits and not any(run.job.active for run in runs),
        ):  # fmt: skip
            add_hits([read(run.job.id) for run in runs])
    warn(runs[0].question)
