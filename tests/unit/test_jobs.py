"""Jobs on a real job server with real workers, some of which get killed."""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta

import psutil
import pytest
from sqlalchemy import update

from genbat.studio import home, jobs, jobserver, work
from genbat.studio.jobs import KINDS, Jobs, server_runs
from genbat.studio.store import Store
from genbat.studio.tables import JobRow, now

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")

ME = "browser-1"
TASKS = """
import os, time

def count(arguments, report):
    for k in range(arguments["n"]):
        report(k / arguments["n"], f"{k} counted")
        report.emit({"k": k, "threads": os.environ["OMP_NUM_THREADS"]})
        time.sleep(arguments.get("pause", 0.0))

def fail(arguments, report):
    report.emit({"k": 0})
    raise ValueError("the bottle is empty")
"""


def wait(condition, limit_s=45.0):
    until = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < until, "waited too long"
        time.sleep(0.05)


def kill(tag):
    os.kill(int(tag.split(":")[1]), signal.SIGKILL)


def server_tag():
    return json.loads(home.server_file().read_text())["process"]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Jobs of a home of its own, whose server runs and knows the tasks above."""
    folder = tmp_path_factory.mktemp("lab")
    (folder / "toytasks.py").write_text(TASKS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GENBAT_HOME", str(folder / "home"))
        patch.setenv("GENBAT_WORKERS", "2")
        patch.setenv("PYTHONPATH", str(folder))
        patch.delenv("GENBAT_SCHEDULER", raising=False)
        for name in ("count", "fail"):
            patch.setitem(KINDS, name, f"toytasks:{name}")
        made = Jobs(Store())
        assert made.ensure_server(wait_s=60), made.server_problem()
        yield made
        if server_runs():
            server = psutil.Process(int(server_tag().split(":")[1]))
            server.terminate()
            server.wait(20)


def submit(lab, kind="count", **arguments):
    return lab.submit(kind, f"{kind} it", arguments, ME)


def worker_of(lab, job_id):
    return lab._row(job_id).worker


def test_results_stream_and_stay(lab):
    job = submit(lab, n=8, pause=0.2)
    wait(lambda: lab.results(job))
    assert lab.get(job).state == "running"
    wait(lambda: not lab.get(job).active)
    done = lab.get(job)
    assert (done.state, done.fraction, done.error) == ("done", 1.0, "")
    assert done.message.endswith("counted")
    assert done.created <= done.started <= done.finished
    assert [r.payload["k"] for r in lab.results(job)] == list(range(8))
    assert [r.sequence for r in lab.results(job, after=5)] == [6, 7, 8]
    assert {r.payload["threads"] for r in lab.results(job)} == {"1"}


def test_a_failing_task_keeps_its_results_and_says_why(lab):
    job = submit(lab, "fail")
    wait(lambda: not lab.get(job).active)
    failed = lab.get(job)
    assert (failed.state, failed.error) == ("failed", "the bottle is empty")
    assert "ValueError" in failed.trace
    assert len(lab.results(job)) == 1


def test_a_task_that_cannot_start_fails(lab, monkeypatch):
    monkeypatch.setitem(KINDS, "lost", "toytasks:nowhere")
    job = submit(lab, "lost")
    wait(lambda: not lab.get(job).active)
    assert lab.get(job).state == "failed"
    assert "nowhere" in lab.get(job).error


def test_labels_are_computed_once(lab):
    asked = ["OC", "C1CC", "O=S"]
    first = submit(lab, "label", texts=asked)
    wait(lambda: not lab.get(first).active)
    payloads = [r.payload for r in lab.results(first)]
    assert [p["asked"] for p in payloads] == asked
    assert payloads[0]["text"] == "CO"
    assert 14 < payloads[0]["values"]["vip_ev"]["value"] < 17
    assert payloads[0]["values"]["mass_g_mol"]["unit"] == "g/mol"
    assert "cannot be read" in payloads[1]["failed"]
    again = lab.resubmit(first)
    wait(lambda: not lab.get(again).active)
    repeated = lab.results(again)[0].payload
    assert repeated == {**payloads[0], "stored": True}


def test_cancel_running_and_queued(lab):
    running = [submit(lab, n=600, pause=0.1) for _ in range(2)]
    wait(lambda: all(lab.get(j).state == "running" for j in running))
    queued = submit(lab, n=1)
    after = submit(lab, n=1)
    assert (lab.place(queued), lab.place(after)) == (0, 1)
    assert lab.cancel(queued)
    assert not lab.cancel(queued)
    with pytest.raises(ValueError, match="only ended jobs"):
        lab.resubmit(running[0])
    for job in running:
        assert lab.cancel(job)
        assert lab.get(job).state == "cancelled"
    wait(lambda: lab.get(after).state == "done")  # the workers are free again
    kept = [len(lab.results(job)) for job in running]
    time.sleep(0.5)
    assert [len(lab.results(job)) for job in running] == kept
    assert min(kept) > 0
    assert lab.results(queued) == []
    assert lab.get(queued).state == "cancelled"


def test_a_killed_worker_loses_no_result(lab):
    job = submit(lab, n=600, pause=0.02)
    wait(lambda: len(lab.results(job)) > 20)
    told = lab.results(job)
    kill(worker_of(lab, job))
    wait(lambda: not lab.get(job).active, 10)
    assert (lab.get(job).state, lab.get(job).error) == ("failed", work.STOPPED)
    kept = lab.results(job)
    assert kept[: len(told)] == told
    assert [r.payload["k"] for r in kept] == list(range(len(kept)))
    again = submit(lab, n=3)
    wait(lambda: lab.get(again).state == "done")


def test_a_killed_server_loses_no_result_and_comes_back(lab):
    job = submit(lab, n=600, pause=0.02)
    wait(lambda: len(lab.results(job)) > 20)
    told, worker = lab.results(job), worker_of(lab, job)
    kill(server_tag())
    wait(lambda: home.gone(worker), 15)  # no orphan goes on working
    wait(lambda: not lab.get(job).active, 5)
    assert (lab.get(job).state, lab.get(job).error) == ("failed", work.STOPPED)
    assert lab.results(job)[: len(told)] == told
    again = lab.resubmit(job)
    lab.cancel(job)
    wait(lambda: len(lab.results(again)) > 5, 60)
    assert lab.cancel(again)
    assert [j.id for j in lab.list(ME)][:2] == [again, job]


def test_the_server_listens_here_only_and_stands_alone(lab):
    assert lab.ensure_server(wait_s=60)
    server = psutil.Process(int(server_tag().split(":")[1]))
    for process in [server, *server.children(recursive=True)]:
        places = [c.laddr.ip for c in process.net_connections() if c.status == "LISTEN"]
        assert set(places) <= {"127.0.0.1"}
    second = subprocess.Popen([sys.executable, "-m", "genbat.studio.jobserver"])
    time.sleep(2)
    second.terminate()
    second.wait(20)
    assert server_runs()
    assert server_tag().split(":")[1] == str(server.pid)


APP = """
from genbat.studio.jobs import KINDS, Jobs
from genbat.studio.store import Store
KINDS["count"] = "toytasks:count"
print(Jobs(Store()).submit("count", "outlive me", {"n": 10, "pause": 0.05}, "browser-1"))
"""


def test_a_job_outlives_its_app_and_the_server_leaves_after_it(lab, tmp_path, monkeypatch):
    monkeypatch.setenv("GENBAT_HOME", str(tmp_path))
    app = subprocess.run([sys.executable, "-c", APP], capture_output=True, text=True, check=True)
    store, job = Store(), app.stdout.strip()

    def state():
        with store.read() as session:
            return session.get(JobRow, job).state

    wait(lambda: state() == "done")
    wait(lambda: not server_runs(), 20)
    assert not home.server_file().exists()


def test_a_lab_scheduler_takes_the_jobs(lab, tmp_path, monkeypatch):
    assert lab.ensure_server(wait_s=60)
    address = json.loads(home.server_file().read_text())["address"]
    pids = {p.pid for p in psutil.Process(int(server_tag().split(":")[1])).children(True)}
    monkeypatch.setenv("GENBAT_HOME", str(tmp_path))
    monkeypatch.setenv("GENBAT_SCHEDULER", address)
    app = subprocess.run([sys.executable, "-c", APP], capture_output=True, text=True, check=True)
    away = Jobs(Store())
    wait(lambda: away.get(app.stdout.strip()).state == "done")
    assert int(worker_of(away, app.stdout.strip()).split(":")[1]) in pids
    assert json.loads(home.server_file().read_text())["address"] == address


@pytest.fixture
def idle(tmp_path, monkeypatch):
    monkeypatch.setenv("GENBAT_HOME", str(tmp_path))
    monkeypatch.setattr(Jobs, "ensure_server", lambda self, wait_s=0.0: False)
    return Jobs(Store())


def set_job(idle, job, **fields):
    with idle._store.write() as session:
        session.execute(update(JobRow).where(JobRow.id == job).values(**fields))


def test_unknown_kinds_and_ids(idle):
    with pytest.raises(ValueError, match=r"kind: got 'dream'; legal are .*'label'"):
        submit(idle, "dream")
    for call in (idle.get, idle.cancel, idle.results, idle.resubmit):
        with pytest.raises(ValueError, match="does not exist"):
            call("nothing")
    with pytest.raises(ValueError, match="JSON: got object"):
        submit(idle, "label", texts=object())


def test_lists_are_the_owners(idle):
    first, second = submit(idle, "label", texts=[]), submit(idle, "label", texts=[])
    idle.submit("label", "yours", {"texts": []}, "browser-2")
    assert [j.id for j in idle.list(ME)] == [second, first]
    assert [j.id for j in idle.list(ME, limit=1)] == [second]


def test_a_silent_worker_elsewhere_counts_as_dead(idle):
    job = submit(idle, "label", texts=[])
    beat = {"state": "running", "worker": "another-machine:1:1.0"}
    set_job(idle, job, heartbeat=now() - timedelta(seconds=50), **beat)
    assert idle.get(job).state == "running"
    set_job(idle, job, heartbeat=now() - timedelta(seconds=70), **beat)
    assert (idle.get(job).state, idle.get(job).error) == ("failed", work.STOPPED)


def test_a_job_runs_once(idle):
    job = submit(idle, "label", texts=["C1CC"])
    database = str(idle._store.path)
    work.execute(job, database)
    work.execute(job, database)
    assert idle.get(job).state == "done"
    assert len(idle.results(job)) == 1
    set_job(idle, job, state="running", worker=home.process_tag())
    work.execute(job, database)  # a scheduler that repeats a lost task
    assert (idle.get(job).state, idle.get(job).error) == ("failed", work.STOPPED)


def test_reports_are_clamped_and_hear_of_a_cancel(idle):
    job = submit(idle, "label", texts=[])
    set_job(idle, job, state="running", worker=home.process_tag())
    report = work.Report(idle._store, job)
    report(float("nan"), "x" * 1000)
    assert (idle.get(job).fraction, len(idle.get(job).message)) == (0.0, 500)
    report(7.0)
    assert idle.get(job).fraction == 1.0
    idle.cancel(job)
    with pytest.raises(work.JobCancelled):
        report(1.0)
    with pytest.raises(work.JobCancelled):
        report.beat()
    assert report.emit({"late": True}) == 1  # computed already, so it is kept


def test_processes_are_recognised():
    assert not home.gone(home.process_tag())
    host, pid, start = home.process_tag().rsplit(":", 2)
    assert home.gone(f"{host}:{pid}:{float(start) - 100}")  # the pid's earlier owner
    assert not home.gone(f"elsewhere:{pid}:0")
    assert not home.is_here("elsewhere:1:0")


@pytest.mark.parametrize("text", ["0", "two", "-1", "1000"])
def test_illegal_numbers_of_workers(monkeypatch, text):
    monkeypatch.setenv("GENBAT_WORKERS", text)
    with pytest.raises(ValueError, match="GENBAT_WORKERS: got"):
        jobserver.workers()


def test_a_server_that_cannot_start_says_why(tmp_path, monkeypatch):
    monkeypatch.setenv("GENBAT_HOME", str(tmp_path))
    monkeypatch.setenv("GENBAT_WORKERS", "none")
    lonely = Jobs(Store())
    assert not lonely.ensure_server()
    lonely._server.wait(60)
    assert "GENBAT_WORKERS: got 'none'" in lonely.server_problem()
    assert not jobs.server_runs()
