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
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import func, select, update

from genbat.core.errors import JobCancelled
from genbat.studio.home import process_tag
from genbat.studio.rooms import Judgement, Rooms, rooms
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
    """What the physics says of every object in `arguments["texts"]` of `arguments["domain"]`.

    Emits `{"asked", "text", "values": {key: Measurement as JSON}, "failed", "stored", "more"}` for
    each: `text` is the normal form ("" where it is no legal object), `failed` the reason why there
    are no values, `stored` whether they were known from an earlier job, `more` what else was found
    (see `genbat.studio.rooms.Judgement`).
    """
    room, asked = rooms(arguments.get("domain", "molecules")), list(arguments["texts"])
    done, words = 0, f"of {len(asked)} {room.words.many}"
    for k in range(0, len(asked), room.batch):
        part = asked[k : k + room.batch]
        say = lambda share, text, k=k, part=part: report(  # noqa: E731
            (k + share * len(part)) / len(asked), f"{k} {words}; {text}"
        )
        for payload in _labelled(room, report.store, part, say if room.batch > 1 else None):
            report(done / len(asked), f"{done} {words}")
            report.emit(payload)
            done += 1
    report(1.0, f"{done} {words}")


def _labelled(
    room: Rooms, store: Store, asked: Sequence[str], say: Callable[[float, str], object] | None
) -> Iterator[dict[str, Any]]:
    """Payloads of some texts: the illegal and the stored ones first, then the computed ones."""
    todo: dict[str, list[str]] = {}
    for text in asked:
        try:
            plain = room.check(text)
        except ValueError as wrong:
            yield {"asked": text, "text": "", "values": {}, "failed": str(wrong), "stored": False}
            continue
        known = store.evaluation(room.domain, plain, room.method())
        if known is not None:
            yield {"asked": text, **_payload(Judgement(known)), "stored": True}
        else:
            todo.setdefault(plain, []).append(text)
    for one in judged(room, store, list(todo), say):
        for text in todo[one.evaluation.text]:
            yield {"asked": text, **_payload(one), "stored": False}


def _payload(judged: Judgement) -> dict[str, Any]:
    found = judged.evaluation
    values = {key: asdict(value) for key, value in found.values.items()}
    return {"text": found.text, "values": values, "failed": found.failed, "more": {**judged.more}}


def judged(
    room: Rooms,
    store: Store,
    texts: Sequence[str],
    say: Callable[[float, str], object] | None = None,
) -> Iterator[Judgement]:
    """What the physics says of canonical texts; what brings it down says so and is not kept."""
    missing = dict.fromkeys(texts)
    try:
        for one in room.judge(store, texts, say):
            missing.pop(one.evaluation.text, None)
            yield one
    except (RuntimeError, ArithmeticError, ValueError) as error:  # as nobody foresaw
        for text in missing:
            yield Judgement(Evaluation(text, room.method(), {}, str(error)[:500], now()))


def physics_of(store: Store, domain: str, text: str) -> Evaluation:
    """The stored evaluation of an object in normal form, computed where there is none."""
    room = rooms(domain)
    known = store.evaluation(domain, text, room.method())
    return known or next(iter(judged(room, store, [text]))).evaluation
