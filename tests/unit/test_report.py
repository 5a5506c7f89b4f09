"""The report: complete, self-contained, and deaf to whatever users write."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from genbat.core.candidate import Candidate, Verdict
from genbat.core.properties import Measurement
from genbat.core.provenance import Provenance
from genbat.domains.molecules import draw
from genbat.studio.report import report
from genbat.studio.scatter import Point, scatter, ticks
from genbat.studio.shortlist import Entry

EVIL = "</style></title><script>alert(1)</script><img src=x onerror=alert(1)>\"'&"
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def entry(text="O=C1OCC(F)O1", number=1, lumo=-6.742, **more):
    properties = {
        "lumo_ev": Measurement(lumo, "eV", "GFN2-xTB (tblite)", "computed"),
        "vip_ev": Measurement(16.31, "eV", "ensemble", "predicted", 0.2),
    }
    made = Candidate(
        text, "molecules", Verdict(True), Provenance("user", "typed"), properties, name="FEC"
    )
    return replace(Entry(made, "a note", ("additive",), 1, NOW, number), **more)


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.words = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.words.append(data)


def test_tells_all_of_a_candidate():
    text = report("SEI ideas", [entry()], author="A. Chemist", when=NOW)
    words = " ".join(Page(text).words)
    for part in (
        "SEI ideas",
        "A. Chemist",
        "2026-11-22",
        "1 candidate",
        "FEC",
        "O=C1OCC(F)O1",
        "LUMO",
        "−6.74",
        "16.3 ± 0.2",
        "eV",
        "GFN2-xTB (tblite)",
        "◆ computed",
        "○ predicted",
        "a note",
        "additive",
        "rank 1",
        '"system": "user"',
    ):
        assert part in words
    assert Page(text).tags.count("svg") == 1
    assert "details" in Page(text).tags


def test_nothing_comes_from_outside():
    text = report("t", [entry(), entry("COC(=O)OC", 2, -5)], goals={"lumo_ev": -1, "vip_ev": 1})
    assert not re.search(r"(?:https?:)?//\w", text)
    names = {name for name, _ in Page(text).attributes}
    assert not names & {"src", "href", "xlink:href", "data", "action"}
    assert not {"script", "link", "iframe", "object", "img"} & set(Page(text).tags)
    assert "url(" not in text
    assert "default-src 'none'" in text


def test_users_cannot_write_html():
    made = entry().candidate
    nasty = Measurement(1.0, EVIL, EVIL, "computed", note=EVIL)
    made = replace(
        made,
        text=EVIL,
        name=EVIL,
        verdict=Verdict(False, (EVIL,)),
        properties={EVIL: nasty, "b": nasty},
        provenance=Provenance(EVIL, EVIL, weights=EVIL, arguments={EVIL: EVIL}, parents=(EVIL,)),
    )
    evil = entry(candidate=made, note=EVIL, tags=(EVIL,))
    page = Page(report(EVIL, [evil], author=EVIL, goals={EVIL: 1, "b": 1}))
    assert not {"script", "img"} & set(page.tags)
    assert not {name for name, _ in page.attributes if name.startswith("on")}
    assert "".join(page.words).count("<script>alert(1)</script>") > 10


def test_pareto_plot_numbers_its_candidates():
    without = entry("CO", 3)
    without = replace(without, candidate=replace(without.candidate, properties={}))
    entries = [entry(), entry("COC(=O)OC", 2, -5.0), without]
    text = report("t", entries, goals={"lumo_ev": -1, "vip_ev": 1})
    page = Page(text)
    kinds = [value for name, value in page.attributes if name == "class"]
    assert (kinds.count("front"), kinds.count("rest")) == (1, 1)
    words = " ".join(page.words)
    assert "LUMO / eV" in words
    assert "LUMO: lower, Vertical IP: higher" in words
    assert "1 without all these values" in words


def test_an_empty_list_and_an_empty_candidate():
    assert "This shortlist is empty." in report("t", [], goals={"a": 1, "b": 1})
    bare = replace(entry().candidate, properties={})
    assert "No property is known." in report("t", [entry(candidate=bare)])


def test_a_view_is_embedded_and_only_then_scripts_may_run():
    text = report("t", [entry()], view_html=lambda c: f"<canvas data-of='{len(c.text)}'></canvas>")
    assert "<canvas data-of='12'>" in text
    assert "script-src" in text
    assert "script-src" not in report("t", [entry()])


@pytest.mark.parametrize("dark", [False, True])
def test_drawing_is_one_clean_svg(dark):
    text = draw.svg("O=C1OCC(F)O1", 200, 150, dark=dark)
    assert text.startswith("<svg")
    assert text.endswith("</svg>")
    assert "width='200px' height='150px'" in text
    assert "<rect" not in text  # transparent
    assert ("#000000" in text) is not dark
    assert text == draw.svg("O=C1OCC(F)O1", 200, 150, dark=dark)


def test_drawing_of_nonsense_says_so():
    with pytest.raises(ValueError, match="cannot be read"):
        draw.svg("C1CC")


@pytest.mark.parametrize("values", [[0.0, 1.0], [3.0, 3.0], [0.0, 0.0], [-7.3, -5.9], [1e-4, 9e4]])
def test_ticks_span_the_values(values):
    found = ticks(values)
    assert found[0] <= min(values) <= max(values) <= found[-1]
    assert 2 <= len(found) <= 9


def test_scatter_joins_dots_at_one_place():
    text = scatter([Point(1, 1, "1", False), Point(1, 1, "2", True)], "x", "y")
    assert text.count("<circle") == 1
    assert ">1, 2<" in text
    with pytest.raises(ValueError, match="points: got none"):
        scatter([], "x", "y")
