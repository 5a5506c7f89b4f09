"""One HTML file that tells a shortlist's whole story; it refers to nothing outside itself."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from html import escape
from importlib import resources

import genbat
from genbat.core.candidate import Candidate
from genbat.core.properties import KIND_MARKS, Measurement, Property
from genbat.studio import views
from genbat.studio.registry import DOMAINS
from genbat.studio.rooms import rooms
from genbat.studio.scatter import Point, scatter
from genbat.studio.shortlist import Entry, pareto

_NAME_SPACE = re.compile(r"""xmlns=["']http://www.w3.org/2000/svg["']""")
_WORDS = {+1: "higher", -1: "lower"}
# Nothing is fetched and no script runs, whatever a text may hold.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_POLICY_3D = _POLICY + "; script-src 'unsafe-inline'; worker-src blob:; connect-src data: blob:"


def report(
    title: str,
    entries: Sequence[Entry],
    *,
    author: str = "",
    goals: Mapping[str, int] | None = None,
    view_html: Callable[[Candidate], str] | None = None,
    head_html: str = "",
    when: datetime | None = None,
) -> str:
    """The report as HTML text.

    Parameters
    ----------
    author : who made it, free text.
    goals : property key -> +1 (higher is wanted) or -1; with two or more a Pareto plot of the
        first two is drawn, judged by all.
    view_html : gives trusted HTML with a candidate's 3D view; scripts are allowed only then.
    head_html : trusted HTML that the views share (the viewer's script, once, inline).
    when : the date shown, now unless told.
    """
    known = _known_properties(entries)
    when = (when or datetime.now()).astimezone()
    parts = [
        _head(title, _POLICY_3D if view_html else _POLICY, head_html),
        _opening(title, author, when, len(entries)),
        _pareto(entries, goals or {}, known),
        *(_article(k, entry, known, view_html) for k, entry in enumerate(entries, 1)),
        "" if entries else "<p>This shortlist is empty.</p>",
        f"<footer><p class=soft>{_legend()} Intervals hold 90 %. "
        f"Made with GenBat {escape(genbat.__version__)}.</p></footer></body></html>",
    ]
    return "\n".join(part for part in parts if part) + "\n"


def _head(title: str, policy: str, more: str) -> str:
    style = resources.files("genbat.studio").joinpath("report.css").read_text("utf-8")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{style}</style>{more}</head><body>"
    )


def _opening(title: str, author: str, when: datetime, count: int) -> str:
    size = "1 candidate" if count == 1 else f"{count} candidates"
    facts = [when.strftime("%Y-%m-%d %H:%M %Z"), escape(author), size]
    line = " · ".join(fact for fact in facts if fact)
    return f"<header><h1>{escape(title)}</h1><p class=soft>{line}</p></header>"


def _legend() -> str:
    return " ".join(f"{mark} {kind}" for kind, mark in KIND_MARKS.items()) + "."


def _known_properties(entries: Sequence[Entry]) -> dict[str, Property]:
    known: dict[str, Property] = {}
    for domain in {e.candidate.domain for e in entries} & set(DOMAINS):
        known.update({p.key: p for p in rooms(domain).properties})
    return known


def _pareto(
    entries: Sequence[Entry], goals: Mapping[str, int], known: Mapping[str, Property]
) -> str:
    if len(goals) < 2 or not entries:
        return ""
    front = pareto(entries, goals)
    x_key, y_key = list(goals)[:2]
    points = [
        Point(
            entry.candidate.properties[x_key].value,
            entry.candidate.properties[y_key].value,
            str(k),
            bool(flag),
        )
        for k, (entry, flag) in enumerate(zip(entries, front, strict=True), 1)
        if flag is not None
    ]
    wished = ", ".join(f"{_label(key, known)}: {_WORDS[sign]}" for key, sign in goals.items())
    missing = front.count(None)
    left_out = f" {missing} without all these values are left out." if missing else ""
    caption = f"Wanted: {wished}. Filled: no other candidate is better in every respect.{left_out}"
    plot = scatter(points, _axis(x_key, known), _axis(y_key, known)) if points else ""
    return f"<figure>{plot}<figcaption>{escape(caption)}</figcaption></figure>"


def _label(key: str, known: Mapping[str, Property]) -> str:
    return known[key].label if key in known else key


def _axis(key: str, known: Mapping[str, Property]) -> str:
    return known[key].axis if key in known else key


def _article(
    number: int,
    entry: Entry,
    known: Mapping[str, Property],
    view_html: Callable[[Candidate], str] | None,
) -> str:
    candidate = entry.candidate
    name = escape(candidate.name or candidate.text.split("\n", 1)[0])
    rank = f" <span class=soft>rank {entry.rank}</span>" if entry.rank else ""
    view = view_html(candidate) if view_html else ""
    return (
        f"<article><figure>{_drawing(candidate)}{view}</figure><div>"
        f"<h2>{number}. {name}{rank}</h2>{_text(candidate.text)}"
        f"{_verdict(candidate)}{_words(entry)}{_values(candidate, known)}{_provenance(candidate)}"
        "</div></article>"
    )


def _text(text: str) -> str:
    """What the object is written as; many lines are folded away."""
    if "\n" not in text:
        return f"<p><code>{escape(text)}</code></p>"
    return f"<details><summary>Structure</summary><pre>{escape(text)}</pre></details>"


def _drawing(candidate: Candidate) -> str:
    if candidate.domain not in DOMAINS:
        return ""
    try:
        drawn = views.drawing(candidate.domain, candidate.text, 260, 195, False)
    except ValueError as wrong:
        return f"<p class=warn>{escape(str(wrong))}</p>"
    return _NAME_SPACE.sub("", drawn)  # HTML needs none


def _verdict(candidate: Candidate) -> str:
    if candidate.verdict.ok:
        return ""
    return f"<p class=warn>Not valid: {escape('; '.join(candidate.verdict.reasons))}</p>"


def _words(entry: Entry) -> str:
    tags = "".join(f"<span class=tag>{escape(tag)}</span>" for tag in entry.tags)
    note = f"<p class=note>{escape(entry.note)}</p>" if entry.note else ""
    return (f"<p>{tags}</p>" if tags else "") + note


def _values(candidate: Candidate, known: Mapping[str, Property]) -> str:
    if not candidate.properties:
        return "<p class=soft>No property is known.</p>"
    order = [k for k in known if k in candidate.properties]
    order += [k for k in candidate.properties if k not in known]
    rows = "".join(_row(_label(k, known), candidate.properties[k], known.get(k)) for k in order)
    head = "<tr><th>Property<th>Value<th>Unit<th>Method<th>Kind</tr>"
    return f"<table>{head}{rows}</table>"


def _row(label: str, measured: Measurement, known: Property | None) -> str:
    value = measured.number(known.floor if known else 0.01)
    method = f"{measured.method} ({measured.note})" if measured.note else measured.method
    mark = KIND_MARKS.get(measured.kind, "")
    return (
        f"<tr><td>{escape(label)}<td class=number>{escape(value)}<td>{escape(measured.unit)}"
        f"<td>{escape(method)}<td>{mark} {escape(measured.kind)}</tr>"
    )


def _provenance(candidate: Candidate) -> str:
    source = candidate.provenance
    story = escape(json.dumps(source.to_json(), indent=1, ensure_ascii=False))
    seed = f" · seed {source.seed}" if source.weights else ""
    line = escape(f"{source.system} · {source.action}{seed}")
    return f"<details><summary>Provenance: {line}</summary><pre>{story}</pre></details>"
