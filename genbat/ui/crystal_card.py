"""What a crystal's card adds to its properties: symmetry, charges, cost, diffraction, voltage
profile, measured conductivity nearby, and the nearest known structures."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Sequence

import streamlit as st

from genbat.core.candidate import Candidate
from genbat.studio import crystal_facts, crystal_images
from genbat.studio.crystal_facts import Conductor, Facts, Neighbour
from genbat.ui import crystal_charts, image_views, shared, state
from genbat.ui.components.gallery import Tile, gallery
from genbat.ui.slim import slim
from genbat.ui.words import plain

Choose = Callable[[Candidate], None]
CHART = {"displayModeBar": False}
# Crystal system -> its free lengths and angles.
FREE = {
    "cubic": ("a", ""), "tetragonal": ("ac", ""), "hexagonal": ("ac", ""), "trigonal": ("ac", ""),
    "orthorhombic": ("abc", ""), "monoclinic": ("abc", "β"), "triclinic": ("abc", "αβγ"),
}  # fmt: skip
SMALLEST_MOMENT = 0.2  # μB, below it is noise
WITHOUT_CHARGES = {
    True: "SMACT accepts it as an alloy",
    False: "SMACT finds none either",
    None: "too many elements for SMACT",
}
ALIKE = "Nearest known crystals by structure and composition (radial fingerprint)"
SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
NO_CHARGES = (
    "no set of usual oxidation states adds up to zero: a metal, or charges that are not usual"
)


def sections(candidate: Candidate, key: str, *, choose: Choose | None = None) -> None:
    """Draw all of it; `key` names its place on the page.

    Parameters
    ----------
    choose : called with a known neighbour that was clicked; without it they are only shown.
    """
    try:
        known = crystal_facts.facts(candidate.text)
    except ValueError as reason:
        st.info(f"No more about this crystal: {plain(str(reason))}")
        return
    _table(known, crystal_facts.moments(candidate.text))
    _conductivity(crystal_facts.measured(candidate.text))
    _charts(candidate, known, key)
    _neighbours(crystal_facts.nearest(candidate.text), f"{key}:alike", choose)


# ---------------------------------------------------------------------- what it is
def _table(known: Facts, moments: dict[str, float]) -> None:
    rows = [
        (
            "Formula",
            f"{known.formula.translate(SUBSCRIPTS)}, Z = {known.units}",
            "conventional cell",
        ),
        ("Space group", _group(known), f"spglib, {crystal_facts.SYMPREC:g} Å"),
        ("Cell", _cell(known), f"{known.volume:.1f} Å³"),
        ("Density", f"{known.density:.2f} g/cm³", "from cell and masses"),
        ("Oxidation states", *_charges(known)),
    ]
    if moments:
        rows.append(("Magnetic moments", _moments(moments), "CHGNet 0.3.0, mean size"))
    if known.flags:
        rows.append(("Elements", "⚠ " + "; ".join(known.flags), "rules of thumb"))
    cells = "".join(
        f"<tr><th>{html.escape(name)}</th><td>{html.escape(value)}</td>"
        f"<td class='gb-kind'>{html.escape(how)}</td></tr>"
        for name, value, how in rows
    )
    st.html(f"<table class='gb-values'>{cells}</table>")


def _moments(moments: dict[str, float]) -> str:
    large = {e: m for e, m in moments.items() if m >= SMALLEST_MOMENT}
    shown = " · ".join(f"{e} {m:.1f} μB" for e, m in large.items())
    return shown or f"none of {SMALLEST_MOMENT:g} μB or more"


def _group(known: Facts) -> str:
    group = known.group
    return f"{group.symbol} (no. {group.number}), {group.system}"


def _cell(known: Facts) -> str:
    """The parameters that the crystal system leaves free."""
    lengths, angles = FREE[known.group.system]
    sizes = [f"{name} {known.lengths['abc'.index(name)]:.3f}" for name in lengths]
    turns = [f"{name} {known.angles['αβγ'.index(name)]:.2f}°" for name in angles]
    return ", ".join(sizes) + " Å" + "".join(f", {turn}" for turn in turns)


def _charges(known: Facts) -> tuple[str, str]:
    """The states, and what SMACT says: yes, no, or not asked as there are too many elements."""
    if not known.charges:
        return NO_CHARGES, WITHOUT_CHARGES[known.plausible]
    verdict = "neutral, but SMACT finds it unlikely" if known.plausible is False else "neutral"
    return known.charge_words(), f"{verdict}; usual states (ICSD)"


# ---------------------------------------------------------------------- charts
def _charts(candidate: Candidate, known: Facts, key: str) -> None:
    profile = crystal_facts.profile(candidate)
    seen = crystal_images.seen(candidate.text)
    names = ["Diffraction", *(["Voltage"] if profile else []), "Cost of elements",
             *(["Image"] if seen else [])]  # fmt: skip
    tabs = dict(zip(names, st.tabs(names), strict=True))
    with tabs["Diffraction"]:
        figure = crystal_charts.diffraction(crystal_facts.pattern(candidate.text))
        st.plotly_chart(figure, key=f"{key}:xrd", config=CHART)
        st.caption(
            "Simulated powder pattern, Cu Kα (1.5418 Å), of the ideal symmetric crystal at 0 K: no "
            "texture, strain, disorder or instrument. Point at a line for its indices."
        )
    if profile:
        with tabs["Voltage"]:
            figure = crystal_charts.voltage(profile, candidate.properties)
            st.plotly_chart(figure, key=f"{key}:voltage", config=CHART)
            st.caption(_voltage_words(profile))
    with tabs["Cost of elements"]:
        _cost(known)
    if seen:
        with tabs["Image"]:
            image_views.draw(seen)


def _voltage_words(profile: crystal_facts.Profile) -> str:
    words = (
        f"Average voltage against {profile.ion} metal between the full and the empty host "
        f"({profile.average.phases[1]} and {profile.average.phases[0]}), 0 K, no kinetics; a "
        "measured curve slopes and steps around it."
    )
    if profile.steps:
        between = ", ".join(step.phases[1] for step in profile.steps[:-1])
        words += (
            f" Dotted: the steps that equilibrium with the known phases between ({between}) would "
            "take; their frameworks may differ from the host's."
        )
    return words


def _cost(known: Facts) -> None:
    cost = known.cost
    rows = "".join(
        f"<tr><th>{s.element}</th><td class='gb-number'>{100 * s.mass:.1f} %</td>"
        f"<td class='gb-number'>{_money(s.price)}</td>"
        f"<td class='gb-number'>{_money(s.adds)}</td></tr>"
        for s in cost.shares
    )
    head = (
        "<tr><th>element</th><td>of the mass</td><td>$/kg of element</td><td>adds, $/kg</td></tr>"
    )
    total = (
        f"no price known for {', '.join(cost.unknown)}"
        if cost.unknown
        else f"{_money(cost.total)} $/kg"
    )
    st.html(
        f"<p class='gb-note'>Elements of one kilogram: <b>{total}</b></p>"
        f"<table class='gb-values'>{head}{rows}</table>"
    )
    st.caption(f"{crystal_facts.SOURCE}. {crystal_facts.CAVEAT}")


def _money(value: float) -> str:
    """Two significant figures: the prices deserve no more."""
    if value <= 0:
        return "0"
    places = max(0, 1 - math.floor(math.log10(value)))
    return f"{round(value, 1 - math.floor(math.log10(value))):,.{min(places, 4)}f}"


# ---------------------------------------------------------------------- what is known near it
def _conductivity(found: Sequence[Conductor]) -> None:
    if not found:
        return
    rows = "".join(
        f"<tr><th>{html.escape(one.formula)}</th>"
        f"<td class='gb-number'>{conductivity(one)}</td>"
        f"<td class='gb-kind'><span class='gb-measured'>● measured</span></td>"
        f"<td class='gb-kind'>{html.escape(_nearness(one))}<br>doi:{html.escape(one.doi)}</td></tr>"
        for one in found
    )
    st.html(
        "<p class='gb-note'>Li⁺ conductivity at room temperature, measured for neighbours in "
        f"composition, not for this crystal ({html.escape(crystal_facts.ATTRIBUTION)})</p>"
        f"<table class='gb-values'>{rows}</table>"
    )


def conductivity(one: Conductor) -> str:
    """`1.6·10⁻⁶ S/cm`, `< 10⁻¹⁰ S/cm`."""
    head, _, tail = f"{10**one.log10_s_cm:.1e}".partition("e")
    power = int(tail)
    sign = "⁻" if power < 0 else ""
    tens = f"10{sign}{str(abs(power)).translate(str.maketrans('0123456789', '⁰¹²³⁴⁵⁶⁷⁸⁹'))}"
    size = tens if head == "1.0" else f"{head}·{tens}"
    return f"{'< ' if one.bound else ''}{size} S/cm"


def _nearness(one: Conductor) -> str:
    atoms = "same composition" if one.apart < 0.005 else f"{100 * one.apart:.0f} % of atoms differ"
    return f"{atoms}, {'same' if one.same_group else 'other'} space group ({one.group})"


def _neighbours(near: Sequence[Neighbour], key: str, choose: Choose | None) -> None:
    if not near:
        return
    dark = state.is_dark()
    tiles = [
        Tile(
            slim(crystal_facts.thumbnail(one.text, 150, 110, dark)),
            f"{one.formula} ({one.group})",
            one.words,
        )
        for one in near
    ]
    hit = gallery(tiles, key=key, columns=4, title=ALIKE)
    if hit is not None and choose is not None:
        choose(shared.candidate("crystals", near[hit].text))
