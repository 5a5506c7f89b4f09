"""The one database: shortlists, evaluations and jobs, in SQLite through SQLAlchemy.

Every method that returns has committed: write-ahead log with full synchronisation, so a killed
process loses nothing it was told is stored. A writing transaction takes the write lock at its
start and waits for it, so that many threads and processes share one file without failing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock
from sqlalchemy import Engine, create_engine, event, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import Session

from genbat.core.properties import Measurement
from genbat.studio.home import database
from genbat.studio.tables import SCHEMA_VERSION, Base, EvaluationRow, SchemaRow, now

BUSY_S = 30
_ASK_AT_ONCE = 500


class Conflict(Exception):
    """Somebody else changed a note meanwhile; `theirs` is their text, `stamp` its new stamp."""

    def __init__(self, theirs: str, stamp: datetime) -> None:
        super().__init__(f"the note was changed meanwhile; it now reads: {theirs!r}")
        self.theirs = theirs
        self.stamp = stamp


@dataclass(frozen=True)
class Evaluation:
    """A stored verdict of physics: values by property key, or the reason there are none."""

    text: str
    method: str
    values: Mapping[str, Measurement]
    failed: str
    made: datetime


def to_json(value: Any) -> str:
    """Text of a JSON column; NumPy scalars and arrays become numbers and lists.

    ValueError for anything else that JSON has not.
    """
    try:
        return json.dumps(value, default=_plain)
    except TypeError as error:
        raise ValueError(f"JSON: {error}; legal are plain JSON values and arrays") from None


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"got {type(value).__name__}")


def _engine(path: Path) -> Engine:
    engine = create_engine(
        f"sqlite:///{path}",
        json_serializer=to_json,
        connect_args={"timeout": BUSY_S},
        max_overflow=-1,
    )

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions are begun below, not by the driver
        for pragma in ("foreign_keys=ON", "synchronous=FULL", f"busy_timeout={BUSY_S * 1000}"):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def _begun(connection: Any) -> None:
        mode = connection.get_execution_options().get("begin", "DEFERRED")
        if mode:
            connection.exec_driver_sql(f"BEGIN {mode}")

    return engine


class Store:
    """The database of one home folder; safe to share between threads, to open in any process."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = Path(path or database()).resolve()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._engine = _engine(self.path)
        self._writing = self._engine.execution_options(begin="IMMEDIATE")
        self._prepare()

    def _prepare(self) -> None:
        with FileLock(f"{self.path}.lock"):
            with self._engine.execution_options(begin=None).connect() as connection:
                # An answer left unread would be a statement in progress at the next commit.
                connection.exec_driver_sql("PRAGMA journal_mode=WAL").close()
            with self._writing.begin() as connection:
                Base.metadata.create_all(connection)
        with self.write() as session:
            row = session.get(SchemaRow, 1) or SchemaRow(id=1, version=SCHEMA_VERSION)
            session.add(row)
            if row.version != SCHEMA_VERSION:
                raise RuntimeError(
                    f"{self.path} has schema version {row.version}, this GenBat reads version "
                    f"{SCHEMA_VERSION}; nothing was changed: use the GenBat that made it, or "
                    "another GENBAT_HOME"
                )

    def close(self) -> None:
        """Let go of every connection."""
        self._engine.dispose()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """One consistent look at the database."""
        with Session(self._engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """One transaction that holds the write lock; committed at the end, or not at all."""
        with Session(self._writing, expire_on_commit=False) as session, session.begin():
            session.connection()  # takes the lock now, before anything is read
            yield session

    def evaluation(self, domain: str, text: str, method: str | None = None) -> Evaluation | None:
        """What is known of one object; see `evaluations`."""
        return self.evaluations(domain, [text], method).get(text)

    def evaluations(
        self, domain: str, texts: Iterable[str], method: str | None = None
    ) -> dict[str, Evaluation]:
        """Stored evaluations by text; without a method the newest that gave values, else failed."""
        asked, found = list(texts), dict[str, Evaluation]()
        query = select(EvaluationRow).where(EvaluationRow.domain == domain)
        if method is not None:
            query = query.where(EvaluationRow.method == method)
        query = query.order_by((EvaluationRow.failed == ""), EvaluationRow.made)
        with self.read() as session:
            for k in range(0, len(asked), _ASK_AT_ONCE):
                part = query.where(EvaluationRow.text.in_(asked[k : k + _ASK_AT_ONCE]))
                found.update((row.text, _evaluation(row)) for row in session.scalars(part))
        return found

    def save_evaluation(
        self,
        domain: str,
        text: str,
        method: str,
        values: Mapping[str, Measurement],
        failed: str = "",
        also: str = "",
    ) -> Evaluation:
        """Keep what a method said; the same method asked again replaces it, unless it failed.

        Parameters
        ----------
        also : another text of which the same is true, kept in the same transaction.
        """
        fields = {
            "measured": {key: asdict(value) for key, value in values.items()},
            "failed": failed,
            "made": now(),
        }
        with self.write() as session:
            for one in filter(None, dict.fromkeys((also, text))):
                row = {"domain": domain, "text": one, "method": method, **fields}
                statement = insert(EvaluationRow).values(**row)
                statement = statement.on_conflict_do_update(
                    index_elements=["domain", "text", "method"],
                    set_=fields,
                    where=(statement.excluded.failed == "") | (EvaluationRow.failed != ""),
                )
                session.execute(statement)
            key = {"domain": domain, "text": text, "method": method}
            return _evaluation(session.scalars(select(EvaluationRow).filter_by(**key)).one())


def _evaluation(row: EvaluationRow) -> Evaluation:
    values = {key: Measurement(**value) for key, value in row.measured.items()}
    return Evaluation(row.text, row.method, values, row.failed, row.made)
