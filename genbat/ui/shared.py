"""Everything that is loaded once a process and shared by all users; never changed after that."""

from __future__ import annotations

import numpy as np
import streamlit as st

from genbat.studio import explore
from genbat.studio.jobs import Jobs
from genbat.studio.shortlist import Shortlists
from genbat.studio.store import Store
from genbat.ui.components import latmap


@st.cache_resource(show_spinner="Opening the map of known molecules …")
def atlas(domain: str) -> explore.Atlas:
    """The domain's atlas."""
    return explore.atlas(domain)


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


@st.cache_resource(show_spinner=False)
def positions(domain: str) -> latmap.Column:
    """Places of all rows, ready for the browser."""
    return latmap.positions(atlas(domain).xy)


@st.cache_resource(show_spinner=False)
def name_column(domain: str) -> latmap.Column | None:
    """Names of all rows for tooltips, where there are not too many."""
    names = atlas(domain).names
    return latmap.labels(names) if len(names) <= 50_000 else None


@st.cache_resource(show_spinner=False, max_entries=64)
def colour(domain: str, key: str) -> latmap.Column:
    """A property, role or status of all rows as a colour column."""
    place = atlas(domain)
    if key == "status":
        codes = place.generated.astype("u1")
        return latmap.category(codes, ["known", "generated"], "status", ["#8a93a0", "#0072b2"])
    if key == "role":
        names = sorted({str(r) for r in place.roles if r})
        lookup = {name: k for k, name in enumerate(names)}
        codes = np.array([lookup.get(str(r), 255) for r in place.roles], "u1")
        return latmap.category(codes, names, "role in a battery")
    known = next(p for p in place.properties if p.key == key)
    return latmap.numeric(place.values(key), known.label, known.unit)
