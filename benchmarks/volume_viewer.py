"""How fast the volume viewer is in a headless browser: python benchmarks/volume_viewer.py.

From the click that chooses a volume of 128^3 voxels and three phases to its picture, and pictures a
second while the mouse turns it; medians and worst of some repeats. Chromium draws without a
graphics card here.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "browser"))
from drivers import FIND
from harness import FLAGS, ROOT, find_chromium, served

DEMO = ROOT / "tests" / "browser" / "demo_volume.py"
WAIT_MS = 60_000
WANTED_S, WANTED_FRAMES = 2.0, 15.0


def shown(page: Page, name: str) -> float:
    """Seconds from the click to the picture of a volume."""
    choice = page.get_by_role("radiogroup", name="Volume").get_by_text(name, exact=True)
    start = time.perf_counter()
    choice.click()
    page.wait_for_selector(f'.volume[data-state=ready][data-shown="{name}"]', timeout=WAIT_MS)
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => done()))")
    return time.perf_counter() - start


def turned(page: Page, seconds: float) -> float:
    """Pictures a second while the mouse turns the volume."""
    box = page.evaluate_handle(FIND, ".volume")
    drawn = lambda: box.evaluate("(b) => b.volume.drawn")  # noqa: E731
    area = page.locator(".volume canvas").first.bounding_box()
    assert area is not None
    x, y = area["x"] + area["width"] / 2, area["y"] + area["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    before, start, k = drawn(), time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        k += 1
        page.mouse.move(x + 4 * (k % 40), y + 2 * (k % 20))
    spent = time.perf_counter() - start
    frames = drawn() - before
    page.mouse.up()
    return frames / spent


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--repeats", type=int, default=5)
    repeats = options.parse_args().repeats
    times, frames = [], []
    with (
        tempfile.TemporaryDirectory() as folder,
        served(DEMO, Path(folder)) as url,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.goto(url)
        page.wait_for_selector(".volume[data-state=ready]", timeout=WAIT_MS)
        shown(page, "large")  # the page makes its example before it can show it, once
        for _ in range(repeats):
            shown(page, "cube")
            times.append(shown(page, "large"))
            frames.append(turned(page, 2.0))
        browser.close()
    print(f"128^3, click to picture: {statistics.median(times):.2f} s, worst {max(times):.2f} s "
          f"(wanted at most {WANTED_S:g})")  # fmt: skip
    print(f"128^3, turned by mouse: {statistics.median(frames):.0f} pictures a second, worst "
          f"{min(frames):.0f} (wanted at least {WANTED_FRAMES:g})")  # fmt: skip


if __name__ == "__main__":
    main()
