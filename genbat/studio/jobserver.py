"""The job server: `python -m genbat.studio.jobserver`, started by `Jobs.ensure_server`.

It takes queued jobs from the store to dask workers: its own (`GENBAT_WORKERS` processes, 2 unless
told, on 127.0.0.1 only, no dashboard) or a lab cluster's (`GENBAT_SCHEDULER`, an address; that
cluster's workers must have GenBat installed and see the home folder under the same path). There is
one server a home folder; it leaves when no app is alive and nothing is left to do.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from genbat.studio.home import apps_alive, home, process_tag, server_file
from genbat.studio.store import Store
from genbat.studio.tables import JobRow, now
from genbat.studio.work import STOPPED, change, execute

if TYPE_CHECKING:
    from distributed import Client, Future

_LOOK_EVERY_S = 0.25
_BEAT_EVERY_S = 5.0
_WAIT_FOR_OLD_S = 20.0
_NICE = 5  # workers give way to the app that draws pages
# A lost job is not repeated, and an idle server leaves the laptop's battery alone.
_QUIET = {
    "distributed.scheduler.allowed-failures": 0,
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "500ms",
}
_THREADS = ("OMP", "MKL", "OPENBLAS", "NUMEXPR", "NUMBA")


class Dispatcher:
    """Carries jobs between the store and a dask client until it may leave."""

    def __init__(self, client: Client, store: Store) -> None:
        self._client = client
        self._store = store
        self._futures: dict[str, Future] = {}
        self._beaten = -_BEAT_EVERY_S

    def run(self) -> None:
        """Work until nobody needs the server any more or the scheduler is lost."""
        while self._client.status == "running":
            try:
                self._announce()
                self.step()
                if self._leaves():
                    return
            except OperationalError as error:  # a full disk, a lock held for too long
                logging.warning("the store cannot be used just now: %s", error.orig)
            time.sleep(_LOOK_EVERY_S)

    def step(self) -> None:
        """Submit what is queued, settle what has ended."""
        for job_id in self._queued():
            if job_id not in self._futures:
                self._futures[job_id] = self._client.submit(
                    execute, job_id, str(self._store.path), key=f"genbat-{job_id}", pure=False
                )
        for job_id, future in list(self._futures.items()):
            if future.done():
                self._settle(job_id, future)
                del self._futures[job_id]

    def _queued(self) -> list[str]:
        query = select(JobRow.id).where(JobRow.state == "queued").order_by(JobRow.created)
        with self._store.read() as session:
            return list(session.scalars(query))

    def _settle(self, job_id: str, future: Future) -> None:
        # A task that ran leaves its own end; what is still open here never got that far.
        fields: dict[str, Any] = {"error": STOPPED}
        error = future.exception() if future.status == "error" else None
        if error is not None and type(error).__name__ != "KilledWorker":
            trace = "".join(traceback.format_exception(error))
            fields = {"error": str(error)[:2000], "trace": trace}
        states = ("queued", "running")
        change(self._store, job_id, states, state="failed", finished=now(), **fields)

    def _leaves(self) -> bool:
        if not self._done():
            return False
        server_file().unlink(missing_ok=True)
        self._beaten = -_BEAT_EVERY_S
        return self._done()  # unless somebody came while the file still invited

    def _done(self) -> bool:
        return not self._futures and not apps_alive() and not self._queued()

    def _announce(self) -> None:
        if time.monotonic() - self._beaten < _BEAT_EVERY_S:
            return
        self._beaten = time.monotonic()
        content = {"address": self._client.scheduler.address, "process": process_tag()}
        draft = server_file().with_suffix(".draft")
        draft.write_text(json.dumps(content), "utf-8")
        draft.replace(server_file())


@contextmanager
def connected() -> Iterator[Client]:
    """A client of the lab's scheduler, or of a cluster of this machine started for it."""
    import dask
    from distributed import Client, LocalCluster

    address = os.environ.get("GENBAT_SCHEDULER", "").strip()
    if address:
        with Client(address, timeout="20s") as client:
            yield client
        return
    dask.config.set(_QUIET)
    with (
        LocalCluster(
            n_workers=workers(),
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address=None,
            local_directory=str(home() / "scratch"),
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


def workers() -> int:
    """Number of worker processes that `GENBAT_WORKERS` asks for."""
    text = os.environ.get("GENBAT_WORKERS", "2")
    if not text.isdigit() or not 1 <= int(text) <= 256:
        raise ValueError(f"GENBAT_WORKERS: got {text!r}; legal are whole numbers from 1 to 256")
    return int(text)


def main() -> None:
    """Serve the home folder unless somebody does already."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    for name in _THREADS:
        os.environ[f"{name}_NUM_THREADS"] = "1"
    if hasattr(os, "nice"):
        os.nice(_NICE)
    try:
        with FileLock(home() / "scheduler.lock").acquire(timeout=_WAIT_FOR_OLD_S):
            store = Store()
            with connected() as client:
                Dispatcher(client, store).run()
    except Timeout:
        return
    finally:
        _withdraw()


def _withdraw() -> None:
    # Only the file of this very process.
    try:
        if json.loads(server_file().read_text("utf-8"))["process"] == process_tag():
            server_file().unlink(missing_ok=True)
    except (FileNotFoundError, ValueError, KeyError):
        return


if __name__ == "__main__":
    main()
