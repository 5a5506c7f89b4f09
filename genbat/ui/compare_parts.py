"""The parts of "Compare": the systems' measures in a table, what each means, and the review's
ranking against the numbers.

The address holds the group of measures that is shown.
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from genbat.studio import compared
from genbat.studio.compared import Compared, Ranking
from genbat.studio.compared_measures import HIGH, LOW, Measure
from genbat.ui import state
from genbat.ui.words import plain

ALL = "all"
ENDS = {HIGH: "↑", LOW: "↓", "": ""}
SIGNS = {"yes": "✓", "no": "✗", "close": "≈", "unknown": "–"}
SAID = {
    "yes": "agrees with the review",
    "no": "contradicts it",
    "close": "too close for this number of samples",
    "unknown": "not measured, or measured on other kinds of crystals",
}


def page() -> None:
    """All of it."""
    try:
        found = compared.opened(state.domain())
    except ValueError as wrong:
        st.info(plain(str(wrong)))
        return
    _heading(found)
    shown = _group(found)
    st.html(table(found, shown))
    st.caption(_legend(found))
    _definitions(found, shown)
    _ranking(found)
    _file(found)


def _heading(found: Compared) -> None:
    used = " · ".join(f"{name} {v}" for name, v in found.versions.items())
    st.caption(
        f"{found.n:,} samples of each system, seed {found.seed}, all with the same judges and the "
        f"same reference data. {plain(used)}"
    )


def _group(found: Compared) -> list[Measure]:
    """The measures that are shown: the first of each group, or all of one."""
    legal, asked = [ALL, *found.groups], st.query_params.get("group", ALL)
    chosen = st.segmented_control(
        "Measures", legal, default=asked if asked in legal else ALL, required=True,
        format_func=lambda name: "One of each" if name == ALL else name,
        key=f"compare:{found.domain}", label_visibility="collapsed",
    )  # fmt: skip
    state.link(group=None if chosen == ALL else chosen)
    if chosen in found.groups:
        return found.groups[chosen]
    return [measures[0] for measures in found.groups.values()]


# ---------------------------------------------------------------------- the table
def table(found: Compared, shown: Sequence[Measure]) -> str:
    """Systems first, then what they are compared with; the best value of each measure is bold."""
    head = "".join(_head(m) for m in shown)
    best = {m.key: found.best(m) for m in shown}
    rows = "".join(
        f"<tr class='gb-{compared.family(found, row).lower()}'>"
        f"<th>{html.escape(compared.title(found, row))}</th>"
        f"{''.join(_cell(found, row, m, row in best[m.key]) for m in shown)}</tr>"
        for row in found.rows
    )
    return (
        "<div class='gb-wide'><table class='gb-values gb-compared'>"
        f"<tr><td></td>{head}</tr>{rows}</table></div>"
    )


def _head(measure: Measure) -> str:
    unit = f" / {measure.unit}" if measure.unit not in ("", "share") else ""
    words = html.escape(f"{measure.label}{unit} {ENDS[measure.better]}")
    return (
        f"<td title='{html.escape(measure.definition, quote=True)}'>"
        f"<small>{html.escape(measure.group)}</small><b>{words}</b></td>"
    )


def _cell(found: Compared, row: str, measure: Measure, best: bool) -> str:
    value = found.value(row, measure.key)
    bar = ""
    if measure.unit == "share" and math.isfinite(value):
        bar = f"<i style='width:{100 * min(1.0, max(0.0, value)):.0f}%'></i>"
    mark = " class='gb-best'" if best else ""
    return f"<td{mark}>{bar}<span>{written(value, measure)}</span></td>"


def written(value: float, measure: Measure) -> str:
    """`83 %`, `0.42`, or a dash where there is none."""
    if not math.isfinite(value):
        return "–"
    if measure.unit == "share":
        return f"{100 * value:.1f} %"
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def _legend(found: Compared) -> str:
    return (
        "Bold: the best system. ↑ more is better, ↓ less is better. Grey rows are no systems: "
        "trivial baselines, real objects held out, which show what can be reached, and systems "
        "with less help." + _narrow(found)
    )


def _narrow(found: Compared) -> str:
    """Which systems make a part of the domain only, and what that means for the numbers."""
    told = [f"{compared.title(found, row)} ({what})"
            for row in found.systems if (what := compared.scope(found, row))]  # fmt: skip
    if not told:
        return ""
    return (
        f" Some make a part of the domain only: {plain(', '.join(told))}. Their distribution and "
        "diversity stand against all of it and are not ranked."
    )


def _definitions(found: Compared, shown: Sequence[Measure]) -> None:
    """What each shown measure is, of how many, and who judged it."""
    of = {"n": "all samples", "valid": "the valid ones", "distinct": "the distinct valid ones",
          "relaxed": "those that relax", "judged": "those with phonons"}  # fmt: skip
    rows = "".join(
        f"<tr><th>{html.escape(m.label)}</th><td>{html.escape(m.definition)}</td>"
        f"<td>{html.escape(of.get(m.of, ''))}</td><td>{html.escape(m.judge)}</td></tr>"
        for m in shown
    )
    with st.expander("What each measure is, and who judges", icon=":material/info:"):
        st.html(
            "<table class='gb-values'><tr><th>Measure</th><td>Definition</td><td>Share of</td>"
            f"<td>Judge</td></tr>{rows}</table>"
        )


# ---------------------------------------------------------------------- the ranking
def _ranking(found: Compared) -> None:
    """The review's claims, pair by pair, by one measure of each group."""
    told = compared.rankings(found)
    if found.domain not in compared.CLAIMS:
        return
    st.subheader("Does the review's ranking hold?", anchor=False)
    st.markdown(compared.conclusion(found, told))
    if told:
        st.html(ranking_table(found, told))
        st.caption(
            " · ".join(f"{sign} {SAID[name]}" for name, sign in SIGNS.items())
            + f". Shares closer than {compared.SURE:g} standard errors count as too close; other "
            "measures are compared as they are."
        )
    if absent := compared.missing(found):
        st.caption(f"Not compared yet: {plain(', '.join(absent))}.")


def ranking_table(found: Compared, told: Sequence[Ranking]) -> str:
    """One row a pair, one column a group; both numbers stand in the tooltip of a sign."""
    head = "".join(f"<td><b>{html.escape(v.measure.group)}</b></td>" for v in told[0].verdicts)
    rows = "".join(_pair(found, one) for one in told)
    return (
        "<div class='gb-wide'><table class='gb-values gb-compared gb-tight'><tr><td></td>"
        f"<td><b>agree</b></td>{head}</tr>{rows}</table></div>"
    )


def _pair(found: Compared, one: Ranking) -> str:
    names = [html.escape(compared.title(found, row)) for row in (one.better, one.worse)]
    cells = ""
    for v in one.verdicts:
        ends = [written(found.value(row, v.measure.key), v.measure)
                for row in (one.better, one.worse)]  # fmt: skip
        told = f"{v.measure.label}: {ends[0]} against {ends[1]}, {SAID[v.holds]}"
        cells += (
            f"<td title='{html.escape(told, quote=True)}'>"
            f"<span class='gb-{v.holds}'>{SIGNS[v.holds]}</span>"
            f"<small>{ends[0].removesuffix(' %')} : {ends[1]}</small></td>"
        )
    judged = len(one.verdicts) - one.count("unknown")
    total = f"<td><span>{one.count('yes')} of {judged}</span></td>"
    return f"<tr><th>{names[0]} over {names[1]}</th>{total}{cells}</tr>"


def _file(found: Compared) -> None:
    frame = pd.DataFrame.from_dict({k: dict(v) for k, v in found.rows.items()}, orient="index")
    st.download_button(
        "All numbers as CSV", frame.to_csv(index_label="system", float_format="%.4g"),
        f"genbat-compare-{found.domain}.csv", "text/csv", icon=":material/download:",
        on_click="ignore",
    )  # fmt: skip
