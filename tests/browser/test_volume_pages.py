"""Electrode volumes in a browser: map to card to list; a walk; a question; volumes of any size."""

from functools import partial

import pytest
from drivers import keep, no_errors, search, walk
from harness import SHOTS
from playwright.sync_api import expect

from genbat.studio import registry

pytestmark = pytest.mark.skipif(
    "microstructures" not in registry.offered(), reason="the volumes' map or weights are not here"
)


@pytest.fixture
def opened(opened_in):
    """opened(path) -> a page of the domain."""
    return partial(opened_in, "microstructures")


def drawn(page):
    """The volume's 3D view is there."""
    page.wait_for_selector('.volume[data-state="ready"]')


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_volume_found_by_its_porosity(opened, theme):
    page = opened("explore", color_scheme=theme, viewport={"width": 1280, "height": 900})
    search(page, "porosity 0.3", "porosity 0.30")
    drawn(page)
    page.get_by_text("TauFactor 1.2.1").first.wait_for()
    page.screenshot(path=SHOTS / f"volumes-explore{'-dark' if theme == 'dark' else ''}.png")
    keep(page)
    assert no_errors(page)


def test_a_walk_from_dense_to_open(opened):
    page = opened("interpolate")
    walk(page, "Dense → open", "different volumes")
    drawn(page)
    page.get_by_role("button", name="Next").click()
    page.get_by_text("step 1 of 10").wait_for()
    drawn(page)
    page.screenshot(path=SHOTS / "volumes-interpolate.png")
    assert no_errors(page)


def test_a_question_for_a_porosity(opened):
    page = opened("design")
    page.get_by_role("button", name="Search", exact=True).wait_for()
    expect(page.get_by_text("Find volumes with")).to_be_visible()
    page.get_by_text("of the known microstructures would do").wait_for()
    page.screenshot(path=SHOTS / "volumes-design.png")
    assert no_errors(page)


@pytest.mark.skipif(not registry.trained("slicegan"), reason="slicegan's weights are absent")
def test_a_volume_of_any_size(opened):
    page = opened("micrograph")
    page.get_by_text("Any size, by shipped models").click()
    drawn(page)
    page.screenshot(path=SHOTS / "volumes-free.png")
    assert no_errors(page)
