"""Interpolate and Design in a browser: a walk in three clicks, a real search end to end."""

import os
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from harness import ROOT, SHOTS

DARK = ROOT / "tests" / "screenshots"
WAIT = 120_000  # the first page of a server waits for the atlas, the first job for a worker
VIEW = {"width": 1280, "height": 900}
WANT = "lumo_ev:below:-7;vip_ev:above:14"


@pytest.fixture(scope="module")
def url(serve):
    """The app, sharing the session's home and what is cached there."""
    return serve(ROOT / "app.py", {"GENBAT_HOME": os.environ["GENBAT_HOME"]})


@pytest.fixture
def visit(new_page, url):
    """visit(link) -> an open page of the app."""

    def go(link, **context):
        page = new_page(viewport=VIEW, **context)
        page.set_default_timeout(WAIT)
        page.goto(url)  # a server's very first page must be its root
        page.get_by_text("Basket", exact=True).wait_for()
        page.goto(f"{url}/{link}")
        page.locator("h1").first.wait_for()
        return page

    return go


def linked(page, name):
    return parse_qs(urlsplit(page.url).query).get(name, [""])[0]


def wait_step(page, step):
    page.wait_for_url(re.compile(rf"[?&]step={step}(&|$)"))
    page.get_by_text(re.compile(rf"^step {step} of")).wait_for()


def settled(page):
    """Nothing runs any more and the 3D view stands."""
    page.wait_for_selector('.mol[data-state="ready"]')
    page.wait_for_function(
        "() => !document.querySelector('[data-testid=stStatusWidget], [data-stale=true]')"
    )
    page.wait_for_timeout(700)


def shoot(page, name):
    """The page as it is, light for the documentation, dark for the tests' eyes."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    DARK.mkdir(exist_ok=True)
    page.set_viewport_size({"width": 1280, "height": 1180})
    page.mouse.move(0, 0)
    settled(page)
    page.screenshot(path=SHOTS / f"{name}.png")
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(2500)
    settled(page)
    page.screenshot(path=DARK / f"{name}-dark.png")
    page.emulate_media(color_scheme="light")


def calm(page):
    # On a page below the root Streamlit tries two addresses of its server; one is not there.
    return [e for e in page.console_errors if "404" not in e] == []


def test_a_walk_in_three_clicks_then_by_slider_keys_and_play(visit):
    page = visit("interpolate")
    page.get_by_role("button", name="Adiponitrile → sulfolane").click()
    frames = page.locator(".film button")
    frames.first.wait_for()
    assert linked(page, "a") == "N#CCCCCC#N"
    assert frames.first.get_attribute("title").startswith("adiponitrile")
    assert frames.last.get_attribute("title").startswith("sulfolane")
    page.get_by_role("button", name=re.compile("Next$")).click()
    wait_step(page, 1)
    frames.last.click()
    wait_step(page, 10)
    page.locator(".gb-heading h3").filter(has_text="sulfolane").wait_for()
    page.locator("input[type=range]").press("ArrowLeft")
    wait_step(page, 9)
    settled(page)
    page.locator('.map[data-step="9"] .top').press("ArrowLeft")
    wait_step(page, 8)
    page.get_by_role("button", name="Play").click()
    wait_step(page, 10)
    page.get_by_role("button", name="Play").wait_for()  # it stops at the end
    assert calm(page)


def test_film_and_charts_share_their_axis(visit):
    page = visit("interpolate?a=adiponitrile&b=sulfolane&step=5")
    wait_step(page, 5)
    page.locator(".js-plotly-plot .cartesianlayer").nth(1).wait_for()
    frames = page.locator(".film button")
    left, right = frames.first.bounding_box(), frames.last.bounding_box()
    plot = page.locator(".js-plotly-plot .nsewdrag").first.bounding_box()
    assert plot["x"] == pytest.approx(left["x"], abs=5)
    assert plot["x"] + plot["width"] == pytest.approx(right["x"] + right["width"], abs=5)
    shoot(page, "interpolate")


def test_a_search_runs_reopens_by_its_link_and_is_cancelled(visit, new_page):
    page = visit(f"design?want={WANT}&no=hazards")
    page.get_by_role("button", name="Search").wait_for()
    page.screenshot(path=DARK / "design-question.png")
    ask_for(page, 4)
    tiles = page.locator(".gallery button")
    tiles.first.wait_for()
    page.get_by_text("4 of 4 judged by xTB").wait_for()
    page.wait_for_function("() => !document.querySelector('.stProgress')")
    shoot(page, "design")
    again = new_page(viewport=VIEW)
    again.set_default_timeout(WAIT)
    again.goto(page.url)
    again.get_by_text("4 of 4 judged by xTB").wait_for()
    again.locator(".gallery button b").nth(3).wait_for()
    seen = again.locator(".gallery button b").all_inner_texts()
    assert len(set(seen)) == 4
    again.locator(".gallery button").nth(3).click()
    again.locator(".gb-heading h3").filter(has_text=seen[3]).wait_for()
    page.get_by_role("button", name="Change the question").click()
    ask_for(page, 90)
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("Cancelled. The results it had so far are kept.").wait_for()
    assert calm(page)
    assert calm(again)


def ask_for(page, count):
    box = page.get_by_role("spinbutton", name="Candidates")
    box.fill(str(count))
    box.press("Enter")
    page.wait_for_timeout(1500)
    page.get_by_role("button", name="Search").click()
    page.wait_for_url(re.compile("job="))
