"""The card of a candidate: 3D, every number with unit, uncertainty, method and place, drawing."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence

import numpy as np
import streamlit as st

from genbat.core.candidate import Candidate
from genbat.core.properties import KIND_MARKS, Measurement, Property
from genbat.studio import views
from genbat.studio.rooms import rooms
from genbat.ui import basket, compute, shared, state
from genbat.ui.components.gallery import Tile, gallery
from genbat.ui.faces import details, image, picture, structure
from genbat.ui.spark import Distribution
from genbat.ui.words import plain, short

__all__ = ["card", "image", "picture", "structure"]

EDGE = 90.0  # percentile beyond which a place counts as outside the data

Choose = Callable[[Candidate], None]


def card(
    candidate: Candidate, key: str, *, height: int = 260, choose: Choose | None = None
) -> None:
    """Draw the whole card; `key` names its place on the page.

    Parameters
    ----------
    choose : called with a known neighbour that was clicked; without it none are shown.
    """
    candidate = learned(candidate)
    top(candidate, key, height=height)
    if candidate.verdict.ok:
        rest(candidate, key, choose=choose)


def top(candidate: Candidate, key: str, *, height: int = 260, note: str = "") -> None:
    """What must be there at once: name, status, 3D view and the way into the basket.

    `note` is one more sentence under the name.
    """
    heading(candidate, note)
    if not candidate.verdict.ok:
        one, reasons = rooms(candidate.domain).words.one, "; ".join(candidate.verdict.reasons)
        st.warning(f"Not a valid {one} here: it {plain(reasons)}")
        return
    structure(candidate, f"{key}:3d", height)
    if st.button(
        "Add to shortlist", key=f"{key}:add", type="primary", width="stretch", icon=":material/add:"
    ):
        basket.add(candidate)
        st.rerun()


def rest(candidate: Candidate, key: str, *, choose: Choose | None = None) -> None:
    """What may follow: the numbers, the drawing, known neighbours, and where to go from here."""
    numbers(candidate)
    compute.offer(candidate, f"{key}:xtb", choose)
    details(candidate, key, choose)
    if choose is not None:
        neighbours(candidate, f"{key}:near", choose)
    actions(candidate, key)


def heading(candidate: Candidate, note: str = "") -> None:
    """Name, in one line what it is, and how far from the data it lies."""
    plain_name = candidate.name or candidate.text.split("\n", 1)[0] or "Nothing"
    name = html.escape(short(plain_name, 80))
    words = " · ".join(html.escape(w) for w in status_words(candidate))
    away = f"<p>{html.escape(note)} {distance(candidate)}</p>" if note or _is_new(candidate) else ""
    st.html(f"<div class='gb-heading'><h3>{name}</h3><p>{words}</p>{away}</div>")


def _is_new(candidate: Candidate) -> bool:
    return candidate.novel is not False


def status_words(candidate: Candidate) -> list[str]:
    """Known or new, role, who made it, hazards: the facts that are no numbers."""
    place = shared.atlas(candidate.domain)
    row = place.row_of.get(candidate.text)
    new = f"new, not among the known {candidate.domain}"
    words = [new if _is_new(candidate) else "known"]
    kind = place.group(next(iter(place.rooms.groups)))[row] if row is not None else ""
    words += [str(kind)] if kind else []
    if candidate.provenance.system not in ("data", "user"):
        words.append(f"made by {candidate.provenance.system}")
    if not candidate.verdict.ok:
        return words
    domain, text = candidate.domain, candidate.text
    return words + views.labels(domain, text) + views.flags(domain, text)


def distance(candidate: Candidate) -> str:
    """How far from the known objects a candidate lies, as HTML; amber where it is far."""
    if candidate.latent is None:
        return ""
    manifold = shared.atlas(candidate.domain).manifold
    percentile = float(manifold.percentile(np.array([candidate.latent], "f4"))[0])
    words = html.escape(manifold.words(percentile).capitalize())
    if percentile > EDGE:
        words = f"<span class='gb-far'>⚠ {words}</span>"
    share = "almost none" if percentile < 0.5 else f"{percentile:.0f} %"
    return f"{words}: lies more apart than {share} of the known {candidate.domain}."


def numbers(candidate: Candidate) -> None:
    """The first properties, what their methods said, and the others folded away: one message to
    the browser, which each rerun sends anew."""
    first = rooms(candidate.domain).first
    keys = [p.key for p in shared.atlas(candidate.domain).properties if p.key not in first]
    shown, others = _table(candidate, first), _table(candidate, keys)
    if others:
        others = f"<details class='gb-more'><summary>All properties</summary>{others}</details>"
    if told := shown + _notes(candidate) + others:
        st.html(told)


def _table(candidate: Candidate, keys: Sequence[str]) -> str:
    """Rows of label, value, mark of its kind, and a spark of where it lies among the known."""
    rows = _rows(candidate, keys)
    return f"<table class='gb-values'>{rows}</table>" if rows else ""


def _notes(candidate: Candidate) -> str:
    """What the values' methods said beside their numbers: why there is no voltage, say."""
    told = dict.fromkeys(m.note for m in candidate.properties.values() if m.note)
    return f"<p class='gb-note'>{html.escape(' '.join(told))}</p>" if told else ""


def _rows(candidate: Candidate, keys: Sequence[str]) -> str:
    known = {p.key: p for p in shared.atlas(candidate.domain).properties}
    return "".join(
        _row(known[k], candidate.properties[k], shared.distribution(candidate.domain, k))
        for k in keys
        if k in candidate.properties
    )


def _row(known: Property, found: Measurement, spread: Distribution) -> str:
    number = found.number(known.floor)
    mark = KIND_MARKS[found.kind]
    method = html.escape(found.method)
    return (
        f"<tr title='{html.escape(known.help, quote=True)}'><th>{html.escape(known.label)}</th>"
        f"<td class='gb-number'>{_tied(number)} {_tied(html.escape(known.unit))}</td>"
        f"<td class='gb-kind'><span class='gb-{found.kind}'>{mark} {found.kind}</span>"
        f"<small>{method}</small></td><td>{spread.html(found.value)}</td></tr>"
    )


def _tied(text: str) -> str:
    """A line may break before "(3 to 10)" and before the unit, nowhere else."""
    return text.replace(" ", "\u00a0").replace("\u00a0(", " (")


def spark(values: np.ndarray, value: float) -> str:
    """Histogram of the known values with a line where this one lies, as HTML."""
    return Distribution.of(np.asarray(values, float)).html(value)


def learned(candidate: Candidate) -> Candidate:
    """The candidate with what the physics said of it since, in place of predicted values."""
    found = shared.store().evaluation(candidate.domain, candidate.text)
    if found is None:
        return candidate
    sure = {k for k, m in candidate.properties.items() if m.kind != "predicted"}
    return candidate.with_properties({k: m for k, m in found.values.items() if k not in sure})


def tile(candidate: Candidate, note: str = "") -> Tile:
    """A candidate for a gallery."""
    svg = picture(candidate.domain, candidate.text, 150, 100, state.is_dark())
    return Tile(svg, short(candidate.name or candidate.text, 60), note)


def neighbours(candidate: Candidate, key: str, choose: Choose) -> None:
    """The four known objects nearest in latent space; a click chooses one."""
    if candidate.latent is None:
        return
    place = shared.atlas(candidate.domain)
    near = place.nearest(np.array(candidate.latent, "f4"), 4, skip=candidate.text)
    domain, dark = candidate.domain, state.is_dark()
    tiles = [Tile(picture(domain, n.text, 150, 100, dark), short(n.name, 60)) for n in near]
    words = f"Nearest known {domain}, as the model sees it"
    hit = gallery(tiles, key=key, columns=4, title=words)
    if hit is not None:
        choose(shared.candidate(candidate.domain, near[hit].text))


def actions(candidate: Candidate, key: str) -> None:
    """Where a candidate can be taken: an end of a walk, the start of a design."""
    with st.container(horizontal=True):
        for which, letter in enumerate("AB"):
            if st.button(f"Set as {letter}", key=f"{key}:end{letter}", help="End of a walk"):
                state.set_end(which, candidate.text)
                st.toast(f"It is now end {letter} on Interpolate")
        if st.button("Start a design here", key=f"{key}:design", icon=":material/tune:"):
            start = rooms(candidate.domain).start(candidate.text)
            st.session_state[state.START] = start
            st.switch_page("pages/design.py", query_params={"start": start})


def thumbnail(candidate: Candidate, caption: str = "", width: int = 150, height: int = 100) -> None:
    """Small drawing with a line of text below."""
    if candidate.text:
        st.html(
            f"<figure class='gb-thumb'>{image(candidate.domain, candidate.text, width, height)}"
            f"<figcaption>{html.escape(caption or candidate.name or candidate.text)}</figcaption>"
            "</figure>"
        )
    else:
        st.caption(f"no {rooms(candidate.domain).words.one} here")
