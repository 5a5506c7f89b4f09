"""The parts of the Jobs page: one box a job, its results, and what can be done with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import urlencode

import streamlit as st

from genbat.core.candidate import Candidate, Verdict
from genbat.core.properties import Measurement
from genbat.core.provenance import Provenance, versions
from genbat.studio import exports, registry
from genbat.studio.jobs import Job, Result
from genbat.studio.rooms import rooms
from genbat.ui import basket, progress, shared, state, tables
from genbat.ui.frame import PAGES, page_file, shown_pages
from genbat.ui.words import count, duration, moment, plain, short

KINDS = {
    "label": "calculation",
    "design": "Design run",
    "micrograph": "SliceGAN training",
    "finer": "SuperRes run",
    "loop": "feedback loop",
}
# Kinds whose results have a page of their own, with the word of the link to it.
PLACES = {
    "design": ("design", "Open in Design"),
    "micrograph": ("micrograph", "Open"),
    "finer": ("micrograph", "Open"),
    "loop": ("loop", "Open"),
}
ELSEWHERE = ("micrograph", "finer", "loop")  # kinds whose results are no candidates of a list
COLOURS = {
    "queued": "gray",
    "running": "blue",
    "done": "green",
    "failed": "red",
    "cancelled": "orange",
}
FAILED = "why no value"


def box(job: Job, opened: bool) -> None:
    """One job: what it is, how it stands, its results."""
    with st.container(border=True):
        left, right = st.columns([5, 2], vertical_alignment="center")
        with left:
            _heading(job)
        with right:
            _actions(job)
        if job.active:
            progress.bar(job, f"job:{job.id}")
        elif job.state == "failed":
            progress.ending(job)
        found = [] if job.kind in ELSEWHERE else shared.jobs().results(job.id)
        if found:
            word = "Results so far" if job.active else "Results"
            fold = st.expander(
                f"{word}: {len(found)}", expanded=opened, key=f"fold:{job.id}", on_change="rerun"
            )
            with fold:
                if fold.open:
                    results(job, found)


def _heading(job: Job) -> None:
    badge = f":{COLOURS[job.state]}-badge[{job.state}]"
    words = [_kind(job), f"asked {moment(job.created)}"]
    if job.started:
        words.append(f"started {moment(job.started)}")
    if job.started and not job.active:
        words.append(f"{duration(progress.used_s(job))} used")
    if job.state == "cancelled":
        words.append("what it had by then is kept")
    st.markdown(f"**{plain(short(job.title, 90))}** {badge}  \n:small[{' · '.join(words)}]")


def _kind(job: Job) -> str:
    kind = KINDS.get(job.kind, plain(job.kind))
    return f"{rooms(domain_of(job)).words.judge} {kind}" if job.kind == "label" else kind


def domain_of(job: Job) -> str:
    """What kind of matter a job is about."""
    return str(job.arguments.get("domain", registry.FIRST))


def _link(job: Job, page: str, words: str) -> None:
    """To the page of a job's results, which may stand in another domain's sidebar alone."""
    icon, told = PAGES[page][1], {"job": job.id, "me": state.owner(), "domain": domain_of(job)}
    if page in shown_pages():
        st.page_link(page_file(page), label=words, icon=icon, query_params=told)
    else:
        st.link_button(words, f"{page}?{urlencode(told)}", icon=icon)


def _actions(job: Job) -> None:
    with st.container(horizontal=True, horizontal_alignment="right"):
        if job.kind in PLACES:
            _link(job, *PLACES[job.kind])
        if job.active:
            return
        again = st.button(
            "Run again",
            key=f"again:{job.id}",
            icon=":material/replay:",
            help="Ask the same once more. What was computed before is not computed again.",
        )
        if again:
            _again(job.id)


def _again(job_id: str) -> None:
    try:
        state.link(job=shared.jobs().resubmit(job_id))
    except ValueError as wrong:
        st.toast(plain(str(wrong)))
    else:
        st.rerun()


def results(job: Job, found: Sequence[Result]) -> None:
    """Results of a job as a table, with download and the way to the shortlist."""
    if job.kind not in KINDS:
        st.json([dict(r.payload) for r in found[:100]], expanded=False)
        return
    made, reasons = candidates(job, found)
    keys = _columns(made)
    styled = tables.values(
        made,
        keys,
        {
            tables.DRAWING: tables.thumbnails(made),
            "name": [c.name or c.text for c in made],
        },
        {FAILED: reasons},
    )
    st.dataframe(
        styled,
        column_config=tables.configuration(made[0].domain, keys),
        column_order=[tables.DRAWING, "name", *keys, *([FAILED] if any(reasons) else [])],
        row_height=tables.ROW_HEIGHT,
        height=tables.height(len(made), 360),
        hide_index=True,
        key=f"results:{job.id}",
    )
    _hand_on(job, made, reasons)


def _hand_on(job: Job, made: list[Candidate], reasons: list[str]) -> None:
    good = [c for c in made if c.verdict.ok]
    words = rooms(domain_of(job)).words
    with st.container(horizontal=True):
        st.download_button(
            "Download CSV",
            exports.export(made, "csv", [{"failed": reason} for reason in reasons]),
            f"genbat-{job.kind}-{job.id[:8]}.csv",
            "text/csv",
            key=f"csv:{job.id}",
            icon=":material/download:",
            on_click="ignore",
        )
        st.button(
            f"Add {count(len(good), words.one)} to {plain(basket.current().name)}",
            key=f"add:{job.id}",
            icon=":material/playlist_add:",
            disabled=not good or domain_of(job) != state.domain(),
            on_click=_add_all,
            args=(good,),
        )


def _columns(made: Sequence[Candidate]) -> list[str]:
    room = rooms(made[0].domain)
    order = [*room.first, *room.physics]
    keys = [k for k in dict.fromkeys(order) if any(k in c.properties for c in made)]
    return [k for k in keys if k in room.physics][:5] or tables.useful_keys(made, 3)


def candidates(job: Job, found: Sequence[Result]) -> tuple[list[Candidate], list[str]]:
    """Results as candidates, and for each why it has no computed values ("" where it has)."""
    if job.kind == "design":
        whole = [Candidate.from_json(r.payload["candidate"]) for r in found]
        return [_own(c) for c in whole], [str(r.payload["failed"]) for r in found]
    names = dict(zip(job.arguments.get("texts", ()), job.arguments.get("names", ()), strict=False))
    domain = domain_of(job)
    made = [_labelled(r, names.get(r.payload["asked"], ""), domain) for r in found]
    return made, [str(r.payload["failed"]) for r in found]


def _own(candidate: Candidate) -> Candidate:
    # "lumo_ev:predicted" is the page's memory of the prediction, no property of its own.
    properties = {k: m for k, m in candidate.properties.items() if ":" not in k}
    return replace(candidate, properties=properties)


def _labelled(result: Result, name: str, domain: str) -> Candidate:
    """What a calculation said; a crystal is the relaxed one from here on."""
    payload = result.payload
    ok = bool(payload["text"])
    relaxed = payload.get("more", {}).get("relaxed")
    return Candidate(
        text=relaxed or payload["text"] or payload["asked"],
        domain=domain,
        verdict=Verdict(ok, () if ok else (payload["failed"],)),
        provenance=Provenance("user", "typed", versions=versions()),
        properties={k: Measurement(**m) for k, m in payload["values"].items()},
        name=name,
    )


def _add_all(good: list[Candidate]) -> None:
    place = shared.atlas(state.domain())
    lists, target = shared.shortlists(), basket.current()
    added = 0
    try:
        for candidate in good:
            whole = candidate if candidate.latent else place.typed(candidate.text)
            named = replace(whole, name=candidate.name or whole.name)
            lists.add(target.id, named.with_properties(candidate.properties))
            added += 1
    except ValueError as wrong:
        st.toast(plain(str(wrong)))
    st.toast(f"{count(added, state.words().one)} on {plain(target.name)}")
