"""The comparison's page: its table, the group in the link, the ranking, and nothing to show."""

import pytest
from streamlit.testing.v1 import AppTest
from tiny_compared import written
from tiny_pages import linked

from genbat.core.paths import ROOT
from genbat.studio import compared, registry
from genbat.ui import compare_parts, frame, state

PAGE = ROOT / "pages" / "compare.py"


@pytest.fixture
def page(monkeypatch, tmp_path):
    monkeypatch.setattr(compared, "path_of", written(tmp_path))
    monkeypatch.setattr(state, "domain", lambda: "crystals")
    compared._read.cache_clear()
    return AppTest.from_file(str(PAGE), default_timeout=60)


def bodies(page):
    return [str(b.body) for b in page.get("html")]


def test_the_table_and_where_it_comes_from(page):
    page.run()
    assert not page.exception
    first = next(b for b in bodies(page) if "gb-best" in b)
    assert "<th>MatterGen</th>" in first and "90.0 %" in first
    assert first.count("gb-baseline") == 2 and first.count("gb-real") == 1
    told = " ".join(c.value for c in page.caption)
    assert "1,000 samples of each system, seed 0" in told and "chgnet" in told
    assert any("Judge" in b and "StructureMatcher" in b for b in bodies(page))


def test_a_group_stands_in_the_link(page):
    page.run()
    page.get("button_group")[0].set_value("Validity").run()
    assert not page.exception
    assert linked(page, "group") == "Validity"
    assert any("structure valid" in b and "gb-best" in b for b in bodies(page))
    page.query_params["group"] = "Nonsense<script>"
    page.run()
    assert not page.exception


def test_the_ranking(page):
    page.run()
    assert page.subheader[0].value == "Does the review's ranking hold?"
    told = next(b for b in bodies(page) if "MatterGen over iMatGen" in b)
    assert "60.0 : 60.5 %" in told and "gb-close" in told
    assert any("agree with the review" in m.value for m in page.markdown)
    assert any("Not compared yet: CrystalGAN" in c.value for c in page.caption)


def test_nothing_to_show_says_what_to_run(page, monkeypatch, tmp_path):
    monkeypatch.setattr(compared, "path_of", lambda domain: tmp_path / "none.json")
    page.run()
    assert not page.exception
    assert "genbat compare crystals" in page.info[0].value


def test_it_is_offered_where_there_is_a_comparison(page, monkeypatch):
    monkeypatch.setattr(registry, "trained", lambda name: True)
    assert "compare" in frame.shown_pages()
    monkeypatch.setattr(state, "domain", lambda: "polymers")
    assert "compare" not in frame.shown_pages()


@pytest.mark.parametrize(
    ("value", "words"), [(0.123, "0.123"), (1234.5, "1,234"), (float("nan"), "–")]
)
def test_numbers(value, words):
    measure = compared.MEASURES["crystals"][3]
    assert compare_parts.written(value, measure) == words
