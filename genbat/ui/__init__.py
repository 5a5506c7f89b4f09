"""Streamlit parts: state, caches, cards, progress; the live components lie in `components`."""

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from genbat.ui.messages import mend

mend()

# A folder `pages` beside app.py makes Streamlit run a page without app.py, hence without frame and
# sidebar, where a link to that page is the first visit after a start (or the tab that was open
# when the server was killed). From the first import on it asks app.py, as st.navigation has it.
if PagesManager.uses_pages_directory:
    PagesManager.uses_pages_directory = False
    st.rerun()
