"""How fast the latent map answers in a headless browser: python benchmarks/map_clicks.py.

Without arguments it serves the demo page with 20,000 and with 1,000,000 synthetic points. To ask
a running app instead: --url, two --colour names of its colour control, and --answer, a pattern
that changes in the page with every event.
"""

from __future__ import annotations

import argparse
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, Playwright, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "browser"))
from drivers import Map
from harness import FLAGS, ROOT, find_chromium, served

DEMO = ROOT / "tests" / "browser" / "demo_components.py"
WAIT = 180  # seconds
VIEW = {"width": 1400, "height": 900}
BIG = [(0.02, 0.15), (0.7, 0.1), (0.75, 0.95), (0.02, 0.95)]
SMALL = [(0.25, 0.4), (0.35, 0.35), (0.4, 0.5), (0.3, 0.55)]

# Times are taken inside the page: from the press or release of the mouse to the change seen.
WATCH = """([box, pattern]) => {
  const w = window.__watch = { press: 0, release: 0, text: "", said: 0, drawn: 0, frames: 0 };
  const answer = () => (document.body.textContent.match(new RegExp(pattern)) ?? [""])[0];
  w.text = answer();
  addEventListener("pointerdown", () => { w.press = performance.now(); }, true);
  addEventListener("pointerup", () => { w.release = performance.now(); }, true);
  const look = () => {
    const now = answer();
    if (now !== w.text) { w.text = now; w.said = performance.now(); }
  };
  new MutationObserver(look).observe(document.body,
    { subtree: true, childList: true, characterData: true });
  let shown = box.dataset.shown;
  const drawn = () => {
    if (box.dataset.shown !== shown) { shown = box.dataset.shown; w.drawn = performance.now(); }
  };
  new MutationObserver(drawn).observe(box, { attributes: true, attributeFilter: ["data-shown"] });
  const m = box.latmap, draw = m.draw;
  m.draw = (moving) => { draw(moving); w.frames++; };
}"""


@dataclass(frozen=True)
class Target:
    """A page with a map: where it is and how its controls are named."""

    url: str
    colours: tuple[str, str]
    answer: str
    counts: str = r"lasso (\d+) (\d+)"  # what browser and server counted

    def choose(self, m: Map, colour: str) -> None:
        """Change the colour; override where the page has something else than radio buttons."""
        m.page.locator("label", has=m.page.get_by_role("radio", name=colour, exact=True)).click()


def figures(name: str, values: list[float], unit: str = "ms") -> None:
    """Print median and worst."""
    worst = min(values) if unit.endswith("/s") else max(values)
    print(f"  {name:34s} {statistics.median(values):10.1f} {worst:10.1f}  {unit}", flush=True)


def open_map(page: Page, target: Target) -> tuple[Map, float]:
    """The map and the milliseconds from asking for the page to the finished picture."""
    start = time.perf_counter()
    m = Map(page, target.url, WAIT)
    page.evaluate("() => new Promise((done) => requestAnimationFrame(done))")
    return m, 1e3 * (time.perf_counter() - start)


def wait_for(page: Page, what: str, since: float) -> float:
    """In-page time of the next `what` (said, drawn) after `since`."""
    test = "([what, since]) => window.__watch[what] > since && window.__watch[what]"
    return page.wait_for_function(test, arg=[what, since], timeout=1e3 * WAIT).json_value()


def act(m: Map, action: Callable[[], object], what: str, since: str) -> float:
    """Milliseconds from the mouse (`since`: press or release) to the effect (`what`)."""
    before = m.page.evaluate("() => performance.now()")
    action()
    at = wait_for(m.page, what, before)
    return at - m.page.evaluate("(name) => window.__watch[name]", since)


def clicks(m: Map, repeats: int) -> list[float]:
    """Click -> text from the server."""
    places = [(0.2 + 0.4 * k / repeats, 0.3 + 0.3 * (k % 3) / 2) for k in range(repeats)]
    return [act(m, lambda p=p: m.click(*p), "said", "press") for p in places]


def pans(m: Map, seconds: float = 1.0) -> float:
    """Pictures a second while the mouse drags the map."""
    x, y = m.place(0.4, 0.5)
    m.page.mouse.move(x, y)
    m.page.mouse.down()
    m.page.mouse.move(x + 10, y)
    before, start, k = m.page.evaluate("() => window.__watch.frames"), time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        k += 1
        m.page.mouse.move(x + 40 * (k % 5), y + 30 * (k % 3))
    spent = time.perf_counter() - start
    frames = m.page.evaluate("() => window.__watch.frames") - before
    m.page.mouse.move(x, y)
    m.page.mouse.up()
    m.page.wait_for_timeout(400)
    return frames / spent


def lasso(m: Map, target: Target, corners: list[tuple[float, float]]) -> tuple[float, str]:
    """Release -> text from the server, and what the two counted."""
    m.mode("Lasso")
    spent = act(m, lambda: m.drag(*corners, corners[0], steps=6), "said", "release")
    counts = re.search(target.counts, m.page.inner_text("body"))
    m.mode("Move")
    if counts is None:
        return spent, "no counts in the page"
    browser, server = counts.groups()[:2]
    return spent, f"{int(browser):,} rows, server {'agrees' if browser == server else server}"


def drive(m: Map, target: Target, repeats: int) -> None:
    """All that can be done with an open map."""
    m.page.evaluate(WATCH, [m.box, target.answer])
    m.click(0.45, 0.45)  # the first event of a session also imports things
    wait_for(m.page, "said", 0)
    before = m.page.received
    figures("click -> server text", clicks(m, repeats))
    figures("bytes down, one click", [(m.page.received - before) / repeats], "B")
    figures("moving", [pans(m) for _ in range(3)], "/s")
    for label in ("new", "seen before"):
        before = m.page.received
        spent = [act(m, lambda c=c: target.choose(m, c), "drawn", "press") for c in target.colours]
        figures(f"colour change, {label}", spent)
        m.page.wait_for_timeout(500)
        figures("  bytes down, each", [(m.page.received - before) / len(spent)], "B")
    for label, corners in (("nearly all", BIG), ("some", SMALL)):
        spent, words = lasso(m, target, corners)
        figures(f"lasso, {label}", [spent])
        print(f"    {words}; {m.box.evaluate('(b) => b.latmap.lassoMs'):.0f} ms of it in the page")
    redraw = [m.box.evaluate("(b) => { b.latmap.draw(); return b.latmap.info.ms; }") for _ in "123"]
    figures("full redraw", redraw)


def launch(playwright: Playwright) -> Browser:
    """A browser with an empty profile."""
    return playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)


def new_page(browser: Browser) -> Page:
    """A page that counts the bytes of its websocket."""
    context = browser.new_context(viewport=VIEW)
    context.set_default_timeout(1000 * WAIT)
    page = context.new_page()
    watch(page)
    return page


def watch(page: Page) -> None:
    """Count what comes down the page's websockets in `page.received`."""
    page.received = 0

    def add(frame: bytes | str) -> None:
        page.received += len(frame)

    page.on("websocket", lambda socket: socket.on("framereceived", add))


def measure(playwright: Playwright, target: Target, repeats: int) -> None:
    """Cold twice (a new browser each), warm twice, then everything else."""
    cold, warm = [], []
    for _ in range(2):
        browser = launch(playwright)
        page = new_page(browser)
        cold.append(open_map(page, target)[1])
        sent = page.received
        again = page.context.new_page()
        watch(again)
        m, spent = open_map(again, target)
        warm.append(spent)
        if len(cold) == 2:
            figures("drawn, cold", cold)
            figures("drawn, warm", warm)
            figures("bytes down, first page", [sent], "B")
            page.close()
            drive(m, target, repeats)
        browser.close()


def main() -> None:
    """Serve the demo, or ask a running app."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, nargs="+", default=[20_000, 1_000_000])
    parser.add_argument("--repeats", type=int, default=8)
    parser.add_argument("--url")
    parser.add_argument("--colour", action="append")
    parser.add_argument("--answer", default=r"event: .*?t=\d+")
    options = parser.parse_args()
    if find_chromium() is None:
        print("no chromium: neither /usr/bin/chromium nor one on PATH; nothing measured")
        return
    print(f"{'headless Chromium, no GPU':36s} {'median':>10s} {'worst':>10s}")
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        if options.url:
            target = Target(options.url, tuple(options.colour), options.answer)
            measure(playwright, target, options.repeats)
            return
        for n in options.points:
            print(f"{n:,} points")
            with served(DEMO, Path(folder) / str(n), {"DEMO_POINTS": str(n)}) as url:
                measure(playwright, Target(url, ("vIP", "family"), options.answer), options.repeats)


if __name__ == "__main__":
    main()
