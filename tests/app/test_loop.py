"""The feedback loop's page: how long, what each round gave, its best polymers."""

import pytest
from streamlit.testing.v1 import AppTest
from tiny_pages import linked

from genbat.core.paths import ROOT
from genbat.domains.polymers.repeat_unit import normal

PAGE = ROOT / "pages" / "loop.py"
ROUND = {"number": 1, "written": 100, "valid": 0.97, "new": 0.8, "top": 0.31, "mean": -3.9,
         "best": [[normal("[Cu]OCC[Au]").text, -3.6, 0.2],
                  [normal("[Cu]OCCC[Au]").text, -3.7, 0.2]]}  # fmt: skip


@pytest.fixture
def page():
    return AppTest.from_file(str(PAGE), default_timeout=60)


def test_a_loop_is_asked_for(page):
    page.run()
    assert not page.exception
    assert "The shipped model stays as it is" in page.caption[0].value
    page.number_input(key="loop:rounds").set_value(2)
    page.button[0].click().run()
    assert not page.exception
    from genbat.ui import shared

    jobs = shared.jobs()
    job = jobs.get(linked(page, "job"))
    assert job.kind == "loop" and job.title == "2 rounds of 1,000 polymers"
    assert job.arguments["rounds"] == 2 and job.arguments["domain"] == "polymers"
    jobs.cancel(job.id)  # or a later test's job server would run it


def watched(page, *payloads):
    from genbat.studio.store import Store
    from genbat.studio.work import Report
    from genbat.ui import shared

    page.run()
    jobs = shared.jobs()
    told = {"domain": "polymers", "rounds": 2, "many": 100, "seed": 0}
    ident = jobs.submit("loop", "2 rounds of 100 polymers", told, "me")
    for payload in payloads:
        Report(Store(), ident).emit(payload)
    jobs.cancel(ident)
    page.query_params["job"] = ident
    return page.run()


def test_what_the_rounds_gave(page):
    watched(page, ROUND, {**ROUND, "number": 2, "top": 0.44})
    assert not page.exception
    assert page.subheader[0].value == "Best of round 2"
    table = next(b.body for b in page.get("html") if "top 5 %" in str(b.body))
    assert "<td>31 %</td>" in table and "<td>44 %</td>" in table
    assert any("-3.60 ± 0.20 log10 S/cm" in caption.value for caption in page.caption)
    assert any(b.label == "Add these to the shortlist" for b in page.button)


def test_a_round_without_new_polymers(page):
    watched(page, {**ROUND, "best": [], "new": 0.0, "top": 0.0, "mean": float("nan")})
    assert not page.exception
    assert any("wrote no new polymer" in info.value for info in page.info)
