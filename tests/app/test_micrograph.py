"""The page of one's own micrograph: an image, its phases, a training in the queue."""

import io

import numpy as np
import pytest
import tifffile
from streamlit.testing.v1 import AppTest
from tiny_pages import linked

from genbat.core.paths import ROOT
from genbat.domains.microstructures.generator import Recipe, make
from genbat.domains.microstructures.volume import from_text

PAGE = ROOT / "pages" / "micrograph.py"
SECTION = make(Recipe(size=80, radius=7.0), 0).labels[40]


@pytest.fixture
def page():
    return AppTest.from_file(str(PAGE), default_timeout=60)


def upload(page, values, name="mine.tif"):
    file = io.BytesIO()
    tifffile.imwrite(file, values)
    page.run()
    page.file_uploader(key="micrograph:file").set_value((name, file.getvalue(), "image/tiff"))
    return page.run()


def test_the_first_look_says_what_to_do(page):
    page.run()
    assert not page.exception
    assert "Segmented images work best" in page.caption[0].value


def test_a_labelled_image_is_trained_on(page):
    upload(page, SECTION)
    assert not page.exception
    assert [box.value for box in page.text_input][:3] == [
        "pore",
        "active material",
        "carbon-binder",
    ]
    page.button[0].click().run()
    assert not page.exception
    from genbat.ui import shared

    job = shared.jobs().get(linked(page, "job"))
    assert job.kind == "micrograph"
    assert np.array_equal(from_text(job.arguments["text"]).labels[0], SECTION)
    assert page.subheader[0].value == "mine"
    shared.jobs().cancel(job.id)  # or a later test's job server would train it


def test_a_grey_image_has_thresholds(page):
    rng = np.random.default_rng(0)
    upload(page, (40 + 80 * SECTION + rng.normal(0, 4, SECTION.shape)).astype(np.uint8))
    assert len(page.slider) == 1
    page.slider[0].set_value(page.slider[0].max).run()
    assert not page.exception
    assert "no pixel is active material" in page.error[0].value


@pytest.mark.parametrize("data", [np.zeros((20, 20), "u1"), np.zeros((4, 80, 80), "u1")])
def test_a_wrong_file_is_told_by_name(page, data):
    upload(page, data, "<b>bad.tif")
    assert not page.exception
    assert r"\<b\>bad\.tif" in page.error[0].value


def test_a_link_to_nothing(page):
    page.query_params["job"] = "nothing"
    page.run()
    assert not page.exception and "not here" in page.warning[0].value
