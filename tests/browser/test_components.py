"""The map and the 3D viewer in a real browser, driven by mouse and keyboard."""

import re
from pathlib import Path

import numpy as np
import pytest
from harness import ROOT

from genbat.ui.components.html_view import standalone_html

DEMO = Path(__file__).with_name("demo_components.py")
SHOTS = ROOT / "tests" / "screenshots"
FIND = """(name) => [...document.querySelectorAll("*")]
  .map((e) => e.shadowRoot?.querySelector(name)).find(Boolean)"""
STATE = """(box) => { const m = box.latmap, v = m.view; return {
  cx: v.cx, cy: v.cy, kx: v.kx, ky: v.ky, mx: v.mx, H: v.H, zoom: v.zoom, xy: [...m.xy.array],
  gone: [...m.grid.items].filter((_, k) => m.bytes[k] === 255), off: m.off.size, step: m.step,
  legend: m.legend.innerText, note: m.note.innerText, range: m.xy.head.range }; }"""
INK = """(box) => { const c = box.latmap.canvas, px = c.getContext("2d")
  .getImageData(0, 0, c.width, c.height).data; let sum = 0, other = 0;
  for (let i = 0; i < px.length; i += 4) { sum += px[i] + px[i + 1] + px[i + 2];
    if (px[i] !== px[0] || px[i + 1] !== px[1] || px[i + 2] !== px[2]) other++; }
  return { light: sum / px.length * 4 / 3, inked: other }; }"""
PICKS = "(box, places) => places.map((p) => box.latmap.pick(...p))"


class Map:
    """The map of the demo page as a person meets it; places are fractions of its frame."""

    def __init__(self, page, url):
        self.page = page
        page.goto(url)
        page.wait_for_selector(".map[data-shown]", timeout=60_000)
        page.wait_for_selector(".mol[data-atoms]", timeout=60_000)
        self.top = page.locator(".map .top")
        self.box = page.evaluate_handle(FIND, ".map")
        self.heard = ""

    def state(self):
        return self.box.evaluate(STATE)

    def shown(self):
        return self.box.evaluate("(box) => box.dataset.shown")

    def inside(self, fx, fy):
        r = self.top.bounding_box()
        return [fx * r["width"], fy * r["height"]]

    def place(self, fx, fy):
        r = self.top.bounding_box()
        return r["x"] + fx * r["width"], r["y"] + fy * r["height"]

    def drag(self, *places):
        self.page.mouse.move(*self.place(*places[0]))
        self.page.mouse.down()
        for at in places[1:]:
            self.page.mouse.move(*self.place(*at), steps=3)
        self.page.mouse.up()

    def mode(self, name):
        self.page.get_by_role("button", name=name, exact=True).click()

    def answer(self, pattern):
        """The server's words for an event that came after the last one asked for."""
        line = re.compile(f'event: "{pattern}')
        for found in poll():
            words = self.page.get_by_text(re.compile('event: "')).inner_text()
            if line.match(words) and words != self.heard:
                self.heard = words
                return line.match(words)
            found.wait(self.page)
        raise AssertionError(f"{pattern!r} awaited, got {words!r}")

    def dress(self, colour="LUMO", **switches):
        """Choose colour and switches, leave selection, zoom and mode as they are at first."""
        self.mode("Reset")
        self.mode("Move")
        self.change("radio", colour, True)
        for name in ("filter", "back", "path"):
            self.change("checkbox", name, switches.get(name, False))

    def change(self, role, name, on):
        widget = self.page.get_by_role(role, name=name, exact=True)
        if widget.is_checked() == on:
            return
        was, step = self.shown(), name == "path"
        self.page.locator("label", has=widget).click()
        done = "([b, was, path]) => path ? b.latmap.cfg.path.length : b.dataset.shown !== was"
        if not step or on:
            self.page.wait_for_function(done, arg=[self.box, was, step], timeout=20_000)


def distances(state, x, y):
    """CSS pixels from every point (n,) to a place in the map's frame."""
    xy = np.reshape(state["xy"], (-1, 2)) / 65535
    px = state["mx"] + (xy[:, 0] - state["cx"]) * state["kx"]
    py = state["H"] / 2 - (xy[:, 1] - state["cy"]) * state["ky"]
    d = np.hypot(px - x, py - y)
    d[state["gone"]] = np.inf
    return d


def in_frame(m, fx, fy):
    r = m.top.bounding_box()
    return fx * r["width"], fy * r["height"]


def test_draws_all_points_and_a_click_picks_the_nearest(at, url):
    m = at()
    assert m.box.evaluate("(box) => box.dataset.count") == "20000"
    assert m.page.evaluate(INK, m.box)["inked"] > 20_000
    state, rng = m.state(), np.random.default_rng(5)
    assert len(state["gone"]) > 100  # rows without a value
    picks = 0
    for fx, fy in rng.uniform(0.3, 0.6, (60, 2)):
        d = distances(state, *in_frame(m, fx, fy))
        hit = m.box.evaluate("(box, p) => box.latmap.pick(...p)", list(in_frame(m, fx, fy)))
        assert hit == (np.argmin(d) if d.min() < 8 else -1)
        picks += hit >= 0
    assert picks > 20
    fx, fy = 0.41, 0.52
    m.page.mouse.click(*m.place(fx, fy))
    d = distances(state, *in_frame(m, fx, fy))
    assert int(m.answer(r"pick (\d+)")[1]) == np.argmin(d)


def test_click_on_an_empty_place_gives_its_coordinates(at):
    m = at()
    fx, fy = 0.06, 0.85
    m.page.mouse.click(*m.place(fx, fy))
    got = [float(v) for v in m.answer(r"spot \[(.+), (.+)\]").groups()]
    state, (x, y) = m.state(), in_frame(m, fx, fy)
    a, b, c, d = state["range"]
    u = state["cx"] + (x - state["mx"]) / state["kx"]
    v = state["cy"] - (y - state["H"] / 2) / state["ky"]
    assert got == pytest.approx([a + u * (b - a), c + v * (d - c)], abs=0.1)


@pytest.mark.parametrize("query", ["", "colour=family&back=true", "colour=LUMO&filter=true"])
def test_lasso_and_box_agree_with_the_server(at, query):
    m = at(query)
    m.mode("Lasso")
    m.drag((0.2, 0.3), (0.35, 0.15), (0.5, 0.3), (0.55, 0.7), (0.3, 0.75), (0.2, 0.5))
    browser, few, all_, same = m.answer(r"lasso (\d+) (\d+) (\d+) same=(\w+)").groups()
    assert int(browser) > 2000
    assert browser == few == all_ and same == "True"
    assert f"{int(browser):,} selected" in m.state()["note"]
    m.mode("Box")
    m.drag((0.5, 0.5), (0.6, 0.62))
    m.page.get_by_text(re.compile(rf"lasso (?!{browser}\b)")).wait_for(timeout=20_000)
    small, few, all_, same = m.answer(r"lasso (\d+) (\d+) (\d+) same=(\w+)").groups()
    assert 0 < int(small) < 2000
    assert small == few == all_ and same == "True"
    # Against plain arithmetic on what is drawn: the box is 0.1 x 0.12 of the frame.
    state = m.state()
    xy = np.reshape(state["xy"], (-1, 2)) / 65535
    corners = [in_frame(m, 0.5, 0.5), in_frame(m, 0.6, 0.62)]
    ends = [state["cx"] + (x - state["mx"]) / state["kx"] for x, _ in corners]
    sides = [state["cy"] - (y - state["H"] / 2) / state["ky"] for _, y in corners]
    held = (xy[:, 0] > ends[0]) & (xy[:, 0] < ends[1])
    held &= (xy[:, 1] < sides[0]) & (xy[:, 1] > sides[1])
    m.mode("Reset")
    held[m.state()["gone"]] = False
    assert held.sum() == pytest.approx(int(small), abs=0.03 * int(small) + 3)


def test_legend_hides_a_category(at):
    m = at("colour=family")
    m.page.get_by_role("button", name=re.compile("^GAN")).click()
    assert m.state()["off"] == 1
    m.mode("Lasso")
    m.drag((0.2, 0.2), (0.6, 0.2), (0.6, 0.7), (0.2, 0.7))
    browser, few, _, same = m.answer(r"lasso (\d+) (\d+) (\d+) same=(\w+)").groups()
    assert browser == few and same == "True"


def test_colour_changes_and_an_old_one_costs_nothing(at):
    m = at("colour=LUMO")
    assert "LUMO" in m.state()["legend"] and "n = 19,577" in m.state()["legend"]
    shown = m.box.evaluate("(box) => box.dataset.shown")

    def change(name):
        before = m.page.received
        m.colour(name)
        m.page.wait_for_function("([b, was]) => b.dataset.shown !== was", arg=[m.box, change.shown])
        change.shown = m.box.evaluate("(box) => box.dataset.shown")
        m.page.wait_for_timeout(300)
        return m.page.received - before

    change.shown = shown
    assert change("vIP") > 40_000
    assert "vIP" in m.state()["legend"]
    assert change("LUMO") < 12_000
    assert change.shown == shown


def test_nothing_is_lost_when_the_browser_forgets(at):
    m = at("colour=LUMO")
    m.page.evaluate("() => window.__latmapStore.parts.clear()")
    m.colour("vIP")
    m.page.wait_for_function("(b) => b.latmap.legend.innerText.includes('vIP')", arg=m.box)
    assert m.page.evaluate(INK, m.box)["inked"] > 20_000


@pytest.mark.parametrize("colour", ["nothing", "constant", "centred"])
def test_odd_columns(at, colour):
    m = at(f"colour={colour}")
    expected = {"nothing": "no values", "constant": "n = 20,000", "centred": "−7.00"}[colour]
    assert expected in m.state()["legend"]


def test_a_map_without_points(new_page, serve):
    page = new_page()
    m = Map(page, serve(DEMO, {"DEMO_POINTS": "0"}), "colour=family&path=true&filter=true")
    m.page.mouse.click(*m.place(0.5, 0.5))
    m.top.press("ArrowRight")
    assert m.state()["note"] == "No points yet"
    assert page.console_errors == []


def test_names_are_text_and_never_markup(at):
    m = at("colour=vIP")
    x, y = m.box.evaluate("""(box) => { const m = box.latmap, v = m.view, a = m.xy.array;
      v.zoom = 60; v.cx = a[0] / 65535; v.cy = a[1] / 65535; v.fit(); m.draw();
      return [v.mx, v.H / 2]; }""")
    r = m.top.bounding_box()
    m.page.mouse.move(r["x"] + x, r["y"] + y)
    tip = m.page.locator(".map .tip b")
    assert tip.inner_text() == "<img src=x onerror='window.hacked=1'>"
    assert m.page.evaluate("() => window.hacked") is None


def test_keyboard_moves_zooms_picks_and_resets(at):
    m = at("colour=vIP")
    m.page.get_by_role("button", name="Reset", exact=True).focus()
    m.top.focus()
    m.page.keyboard.press("ArrowRight")
    assert "inset" in m.top.evaluate("(e) => getComputedStyle(e).boxShadow")  # the focus ring
    assert "20,000 points" in m.top.get_attribute("aria-label")
    moved = m.state()
    assert moved["cx"] > 0.5
    for _ in range(3):
        m.page.keyboard.press("+")
    assert m.state()["zoom"] == pytest.approx(1.3**3)
    m.page.keyboard.press("-")
    state = m.state()
    assert state["zoom"] == pytest.approx(1.3**2)
    m.page.keyboard.press("Enter")
    nearest = np.argmin(distances(state, state["mx"], state["H"] / 2))
    assert int(m.answer(r"pick (\d+)")[1]) == nearest
    m.page.keyboard.press("Escape")
    assert (m.state()["zoom"], m.state()["cx"]) == (1, 0.5)


def test_arrow_keys_walk_the_path(at):
    m = at("path=true&back=true")
    assert m.state()["step"] == 4
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "ArrowUp"):
        m.top.press(key)
    m.answer("step 6")
    assert m.state()["step"] == 6


def test_view_stays_when_the_page_reruns(at):
    m = at()
    m.drag((0.5, 0.5), (0.4, 0.4))
    before = m.state()
    m.page.mouse.click(*m.place(0.3, 0.4))
    m.answer("(pick|spot)")
    after = m.state()
    assert before["cx"] > 0.5
    assert (after["cx"], after["cy"]) == (before["cx"], before["cy"])


def test_follows_the_theme(at):
    m = at("colour=family&back=true&path=true")
    SHOTS.mkdir(exist_ok=True)
    m.page.wait_for_selector(".mol[data-state=ready]", timeout=30_000)
    light = m.page.evaluate(INK, m.box)["light"]
    m.page.screenshot(path=SHOTS / "components-light.png")
    m.page.emulate_media(color_scheme="dark")
    m.page.wait_for_function("(b) => b.latmap.isDark", arg=m.box, timeout=20_000)
    m.page.wait_for_timeout(300)
    dark = m.page.evaluate(INK, m.box)["light"]
    m.page.screenshot(path=SHOTS / "components-dark.png")
    assert light > 200 and dark < 80


def molecule(page, name):
    page.get_by_role("radiogroup", name="Molecule").get_by_text(name, exact=True).click()
    page.wait_for_selector(f".mol[data-shown={name}]", timeout=20_000)


def click_atom(page, index):
    at = """(b, i) => { const v = b.viewer3d, a = v.model.selectedAtoms({})[i];
      const s = v.gl.modelToScreen(a); return [s.x, s.y]; }"""
    x, y = page.evaluate_handle(BOX % ".mol").evaluate(at, index)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.up()


def test_viewer_draws_keeps_its_canvas_and_measures(page, url):
    page.goto(url)
    mol = page.locator(".mol[data-atoms]")
    mol.wait_for(timeout=60_000)
    assert mol.get_attribute("data-atoms") == "10"
    assert page.locator(".mol .message").is_hidden()
    page.evaluate_handle(BOX % ".mol").evaluate("(b) => { b.querySelector('canvas').mine = 1; }")
    click_atom(page, 0)
    page.get_by_text("atom: ('O', 0, None)").wait_for(timeout=20_000)
    click_atom(page, 3)
    page.get_by_text("atom: ('C', 3, 3.428)").wait_for(timeout=20_000)  # hypot(0.763, 3.342)
    molecule(page, "water")
    assert mol.get_attribute("data-atoms") == "3"
    page.get_by_text("atom: None").wait_for(timeout=20_000)
    canvases = "(b) => [...b.querySelectorAll('canvas')].map((c) => c.mine)"
    assert page.evaluate_handle(BOX % ".mol").evaluate(canvases) == [1]
    molecule(page, "LiCl")
    assert mol.get_attribute("data-atoms") == "2"
    molecule(page, "broken")
    assert "No atoms could be read" in page.locator(".mol .message").inner_text()
    assert page.console_errors == []


def test_viewer_says_why_it_shows_nothing(new_page, url):
    page = new_page()
    page.route("**/3Dmol-min.js", lambda route: route.abort())
    page.goto(url)
    page.get_by_text("The 3D viewer could not be loaded").wait_for(timeout=60_000)
    page = new_page()
    page.add_init_script("""const real = HTMLCanvasElement.prototype.getContext;
      HTMLCanvasElement.prototype.getContext = function (kind, ...more) {
        return kind.startsWith("webgl") ? null : real.call(this, kind, ...more); };""")
    page.goto(url)
    page.get_by_text("This browser does not draw in 3D").wait_for(timeout=60_000)


def test_exported_page_needs_nobody(page, url):
    water = "3\nwater\nO 0 0 0.117\nH 0 0.757 -0.471\nH 0 -0.757 -0.471\n"
    html = standalone_html(water, "Water <script>alert(1)</script>")
    assert re.findall(r"<script[^>]*\ssrc", html) == []
    assert "cdn" not in re.sub(r"<script>.*?</script>", "", html, count=1, flags=re.S)
    assert "<script>alert" not in html
    page.goto(f"{url}/_stcore/health")  # any page of our own origin
    page.set_content(html)
    page.wait_for_selector("canvas", timeout=20_000)
    atoms = """() => Object.entries(window).find(([k]) => /^viewer_\\d+$/.test(k))[1]
      .selectedAtoms({}).length"""
    assert page.evaluate(atoms) == 3
    assert page.console_errors == []
