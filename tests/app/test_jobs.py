"""Jobs as a script: states, results so far, cancel, run again, links, the empty page."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update
from streamlit.testing.v1 import AppTest

from genbat.studio import explore
from genbat.studio.jobs import Jobs
from genbat.studio.shortlist import Shortlists
from genbat.studio.store import Store
from genbat.studio.tables import JobRow, now
from genbat.studio.work import Report
from genbat.ui import progress, words

ROOT = Path(__file__).parents[2]
EVIL = "<img src=x onerror=alert(1)> ![x](http://a.invalid/x.png)"
LABEL = {
    "asked": "COC(=O)OC",
    "text": "COC(=O)OC",
    "values": {
        "lumo_ev": {"value": -6.1, "unit": "eV", "method": "GFN2-xTB", "kind": "computed",
                    "uncertainty": None, "note": ""},
    },
    "failed": "",
    "stored": False,
}  # fmt: skip
BROKEN = {"asked": "C(", "text": "", "values": {}, "failed": "cannot be read", "stored": False}


@pytest.fixture(scope="module", autouse=True)
def place():
    """Opened before any page waits for it."""
    return explore.atlas("molecules")


@pytest.fixture(scope="module")
def store():
    return Store()


@pytest.fixture
def owner(request):
    return f"{abs(hash(request.node.name)):032x}"[-32:]


def asked(store, owner, title="xTB of two", **fields):
    """A job in some state."""
    arguments = {"texts": ["COC(=O)OC", "C("], "names": ["DMC", "broken"]}
    ident = Jobs(store).submit("label", title, arguments, owner)
    if fields:
        with store.write() as session:
            session.execute(update(JobRow).where(JobRow.id == ident).values(**fields))
    return ident


def emit(store, ident, *payloads):
    for payload in payloads:
        Report(store, ident).emit(payload)


def running():
    return {"state": "running", "started": now(), "heartbeat": now(), "worker": "elsewhere:1:1.0",
            "fraction": 0.5, "message": "1 of 2 molecules"}  # fmt: skip


def opened(owner, **link):
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=300)
    at.switch_page("pages/jobs.py")
    for key, value in {"me": owner, **link}.items():
        at.query_params[key] = value
    at.run()
    assert not at.exception, at.exception[0].message
    return at


def texts(at):
    kinds = ("caption", "markdown", "info", "warning", "error")
    return " ".join(e.value for kind in kinds for e in getattr(at, kind))


def press(at, label):
    next(b for b in at.button if b.label == label).click()
    at.run()
    assert not at.exception
    return at


def test_no_jobs_says_where_they_start(owner):
    at = opened(owner)
    assert "No jobs yet" in texts(at)


def test_queue_shows_the_place(store, owner):
    first, second = asked(store, owner), asked(store, owner, "another")
    bars = [p.proto.text for p in opened(owner).get("progress")]
    before = Jobs(store).place(second)
    assert before >= 1
    assert any(f"{before} job" in text for text in bars)
    for ident in (first, second):
        Jobs(store).cancel(ident)


def test_running_job_shows_progress_and_can_be_cancelled(store, owner):
    ident = asked(store, owner, **running())
    emit(store, ident, LABEL)
    at = opened(owner)
    assert any("1 of 2 molecules" in p.proto.text for p in at.get("progress"))
    assert "Results so far: 1" in [e.label for e in at.expander]
    press(at, "Cancel")
    assert Jobs(store).get(ident).state == "cancelled"
    assert "kept" in texts(at)


def test_results_stand_in_a_table_with_reasons(store, owner):
    ident = asked(store, owner, state="done", started=now() - timedelta(seconds=5), finished=now())
    emit(store, ident, LABEL, BROKEN)
    at = opened(owner, job=ident)
    table = at.dataframe[0].value
    assert list(table["name"]) == ["DMC", "broken"]
    assert list(table["why no value"]) == ["", "cannot be read"]
    assert table["lumo_ev"][0] == -6.1
    press(at, "Add 1 molecule to My shortlist")
    lists = Shortlists(store)
    (entry,) = lists.entries(lists.lists(owner)[0].id)
    assert (entry.candidate.name, entry.candidate.text) == ("DMC", "COC(=O)OC")
    assert entry.candidate.properties["lumo_ev"].value == -6.1


def test_failure_is_told_with_its_technical_part_folded(store, owner):
    asked(store, owner, EVIL, state="failed", error=EVIL, trace="Traceback: x", finished=now())
    at = opened(owner)
    assert "It failed" in texts(at)
    assert "![" not in texts(at).replace("\\!", "").replace("\\[", "")
    assert "Technical details" in [e.label for e in at.expander]
    assert "Traceback: x" in [c.value for c in at.code]


def test_ended_job_runs_again(store, owner):
    old = asked(store, owner, state="done", finished=now())
    press(opened(owner), "Run again")
    ids = {job.id for job in Jobs(store).list(owner)}
    assert old in ids
    assert len(ids) == 2


def test_strange_link_is_no_error(owner):
    assert "no job of this link" in texts(opened(owner, job="nonsense"))


def test_shared_job_opens(store, owner):
    ident = asked(store, "b" * 32, "of another", state="done", finished=now())
    at = opened(owner, job=ident)
    assert "of another" in texts(at)
    assert "shared with you" in texts(at)


def test_many_ended_jobs_are_shown_in_portions(store, owner):
    for k in range(12):
        asked(store, owner, f"number {k}", state="done", finished=now())
    at = opened(owner)
    assert texts(at).count("number") == 10
    press(at, "Show 2 older")
    assert texts(at).count("number") == 12


def script(ident):
    from genbat.ui.progress import job_progress

    job_progress(ident, "here")


def test_job_progress_serves_any_page(store, owner):
    ident = asked(store, owner, **running())
    at = AppTest.from_function(script, args=(ident,), default_timeout=60).run()
    assert not at.exception
    assert at.button[0].label == "Cancel"
    Jobs(store).cancel(ident)
    at.run()
    assert "Cancelled" in at.info[0].value


def test_words():
    assert [words.duration(s) for s in (0, 59.4, 125, 4800)] == [
        "0 s", "59 s", "2 min 05 s", "1 h 20 min"]  # fmt: skip
    assert words.count(1, "job") == "1 job"
    assert words.count(2000, "job") == "2,000 jobs"
    assert progress.EVERY_S <= 2


def test_a_job_of_another_domain_opens_by_a_link(store, owner):
    """Its page does not stand in the molecules' sidebar."""
    told = {"domain": "microstructures", "texts": []}
    ident = Jobs(store).submit("micrograph", "SliceGAN of mine.png", told, owner)
    at = opened(owner)
    Jobs(store).cancel(ident)  # or a later test's job server would run it
    (link,) = at.get("link_button")
    assert link.proto.url.startswith(f"micrograph?job={ident}&me={owner}&domain=microstructures")


@pytest.mark.parametrize(
    ("noun", "wanted"), [("molecule", "a molecule"), ("interphase", "an interphase")]
)
def test_nouns_have_the_right_article(noun, wanted):
    assert words.with_article(noun) == wanted
