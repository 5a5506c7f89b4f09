"""What the parts of "Make crystals" share: numbers of the link, made crystals to choose from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Container, Sequence

import streamlit as st

from genbat.core.candidate import Candidate
from genbat.ui import basket, card, compute, faces, shared, state
from genbat.ui.components.gallery import Tile, gallery
from genbat.ui.words import count, plain

MOST_SEED = 1_000_000
Below = Callable[[Candidate], None]


def told(name: str, legal: Container[int], usual: int) -> int:
    """The legal whole number that stands in the link as `name`, else the usual one."""
    text = st.query_params.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 10 and int(text) in legal else usual


def number(label: str, name: str, most: int, usual: int, least: int = 0, help: str = "") -> int:
    """A whole number that stands in the link as `name`."""
    start = told(name, range(least, most + 1), usual)
    value = int(st.number_input(label, least, most, start, key=f"maker:{name}", width=120,
                                help=help or None))  # fmt: skip
    state.link(**{name: None if value == usual else value})
    return value


def seed() -> int:
    """The seed."""
    return number("Seed", "seed", MOST_SEED, 0, help="The same seed gives the same crystals.")


def described(found: Sequence[Candidate]) -> list[Candidate]:
    """Candidates with name and novelty."""
    place = shared.atlas("crystals")
    return [place.describe(one) for one in found]


def results(
    found: Sequence[Candidate], key: str, below: Below, note: Callable[[Candidate], str]
) -> None:
    """Made crystals as drawings, one of them at large, and what can be done with all of them.

    Parameters
    ----------
    below : draws what else there is to say of the chosen one.
    note : a few words under each drawing.
    """
    name = hashlib.blake2b("".join(c.text for c in found).encode(), digest_size=8).hexdigest()
    good = [c for c in found if c.verdict.ok]
    left, right = st.columns([1.25, 1], gap="large")
    with left:
        at = _chosen(found, f"{key}:{name}", note)
        new = sum(c.novel is True for c in good)
        st.caption(
            f"{len(good)} of {count(len(found), 'crystal')} valid, {new} of them new (not in our "
            "data set)"
        )
        if good:
            _all(good, key, name)
    with right:
        card.heading(found[at])
        _large(found[at], key)
        below(found[at])


def _chosen(found: Sequence[Candidate], key: str, note: Callable[[Candidate], str]) -> int:
    """Number of the crystal that was clicked last."""
    tiles = [Tile(_drawing(c), c.name or "nothing", note(c)) for c in found]
    hit = gallery(tiles, key=f"{key}:tiles", columns=4)
    if hit is not None:
        st.session_state[f"{key}:at"] = hit
    first = next((k for k, c in enumerate(found) if c.verdict.ok), 0)
    return min(int(st.session_state.get(f"{key}:at", first)), len(found) - 1)


def _drawing(candidate: Candidate) -> str:
    try:
        return card.picture("crystals", candidate.text, 150, 110, state.is_dark())
    except ValueError:
        return ""


def novelty(candidate: Candidate) -> str:
    """Not valid, new or known."""
    if not candidate.verdict.ok:
        return "not valid"
    return "new" if candidate.novel else "known"


def _all(good: Sequence[Candidate], key: str, name: str) -> None:
    with st.container(horizontal=True):
        if st.button(f"Add {count(len(good), 'valid one')} to shortlist", key=f"{key}:all",
                     icon=":material/playlist_add:"):  # fmt: skip
            for one in good:
                basket.add(one)
            st.rerun()
        pairs = lambda: [(c.text, c.name) for c in good]  # noqa: E731
        compute.several(len(good), pairs, f"{key}:ask", name)


def _large(candidate: Candidate, key: str) -> None:
    """The chosen one in 3D, whatever is wrong with it, and the way into the basket."""
    if not candidate.verdict.ok:
        st.warning(f"Not a valid crystal here: it {plain('; '.join(candidate.verdict.reasons))}")
    faces.structure(candidate, f"{key}:3d", 340)
    if candidate.verdict.ok and st.button(
        "Add to shortlist", key=f"{key}:add", type="primary", width="stretch", icon=":material/add:"
    ):
        basket.add(candidate)
        st.rerun()
