"""What a kill, a second tab or an evil name can do: nothing to what was saved."""

import json
import os
import signal
import time
from contextlib import suppress
from dataclasses import replace

import pytest
from harness import PATIENCE, ROOT, served
from playwright.sync_api import expect

from genbat.core.candidate import Candidate, Verdict
from genbat.core.properties import Measurement
from genbat.core.provenance import Provenance
from genbat.studio.jobs import Jobs
from genbat.studio.rooms import rooms
from genbat.studio.shortlist import Shortlists
from genbat.studio.store import Store
from genbat.studio.tables import JobRow, now
from genbat.ui.shortlist_parts import page_of

OWNER = "c" * 32
WAIT = 90_000
EVIL = "<img src=x onerror=alert(1)>"
SCRIPT = "<script>alert(2)</script> ![x](http://example.invalid/x.png)"
TEXTS = ["CCO", "CCC#N", "CCOCC", "COCCO", "CC(=O)OC", "O=C1CCCO1", "CCOC=O", "CS(C)=O"]
FOUND = """() => [document, ...[...document.querySelectorAll("*")].map((e) => e.shadowRoot)]
  .filter(Boolean).map((d) => d.querySelectorAll('img[src="x"], img[src*="invalid"]').length)
  .reduce((a, b) => a + b, 0)"""


class Crash(Exception):
    """Ends a `served` block by SIGKILL, as its normal end does too."""


def candidate(text, name=""):
    properties = {
        "lumo_ev": Measurement(-6.0 - len(text) / 10, "eV", "ensemble", "predicted", 0.3),
        "vip_ev": Measurement(15.0 + len(text) / 10, "eV", "ensemble", "predicted", 0.4),
    }
    story = Provenance("user", "typed")
    return Candidate(text, "molecules", Verdict(True), story, properties, name=name)


class Home:
    """A home folder of its own with a filled list, and servers on it."""

    def __init__(self, folder):
        self.folder, self.count = folder, 0
        self.home = folder / "kept"
        self.home.mkdir()
        self.store = Store(self.home / "genbat.sqlite")
        self.lists, self.jobs = Shortlists(self.store), Jobs(self.store)
        self.mine = self.lists.create(OWNER, "to keep", "molecules")

    def served(self):
        self.count += 1
        folder = self.folder / f"server{self.count}"
        folder.mkdir()
        return served(ROOT / "app.py", folder, {"GENBAT_HOME": str(self.home)})

    def kill_job_server(self):
        file = self.home / "scheduler.json"
        tag = json.loads(file.read_text("utf-8"))["process"]
        os.kill(int(tag.rsplit(":", 2)[1]), signal.SIGKILL)


@pytest.fixture
def home(tmp_path):
    kept = Home(tmp_path)
    yield kept
    with suppress(FileNotFoundError, ProcessLookupError, KeyError):
        kept.kill_job_server()
    kept.store.close()


def until(condition, what, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.2)
    raise AssertionError(f"waited {seconds} s for {what}")


def shown(page, url, name="shortlist"):
    page.set_default_timeout(WAIT)
    page.goto(f"{url}/{name}?me={OWNER}")
    page.wait_for_selector('[data-testid="stMain"] h1')
    return page


def test_kill_9_loses_nothing_that_was_told_as_saved(home, browser):
    for text in TEXTS:
        home.lists.add(home.mine.id, candidate(text))
    first = home.lists.entries(home.mine.id)[0]
    home.lists.annotate(first, note="before the crash", tags=["kept"], rank=1)
    with suppress(Crash), home.served() as url:
        page = shown(browser.new_page(), url)
        page.get_by_role("button", name="Compute all with xTB").click()
        job = until(lambda: home.jobs.list(OWNER), "the job")[0].id
        until(lambda: home.jobs.results(job), "a first result")
        home.kill_job_server()
        before = {r.payload["text"] for r in home.jobs.results(job)}
        page.close()
        raise Crash
    again(home, browser, job, before)


def again(home, browser, job, before):
    """A new server on the same home: all is there, and the rest can be asked for."""
    with home.served() as url:
        page = shown(browser.new_page(), url)
        page.get_by_text("before the crash").first.wait_for()
        assert [e.candidate.text for e in home.lists.entries(home.mine.id)] == TEXTS
        kept = {r.payload["text"] for r in home.jobs.results(job)}
        assert before and before <= kept
        assert before <= set(
            home.store.evaluations("molecules", TEXTS, rooms("molecules").method())
        )
        until(lambda: not home.jobs.get(job).active, "the end of the lost job")
        if home.jobs.get(job).state == "failed":
            shown(page, url, "jobs").get_by_role("button", name="Run again").first.click()
            until(lambda: len(home.jobs.list(OWNER)) == 2, "the second job")
        last = home.jobs.list(OWNER)[0].id
        until(lambda: home.jobs.get(last).state == "done", "its end")
        results = [r.payload for r in home.jobs.results(last)]
        assert [p["asked"] for p in results] == TEXTS
        assert all(p["stored"] for p in results if p["text"] in before) or last == job
        page.close()


def test_two_tabs_do_not_overwrite_one_another(home, browser):
    home.lists.add(home.mine.id, candidate("CCOCC", "diethyl ether"))
    entry = home.lists.entries(home.mine.id)[0]
    with home.served() as url:
        tabs = [shown(browser.new_page(), url) for _ in range(2)]
        notes = [tab.get_by_role("textbox", name="Note") for tab in tabs]
        notes[1].fill("from the second tab")
        notes[0].fill("from the first tab")
        notes[0].press("Control+Enter")
        until(lambda: home.lists.entries(home.mine.id)[0].note, "the first note")
        notes[1].press("Control+Enter")
        tabs[1].get_by_text("Somebody else changed this note").wait_for()
        assert home.lists.entries(home.mine.id)[0].note == "from the first tab"
        for words in ("from the first tab", "from the second tab"):
            assert tabs[1].locator("code", has_text=words).is_visible()
        tabs[1].get_by_role("button", name="Keep both").click()
        both = "from the first tab\n\nfrom the second tab"
        until(lambda: home.lists.entries(home.mine.id)[0].note == both, "both notes")
        home.lists.annotate(entry, rank=7)
        tabs[0].reload()
        tabs[0].wait_for_function("() => document.body.innerText.includes('saved as you go')")
        rank = tabs[0].get_by_role("spinbutton", name="Rank")
        expect(rank).to_have_value("7")
        for tab in tabs:
            tab.close()


def test_evil_words_are_only_words(home, browser):
    entry = home.lists.add(home.mine.id, candidate("CCOCC", EVIL))
    home.lists.add(home.mine.id, candidate("CCO", SCRIPT))
    home.lists.annotate(entry, note=SCRIPT, tags=[EVIL[:40]])
    home.lists.rename(home.mine.id, SCRIPT[:80])
    with home.store.write() as session:
        session.add(JobRow(id="x", owner=OWNER, kind="label", task="none:none", title=EVIL + SCRIPT,
                           arguments={}, state="failed", error=SCRIPT, trace=EVIL,
                           finished=now()))  # fmt: skip
    asked, dialogs = [], []
    with home.served() as url:
        page = browser.new_page()
        page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda request: asked.append(request.url))
        shown(page, url)
        page.locator(".gb-heading", has_text=EVIL).wait_for()
        page.locator(".js-plotly-plot .points path").first.wait_for()
        expect(page.get_by_role("textbox", name="Note")).to_have_value(SCRIPT)
        assert page.locator("h1").inner_text() == SCRIPT
        assert page.evaluate(FOUND) == 0
        shown(page, url, "jobs").get_by_text("It failed").wait_for()
        assert page.get_by_text(EVIL).first.is_visible()
        assert page.evaluate(FOUND) == 0
        page.close()
    assert not dialogs
    assert not [one for one in asked if "invalid" in one or one.endswith("/x")]


def test_report_opens_alone_and_turns_in_3d(home, page):
    home.lists.add(home.mine.id, candidate("CCOCC", EVIL))
    home.lists.add(home.mine.id, candidate("CCO", "ethanol"))
    entries = [replace(e, note=SCRIPT) for e in home.lists.entries(home.mine.id)]
    goals = {"lumo_ev": 1, "vip_ev": 1}
    page.on("dialog", lambda dialog: page.console_errors.append(dialog.message))
    page.set_content(page_of(home.mine, entries, goals, EVIL))
    assert EVIL in page.locator("h2").first.inner_text()
    for k in (0, 1):
        page.locator("details.view3d summary").nth(k).click()
        page.locator("details.view3d[open] canvas").first.wait_for()
    assert page.locator("canvas").count() == 1
    assert page.evaluate(FOUND) == 0
    assert page.console_errors == []
