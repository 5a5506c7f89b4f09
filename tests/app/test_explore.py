"""Explore as a script: links, search, filters, places, selections, own lists, missing files."""

import math
import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from genbat.studio import explore, own_list
from genbat.ui import shared
from genbat.ui.explore_filters import Filters

ROOT = Path(__file__).parents[2]
EC, FEC = "O=C1OCCO1", "O=C1OCC(F)O1"
MAP = "map:molecules"
LIST = b"smiles,name\nO=C1OCCO1,mine\nnonsense,bad one\nO=C1OCC(F)O1,<script>alert(1)</script>\n"


@pytest.fixture(scope="module")
def place():
    """The atlas of whatever assets there are."""
    return explore.atlas("molecules")


def opened(**link):
    """Explore, opened by a link."""
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=300)
    at.switch_page("pages/explore.py")
    for key, value in link.items():
        at.query_params[key] = value
    at.run()
    assert not at.exception
    return at


def tell(at, moment, /, **event):
    """Run with an event of the map."""
    at.session_state[MAP] = {"event": {**event, "t": moment}}
    at.run()
    assert not at.exception
    return at


def unfolded(at):
    """With the rare options open."""
    at.session_state["more"] = True
    return at.run()


def bodies(at):
    return " ".join(e.proto.body for e in at.get("html"))


def lasso(at, moment, corner=65535):
    polygon = [0, 0, corner, 0, corner, 65535, 0, 65535]
    event = {"count": 1, "indices": None, "polygon": polygon, "off": []}
    return tell(at, moment, kind="lasso", **event)


def test_first_visit_suggests_something(place):
    at = opened()
    assert "Start with one you know" in bodies(at)
    assert f"{place.map.trustworthiness:.2f}" in bodies(at)
    assert "mol" not in at.query_params


def test_a_click_puts_the_molecule_on_the_card(place):
    row = place.row_of[EC]
    at = tell(opened(), 1, kind="pick", index=row)
    assert at.query_params["mol"] == EC
    assert place.names[row] in bodies(at)
    assert [c.value for c in at.code] == [EC]
    assert "Add to shortlist" in [b.label for b in at.button]


def test_an_event_counts_once():
    at = tell(opened(), 1, kind="pick", index=3)
    at.text_input(key="explore:q").set_value("FEC").run()
    assert at.query_params["mol"] == FEC


def test_a_click_between_decodes_and_tells_the_distance(place):
    x, y = (float(v) for v in place.xy[0])
    at = tell(opened(mol=EC), 1, kind="spot", at=[x + 0.01, y])
    assert "mol" not in at.query_params
    assert "You clicked an empty place" in bodies(at)
    assert "% of the known molecules" in bodies(at)
    again = opened(x=at.query_params["x"], y=at.query_params["y"])
    assert [c.value for c in again.code] == [c.value for c in at.code]


@pytest.mark.parametrize("text", ["FEC", FEC, "C(F)1COC(=O)O1", "fluoroethylene carbonate"])
def test_search_finds_fec(text):
    at = opened()
    at.text_input(key="explore:q").set_value(text).run()
    assert at.query_params["mol"] == FEC
    assert at.query_params["q"] == text


def test_search_by_formula_offers_all_hits(place):
    at = opened(q="C3H4O3")
    assert len(at.get("button_group")) == 1
    assert place.row_of[EC] in place.search("C3H4O3")


def test_search_without_hits_says_what_to_try():
    at = opened()
    at.text_input(key="explore:q").set_value("no such thing :(").run()
    assert "Try an abbreviation" in at.info[0].value


@pytest.mark.parametrize(
    "link",
    [
        {"mol": "<script>alert(1)</script>"},
        {"mol": "C" * 5000},
        {"x": "nan", "y": "1"},
        {"x": "1e308", "y": "-1e308"},
        {"x": "a", "y": "b"},
        {"by": "none", "show": "?", "f": "lumo_ev:x:y;;;el:Xx;role:king;is:odd", "r": "-3"},
    ],
)
def test_broken_links_open_all_the_same(link):
    at = opened(**link)
    assert "Start with one you know" in bodies(at)
    assert "<script>" not in bodies(at)


def test_filters_travel_in_the_link(place):
    text = "lumo_ev:-8:;tflash_k:300:400;el:C.O.F;role:additive;is:known"
    filters = Filters.read(text, place)
    assert filters.windows["lumo_ev"] == (-8, math.inf)
    assert filters.text() == text
    assert len(filters) == 5
    assert Filters.read("lumo_ev:3:1;lumo_ev:nan:", place) == Filters()


def test_filters_of_a_link_stand_in_their_controls(place):
    text = "vip_ev:3:30;el:C.O.F"  # far beyond what there is, and it stays
    at = unfolded(opened(f=text))
    assert not at.exception
    assert at.query_params["f"] == text
    assert [sorted(m.value) for m in at.multiselect][:2] == [["vip_ev"], ["C", "F", "O"]]
    next(b for b in at.button if b.label == "Clear all filters").click().run()
    assert "f" not in at.query_params


def test_filters_keep_what_they_say(place):
    keep = Filters.read("el:C.O.F", place).keep(place, "known")
    assert keep[place.row_of[FEC]] and not keep[place.n_known :].any()
    assert not Filters.read("el:C.O", place).keep(place, "all")[place.row_of[FEC]]


def selected(at):
    return int(re.search(r"([\d,]+) molecules selected", bodies(at))[1].replace(",", ""))


def test_a_lasso_takes_what_passes_the_filters(place):
    at = lasso(opened(by="status"), 1)
    assert len(place) - 4 <= selected(at) <= len(place)  # the outermost lie on its edge
    at = lasso(opened(by="status", show="known"), 2)
    assert place.n_known - 4 <= selected(at) <= place.n_known
    assert any(b.label.startswith("Compute 200") for b in at.button)
    tell(at, 3, kind="lasso", count=0, indices=None, polygon=[], off=[])
    assert "selected" not in bodies(at)


def test_a_selection_goes_to_the_shortlist(place):
    at = opened(by="role")
    named = int((place.group("role") != "").sum())
    at = lasso(at, 1)
    taken = min(200, named)
    assert f"{named} molecules selected" in bodies(at)
    label = f"Add {taken} molecules to shortlist"
    next(b for b in at.button if b.label == label).click().run()
    assert not at.exception
    (mine,) = shared.shortlists().lists(at.session_state["owner"], "molecules")
    assert mine.count == taken


def test_the_card_fills_the_basket():
    at = opened(mol=EC)
    next(b for b in at.button if b.label == "Add to shortlist").click().run()
    (mine,) = shared.shortlists().lists(at.session_state["owner"], "molecules")
    assert [e.candidate.text for e in shared.shortlists().entries(mine.id)] == [EC]


def test_around_shows_relatives(place):
    at = opened(mol=EC, r="2")
    assert at.slider(key="explore:radius").value == 2
    assert at.query_params["r"] == "2"


def test_own_molecules_are_placed_and_problems_named(place):
    found = own_list.read(place, LIST, "mine.csv")
    assert found.texts == (EC, FEC)
    assert found.xy.shape == (2, 2)
    assert len(found.problems) == 1 and found.problems[0].startswith("mine.csv, line 3")
    assert own_list.read(place, b"", "empty.csv").problems


def test_own_molecules_on_the_page():
    at = unfolded(opened())
    at.file_uploader[0].set_value(("mine.csv", LIST, "text/csv")).run()
    assert not at.exception
    assert "2 molecules of yours" in bodies(at)
    assert "line 3" in at.warning[0].value
    assert "<script>" not in bodies(at)


def test_missing_assets_say_what_to_do(monkeypatch):
    def gone(domain):
        raise ValueError("map: molecules.npz is missing; run genbat build map:molecules")

    shared.warmup.clear()
    monkeypatch.setattr(explore, "atlas", gone)
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    at.switch_page("pages/explore.py").run()
    assert not at.exception
    assert "genbat build map:molecules" in bodies(at)
    assert "Try again" in [b.label for b in at.button]
    monkeypatch.undo()
    shared.warmup.clear()
