"""What runs on a worker: one job from its claim to its end, and the labelling task.

A task is a function of `(arguments, report)`. It calls `report(fraction, message)` now and then,
which raises `JobCancelled` once the user has cancelled, and hands over each result at once with
`report.emit(payload)`; a killed worker loses only what it had not emitted yet.
"""

from __future__ import annotations

import importlib
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import func, select, update

from genbat.core.errors import JobCancelled, PhysicsFailed
from genbat.core.properties import Measurement
from genbat.studio.home import process_tag
from genbat.studio.store import Evaluation, Store
from genbat.studio.tables import JobResultRow, JobRow, now

Task = Callable[[Mapping[str, Any], "Report"], None]
STOPPED = "worker stopped; results so far are kept"
BEAT_S = 10.0
_WRITE_EVERY_S = 0.2
_MAX_MESSAGE = 500


class Report:
    """A running job's way to say how far it is and to keep its results."""

    def __init__(self, store: Store, job_id: str) -> None:
        self.store = store
        self._job_id = job_id
        self._written = -_WRITE_EVERY_S

    def __call__(self, fraction: float, message: str = "") -> None:
        """Progress from 0 to 1 with a sentence; may be called often, is written at most 5/s.

        Raises
        ------
        JobCancelled : the user has cancelled the job, or it counts as failed.
        """
        moment = time.monotonic()
        if moment - self._written < _WRITE_EVERY_S and fraction < 1:
            return
        self._written = moment
        share = min(1.0, max(0.0, float(fraction)))  # a NaN counts as 0
        self._change(fraction=share, message=message[:_MAX_MESSAGE])

    def emit(self, payload: Mapping[str, Any]) -> int:
        """Store one result for good and return its sequence number, counting from 1."""
        last = select(func.max(JobResultRow.sequence)).filter_by(job_id=self._job_id)
        with self.store.write() as session:
            sequence = (session.scalar(last) or 0) + 1
            row = JobResultRow(job_id=self._job_id, sequence=sequence, payload=dict(payload))
            session.add(row)
        return sequence

    def beat(self) -> None:
        """Tell the store that the worker lives; JobCancelled as for a call."""
        self._change(heartbeat=now())

    def _change(self, **fields: Any) -> None:
        if not change(self.store, self._job_id, ("running",), **fields):
            raise JobCancelled


def change(store: Store, job_id: str, states: tuple[str, ...], **fields: Any) -> bool:
    """Set fields of a job if it is in one of some states; whether it was."""
    statement = update(JobRow).where(JobRow.id == job_id, JobRow.state.in_(states))
    with store.write() as session:
        found = session.execute(statement.values(**fields).returning(JobRow.id)).first()
    return found is not None


def execute(job_id: str, database: str) -> None:
    """Run one job here, whatever becomes of it, and leave its end in the store."""
    store = _open(database)
    claimed = _claim(store, job_id)
    if claimed is None:
        return
    name, arguments = claimed
    report = Report(store, job_id)
    try:
        with _beating(report):
            _function(name)(arguments, report)
    except JobCancelled:
        _end(store, job_id, "cancelled")
    except Exception as error:
        reason = str(error).strip() or type(error).__name__
        _end(store, job_id, "failed", error=reason[:2000], trace=traceback.format_exc())
    else:
        _end(store, job_id, "done", fraction=1.0)


@lru_cache
def _open(database: str) -> Store:
    if not Path(database).exists():
        raise FileNotFoundError(f"the worker does not see the database {database}")
    return Store(Path(database))


def _claim(store: Store, job_id: str) -> tuple[str, dict[str, Any]] | None:
    # A job that is running already comes back only after its worker was lost.
    with store.write() as session:
        row = session.get(JobRow, job_id)
        if row is None or row.state not in ("queued", "running"):
            return None
        if row.state == "running":
            row.state, row.error, row.finished = "failed", STOPPED, now()
            return None
        row.state, row.worker = "running", process_tag()
        row.started = row.heartbeat = now()
        return row.task, row.arguments


def _end(store: Store, job_id: str, state: str, **fields: Any) -> None:
    change(store, job_id, ("running",), state=state, finished=now(), **fields)


def _function(name: str) -> Task:
    module, _, function = name.partition(":")
    task: Task = getattr(importlib.import_module(module), function)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
    return task


@contextmanager
def _beating(report: Report) -> Iterator[None]:
    stop = threading.Event()

    def beat() -> None:
        try:
            while not stop.wait(BEAT_S):
                report.beat()
        except JobCancelled:
            return  # the task hears of it at its next report

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def label(arguments: Mapping[str, Any], report: Report) -> None:
    """xTB of every molecule in `arguments["smiles"]`, a list of SMILES.

    Emits `{"asked", "text", "values": {key: Measurement as JSON}, "failed", "stored"}` for each:
    `text` is the normal form ("" where the SMILES is no legal molecule), `failed` the reason why
    there are no xTB values, `stored` whether they were known from an earlier job.
    """
    asked = list(arguments["smiles"])
    for k, smiles in enumerate(asked):
        report(k / len(asked), f"{k} of {len(asked)} molecules")
        report.emit({"asked": smiles, **label_one(report.store, smiles)})
    report(1.0, f"{len(asked)} of {len(asked)} molecules")


def label_one(store: Store, smiles: str) -> dict[str, Any]:
    """One molecule's payload as described at `label`; computed only where never computed."""
    from genbat.domains.molecules import structure

    try:
        text = structure.check(smiles)
    except ValueError as wrong:
        return {"text": "", "values": {}, "failed": str(wrong), "stored": False}
    known = store.evaluation("molecules", text, method())
    try:
        found = known or evaluate(store, text)
    except RuntimeError as error:  # RDKit or tblite gave up in a way nobody foresaw
        return {"text": text, "values": {}, "failed": str(error)[:500], "stored": False}
    values = {key: asdict(value) for key, value in found.values.items()}
    return {"text": text, "values": values, "failed": found.failed, "stored": known is not None}


def physics_of(store: Store, text: str) -> Evaluation:
    """The stored evaluation of a molecule in normal form, computed where there is none."""
    return store.evaluation("molecules", text, method()) or evaluate(store, text)


def method() -> str:
    """Name under which evaluations are kept; it changes with the procedure's version."""
    from genbat.domains.molecules import build, physics

    return f"{physics.GFN2}, labels {build.LABEL_VERSION}"


def evaluate(store: Store, text: str) -> Evaluation:
    """Compute and keep xTB and RDKit values of a molecule in normal form; ~1 to 60 s."""
    from rdkit import Chem

    from genbat.domains.molecules import descriptors, physics
    from genbat.domains.molecules.properties import BY_KEY

    mol, failed = Chem.MolFromSmiles(text), ""
    values = {
        key: Measurement(value, BY_KEY[key].unit, descriptors.METHOD, "computed")
        for key, value in descriptors.describe(mol).items()
    }
    try:
        values.update(physics.measurements(physics.compute(mol)[0]))
    except PhysicsFailed as reason:
        failed = str(reason)
    return store.save_evaluation("molecules", text, method(), values, failed)
