"""Crystals in a browser: the domain stays over pages; map to card to list; a walk; a question."""

from functools import partial
from urllib.parse import parse_qs, urlsplit

import pytest
from drivers import WAIT, Map, no_errors
from harness import SHOTS
from playwright.sync_api import expect

from genbat.studio import registry

NAME = ".gb-heading h3"
pytestmark = pytest.mark.skipif(
    "crystals" not in registry.offered(), reason="the crystals' map or weights are not here"
)


@pytest.fixture
def opened(opened_in):
    """opened(path) -> a page of the domain."""
    return partial(opened_in, "crystals")


def link(page):
    return {k: v[0] for k, v in parse_qs(urlsplit(page.url).query).items()}


def drawn(page):
    """The crystal's 3D view shows atoms."""
    page.wait_for_selector('.crystal[data-state="ready"]')


def test_the_domain_is_chosen_once_and_stays(new_page, app_url):
    page = new_page()
    page.set_default_timeout(WAIT)
    page.goto(app_url)
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


def test_search_card_and_list(new_page, app_url):
    page = new_page()
    page.set_default_timeout(WAIT)
    m = Map(page, f"{app_url}/explore?domain=crystals", patience=WAIT / 1000)
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
    later.goto(f"{app_url}/explore?domain=crystals&mol={known.replace('+', '%2B')}")
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
