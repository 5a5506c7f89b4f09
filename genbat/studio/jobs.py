"""Jobs: everything that takes longer than a second, seen from the app's side.

A job is a row of the store. A process of its own (`genbat.studio.jobserver`) takes queued rows to
dask workers, which write progress and results back into the store. So a job survives a closed page
and a closed app, a queued one even a reboot, and this module never talks to dask.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from genbat.studio.home import gone, home, is_here, register_app, server_file, server_log
from genbat.studio.store import Store, to_json
from genbat.studio.tables import JobResultRow, JobRow, now
from genbat.studio.work import STOPPED, change

# Kind of job -> its function; see `genbat.studio.work` for what a function gets.
KINDS: dict[str, str] = {
    "label": "genbat.studio.work:label",
    "design": "genbat.studio.design:run",
    "micrograph": "genbat.studio.micrograph:train",
    "finer": "genbat.studio.finer:enhance",
    "loop": "genbat.studio.polymer_loop:run",
}
STALE = timedelta(seconds=60)
MAX_TITLE = 200
_RETRY_S = 10.0
_LOG_BYTES = 1_000_000


@dataclass(frozen=True)
class Job:
    """One job as it stands.

    Attributes
    ----------
    state : "queued", "running", "done", "failed" or "cancelled".
    fraction : progress from 0 to 1; `message` says it in words.
    error : why it failed, in one line; `trace` the technical part.
    """

    id: str
    owner: str
    kind: str
    title: str
    arguments: Mapping[str, Any]
    state: str
    fraction: float
    message: str
    error: str
    trace: str
    created: datetime
    started: datetime | None
    finished: datetime | None
    heartbeat: datetime | None

    @property
    def active(self) -> bool:
        """Whether anything may still happen to it."""
        return self.state in ("queued", "running")


@dataclass(frozen=True)
class Result:
    """One result of a job; `sequence` counts from 1."""

    sequence: int
    payload: Mapping[str, Any]


JobList = list[Job]
ResultList = list[Result]


class Jobs:
    """What can be done with jobs; unknown ids and kinds are ValueErrors. Share one per process."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._server: subprocess.Popen[bytes] | None = None
        self._tried = -math.inf

    def submit(self, kind: str, title: str, arguments: Mapping[str, Any], owner: str) -> str:
        """Queue a job and return its id at once; `arguments` are plain JSON or arrays."""
        if kind not in KINDS:
            raise ValueError(f"kind: got {kind!r}; legal are {sorted(KINDS)}")
        row = JobRow(
            id=str(uuid.uuid4()),
            owner=owner,
            kind=kind,
            task=KINDS[kind],
            title=" ".join(title.split())[:MAX_TITLE],
            arguments=json.loads(to_json(dict(arguments))),
        )
        register_app()  # before the row: the server must not leave between the two
        with self._store.write() as session:
            session.add(row)
        self.ensure_server()
        return row.id

    def resubmit(self, job_id: str) -> str:
        """A new job like one that has ended; evaluations already stored are not computed again."""
        old = self.get(job_id)
        if old.active:
            raise ValueError(f"job: {old.title!r} is {old.state}; only ended jobs are repeated")
        return self.submit(old.kind, old.title, old.arguments, old.owner)

    def cancel(self, job_id: str) -> bool:
        """Cancel a queued or running job; False where it had ended already.

        It counts as cancelled from now on; a running task stops at its next report, and what it
        emits until then is kept.
        """
        self._row(job_id)
        states = ("queued", "running")
        return change(self._store, job_id, states, state="cancelled", finished=now())

    def get(self, job_id: str) -> Job:
        """One job as it stands; one whose worker has died is failed."""
        return self._settled([self._row(job_id)])[0]

    def results(self, job_id: str, after: int = 0) -> ResultList:
        """Results with a sequence above `after`, in order."""
        self._row(job_id)
        query = select(JobResultRow).where(
            JobResultRow.job_id == job_id, JobResultRow.sequence > after
        )
        with self._store.read() as session:
            rows = session.scalars(query.order_by(JobResultRow.sequence))
            return [Result(row.sequence, row.payload) for row in rows]

    def place(self, job_id: str) -> int:
        """How many queued jobs are served before this one."""
        row = self._row(job_id)
        query = select(func.count(JobRow.id)).where(
            JobRow.state == "queued", JobRow.created < row.created
        )
        with self._store.read() as session:
            return session.scalars(query).one()

    def list(self, owner: str, limit: int = 100) -> JobList:
        """The owner's jobs, newest first."""
        query = select(JobRow).where(JobRow.owner == owner).order_by(JobRow.created.desc())
        with self._store.read() as session:
            rows = session.scalars(query.limit(limit)).all()
        return self._settled(rows)

    def ensure_server(self, wait_s: float = 0.0) -> bool:
        """Start the job server unless it runs; whether it is ready, waiting at most `wait_s`.

        A start takes some seconds. One that fails is tried again every 10 s, by this method and
        by looking at a queued job; `server_problem` tells why.
        """
        register_app()
        until = time.monotonic() + wait_s
        while not server_runs():
            self._start()
            if time.monotonic() >= until:
                return False
            time.sleep(0.1)
        self._tried = -math.inf  # it starts, so should it die, again at once
        return True

    def server_problem(self) -> str:
        """The log's last lines where a start has failed, else ""."""
        if server_runs() or self._server is None or self._server.poll() in (None, 0):
            return ""
        return "\n".join(server_log().read_text("utf-8", "replace").splitlines()[-5:])

    def _start(self) -> None:
        with self._lock:
            starting = self._server is not None and self._server.poll() is None
            if starting or time.monotonic() - self._tried < _RETRY_S:
                return
            self._tried = time.monotonic()
            self._server = _spawn()

    def _row(self, job_id: str) -> JobRow:
        with self._store.read() as session:
            row = session.get(JobRow, job_id)
        if row is None:
            raise ValueError(f"job: {job_id!r} does not exist")
        return row

    def _settled(self, rows: Sequence[JobRow]) -> JobList:
        rows = [self._failed(row) if _worker_died(row) else row for row in rows]
        if any(row.state == "queued" for row in rows):
            self.ensure_server()
        return [Job(**{f.name: getattr(row, f.name) for f in fields(Job)}) for row in rows]

    def _failed(self, row: JobRow) -> JobRow:
        end = {"state": "failed", "error": STOPPED, "finished": now()}
        change(self._store, row.id, ("running",), **end)
        return self._row(row.id)


def _worker_died(row: JobRow) -> bool:
    # On this machine the process table tells; elsewhere a worker is silent when it is dead.
    if row.state != "running":
        return False
    if is_here(row.worker):
        return gone(row.worker)
    return row.heartbeat is not None and now() - row.heartbeat > STALE


def server_runs() -> bool:
    """Whether the home folder's job server is ready for work."""
    try:
        file = server_file()
        fresh = time.time() - file.stat().st_mtime < STALE.total_seconds()
        return fresh and not gone(json.loads(file.read_text("utf-8"))["process"])
    except (FileNotFoundError, ValueError, KeyError):
        return False


def _spawn() -> subprocess.Popen[bytes]:
    package = str(Path(__file__).resolve().parents[2])
    paths = [package, *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "GENBAT_HOME": str(home())}
    log = server_log()
    small = log.exists() and log.stat().st_size < _LOG_BYTES
    with log.open("ab" if small else "wb") as lines:
        return subprocess.Popen(
            [sys.executable, "-m", "genbat.studio.jobserver"],
            env=environment,
            cwd=home(),
            stdin=subprocess.DEVNULL,
            stdout=lines,
            stderr=lines,
            start_new_session=True,  # Ctrl-C at the app does not end its jobs
        )
