"""Make crystals in a browser: the steps out of noise, the picker by mouse and keys."""

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from drivers import no_errors
from harness import SHOTS

HERE = Path(__file__).parent


@pytest.fixture
def opened(new_page, serve):
    """opened(link, **context) -> a page of the demo."""

    def open_it(link, **context):
        page = new_page(**context)
        page.goto(f"{serve(HERE / 'demo_makers.py')}/?{link}")
        return page

    return open_it


def linked(page, name):
    return parse_qs(urlsplit(page.url).query).get(name, [""])[0]


def shot(page, name):
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}.png")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_arrow_keys_walk_out_of_noise(opened, theme):
    page = opened("of=Li-Co-O&step=17", color_scheme=theme)
    page.wait_for_selector(".gb-ptable")
    assert page.locator(".gb-ptable span").count() > 70
    page.get_by_role("slider").focus()
    page.keyboard.press("ArrowRight")
    page.get_by_text("step 18 of 25").wait_for()
    page.wait_for_function("location.search.includes('step=18')")
    page.wait_for_selector('.crystal[data-state="ready"]')
    assert "background" in page.locator(".gb-ptable span[title^=Lithium]").get_attribute("style")
    shot(page, f"makers-noise-{theme}")
    assert no_errors(page)


def test_three_elements_are_picked(opened):
    page = opened("do=cubic&el=Li-Ti&n=4")
    page.locator(".gallery button").first.wait_for()
    press = page.locator(".ptable .elements button")
    assert page.locator('.ptable [data-state="require"]').count() >= 2
    press.get_by_text("O", exact=True).click()
    page.wait_for_function("location.search.includes('Li-O-Ti')")
    page.get_by_text("Crystals of Li-O-Ti").wait_for()
    press.get_by_text("S", exact=True).focus()
    page.keyboard.press("Enter")  # one too many: the oldest goes
    page.wait_for_function("!location.search.includes('Li-O-Ti')")
    picked = linked(page, "el").split("-")
    assert len(picked) == 3 and "S" in picked and "Li" not in picked
    page.locator(".gallery button").nth(1).click()
    page.wait_for_selector('.crystal[data-state="ready"]')
    shot(page, "makers-cubic")
    assert no_errors(page)
