"""Polymers in a browser: map to card to list, a walk, one question put to two systems."""

from functools import partial

import pytest
from drivers import no_errors
from harness import SHOTS

from genbat.studio import registry

NAME = ".gb-heading h3"
# Every row of the leaderboard has hits.
ANSWERED = """() => {
  const rows = [...document.querySelectorAll('.gb-board tr')].slice(1);
  return rows.length === 2 && rows.every((row) => row.cells[2].innerText !== '–');
}"""
pytestmark = pytest.mark.skipif(
    "polymers" not in registry.offered(), reason="the polymers' map or weights are not here"
)


@pytest.fixture
def opened(opened_in):
    """opened(path) -> a page of the domain."""
    return partial(opened_in, "polymers")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_polymer_found_by_its_name(opened, theme):
    page = opened("explore", color_scheme=theme, viewport={"width": 1280, "height": 900})
    box = page.get_by_label("Search", exact=True)
    box.fill("PEO")
    box.press("Enter")
    page.locator(NAME, has_text="poly(ethylene oxide) (PEO)").wait_for()
    page.get_by_text("surrogate for MD").first.wait_for()
    page.wait_for_selector(".map[data-shown]")
    page.screenshot(path=SHOTS / f"polymers-explore{'-dark' if theme == 'dark' else ''}.png")
    page.get_by_role("button", name="Add to shortlist").click()
    page.get_by_text("1 candidate in the basket").wait_for()
    assert no_errors(page)


def test_a_walk_from_ether_to_carbonate(opened):
    page = opened("interpolate")
    page.get_by_role("button", name="PEO → PTMC").click()
    page.get_by_text("different polymers").wait_for()
    page.get_by_role("button", name="Next").click()
    page.get_by_text("step 1 of 10").wait_for()
    page.screenshot(path=SHOTS / "polymers-interpolate.png")
    assert no_errors(page)


def test_one_question_to_two_systems(opened):
    page = opened("design")
    page.get_by_role("button", name="Polymer VAE").click()
    page.get_by_role("button", name="Polymer VAE", pressed=True).wait_for()
    box = page.get_by_label("Candidates")
    box.fill("12")
    box.press("Enter")
    page.get_by_role("button", name="Search", exact=True).click()
    page.wait_for_function(ANSWERED)
    page.screenshot(path=SHOTS / "polymers-design.png")
    assert no_errors(page)
