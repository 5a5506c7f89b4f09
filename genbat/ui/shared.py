"""Everything that is loaded once a process and shared by all users; never changed after that."""

from __future__ import annotations

import html

import numpy as np
import streamlit as st

from genbat.core.candidate import Candidate
from genbat.studio import explore, map_colours, registry
from genbat.studio.jobs import Jobs
from genbat.studio.shortlist import Shortlists
from genbat.studio.store import Store
from genbat.studio.warm import Warmup
from genbat.ui.components import latmap
from genbat.ui.spark import Distribution

# Known, and the systems that made the rest (after Okabe and Ito, for the colour-blind).
GREY = "#8a93a0"
ORIGINS = "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#7b52ab", "#8c6d31"


@st.cache_resource(show_spinner=False)
def warmup(domain: str) -> Warmup:
    """The thread that opens a domain's atlas; the first call starts it."""
    return Warmup(domain, after=lambda: _colours(domain))


def _colours(domain: str) -> None:
    """Make every colour of the map before somebody asks: a million points take a while."""
    place = _place(domain)
    usual = (*place.rooms.groups, "status", *(p.key for p in place.properties))
    for key in (*usual, *map_colours.added(domain)):
        colour(domain, key)


def ready(domain: str) -> bool:
    """Whether `atlas` answers at once."""
    return warmup(domain).ready and warmup(domain).error is None


def atlas(domain: str) -> explore.Atlas:
    """The domain's atlas. While it opens, a page says so; without assets it says what to do."""
    opening = warmup(domain)
    if not opening.wait(0.2):
        waiting = st.empty()
        while not opening.ready:
            waiting.html(skeleton(opening.words))
            opening.wait(0.4)
        waiting.empty()
    if opening.error is not None:
        _missing(opening.error)
    return opening.atlas()


def skeleton(words: str, height: int = 420) -> str:
    """Room for what is to come, with a sentence."""
    return (
        f"<div class='gb-skeleton' style='height:{height}px' role='status'>"
        f"<b>{html.escape(words)} …</b><span>The first visit after a start takes some seconds. "
        "The other pages work meanwhile.</span></div>"
    )


def _missing(reason: ValueError) -> None:
    """Say what is missing, and end the page."""
    st.html(
        "<div class='gb-empty'><h3>The map is not there yet</h3>"
        "<p>GenBat is installed, but a file that this page draws from is missing. "
        "Your shortlists are safe.</p>"
        f"<p>What it said: <code>{html.escape(str(reason))}</code></p>"
        "<p>Run the command named there in the folder of GenBat, then try again.</p></div>"
    )
    if st.button("Try again", type="primary"):
        warmup.clear()
        st.rerun()
    st.stop()


@st.cache_resource(show_spinner=False)
def store() -> Store:
    """The user database."""
    return Store()


@st.cache_resource(show_spinner=False)
def shortlists() -> Shortlists:
    """All shortlists."""
    return Shortlists(store())


@st.cache_resource(show_spinner=False)
def jobs() -> Jobs:
    """The job queue; its server starts with the app."""
    queue = Jobs(store())
    queue.ensure_server()
    return queue


def _place(domain: str) -> explore.Atlas:
    # What is cached must not draw: it waits without words.
    return warmup(domain).atlas()


@st.cache_resource(show_spinner=False)
def positions(domain: str) -> latmap.Column:
    """Places of all rows, ready for the browser."""
    return latmap.positions(_place(domain).xy)


@st.cache_resource(show_spinner=False)
def name_column(domain: str) -> latmap.Column | None:
    """Names of all rows for tooltips, where there are not too many."""
    names = _place(domain).names
    return latmap.labels(names) if len(names) <= 50_000 else None


@st.cache_resource(show_spinner=False, max_entries=64)
def colour(domain: str, key: str) -> latmap.Column:
    """A property, category, status or system's number of all rows as a colour column."""
    place = _place(domain)
    if key == "status":
        return _origins(place)
    if key in place.rooms.groups:
        names = group_names(domain, key)
        lookup = {name: k for k, name in enumerate(names)}
        codes = np.array([lookup.get(str(r), 255) for r in place.group(key)], "u1")
        return latmap.category(codes, names, place.rooms.groups[key])
    if key in (more := map_colours.added(domain)):
        return latmap.numeric(map_colours.values(place, key), more[key].label, more[key].unit)
    known = next(p for p in place.properties if p.key == key)
    return latmap.numeric(place.values(key), known.label, known.unit)


def _origins(place: explore.Atlas) -> latmap.Column:
    """Known, or which system made it; colours that the colour-blind can tell apart."""
    if len(place.makers) < 2:
        names, title = ["known", "generated"], "Status"
    else:
        names, title = ["known", *(registry.card(n).title for n in place.makers)], "Made by"
    return latmap.category(place.origins, names, title, [GREY, *ORIGINS])


@st.cache_resource(show_spinner=False)
def known_mask(domain: str) -> latmap.Column:
    """The known rows, to be drawn grey behind the generated ones."""
    return latmap.mask(~_place(domain).generated, "known")


@st.cache_resource(show_spinner=False, max_entries=64)
def distribution(domain: str, key: str) -> Distribution:
    """How a property is spread over the known objects."""
    place = _place(domain)
    return Distribution.of(place.values(key)[: place.n_known])


@st.cache_resource(show_spinner=False, max_entries=1024)
def spot(domain: str, x: float, y: float) -> explore.Spot:
    """What lies at a place of the map."""
    return _place(domain).spot(x, y)


@st.cache_resource(show_spinner=False, max_entries=2048)
def candidate(domain: str, text: str) -> Candidate:
    """An object by its text or a link's handle; ValueError where it is none of the domain."""
    return _place(domain).typed(text)


@st.cache_data(show_spinner=False, max_entries=512)
def search(domain: str, text: str) -> list[int]:
    """Rows by what people write, best first."""
    return _place(domain).search(text)


@st.cache_resource(show_spinner=False)
def familiar(domain: str) -> list[tuple[str, str]]:
    """(name, text) of what a first visit is shown, as far as it is known."""
    place = _place(domain)
    rows = {name: place.search(asked, 1) for name, asked in place.rooms.familiar.items()}
    return [(name, place.texts[row[0]]) for name, row in rows.items() if row]


@st.cache_resource(show_spinner=False)
def step_size(domain: str) -> float:
    """Typical distance in latent space between a known object and its eight nearest."""
    place = _place(domain)
    rows = np.linspace(0, place.n_known - 1, 300).astype(int)
    return float(np.median(place.manifold.neighbours.others(rows, 8)[0].mean(1)))


@st.cache_resource(show_spinner=False)
def new_rows(domain: str) -> np.ndarray:
    """Which rows are not among the known objects (n,), booleans."""
    return _place(domain).novel


@st.cache_resource(show_spinner=False)
def group_names(domain: str, key: str) -> list[str]:
    """Names of a category that some object has; the role in a battery, say."""
    return sorted({str(name) for name in _place(domain).group(key)} - {""})
