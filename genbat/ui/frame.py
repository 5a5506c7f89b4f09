"""What stands around every page: style, domain, pages, basket."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from genbat.studio import compared, registry
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
    "compare": ("Compare", ":material/balance:"),
    "gpt": ("Token by token", ":material/spellcheck:"),
    "makers": ("Make crystals", ":material/grid_on:"),
    "micrograph": ("Make volumes", ":material/grain:"),
    "loop": ("Feedback loop", ":material/loop:"),
    "jobs": ("Jobs", ":material/schedule:"),
}
# Pages of one domain alone.
_OF = {
    "gpt": "molecules",
    "makers": "crystals",
    "micrograph": "microstructures",
    "loop": "polymers",
}
# Pages of some systems alone: one of them must be here.
_BY = {"gpt": ("moleculegpt",), "makers": ("unimat", "cubicgan", "crystalgan")}


def shown_pages() -> dict[str, tuple[str, str]]:
    """The pages that make sense in the domain in force, and the one that the address names."""
    here, named = state.domain(), str(st.context.url or "").partition("?")[0].rsplit("/", 1)[-1]
    return {
        name: told
        for name, told in PAGES.items()
        if (_OF.get(name, here) == here or (name == named and _OF[name] in registry.offered()))
        and (name not in _BY or any(map(registry.trained, _BY[name])))
        and (name != "compare" or compared.shipped(here))
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
        _domain_choice()
        st.html(f"<p class='gb-marks'>{basket.sidebar()}</p>{_MARKS}")  # one message, not two
    state.link(me=state.owner(), list=basket.current().id)


def _domain_choice() -> None:
    """What kind of matter; it stays over the pages and in the link."""
    here, names = state.domain(), registry.offered()
    st.session_state[state.DOMAIN] = here
    st.session_state[state.DOMAIN_CHOICE] = here  # the link decides; a pick is in it by now
    state.link(domain=None if here == registry.FIRST else here)
    st.selectbox(
        "Domain",
        list(names),
        format_func=names.__getitem__,
        key=state.DOMAIN_CHOICE,
        on_change=lambda: state.change_domain(st.session_state[state.DOMAIN_CHOICE]),
        help="What kind of matter you look at.",
    )
