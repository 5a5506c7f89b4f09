"""How fast Explore answers on the shipped map: python benchmarks/explore_page.py [--crowd N].

Serves the app, opens Explore until the server is warm, then measures in a headless browser without
a GPU: opening the page, clicks on molecules and between them up to the drawn 3D view, a plain
rerun, a new colour, panning, and a lasso. With --crowd the map holds N more points: draws of the
shipped system, decoded when they are clicked.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, TimeoutError, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "browser"))
from drivers import Map
from harness import ROOT, find_chromium, served
from map_clicks import figures, launch, new_page, pans, watch

WAIT = 300  # seconds
LOOP = [(0.3, 0.35), (0.55, 0.3), (0.6, 0.6), (0.35, 0.65)]
# From the press of the mouse to the moment the 3D view (or the map) says it is drawn.
CLOCK = """(box) => {
  const w = window.__clock = { press: 0, drawn: 0, coloured: 0, frames: 0 };
  window.__watch = w;
  addEventListener("pointerdown", () => { w.press = performance.now(); }, true);
  w.tell = (node, name, when) => new MutationObserver(() => {
    if (when(node)) requestAnimationFrame(() => { w[name] = performance.now(); });
  }).observe(node, { attributes: true });
  w.tell(box, "coloured", () => true);
  const m = box.latmap, draw = m.draw;
  m.draw = (moving) => { draw(moving); w.frames++; };
}"""
# A molecule outside the domain has no 3D view; the next one gets a new element.
EYE = """(mol) => { const w = window.__clock;
  if (!mol || mol === w.mol) return;
  w.mol = mol;
  w.tell(mol, "drawn", (node) => node.dataset.state === "ready");
}"""
AFTER = "([name, since]) => window.__clock[name] > since && window.__clock[name]"
FIND = """(name) => [document, ...[...document.querySelectorAll("*")].map((e) => e.shadowRoot)]
  .filter(Boolean).map((root) => root.querySelector(name)).find(Boolean)"""


def open_page(page: Page, url: str) -> tuple[Map, float]:
    """The map and the milliseconds until its picture stands."""
    start = time.perf_counter()
    m = Map(page, url, WAIT)
    page.evaluate("() => new Promise((done) => requestAnimationFrame(done))")
    return m, 1e3 * (time.perf_counter() - start)


def spent(m: Map, fx: float, fy: float) -> float | None:
    """Milliseconds from the press at a place to the drawn 3D view; None where it stays as it is.

    It does when the same molecule is met again, or none can be drawn there.
    """
    m.page.evaluate(EYE, m.page.evaluate_handle(FIND, ".mol"))
    before = m.page.evaluate("() => performance.now()")
    m.click(fx, fy)
    try:
        at = m.page.wait_for_function(AFTER, arg=["drawn", before], timeout=4000).json_value()
    except TimeoutError:
        return None
    m.page.wait_for_timeout(900)
    return float(at - m.page.evaluate("() => window.__clock.press"))


def all_spent(name: str, m: Map, at: np.ndarray) -> None:
    """Print what the clicks at places (n, 2) took."""
    found = [spent(m, *place) for place in at]
    times = [t for t in found if t is not None]
    figures(f"{name} ({len(times)} of {len(at)})", times)


def places(m: Map, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Fractions of the frame: on molecules (count, 2), and between them (count, 2)."""
    rng, rect = np.random.default_rng(0), m.top.bounding_box()
    size = np.array([rect["width"], rect["height"]])
    tries = rng.uniform([0.2, 0.3], [0.75, 0.8], (40 * count, 2))
    nearest = m.distances(*(tries * size).T).min(axis=0)
    return tries[nearest < 3][:count], tries[(nearest > 9) & (nearest < 40)][:count]


def rerun_bytes(page: Page) -> float:
    """Bytes of a plain rerun that changes nothing."""
    page.get_by_text("Explore molecules").click()
    before = page.received  # type: ignore[attr-defined]
    page.keyboard.press("r")
    page.wait_for_timeout(2500)
    return float(page.received - before)  # type: ignore[attr-defined]


def recolour(m: Map, name: str) -> float:
    """Milliseconds from choosing a colour to the map in that colour."""
    m.page.get_by_role("combobox", name="Colour").click()
    option = m.page.get_by_role("option", name=name)
    option.wait_for()
    shown = m.shown()
    option.click()
    changed = "([b, was]) => b.dataset.shown !== was"
    m.page.wait_for_function(changed, arg=[m.box, shown], timeout=1e3 * WAIT)
    now = m.page.evaluate("() => [window.__clock.coloured, window.__clock.press]")
    m.page.wait_for_timeout(1500)
    return float(now[0] - now[1])


def lasso(m: Map) -> str:
    """What the page and the server count in one lasso."""
    m.mode("Lasso")
    m.drag(*LOOP, LOOP[0], steps=6)
    heading = m.page.locator("h3", has_text="selected")
    heading.wait_for()
    told = re.sub(r"\D", "", heading.inner_text())
    seen = re.search(r"([\d,]+) selected", m.state()["note"])
    m.mode("Move")
    agree = seen is not None and seen[1].replace(",", "") == told
    return f"lasso: the server counts {int(told):,}, the page {'the same' if agree else 'NOT'}"


def drive(page: Page, url: str, repeats: int) -> None:
    """All measures on one page."""
    m, _ = open_page(page, f"{url}/explore?mol=O%3DC1OCC(F)O1")
    page.wait_for_selector('.mol[data-state="ready"]')
    page.wait_for_timeout(3000)
    page.evaluate(CLOCK, m.box)
    on, between = places(m, repeats)
    all_spent("point -> 3D view", m, on)
    all_spent("between -> decoded", m, between)
    figures("plain rerun", sorted(rerun_bytes(page) for _ in range(4))[:3], "B")
    figures("panning", [pans(m) for _ in range(3)], "/s")
    figures("new colour", [recolour(m, name) for name in ("HOMO", "Vertical IP", "LUMO")])
    print("  " + lasso(m))


def crowd_file(n: int, folder: str) -> Path:
    """A crowd of n draws of the shipped system."""
    from genbat.studio.crowd import make_crowd
    from genbat.studio.explore import atlas

    place = atlas("molecules")
    path = Path(folder) / "crowd.npz"
    make_crowd(place.system, place.map, n).save(path)
    return path


def main() -> None:
    """Serve, warm up, measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--crowd", type=int, default=0)
    parser.add_argument("--crowd-file", type=Path, help="a crowd made before")
    parser.add_argument("--repeats", type=int, default=11)
    options = parser.parse_args()
    if find_chromium() is None:
        print("no chromium: neither /usr/bin/chromium nor one on PATH; nothing measured")
        return
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        made = options.crowd_file or (crowd_file(options.crowd, folder) if options.crowd else None)
        env = {"GENBAT_HOME": os.environ.get("GENBAT_HOME", folder)}
        with served(ROOT / "app.py", Path(folder) / "app", {
            **env, **({"GENBAT_CROWD": str(made)} if made else {})
        }) as url:  # fmt: skip
            browser = launch(playwright)
            page = new_page(browser)
            _, first = open_page(page, f"{url}/explore")
            print(f"{'headless Chromium, no GPU':36s} {'median':>10s} {'worst':>10s}")
            figures("first page of a new server", [first])
            again = page.context.new_page()
            watch(again)
            warm = [open_page(again, f"{url}/explore")[1] for _ in range(4)]
            figures("map drawn, server warm", warm)
            page.close()
            drive(again, url, options.repeats)
            browser.close()


if __name__ == "__main__":
    main()
