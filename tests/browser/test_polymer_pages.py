"""Polymers in a browser: map to card to list, a walk, one question put to two systems."""

from functools import partial

import pytest
from drivers import keep, no_errors, search, walk
from harness import SHOTS

from genbat.studio import registry

# Every row of the leaderboard has candidates that could be judged: fewer failed than were asked.
ANSWERED = """() => {
  const rows = [...document.querySelectorAll('.gb-board tr')].slice(1);
  const good = (row) => +row.cells[6].innerText < +row.cells[1].innerText;
  return rows.length === 2 && rows.every(good);
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
    search(page, "PEO", "poly(ethylene oxide) (PEO)")
    page.get_by_text("surrogate for MD").first.wait_for()
    page.wait_for_selector(".map[data-shown]")
    page.screenshot(path=SHOTS / f"polymers-explore{'-dark' if theme == 'dark' else ''}.png")
    keep(page)
    assert no_errors(page)


def test_a_walk_from_ether_to_carbonate(opened):
    page = opened("interpolate")
    walk(page, "PEO → PTMC", "different polymers")
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
