"""The crystal's part of a card, on a page of its own."""

import json

import pytest
from pymatgen.core import Lattice, Structure
from streamlit.testing.v1 import AppTest

from genbat.domains.crystals.structure import cell_of, to_text
from genbat.studio.crystal_facts import Conductor
from genbat.ui import crystal_card, crystal_charts


def page(text, voltage):
    import streamlit as st

    from genbat.core.candidate import Candidate, Verdict
    from genbat.core.properties import Measurement
    from genbat.core.provenance import Provenance
    from genbat.ui import crystal_card

    values = {
        "formation_ev": Measurement(-1.8, "eV/atom", "CHGNet 0.3.0", "computed", 0.14),
        "voltage_v": Measurement(voltage, "V", "CHGNet 0.3.0", "computed", 0.5),
        "voltage_r2scan_v": Measurement(4.1, "V", "CHGNet r2SCAN", "computed"),
    }
    one = Candidate(text, "crystals", Verdict(True), Provenance("user", "given"),
                    values if voltage else {})  # fmt: skip
    crystal_card.sections(one, "card", choose=lambda found: st.write(f"chose {found.name}"))


def grown(group, lattice, species, places):
    whole = Structure.from_spacegroup(group, lattice, species, places)
    return to_text(cell_of(whole.get_primitive_structure()))


LICOO2 = grown("R-3m", Lattice.hexagonal(2.816, 14.05), ["Li", "Co", "O"],
               [[0, 0, 0.5], [0, 0, 0], [0, 0, 0.26]])  # fmt: skip
ALLOY = grown("Pm-3m", Lattice.cubic(2.98), ["Ti", "Fe"], [[0] * 3, [0.5] * 3])
LI3CLO = grown("Pm-3m", Lattice.cubic(3.9), ["Cl", "O", "Li"],
               [[0.5] * 3, [0] * 3, [0.5, 0, 0]])  # fmt: skip


def run(text, voltage=0.0):
    at = AppTest.from_function(page, kwargs={"text": text, "voltage": voltage}, default_timeout=120)
    at.run()
    assert not at.exception, at.exception[0].message
    return at


def words(at):
    shown = [*at.caption, *at.markdown, *at.info]
    html = [node.proto.body for node in at.get("html")]
    return "\n".join([*html, *(one.value for one in shown)])


def figures(at):
    return [json.loads(chart.proto.spec) for chart in at.get("plotly_chart")]


def test_host_with_voltage():
    at = run(LICOO2, 3.9)
    said = words(at)
    assert "LiCoO₂, Z = 3" in said
    assert "R-3m (no. 166), trigonal" in said
    assert "a 2.816, c 14.050 Å<" in said
    assert "Li⁺ Co³⁺ O²⁻" in said
    assert "⚠ contains cobalt" in said
    assert "Average voltage against Li metal between the full and the empty host" in said
    pattern, volts = figures(at)
    labels = {row[0] for row in pattern["data"][1]["customdata"]}
    assert {"003", "104"} <= labels
    names = [trace["name"] for trace in volts["data"]]
    assert names[:3] == ["90 % interval", "average, CHGNet 0.3.0", "average, r2SCAN"]
    assert volts["data"][1]["y"] == [3.9, 3.9]
    assert volts["data"][1]["x"][1] == pytest.approx(273.8, abs=0.1)
    assert [tab.label for tab in at.tabs] == ["Diffraction", "Voltage", "Cost of elements"]


@pytest.mark.parametrize("voltage", [0.0, 13.65, -2.0, float("nan")])
def test_no_voltage_tab_without_a_credible_voltage(voltage):
    at = run(LICOO2, voltage)
    assert [tab.label for tab in at.tabs] == ["Diffraction", "Cost of elements"]
    assert len(figures(at)) == 1


def test_alloy_says_that_no_charges_balance():
    said = words(run(ALLOY))
    assert crystal_card.NO_CHARGES in said
    assert "measured for neighbours" not in said


def test_known_electrolyte_shows_what_was_measured_and_for_what():
    said = words(run(LI3CLO))
    assert "measured for neighbours in composition, not for this crystal" in said
    assert "same composition, same space group (221)" in said
    assert "OBELiX (NRC and Mila), CC BY 4.0" in said
    assert "doi:10." in said


def test_what_cannot_be_read_is_told_without_markup():
    at = run("data_x\n<img src=x onerror=alert(1)> [a](javascript:1)")
    assert "No more about this crystal" in at.info[0].value
    assert "[a](" not in at.info[0].value


@pytest.mark.parametrize(
    ("log", "bound", "shown"),
    [(-5.8, False, "1.6·10⁻⁶ S/cm"), (-10, True, "< 10⁻¹⁰ S/cm"), (-2, False, "10⁻² S/cm"),
     (-0.0001, False, "10⁰ S/cm")],
)  # fmt: skip
def test_conductivity_in_words(log, bound, shown):
    one = Conductor("X", "", 1, log, bound, "10.1/x", 0.0, True)
    assert crystal_card.conductivity(one) == shown


@pytest.mark.parametrize(
    ("label", "shown"),
    [("1 0 4", "104"), ("1 0 -4", "104\u0304"), ("0 1 14", "0 1 14"),
     ("2 0 0 / 0 0 2", "200 / 002")],
)  # fmt: skip
def test_indices(label, shown):
    assert crystal_charts.indices(label) == shown
