"""A crystal as imatgen sees it: slabs of one image an element, its own above the decoded one."""

from __future__ import annotations

import html
from collections.abc import Sequence

import streamlit as st

from genbat.studio.crystal_images import Pictures, Seen

EDGE = 62  # pixels of a slab


def draw(seen: Seen) -> None:
    """All slabs, what they are, and what the classifier says."""
    depths = "".join(f"<td>from {depth:.2f}</td>" for depth in seen.depths)
    rows = "".join(_element(one) for one in seen.pictures)
    st.html(f"<table class='gb-slices'><tr><td></td><td></td>{depths}</tr>{rows}</table>")
    st.caption(
        "Slabs of the cell, cut along the third axis in the view that iMatGen settles on (it "
        "chooses the axes' order and the origin), each by its densest points. Upper row: the "
        "crystal's own image, a bump for each atom; lower row: what iMatGen decodes at its latent "
        "point. Its classifier gives it "
        f"{100 * seen.stable:.0f} % for lying at most 0.2 eV/atom above the hull."
    )


def _element(one: Pictures) -> str:
    return (
        f"<tr><th rowspan='2'>{html.escape(one.element)}</th><td>own</td>"
        f"{_slabs(one, one.own, 'own')}</tr>"
        f"<tr><td>decoded</td>{_slabs(one, one.decoded, 'decoded')}</tr>"
    )


def _slabs(one: Pictures, slabs: Sequence[str], which: str) -> str:
    return "".join(
        f"<td><img alt='{html.escape(one.name)}, {which}, slab {k}' width='{EDGE}' "
        f"height='{EDGE}' src='data:image/png;base64,{png}'></td>"
        for k, png in enumerate(slabs, 1)
    )
