"""GenBat's front door: `streamlit run app.py`, or `genbat app`."""

import streamlit as st

from genbat.ui.frame import frame, page_file, shown_pages

st.set_page_config(page_title="GenBat", page_icon="🔋", layout="wide")
pages = [
    st.Page(page_file(name), title=title, icon=icon, default=name == "home")
    for name, (title, icon) in shown_pages().items()
]
chosen = st.navigation(pages)
frame()
chosen.run()
