"""Home and Explore in a browser: clicks, search, links, lasso; both themes, both widths."""

import re
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from drivers import WAIT, Map, no_errors
from harness import SHOTS
from streamlit import get_option

FEC = "O=C1OCC(F)O1"
LOOP = [(0.3, 0.35), (0.55, 0.3), (0.6, 0.6), (0.35, 0.65)]
SIZES = {1280: 800, 1920: 1080}


@pytest.fixture
def explore(new_page, app_url):
    """explore(link, **context) -> the map of an open page."""

    def open_it(link="", **context):
        page = new_page(**context)
        page.set_default_timeout(WAIT)
        return Map(page, f"{app_url}/explore{link}", patience=WAIT / 1000)

    return open_it


def link(page):
    return {k: v[0] for k, v in parse_qs(urlsplit(page.url).query).items()}


def carded(m):
    """Name on the card, once its 3D view is drawn."""
    m.page.wait_for_selector('.mol[data-state="ready"]')
    assert int(m.page.locator(".mol").get_attribute("data-atoms")) > 2
    return m.page.locator(".gb-heading h3").first.inner_text()


def pixels(m):
    """Pixel (n, 2) of every point of the map, counted from its corner."""
    v = m.state()
    xy = np.reshape(m.box.evaluate("(b) => [...b.latmap.xy.array]"), (-1, 2)) / 65535
    x = v["mx"] + (xy[:, 0] - v["cx"]) * v["kx"]
    return np.c_[x, v["my"] - (xy[:, 1] - v["cy"]) * v["ky"]]


def frame(m):
    r = m.top.bounding_box()
    return np.array([r["width"], r["height"]])


def test_a_click_on_a_point_opens_the_card(explore):
    m = explore()
    points, size = pixels(m), frame(m)
    at = points[np.hypot(*(points - size / 2).T).argmin()] / size
    m.click(*at)
    name = carded(m)
    assert name and link(m.page)["mol"]
    m.page.wait_for_selector(".gb-values")
    assert no_errors(m.page)


def test_a_click_between_decodes(explore):
    m = explore()
    points, size = pixels(m), frame(m)
    grid = np.stack(np.meshgrid(np.linspace(0.1, 0.9, 25), np.linspace(0.25, 0.9, 25)), -1)
    grid = grid.reshape(-1, 2)
    gaps = np.array([np.hypot(*(points - g * size).T).min() for g in grid])
    at = grid[np.argmin(np.where(gaps > 25, gaps, np.inf))]
    m.click(*at)
    m.page.wait_for_selector("text=You clicked an empty place")
    assert {"x", "y"} <= set(link(m.page))
    assert m.page.get_by_text("% of the known molecules").count() == 1
    assert no_errors(m.page)


def test_search_and_the_link_of_what_was_found(explore):
    m = explore()
    m.page.get_by_label("Search").fill("FEC")
    m.page.get_by_label("Search").press("Enter")
    m.page.wait_for_url("**mol=*")
    name = carded(m)
    assert link(m.page)["mol"] == FEC
    m.page.reload()
    m.wait_drawn()
    assert carded(m) == name
    assert m.page.locator(".mol").get_attribute("data-shown") == FEC
    m.page.get_by_role("button", name="Add to shortlist").click()
    m.page.wait_for_selector("text=1 candidate in the basket")
    assert m.page.get_by_text("Added to My shortlist").count() == 1
    assert no_errors(m.page)


def test_a_lasso_counts_what_it_holds(explore):
    m = explore("?by=status")
    m.mode("Lasso")
    m.drag(*LOOP, LOOP[0], steps=6)
    heading = m.page.locator("h3", has_text="selected")
    heading.wait_for()
    told = int(re.sub(r"\D", "", heading.inner_text()))
    seen = re.search(r"([\d,]+) selected", m.state()["note"])
    assert told == int(seen[1].replace(",", "")) > 0
    assert no_errors(m.page)


def test_a_plain_rerun_sends_little(explore):
    """Under 5 kB where the configuration lets small messages be remembered, too."""
    m = explore(f"?mol={FEC}")
    carded(m)
    m.page.wait_for_selector(".gallery button")
    sent = []
    for _ in range(3):  # the first ones still bring what is new
        m.page.wait_for_timeout(1500)
        before = m.page.received
        m.page.get_by_text("Explore molecules").click()
        m.page.keyboard.press("r")
        m.page.wait_for_timeout(3000)
        sent.append(m.page.received - before)
    small = get_option("global.minCachedMessageSize") <= 200
    assert 0 < min(sent) < (5_000 if small else 50_000)


def test_home_leads_into_the_first_walk(new_page, app_url):
    page = new_page(viewport={"width": 1280, "height": 800})
    page.set_default_timeout(WAIT)
    page.goto(app_url)
    page.wait_for_selector(".gb-picture")
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / "home.png")
    page.get_by_role("button", name="Start the walk").click()
    page.wait_for_url("**/interpolate*")
    page.wait_for_function("location.search.includes('a=')")
    assert page.console_errors == []


@pytest.mark.parametrize("width", SIZES)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_screenshots(explore, theme, width):
    view = {"width": width, "height": SIZES[width]}
    m = explore("?mol=O%3DC1OCC(F)O1", viewport=view, color_scheme=theme)
    carded(m)
    m.page.wait_for_selector(".gallery button")
    m.page.wait_for_timeout(800)
    assert m.state()["dark"] == (theme == "dark")
    assert m.page.evaluate("document.documentElement.scrollWidth") <= width
    parts = ["explore", *(["dark"] if theme == "dark" else []), *(["wide"] if width > 1280 else [])]
    SHOTS.mkdir(parents=True, exist_ok=True)
    m.page.screenshot(path=SHOTS / f"{'-'.join(parts)}.png")
    assert no_errors(m.page)
