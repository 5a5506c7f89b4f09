"""What imatgen adds to Explore: a colour of the map, and slabs of its images on the card."""

import pytest
from streamlit.testing.v1 import AppTest
from test_crystal_card import page
from tiny_oxides import imatgen, oxides
from tiny_pages import fresh_page, linked

from genbat.domains.crystals.structure import to_text
from genbat.studio import crystal_images, registry


@pytest.fixture
def toy(monkeypatch):
    load, trained = registry.load, registry.trained
    monkeypatch.setattr(registry, "trained", lambda name: name == "imatgen" or trained(name))
    monkeypatch.setattr(registry, "load", lambda n: imatgen() if n == "imatgen" else load(n))
    crystal_images.seen.cache_clear()
    yield
    crystal_images.seen.cache_clear()


def card_of(cell):
    at = AppTest.from_function(page, kwargs={"text": to_text(cell), "voltage": 0.0},
                               default_timeout=120)  # fmt: skip
    at.run()
    assert not at.exception
    return at


def test_slabs_on_the_card(toy):
    at = card_of(oxides().cells[0])
    assert "Image" in [tab.label for tab in at.tabs]
    shown = next(str(b.body) for b in at.get("html") if "gb-slices" in str(b.body))
    assert shown.count("<img") == 2 * 2 * crystal_images.SLABS
    assert "Vanadium, own, slab 1" in shown


def test_no_slabs_without_the_weights():
    crystal_images.seen.cache_clear()
    if not registry.trained("imatgen"):
        assert "Image" not in [tab.label for tab in card_of(oxides().cells[0]).tabs]


def test_the_classifier_colours_the_map(toy, monkeypatch):
    at = fresh_page(monkeypatch, "explore", "crystals")
    at.query_params["by"] = "stable"
    at.run()
    assert not at.exception
    box = at.selectbox(key="explore:by:crystals")
    assert box.value == "stable" and "Near hull (iMatGen)" in box.options
    assert linked(at, "by") == "stable"
