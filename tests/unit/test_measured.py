"""Measured properties: units, which sources count, and what is left out."""

import math

import pytest

from genbat.domains.molecules import measured
from genbat.domains.molecules.measured import ESTIMATES, MEASURED, UNITS, read_measured

METHANOL, ETHANOL, WATER, EC, DMC = "67-56-1", "64-17-5", "7732-18-5", "96-49-1", "616-38-6"


@pytest.fixture(scope="module")
def joined():
    return read_measured([METHANOL, ETHANOL, WATER, EC, DMC, "0-00-0"])


@pytest.mark.parametrize(
    ("cas", "source", "value"),
    [
        (METHANOL, "Perry 2-313", 0.544),  # CRC Handbook, 25 C
        (ETHANOL, "Perry 2-313", 1.074),
        (WATER, "Perry 2-313", 0.890),
        (WATER, "Viswanath-Natarajan", 0.890),
        (DMC, "Viswanath-Natarajan", 0.585),
    ],
)
def test_viscosity_is_in_mpas(cas, source, value):
    assert measured.viscosity(cas)[source] == pytest.approx(value, rel=0.03)


def test_both_viscosity_tables_share_a_unit():
    numbers = ["71-43-2", "108-88-3", "110-54-3", "67-64-1", "141-78-6", WATER]
    pairs = [v for v in map(measured.viscosity, numbers) if len(v) == 2]
    assert len(pairs) > 2
    for pair in pairs:
        a, b = pair.values()
        assert a == pytest.approx(b, rel=0.1)


def test_known_values(joined):
    table, _ = joined
    assert table.loc[WATER, "tm_k"] == pytest.approx(273.15, abs=0.1)
    assert table.loc[WATER, "tb_k"] == pytest.approx(373.15, abs=0.1)
    assert table.loc[WATER, "permittivity"] == pytest.approx(78.4, abs=0.2)
    assert table.loc[EC, "permittivity"] == pytest.approx(89.8, abs=0.1)
    assert table.loc[METHANOL, "tflash_k"] == pytest.approx(283, abs=3)
    assert table.loc[METHANOL, "dipole_exp_d"] == pytest.approx(1.70, abs=0.02)
    assert table.loc[METHANOL, "viscosity_mpas"] == pytest.approx(0.544, rel=0.03)


def test_columns_and_methods(joined):
    table, _ = joined
    assert list(table.columns) == [f"{k}{e}" for k in MEASURED for e in ("", "_spread", "_method")]
    assert "0-00-0" not in table.index
    methods = " ".join(str(m) for k in MEASURED for m in table[f"{k}_method"])
    assert not [name for name in ESTIMATES if name in methods]
    assert "298.15 K" in table.loc[WATER, "permittivity_method"]
    assert "313.2 K" in table.loc[EC, "permittivity_method"]


def test_estimates_are_no_measurements():
    calls = []

    def value(cas, method):
        calls.append(method)
        return 300.0

    found = measured._by_function("x", lambda cas: ["JOBACK", "CRC_ORG", "PSI4_2022A"], value)
    assert found == {"CRC_ORG": 300.0}
    assert calls == ["CRC_ORG"]


def test_sources_that_disagree_are_listed(joined):
    table, outliers = joined
    (ethanol,) = [o for o in outliers if o.cas == ETHANOL and o.key == "viscosity_mpas"]
    assert ethanol.reason == "sources disagree"
    assert "Perry 2-313 1.07" in ethanol.values
    assert math.isnan(table.loc[ETHANOL, "viscosity_mpas"])


@pytest.mark.parametrize(
    ("key", "sources", "wanted"),
    [
        ("tm_k", {"a": 300.0}, (300.0, None, "a")),
        ("tm_k", {"a": 300.0, "b": 304.0}, (302.0, 2.0, "a, b")),
        ("tm_k", {"a": 300.0, "b": 302.0, "c": 400.0}, (302.0, 1.0, "a, b")),
        ("tm_k", {"a": 300.0, "b": 400.0}, "sources disagree"),
        ("tm_k", {"a": 3000.0, "b": 300.0}, (300.0, None, "b")),
        ("tm_k", {"a": 3.0}, "outside the plausible range"),
        ("viscosity_mpas", {"a": 1.0, "b": 1.1}, (1.05, 0.05, "a, b")),
        ("viscosity_mpas", {"a": 1.0, "b": 1000.0}, "sources disagree"),
        ("dipole_exp_d", {"a": 1.0, "b": 3.0, "c": 5.0}, "sources disagree"),
    ],
)
def test_agreement(key, sources, wanted):
    agreed = measured._agree(key, sources)
    if isinstance(wanted, str):
        assert agreed == wanted
    else:
        assert agreed[0] == pytest.approx(wanted[0])
        assert agreed[1] == (wanted[1] if wanted[1] is None else pytest.approx(wanted[1]))
        assert agreed[2] == wanted[2]


def test_melting_above_boiling_drops_both():
    found = {"tm_k": (400.0, None, "a"), "tb_k": (350.0, None, "b"), "dipole_exp_d": (1, None, "c")}
    kept, outliers = measured._consistent("x", found, [])
    assert set(kept) == {"dipole_exp_d"}
    assert outliers[0].reason == "melts above its boiling point"
    assert "400" in outliers[0].values


def test_measurement_carries_its_source():
    told = measured.measurement("tm_k", 300.0, 1.5, "CRC_ORG")
    assert (told.value, told.unit, told.kind, told.uncertainty) == (300.0, "K", "measured", 1.5)
    assert "CRC_ORG (chemicals" in told.method
    assert set(UNITS) == set(MEASURED)
