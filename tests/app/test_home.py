"""Home as a script: it says what GenBat is and leads into the first walk."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from genbat.ui import home_parts

ROOT = Path(__file__).parents[2]
A, B = "N#CCCCCC#N", "O=S1(=O)CCCC1"  # adiponitrile, sulfolane


@pytest.fixture
def home():
    """Home, drawn once."""
    return AppTest.from_file(str(ROOT / "app.py"), default_timeout=300).run()


def bodies(at):
    return " ".join(e.proto.body for e in at.get("html"))


def test_it_says_what_it_is_at_once(home):
    assert not home.exception
    assert "battery molecules" in bodies(home)
    assert [b.label for b in home.button] == ["Start the walk"]
    assert "xTB" in " ".join(c.value for c in home.caption)


def test_the_first_click_leads_to_the_walk(home):
    home.button[0].click().run()
    assert not home.exception
    assert home.query_params["a"] == A
    assert home.query_params["b"] == B


def test_the_picture_is_drawn_from_the_data():
    from genbat.studio import path
    from genbat.studio.explore import atlas

    place = atlas("molecules")
    walk = path.walk_in(place, A, B, steps=7)
    light, dark = (home_parts.svg(place, walk, on) for on in (False, True))
    assert light.count("h0") >= min(150, place.n_known)  # near points share a dot
    assert "adiponitrile" in light
    assert home_parts.LIGHT.text in light and home_parts.DARK.text in dark
    assert "http" not in light.replace("http://www.w3.org/2000/svg", "")
