"""The crystal viewer, the periodic table and the crystal's card in a real browser."""

import json
import re
from pathlib import Path

import pytest
from drivers import FIND
from harness import SHOTS

HERE = Path(__file__).parent
ATOM = """(b, name) => { const v = b.viewer3d;
  const row = [...v.all.atoms.values()].find((a) => a.name === name && a.image.every((i) => !i));
  const at = v.gl.modelToScreen(row); return [at.x, at.y]; }"""
FACE_ON = """(b) => { const v = b.viewer3d, w = v.gl.getView();
  v.gl.setView([...w.slice(0, 4), 0.1, 0.25, 0.02, 0.96]); }"""


@pytest.fixture(scope="module")
def page(shared_pages, serve):
    page = shared_pages()
    page.goto(serve(HERE / "demo_crystals.py"))
    page.wait_for_selector(".crystal[data-state=ready]")
    return page


@pytest.fixture
def viewer(page):
    yield page.locator(".crystal")
    assert page.console_errors == []


def crystal(page, name):
    page.get_by_role("radiogroup", name="Crystal").get_by_text(name, exact=True).click()
    page.get_by_text(re.compile("^picked")).wait_for()
    page.wait_for_function("""([b, n]) => b.viewer3d.data.title === n""",
                           arg=[page.evaluate_handle(FIND, ".crystal"), name])  # fmt: skip


def counts(viewer):
    return [int(viewer.get_attribute(f"data-{k}")) for k in ("atoms", "bonds", "polyhedra")]


def button(viewer, name):
    return viewer.get_by_role("button", name=name, exact=True)


def test_supercells_bonds_and_polyhedra(page, viewer):
    """NaCl: (2n + 1)^3 atoms in n cells; LiCoO2: octahedra of cobalt."""
    crystal(page, "NaCl")
    for n in (1, 2, 3):
        for axis in "abc":
            viewer.get_by_label(f"cells along {axis}").select_option(str(n))
        side = 2 * n + 1
        inside = 3 * side * side * (side - 1)  # neighbours along each direction
        assert counts(viewer)[:2] == [side**3, inside]
    for axis in "abc":
        viewer.get_by_label(f"cells along {axis}").select_option("1")
    button(viewer, "Bonds").click()
    assert counts(viewer)[1] == 0
    button(viewer, "Bonds").click()
    crystal(page, "LiCoO2")
    atoms, _, shapes = counts(viewer)
    assert shapes == 10  # cobalt at 8 corners and at 2 places inside
    button(viewer, "Polyhedra").click()
    fewer, _, none = counts(viewer)
    assert (none, fewer < atoms) == (0, True)
    button(viewer, "Polyhedra").click()
    button(viewer, "Primitive").click()
    assert counts(viewer)[2] == 8
    button(viewer, "Primitive").click()


def test_legend_names_and_hides_elements(page, viewer):
    crystal(page, "LiCoO2")
    before = counts(viewer)
    legend = viewer.get_by_role("group", name="Elements")
    assert legend.inner_text().split() == ["Li", "Lithium", "Co", "Cobalt", "O", "Oxygen"]
    legend.get_by_role("button", name=re.compile("Cobalt")).click()
    after = counts(viewer)
    assert after[0] < before[0]
    assert after[2] == 0
    legend.get_by_role("button", name=re.compile("Cobalt")).click()
    assert counts(viewer) == before


def test_clicks_measure_distance_and_angle(page, viewer):
    """BaTiO3, a = 4 Å: Ti-O 2 Å, O-Ti-O a right angle. The canvas stays the same throughout."""
    box = page.evaluate_handle(FIND, ".crystal")
    box.evaluate("(b) => { b.querySelector('canvas').mine = 1; }")
    crystal(page, "BaTiO3")
    button(viewer, "Reset").click()
    for name in ("O1", "Ti1", "O2"):
        page.mouse.click(*box.evaluate(ATOM, name))
        page.wait_for_timeout(200)
    page.get_by_text("picked: ['O1', 'Ti1', 'O2'] None 90").wait_for()
    assert "90.0°, 2.000 and 2.000 Å" in viewer.locator(".answer").inner_text()
    page.mouse.click(*box.evaluate(ATOM, "O2"))
    page.get_by_text("picked: ['O1', 'Ti1'] 2 None").wait_for()
    assert "O1–Ti1 2.000 Å" in viewer.locator(".answer").inner_text()
    assert box.evaluate("(b) => [...b.querySelectorAll('canvas')].map((c) => c.mine)") == [1]
    crystal(page, "NaCl")
    page.get_by_text("picked: [] None None").wait_for()


def test_reset_turns_back(page, viewer):
    box = page.evaluate_handle(FIND, ".crystal")
    view = "(b) => b.viewer3d.gl.getView().map((v) => +v.toFixed(3))"
    button(viewer, "Reset").click()
    home = box.evaluate(view)
    box.evaluate(FACE_ON)
    assert box.evaluate(view) != home
    button(viewer, "Reset").click()
    assert box.evaluate(view) == pytest.approx(home, abs=2e-3)


def test_keys_turn_and_zoom(page, viewer):
    box = page.evaluate_handle(FIND, ".crystal")
    view = "(b) => b.viewer3d.gl.getView().map((v) => +v.toFixed(3))"
    stage = viewer.get_by_role("img", name=re.compile("arrow keys turn it"))
    button(viewer, "Reset").click()
    home = box.evaluate(view)
    stage.press("ArrowRight")
    turned = box.evaluate(view)
    assert turned[4:] != home[4:]
    stage.press("+")
    assert box.evaluate(view)[3] != turned[3]
    button(viewer, "Reset").click()


def test_viewer_follows_the_theme(page, viewer):
    crystal(page, "LiMn2O4")
    SHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SHOTS / "crystal-parts-light.png")
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(1500)
    page.screenshot(path=SHOTS / "crystal-parts-dark.png")
    box = page.evaluate_handle(FIND, ".crystal")
    paper = box.evaluate("(b) => getComputedStyle(b).getPropertyValue('--st-background-color')")
    assert paper.strip() == "#14161b"
    page.emulate_media(color_scheme="light")
    page.wait_for_timeout(500)


# ---------------------------------------------------------------------- periodic table
def states(page):
    said = page.get_by_text(re.compile("^require: ")).inner_text()
    required, forbidden = re.match(r"require: (.*) forbid: (.*)\.", said).groups()
    return required.split(",") if required else [], forbidden.split(",") if forbidden else []


def wait_for(page, required, forbidden):
    page.get_by_text(f"require: {required} forbid: {forbidden}.", exact=True).wait_for()


def test_table_cycles_by_click_and_key(page):
    table = page.locator(".ptable")
    wait_for(page, "Li,O", "Co")
    mn = table.get_by_role("button", name=re.compile("^Manganese"))
    mn.click()
    wait_for(page, "Li,Mn,O", "Co")
    assert mn.inner_text().endswith("✓")  # not by colour alone
    mn.click()
    wait_for(page, "Li,O", "Co,Mn")
    assert mn.inner_text().endswith("×")
    mn.press("Enter")
    wait_for(page, "Li,O", "Co")
    mn.press("ArrowRight")
    assert page.evaluate("() => document.activeElement.shadowRoot?.activeElement?.title ?? ''"
                         ).startswith("Iron")  # fmt: skip
    page.keyboard.press("r")
    wait_for(page, "Fe,Li,O", "Co")
    page.keyboard.press("a")
    wait_for(page, "Li,O", "Co")
    assert "2 required (Li, O)" in table.locator(".note").inner_text()


def test_many_fast_clicks_all_count(page):
    table = page.locator(".ptable")
    names = ("Titanium", "Vanadium", "Chromium", "Iron", "Nickel")
    for name in names:
        table.get_by_role("button", name=re.compile(f"^{name}")).click(delay=0)
        page.wait_for_timeout(120)
    wait_for(page, "Cr,Fe,Li,Ni,O,Ti,V", "Co")
    for name in names:
        for _ in range(2):
            table.get_by_role("button", name=re.compile(f"^{name}")).click(delay=0)
    wait_for(page, "Li,O", "Co")


def test_presets_and_wishes_of_the_page(page):
    table = page.locator(".ptable")
    button(table, "Only required").click()
    page.wait_for_function("() => document.body.innerText.includes('require: Li,O forbid: Ag')")
    required, forbidden = states(page)
    assert required == ["Li", "O"]
    assert len(forbidden) == 76
    button(table, "Battery elements").click()
    page.wait_for_function("() => !document.body.innerText.includes('Al,As')")
    required, forbidden = states(page)
    assert required == ["Li", "O"]
    assert {"Tc", "Au", "Hg"} < set(forbidden)
    assert not {"Mn", "Co", "P", "S"} & set(forbidden)
    button(table, "All").click()
    wait_for(page, "", "")
    button(table, "No cobalt").click()
    wait_for(page, "", "Co")
    page.get_by_role("button", name="Ask for sulfides").click()
    wait_for(page, "S", "O")
    table.get_by_role("button", name=re.compile("^Lithium")).click()
    wait_for(page, "Li,S", "O")
    assert page.console_errors == []


# ---------------------------------------------------------------------- card
def test_card_shows_charts_neighbours_and_measured_values(new_page, serve):
    page = new_page(viewport={"width": 1280, "height": 1600})
    url = serve(HERE / "demo_crystal_card.py")
    page.goto(f"{url}/?crystal=plateaus")
    page.wait_for_selector(".gallery svg")
    page.get_by_role("tab", name="Voltage").click()
    page.get_by_text("average, CHGNet 0.3.0").wait_for()
    page.wait_for_timeout(800)
    page.screenshot(path=SHOTS / "crystal-card-voltage.png")
    assert "no kinetics" in page.get_by_text("Average voltage against").inner_text()
    page.goto(f"{url}/?crystal=Li3ClO")
    page.get_by_text("measured for neighbours in composition, not for this crystal").wait_for()
    page.get_by_role("tab", name="Diffraction").wait_for()
    page.wait_for_selector(".gallery svg")
    assert page.locator(".gallery button").count() == 4
    page.screenshot(path=SHOTS / "crystal-card.png")
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(1500)
    page.screenshot(path=SHOTS / "crystal-card-dark.png")
    assert page.console_errors == []


def test_names_are_only_text(new_page, serve, tmp_path):
    """A scene's names never become markup, whoever wrote them."""
    demo = tmp_path / "demo.py"
    scene = {
        "id": "x", "title": "x",
        "elements": [{"symbol": "Li", "name": "<img src=x onerror='window.hacked=1'>",
                      "colour": "#9a4fd0", "radius": 0.5}],
        "cells": [{"name": "primitive cell", "lattice": [[3, 0, 0], [0, 3, 0], [0, 0, 3]],
                   "atoms": [[0, 0, 0, 0]], "bonds": [], "polyhedra": []}],
    }  # fmt: skip
    demo.write_text(
        "from genbat.ui.components.crystal_viewer import crystal_viewer\n"
        f"import json\ncrystal_viewer(json.loads({json.dumps(json.dumps(scene))}), key='x')\n"
    )
    page = new_page()
    page.goto(serve(demo))
    page.wait_for_selector(".crystal[data-state=ready]")
    assert page.locator(".crystal").get_attribute("data-atoms") == "8"
    assert page.evaluate("() => window.hacked") is None
