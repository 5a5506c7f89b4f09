"""The page's third task: a shipped model, how large, periodic or not."""

import pytest
from streamlit.testing.v1 import AppTest

from genbat.core.candidate import Candidate, Verdict
from genbat.core.paths import ROOT
from genbat.core.provenance import Provenance
from genbat.domains.microstructures.generator import Recipe, make
from genbat.domains.microstructures.volume import to_text
from genbat.studio import free_volumes
from genbat.studio.free_volumes import Maker, Shift

PAGE = ROOT / "pages" / "micrograph.py"


@pytest.fixture
def page():
    found = AppTest.from_file(str(PAGE), default_timeout=60)
    found.query_params["do"] = "size"
    return found


def made(name, size, seed, *, periodic=False):
    volume = make(Recipe(size=24, periodic=periodic), seed)
    return Candidate(to_text(volume), "microstructures", Verdict(True), Provenance(name, "sample"))


def test_nothing_is_installed(page, monkeypatch):
    monkeypatch.setattr(free_volumes, "makers", dict)
    page.run()
    assert not page.exception and "is installed here" in page.info[0].value


def test_a_periodic_volume_says_what_that_does(page, monkeypatch):
    makers = {
        "slicegan": Maker("slicegan", "SliceGAN", False),
        "dcgan3d": Maker("dcgan3d", "3D DCGAN", True, Shift(0.12, 0.15)),
    }
    monkeypatch.setattr(free_volumes, "makers", lambda: makers)
    monkeypatch.setattr(free_volumes, "made", made)
    page.run()
    assert not page.exception and not page.toggle
    page.selectbox(key="free:maker").select("dcgan3d").run()
    page.toggle(key="free:periodic").set_value(True).run()
    assert not page.exception
    assert any("0.120 of bulk in periodic volumes, 0.150 in others, -20 %" in caption.value
               for caption in page.caption)  # fmt: skip
    assert any("Border" in str(block.body) and "periodic" in str(block.body)
               for block in page.get("html"))  # fmt: skip
