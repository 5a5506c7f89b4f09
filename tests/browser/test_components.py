"""The map and the 3D viewer in a real browser, driven by mouse and keyboard."""

import re
from pathlib import Path

import numpy as np
import pytest
from drivers import FIND, POINTS, Map
from harness import ROOT

from genbat.ui.components.html_view import standalone_html

DEMO = Path(__file__).with_name("demo_components.py")
SHOTS = ROOT / "tests" / "screenshots"
LASSO = r"lasso ([1-9]\d*) (\d+) (\d+) same=(\w+)"
ROUND = [(0.05, 0.3), (0.25, 0.1), (0.6, 0.3), (0.62, 0.8), (0.3, 0.85), (0.05, 0.6)]
ATOM = """(b, i) => { const v = b.viewer3d, a = v.model.selectedAtoms({})[i];
  const s = v.gl.modelToScreen(a); return [s.x, s.y]; }"""
NO_WEBGL = """() => { const real = HTMLCanvasElement.prototype.getContext;
  HTMLCanvasElement.prototype.getContext = function (kind, ...more) {
    return kind.startsWith("webgl") ? null : real.call(this, kind, ...more); }; }"""


@pytest.fixture(scope="module")
def url(serve):
    return serve(DEMO)


@pytest.fixture(scope="module")
def one_map(shared_pages, url):
    return Map(shared_pages(), url)


@pytest.fixture
def show(one_map):
    """show(colour, filter=, back=, path=) -> the map in that dress, nothing zoomed or selected."""

    def dress(colour="LUMO", **switches):
        one_map.page.emulate_media(color_scheme="light")
        one_map.mode("Reset")
        one_map.mode("Move")
        one_map.set("radio", colour)
        for name in ("filter", "back", "path"):
            one_map.set("checkbox", name, switches.get(name, False))
        return one_map

    yield dress
    assert one_map.page.console_errors == []


def test_draws_all_points_and_a_click_picks_the_nearest(show):
    m = show()
    assert m.box.evaluate("(box) => box.dataset.count") == "20000"
    assert m.ink()["inked"] > 20_000
    assert len(m.box.evaluate(POINTS)["gone"]) == 423  # rows without a value
    places = np.array([m.inside(*f) for f in np.random.default_rng(5).uniform(0.1, 0.6, (40, 2))])
    picks = m.box.evaluate("(box, at) => at.map((p) => box.latmap.pick(...p))", places.tolist())
    d = m.distances(places[:, 0], places[:, 1])
    assert picks == np.where(d.min(axis=0) < 8, d.argmin(axis=0), -1).tolist()
    assert sum(i >= 0 for i in picks) > 15
    m.click(0.3, 0.45)
    assert int(m.answer(r"pick (\d+)")[1]) == np.argmin(m.distances(*m.inside(0.3, 0.45)))


def test_click_on_an_empty_place_gives_its_coordinates(show):
    m = show()
    m.click(0.03, 0.8)
    got = [float(v) for v in m.answer(r"spot \[(.+), (.+)\]").groups()]
    (u, v), (a, b, c, d) = m.unit(0.03, 0.8), m.state()["range"]
    assert got == pytest.approx([a + u * (b - a), c + v * (d - c)], abs=0.05)


@pytest.mark.parametrize(
    ("colour", "switches"),
    [("LUMO", {}), ("family", {"back": True}), ("LUMO", {"filter": True})],
)
def test_lasso_and_box_agree_with_the_server(show, colour, switches):
    m = show(colour, **switches)
    points = m.box.evaluate(POINTS)
    m.mode("Lasso")
    m.drag(*ROUND)
    browser, few, all_, same = m.answer(LASSO).groups()
    assert int(browser) > 2000
    assert browser == few == all_ and same == "True"
    assert f"{int(browser):,} selected" in m.state()["note"]
    m.mode("Box")
    m.drag((0.2, 0.4), (0.3, 0.52))
    small, few, all_, same = m.answer(LASSO).groups()
    assert small == few == all_ and same == "True"
    # And with plain arithmetic; the mouse stands on whole pixels, so some points at the rim differ.
    xy = np.reshape(points["xy"], (-1, 2)) / 65535
    (left, top), (right, bottom) = m.unit(0.2, 0.4), m.unit(0.3, 0.52)
    held = (xy > [left, bottom]).all(axis=1) & (xy < [right, top]).all(axis=1)
    held[points["gone"]] = False
    assert 0 < int(small) < 2000
    assert held.sum() == pytest.approx(int(small), rel=0.03, abs=3)


def test_reset_tells_the_server_that_nothing_is_selected(show):
    m = show()
    m.mode("Lasso")
    m.drag(*ROUND)
    m.answer(LASSO)
    m.mode("Reset")
    m.answer("lasso 0 0 0 same=True")


def test_legend_hides_a_category(show):
    m = show("family")
    m.page.get_by_role("button", name=re.compile("^GAN")).click()
    assert m.state()["off"] == 1
    m.mode("Lasso")
    m.drag(*ROUND)
    browser, few, _, same = m.answer(LASSO).groups()
    assert browser == few and same == "True"


def test_a_colour_seen_before_costs_nothing(show):
    m, cost = show("LUMO"), {}
    assert "n = 19,577" in m.state()["legend"]
    for name in ("constant", "LUMO"):
        before = m.page.received
        m.set("radio", name)
        m.page.wait_for_timeout(300)
        cost[name] = m.page.received - before
    assert cost["constant"] > 40_000  # two bytes a point
    assert cost["LUMO"] < 12_000


@pytest.mark.parametrize(
    ("colour", "legend"),
    [("nothing", "no values"), ("constant", "n = 20,000"), ("centred", "−7.00")],
)
def test_odd_columns(show, colour, legend):
    assert legend in show(colour).state()["legend"]


def test_nothing_is_lost_when_the_browser_forgets(show):
    m = show("LUMO")
    m.page.evaluate("() => window.__latmapStore.parts.clear()")
    m.set("radio", "vIP")
    assert "vIP" in m.state()["legend"]
    assert m.ink()["inked"] > 20_000


def test_names_are_text_and_never_markup(show):
    m = show("vIP")
    x, y = m.box.evaluate("""(box) => { const m = box.latmap, v = m.view, a = m.xy.array;
      Object.assign(v, { zoom: 60, cx: a[0] / 65535, cy: a[1] / 65535 }); v.fit(); m.draw();
      return [v.mx / v.W, 0.5]; }""")
    m.page.mouse.move(*m.place(x, y))
    assert m.page.locator(".map .tip b").inner_text() == "<img src=x onerror='window.hacked=1'>"
    assert m.page.evaluate("() => window.hacked") is None


def test_keyboard_moves_zooms_picks_and_resets(show):
    m = show("vIP")
    m.page.keyboard.press("Tab")
    m.top.focus()
    m.page.keyboard.press("ArrowRight")
    assert "inset" in m.top.evaluate("(e) => getComputedStyle(e).boxShadow")  # the focus ring
    assert "20,000 points" in m.top.get_attribute("aria-label")
    assert m.state()["cx"] > 0.5
    for key in "+++-":
        m.page.keyboard.press(key)
    v = m.state()
    assert v["zoom"] == pytest.approx(1.3**2)
    m.page.keyboard.press("Enter")
    nearest = np.argmin(m.distances(v["mx"], v["my"]))
    assert int(m.answer(r"pick (\d+)")[1]) == nearest
    m.page.keyboard.press("Escape")
    assert (m.state()["zoom"], m.state()["cx"]) == (1, 0.5)


def test_arrow_keys_walk_the_path(show):
    m = show(path=True, back=True)
    assert m.state()["step"] == 4
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "ArrowUp"):
        m.top.press(key)
    m.answer("step 6")
    assert m.state()["step"] == 6


def test_view_stays_when_the_page_reruns(show):
    m = show()
    m.drag((0.5, 0.5), (0.4, 0.4))
    before = m.state()
    m.click(0.3, 0.4)
    m.answer("(pick|spot)")
    after = m.state()
    assert before["cx"] > 0.5
    assert (after["cx"], after["cy"]) == (before["cx"], before["cy"])


def test_follows_the_theme(show):
    m = show("family", back=True, path=True)
    m.page.wait_for_selector(".mol[data-state=ready]")
    SHOTS.mkdir(exist_ok=True)
    light = m.ink()["light"]
    m.page.screenshot(path=SHOTS / "components-light.png")
    m.page.emulate_media(color_scheme="dark")
    m.page.wait_for_function("(b) => b.latmap.isDark", arg=m.box)
    m.page.wait_for_timeout(300)
    m.page.screenshot(path=SHOTS / "components-dark.png")
    assert light > 200
    assert m.ink()["light"] < 80


def test_viewer_keeps_its_canvas_and_measures(one_map):
    page = one_map.page
    mol = page.locator(".mol[data-atoms]")
    mol.wait_for()
    box = page.evaluate_handle(FIND, ".mol")
    assert mol.get_attribute("data-atoms") == "10"
    assert page.locator(".mol .message").is_hidden()
    box.evaluate("(b) => { b.querySelector('canvas').mine = 1; }")
    for index, words in ((0, "('O', 0, None)"), (3, "('C', 3, 3.428)")):  # hypot(0.763, 3.342)
        page.mouse.click(*box.evaluate(ATOM, index))
        page.get_by_text(f"atom: {words}").wait_for()
    for name, atoms in (("water", 3), ("LiCl", 2), ("broken", 0)):
        choose_molecule(page, name)
        assert mol.get_attribute("data-atoms") == str(atoms)
    page.get_by_text("atom: None").wait_for()
    assert "No atoms could be read" in page.locator(".mol .message").inner_text()
    assert box.evaluate("(b) => [...b.querySelectorAll('canvas')].map((c) => c.mine)") == [1]
    assert page.console_errors == []


def choose_molecule(page, name):
    page.get_by_role("radiogroup", name="Molecule").get_by_text(name, exact=True).click()
    page.wait_for_selector(f".mol[data-shown={name}]")


def test_empty_map_and_a_viewer_that_says_what_is_wrong(page, url):
    page.route("**/3Dmol-min.js", lambda route: route.abort())
    m = Map(page, f"{url}/?n=0&colour=family&path=true&filter=true")
    m.click(0.5, 0.5)
    m.top.press("ArrowRight")
    assert m.state()["note"] == "No points yet"
    page.get_by_text("The 3D viewer could not be loaded").wait_for()
    page.evaluate(NO_WEBGL)
    page.get_by_role("radiogroup", name="Molecule").get_by_text("water", exact=True).click()
    page.get_by_text("This browser does not draw in 3D").wait_for()
    assert [e for e in page.console_errors if "ERR_FAILED" not in e] == []


def test_exported_page_needs_nobody(page, url):
    water = "3\nwater\nO 0 0 0.117\nH 0 0.757 -0.471\nH 0 -0.757 -0.471\n"
    html = standalone_html(water, "Water <script>alert(1)</script>")
    assert re.findall(r"<script[^>]*\ssrc", html) == []
    assert re.findall(r"(?:src|href)\s*=\s*[\"']?http", html) == []
    assert "<script>alert" not in html
    page.goto(f"{url}/_stcore/health")  # any page of our own origin
    page.set_content(html)
    page.wait_for_selector("canvas")
    atoms = """() => Object.entries(window).find(([k]) => /^viewer_\\d+$/.test(k))[1]
      .selectedAtoms({}).length"""
    assert page.evaluate(atoms) == 3
    assert page.console_errors == []
