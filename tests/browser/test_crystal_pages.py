"""Crystals in a browser: the domain stays over pages; map to card to list; a walk; a question."""

import os
from urllib.parse import parse_qs, urlsplit

import pytest
from drivers import Map
from harness import ROOT, SHOTS
from playwright.sync_api import expect

from genbat.studio import registry

WAIT = 180_000  # the first page of a server waits for the atlas
NAME = ".gb-heading h3"
pytestmark = pytest.mark.skipif(
    "crystals" not in registry.offered(), reason="the crystals' map or weights are not here"
)


@pytest.fixture(scope="module")
def url(serve):
    """The app, sharing the session's home and what is cached there."""
    return serve(ROOT / "app.py", {"GENBAT_HOME": os.environ["GENBAT_HOME"]})


@pytest.fixture
def opened(new_page, url):
    """opened(path) -> a page of the crystals."""

    def open_it(path, **context):
        page = new_page(**context)
        page.set_default_timeout(WAIT)
        sign = "&" if "?" in path else "?"
        page.goto(f"{url}/{path}{sign}domain=crystals")
        return page

    return open_it


def link(page):
    return {k: v[0] for k, v in parse_qs(urlsplit(page.url).query).items()}


def no_errors(page):
    # On a page below the root Streamlit tries two addresses of its server; one is not there.
    return [e for e in page.console_errors if "404" not in e] == []


def drawn(page):
    """The crystal's 3D view shows atoms."""
    page.wait_for_selector('.crystal[data-state="ready"]')


def test_the_domain_is_chosen_once_and_stays(new_page, url):
    page = new_page()
    page.set_default_timeout(WAIT)
    page.goto(url)
    page.get_by_role("combobox", name="Domain").click()
    page.get_by_role("option", name="Crystals").click()
    page.get_by_role("heading", name="battery crystals").wait_for()
    page.get_by_role("link", name="Explore", exact=True).first.click()
    page.get_by_role("heading", name="Explore crystals").wait_for()
    page.wait_for_function("() => location.search.includes('domain=crystals')")
    page.get_by_role("link", name="Design", exact=True).first.click()
    page.locator(".ptable").wait_for()
    assert link(page)["domain"] == "crystals"
    assert no_errors(page)


def test_search_card_and_list(new_page, url):
    page = new_page()
    page.set_default_timeout(WAIT)
    m = Map(page, f"{url}/explore?domain=crystals", patience=WAIT / 1000)
    box = page.get_by_label("Search", exact=True)
    box.fill("LiTiS2")
    box.press("Enter")
    page.locator(NAME, has_text="LiTiS2").wait_for()
    drawn(page)
    page.screenshot(path=SHOTS / "crystals-explore.png")
    page.get_by_role("button", name="Add to shortlist").click()
    page.get_by_text("1 candidate in the basket").wait_for()
    known = link(page)["mol"]
    later = new_page()
    later.set_default_timeout(WAIT)
    later.goto(f"{url}/explore?domain=crystals&mol={known.replace('+', '%2B')}")
    later.locator(NAME, has_text="LiTiS2").wait_for()
    assert m.state()["legend"]
    assert no_errors(page)


def test_a_walk_between_crystals(opened):
    page = opened("interpolate")
    page.get_by_role("button", name="LiTiS2 → NaTiS2").click()
    page.get_by_text("different crystal").wait_for()
    drawn(page)
    page.get_by_role("button", name="Next").click()
    page.get_by_text("step 1 of 10").wait_for()
    page.screenshot(path=SHOTS / "crystals-interpolate.png")
    assert no_errors(page)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_question_is_written_with_the_table(opened, theme):
    page = opened("design", color_scheme=theme)
    page.get_by_role("button", name="Search", exact=True).wait_for()
    expect(page.get_by_label("Value").first).to_have_value("3.5")
    expect(page.get_by_label("Most atoms")).to_have_value("14")
    page.locator(".ptable button", has_text="Li").first.click()
    page.get_by_text("with Li", exact=True).wait_for()
    page.wait_for_function("() => decodeURIComponent(location.search).includes('Li:require')")
    page.screenshot(path=SHOTS / f"crystals-design-{theme}.png")
    assert no_errors(page)


@pytest.mark.skipif(not registry.trained("mattergen"), reason="mattergen's weights are absent")
def test_a_search_streams_crystals_with_their_verdicts(opened):
    page = opened("design", viewport={"width": 1280, "height": 1180})
    box = page.get_by_role("spinbutton", name="Candidates")
    box.fill("4")
    box.press("Enter")
    page.wait_for_timeout(1500)
    page.get_by_role("button", name="Search", exact=True).click()
    page.wait_for_url("**job=*")
    # A block of casts is made before the first one comes: minutes where the machine is busy.
    page.get_by_text("4 of 4 judged by CHGNet").wait_for(timeout=5 * WAIT)
    page.locator(".gallery button").nth(3).wait_for()
    assert page.get_by_text("MatterGen").first.is_visible()
    page.screenshot(path=SHOTS / "crystals-search.png", full_page=True)
    assert no_errors(page)
