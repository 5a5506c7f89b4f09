"""Design: write a wish as a sentence, search, and see it judged by physics."""

import streamlit as st

from genbat.ui import design_draft, design_parts, design_results, design_runs, design_start, state
from genbat.ui.design_style import STYLE
from genbat.ui.words import plain

st.html(STYLE)
job_ids = design_runs.linked()
if not job_ids:
    st.html(
        "<div class='gb-title'><h1>Design</h1><p>Write down what you wish for. "
        f"{state.words().searching}</p></div>"
    )
    well = design_parts.sentence()
    design_start.search_button(well)
    if well:
        design_start.preview()
    design_runs.earlier()
    st.stop()
try:
    runs = [design_runs.read(one) for one in job_ids]
    design_runs.follow(runs)
except ValueError as wrong:
    st.error(plain(f"This search cannot be opened: {wrong}"))
    if st.button("Ask a new question"):
        design_start.back()
    st.stop()
if design_draft.DRAFT not in st.session_state:
    design_draft.take(runs[0].question)
design_start.question_line(runs)
design_results.results(job_ids)
