"""What stands around every page: style, domain, pages, basket."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from genbat.studio import registry
from genbat.ui import basket, shared, state

_CSS = Path(__file__).with_name("style.css").read_text("utf-8")

_MARKS = (
    "<p class='gb-marks'><span class='gb-measured'>● measured</span> "
    "<span class='gb-computed'>◆ computed</span> <span class='gb-predicted'>○ predicted</span></p>"
)

PAGES = {
    "home": ("Home", ":material/home:"),
    "explore": ("Explore", ":material/explore:"),
    "interpolate": ("Interpolate", ":material/timeline:"),
    "design": ("Design", ":material/tune:"),
    "shortlist": ("Shortlist", ":material/checklist:"),
    "jobs": ("Jobs", ":material/pending_actions:"),
}


def page_file(name: str) -> str:
    """The script of a page, for st.switch_page and st.page_link."""
    return f"pages/{name}.py"


def frame() -> None:
    """Style, domain and basket; called once by app.py before a page runs."""
    st.html(f"<style>{_CSS}</style>")
    shared.jobs()
    shared.warmup(state.domain())
    with st.sidebar:
        domains = list(registry.DOMAINS)
        st.selectbox(
            "Domain",
            domains,
            index=domains.index(state.domain()),
            format_func=registry.DOMAINS.__getitem__,
            key="domain:choice",
            help="What kind of matter you look at. More domains follow.",
        )
        st.html(f"<p class='gb-marks'>{basket.sidebar()}</p>{_MARKS}")  # one message, not two
    state.link(me=state.owner(), list=basket.current().id)
