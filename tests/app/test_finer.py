"""The page's second task: a coarse scan, the system that makes it finer, what comes of it."""

import io

import numpy as np
import pytest
import tifffile
from streamlit.testing.v1 import AppTest
from tiny_pages import linked

from genbat.core.paths import ROOT
from genbat.domains.microstructures.generator import Recipe, make
from genbat.domains.microstructures.volume import from_text, to_text
from genbat.studio import finer
from genbat.systems.superres import Config, Generator, SuperRes

PAGE = ROOT / "pages" / "micrograph.py"
SCAN = make(Recipe(size=24, radius=5.0), 0)


@pytest.fixture
def page():
    found = AppTest.from_file(str(PAGE), default_timeout=60)
    found.query_params["do"] = "finer"
    return found


@pytest.fixture
def installed(monkeypatch):
    monkeypatch.setattr(finer, "able", lambda phases: {"superres": "SuperRes"})


def upload(page, values):
    file = io.BytesIO()
    tifffile.imwrite(file, values)
    page.run()
    page.file_uploader(key="finer:file").set_value(("<i>scan.tif", file.getvalue(), "image/tiff"))
    return page.run()


def test_the_first_look_says_what_to_do(page):
    page.run()
    assert not page.exception
    assert "A scan of a large volume is coarse" in page.caption[0].value


def test_a_scan_is_made_finer(page, installed):
    upload(page, SCAN.labels)
    assert not page.exception
    assert any("96 x 96 x 96 voxels" in caption.value for caption in page.caption)
    next(b for b in page.button if b.label == "Make finer").click().run()
    assert not page.exception
    from genbat.ui import shared

    jobs = shared.jobs()
    job = jobs.get(linked(page, "job"))
    assert job.kind == "finer" and job.arguments["system"] == "superres"
    assert np.array_equal(from_text(job.arguments["text"]).labels, SCAN.labels)
    jobs.cancel(job.id)  # or a later test's job server would run it


def test_what_came_of_it(page, monkeypatch):
    from genbat.studio.store import Store
    from genbat.studio.work import Report
    from genbat.ui import shared

    page.run()
    jobs = shared.jobs()
    told = {"domain": "microstructures", "name": "mine", "system": "superres", "seed": 0}
    ident = jobs.submit("finer", "SuperRes mine", told | {"text": to_text(SCAN)}, "me")
    config = Config(width=4, noise=1)
    made = SuperRes(config, Generator(config), "abc").finer(SCAN)
    Report(Store(), ident).emit({"candidate": made.to_json()})
    jobs.cancel(ident)
    page.query_params["job"] = ident
    page.run()
    assert not page.exception
    assert any(b.label == "Add to shortlist" for b in page.button)
    assert any("before and after" in caption.value for caption in page.caption)


def test_no_system_for_so_many_phases(page, monkeypatch):
    monkeypatch.setattr(finer, "able", lambda phases: {})
    upload(page, SCAN.labels)
    assert not page.exception
    assert "No system here makes volumes of 3 phases finer" in page.info[0].value


def test_a_wrong_file_is_told_by_name(page):
    upload(page, np.zeros((4, 20, 20), "u1"))
    assert not page.exception
    assert r"\<i\>scan\.tif" in page.error[0].value
