"""The latent map of a page as a person meets it, for tests and benchmarks."""

import re
import time

import numpy as np
from harness import PATIENCE

WAIT = 180_000  # milliseconds: the first page of a server waits for the atlas

FIND = """(name) => [...document.querySelectorAll("*")]
  .map((e) => e.shadowRoot?.querySelector(name)).find(Boolean)"""
STATE = """(box) => { const m = box.latmap, v = m.view; return {
  cx: v.cx, cy: v.cy, kx: v.kx, ky: v.ky, mx: v.mx, my: v.my, H: v.H, zoom: v.zoom, off: m.off.size,
  step: m.step, dark: m.isDark, mode: m.mode, steps: m.cfg.path.length, info: m.info,
  legend: m.legend.innerText, note: m.note.innerText, range: m.xy.head.range }; }"""
POINTS = """(box) => { const m = box.latmap; return { xy: [...m.xy.array],
  gone: [...m.grid.items].filter((_, k) => m.bytes[k] === 255) }; }"""
INK = """(box) => { const c = box.latmap.canvas, px = c.getContext("2d")
  .getImageData(0, 0, c.width, c.height).data; let sum = 0, inked = 0;
  for (let i = 0; i < px.length; i += 4) { sum += px[i] + px[i + 1] + px[i + 2];
    if (px[i] !== px[0] || px[i + 1] !== px[1] || px[i + 2] !== px[2]) inked++; }
  return { light: sum / px.length * 4 / 3, inked }; }"""


class Map:
    """One map; places are fractions (0..1) of its frame, from the left and from the top."""

    def __init__(self, page, url, patience=PATIENCE):
        self.page, self.patience, self.heard = page, patience, ""
        page.goto(url)
        self.wait_drawn()
        self.top = page.locator(".map .top")
        self.box = page.evaluate_handle(FIND, ".map")

    def wait_drawn(self):
        self.page.wait_for_selector(".map[data-shown]", timeout=self.patience * 1000)

    def state(self):
        return self.box.evaluate(STATE)

    def shown(self):
        return self.box.evaluate("(box) => box.dataset.shown")

    def ink(self):
        """Mean lightness (0..255) and number of pixels that are not background."""
        return self.box.evaluate(INK)

    def inside(self, fx, fy):
        """CSS pixels from the corner of the map."""
        r = self.top.bounding_box()
        return [fx * r["width"], fy * r["height"]]

    def place(self, fx, fy):
        """CSS pixels from the corner of the window."""
        r = self.top.bounding_box()
        return r["x"] + fx * r["width"], r["y"] + fy * r["height"]

    def click(self, fx, fy):
        self.page.mouse.click(*self.place(fx, fy))

    def drag(self, *places, steps=3):
        self.page.mouse.move(*self.place(*places[0]))
        self.page.mouse.down()
        for at in places[1:]:
            self.page.mouse.move(*self.place(*at), steps=steps)
        self.page.mouse.up()

    def mode(self, name):
        self.page.get_by_role("button", name=name, exact=True).click()

    def answer(self, pattern, line='event: "'):
        """What the page says of an event newer than the last one asked for, matched."""
        wanted, end, words = re.compile(line + pattern), time.monotonic() + self.patience, ""
        while time.monotonic() < end:
            words = self.page.get_by_text(line).first.inner_text()
            when = words.rpartition("t=")[2]
            if wanted.match(words) and when != self.heard:
                self.heard = when
                return wanted.match(words)
            self.page.wait_for_timeout(5)
        raise AssertionError(f"waited for {pattern!r}, got {words!r}")

    def set(self, role, name, on=True):
        """Bring a radio button or checkbox of the page to a state, once the map shows it."""
        widget = self.page.get_by_role(role, name=name, exact=True)
        if widget.is_checked() == on:
            return
        was = [self.shown(), self.state()["steps"]]
        self.page.locator("label", has=widget).click()
        changed = "([b, was]) => b.dataset.shown !== was[0] || b.latmap.cfg.path.length !== was[1]"
        self.page.wait_for_function(changed, arg=[self.box, was], timeout=self.patience * 1000)

    def distances(self, x, y):
        """CSS pixels (n,) from every point to a place; infinite where a point is not shown."""
        v, points = self.state(), self.box.evaluate(POINTS)
        xy = np.reshape(points["xy"], (-1, 2)) / 65535
        px = v["mx"] + (xy[:, 0] - v["cx"]) * v["kx"]
        py = v["my"] - (xy[:, 1] - v["cy"]) * v["ky"]
        d = np.hypot(px[:, None] - np.ravel(x), py[:, None] - np.ravel(y))
        d[points["gone"]] = np.inf
        return d if np.ndim(x) else d[:, 0]

    def unit(self, fx, fy):
        """Place in the unit square of the map."""
        v, (x, y) = self.state(), self.inside(fx, fy)
        return v["cx"] + (x - v["mx"]) / v["kx"], v["cy"] - (y - v["my"]) / v["ky"]


def no_errors(page):
    """Whether a page below the root had no error: there Streamlit tries two addresses of its
    server, and one is not there."""
    return [e for e in page.console_errors if "404" not in e] == []


def search(page, words, name):
    """Look for something on Explore, until its card has the name."""
    box = page.get_by_label("Search", exact=True)
    box.fill(words)
    box.press("Enter")
    page.locator(".gb-heading h3", has_text=name).wait_for()


def keep(page):
    """Put what the card shows into the empty basket."""
    page.get_by_role("button", name="Add to shortlist").click()
    page.get_by_text("1 candidate in the basket").wait_for()


def walk(page, suggested, told):
    """Take a suggested walk, until the page tells of it."""
    page.get_by_role("button", name=suggested).click()
    page.get_by_text(told).wait_for()
