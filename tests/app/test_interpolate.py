"""Interpolate without a browser: ends from any text, links, messages, the walk and its actions."""

import pytest
from tiny_pages import fresh_page, linked

from genbat.ui import interpolate_player

EC, FEC, ADN = "O=C1OCCO1", "O=C1OCC(F)O1", "N#CCCCCC#N"


@pytest.fixture
def page(monkeypatch):
    return fresh_page(monkeypatch, "interpolate")


def walk(page, a=EC, b=FEC, **more):
    page.query_params.update({"a": a, "b": b, **more})
    return page.run()


def words(page):
    return " ".join(e.proto.body for e in page.get("html"))


def test_first_visit_offers_three_walks(page):
    page.run()
    assert not page.exception
    titles = [b.label for b in page.button]
    assert {"EC → FEC", "DMC → TTE", "Adiponitrile → sulfolane"} <= set(titles)
    page.button(key="pair:EC → FEC").click().run()
    assert (linked(page, "a"), linked(page, "b")) == (EC, FEC)
    assert "every step valid" in words(page)


@pytest.mark.parametrize("text", ["fluoroethylene carbonate", "FEC", "O=C1OC(F)CO1", "C3H3FO3"])
def test_the_box_takes_names_formulas_and_smiles(page, text):
    page.run()
    page.text_input(key="end:1:box").input(text).run()
    assert linked(page, "b") == FEC
    assert page.text_input(key="end:1:box").value == ""


def test_cas_number(page):
    page.run()
    page.text_input(key="end:0:box").input("96-49-1").run()
    assert linked(page, "a") == EC


@pytest.mark.parametrize(
    "text",
    ["C1CC", "<script>alert(1)</script>", "C" * 10_000, "[Na+].[Cl-]", "no such thing", "∆∆∆"],
)
def test_a_wrong_end_is_told_at_its_place(page, text):
    walk(page)
    page.text_input(key="end:0:box").input(text).run()
    assert not page.exception
    assert len(page.error) == 1
    assert "SMILES" in page.error[0].value
    assert linked(page, "a") == EC  # what stood there stays


def test_the_same_molecule_twice(page):
    walk(page, EC, "C1COC(=O)O1")
    assert "choose two different ones" in page.error[0].value.replace("\\", "")


def test_link_holds_the_whole_state(page):
    walk(page, path="linear", steps="5", step="3")
    assert not page.exception
    assert page.number_input(key="walk:steps").value == 5
    assert page.slider(key="walk:slider").value == 3
    assert "step 3 of 4" in words(page)
    assert "straight line" in words(page)
    page.slider(key="walk:slider").set_value(1).run()
    assert linked(page, "step") == "1"


@pytest.mark.parametrize(
    "link", [{"steps": "9" * 30}, {"step": "-3"}, {"path": "<b>"}, {"steps": "x"}]
)
def test_a_broken_link_falls_back_to_the_usual(page, link):
    walk(page, **link)
    assert not page.exception
    assert 2 <= page.number_input(key="walk:steps").value <= 41
    assert page.segmented_control(key="walk:kind").value == "geodesic"


def test_an_end_that_is_nothing_leaves_room_for_another(page):
    walk(page, a="rubbish!")
    assert not page.exception
    assert len(page.error) == 1
    assert "Choose where to start" in words(page)


def test_steps_and_play(page):
    walk(page)
    page.button(key="walk:next").click().run()
    assert linked(page, "step") == "1"
    page.button(key="walk:back").click().run()
    assert linked(page, "step") == "0"
    page.button(key="walk:play").click().run()
    assert page.button(key="walk:play").label == "Pause"
    assert page.slider(key="walk:slider:shown").disabled  # a late value must not undo a step


def test_a_late_value_of_the_slider_undoes_no_step(page, monkeypatch):
    walk(page, path="linear", steps="5", step="2")
    page.button(key="walk:next").click().run()
    assert linked(page, "step") == "3"
    page.slider(key="walk:slider").set_value(2).run()  # as if it had left before the button's step
    assert linked(page, "step") == "3"
    assert page.slider(key="walk:slider").value == 3
    monkeypatch.setattr(interpolate_player, "ECHO_S", 0.0)  # somebody who takes his time
    page.slider(key="walk:slider").set_value(2).run()
    assert linked(page, "step") == "2"


def test_comparison_with_the_straight_line(page):
    walk(page, EC, ADN)
    assert "mean distance to the data: through the data" in words(page)
    assert "straight line" in words(page)


def test_whole_path_goes_to_the_shortlist_and_back_to_an_end(page):
    from genbat.ui import shared, state

    walk(page)
    page.button(key="walk:addall").click().run()
    owner = page.session_state[state.OWNER]
    mine = shared.shortlists().lists(owner, "molecules")
    assert mine[0].count >= 2
    page.selectbox(key="end:0:list").set_value(FEC).run()
    assert linked(page, "a") == FEC


def test_all_steps_go_to_xtb_as_one_job(page):
    from genbat.ui import shared

    walk(page)
    page.button(key="walk:compute").click().run()
    assert not page.exception
    kind, title, arguments, _ = shared.jobs().submitted[0]
    assert (kind, title) == ("label", "xTB along ethylene carbonate → fluoroethylene carbonate")
    assert {EC, FEC} <= set(arguments["texts"])
