"""The database's tables. Changing one means a new `SCHEMA_VERSION`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from sqlalchemy import JSON, BigInteger, Dialect, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

SCHEMA_VERSION = 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Utc(TypeDecorator[datetime]):
    """Aware datetimes as whole microseconds since 1970, so that stamps compare exactly."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Aware datetime -> microseconds."""
        return None if value is None else (value - _EPOCH) // timedelta(microseconds=1)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """Microseconds -> aware datetime."""
        return None if value is None else _EPOCH + timedelta(microseconds=value)


def now() -> datetime:
    """This moment, in UTC."""
    return datetime.now(UTC)


class Base(DeclarativeBase):
    """Every table; JSON columns are replaced as a whole, never changed in place."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: Utc,
        dict[str, Any]: JSON,
        list[str]: JSON,
        str: Text,
    }


class SchemaRow(Base):
    """One row: the version this file was made with."""

    __tablename__ = "schema_version"
    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int]


class ShortlistRow(Base):
    """A named list; its id is a secret that opens it for whoever has the link."""

    __tablename__ = "shortlists"
    __table_args__ = (UniqueConstraint("owner", "domain", "name"),)
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    owner: Mapped[str] = mapped_column(index=True)
    name: Mapped[str]
    domain: Mapped[str]
    created: Mapped[datetime] = mapped_column(default=now)


class EntryRow(Base):
    """One candidate of one list; ids are never used twice, so a stale tab hits nobody else."""

    __tablename__ = "entries"
    __table_args__ = (UniqueConstraint("list_id", "text"), {"sqlite_autoincrement": True})
    id: Mapped[int] = mapped_column(primary_key=True)
    list_id: Mapped[str] = mapped_column(ForeignKey("shortlists.id", ondelete="CASCADE"))
    text: Mapped[str]
    candidate: Mapped[dict[str, Any]]
    note: Mapped[str] = mapped_column(default="")
    tags: Mapped[list[str]] = mapped_column(default=list)
    rank: Mapped[int | None]
    created: Mapped[datetime] = mapped_column(default=now)
    updated: Mapped[datetime] = mapped_column(default=now)
    noted: Mapped[datetime] = mapped_column(default=now)


class EvaluationRow(Base):
    """What one method said about one object; a failure keeps its reason in `failed`."""

    __tablename__ = "evaluations"
    __table_args__ = (UniqueConstraint("domain", "text", "method"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    domain: Mapped[str]
    text: Mapped[str]
    method: Mapped[str]
    measured: Mapped[dict[str, Any]]
    failed: Mapped[str] = mapped_column(default="")
    made: Mapped[datetime] = mapped_column(default=now)


class JobRow(Base):
    """One job; `task` is the function's dotted name, `worker` the tag of the running process."""

    __tablename__ = "jobs"
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    owner: Mapped[str] = mapped_column(index=True)
    kind: Mapped[str]
    task: Mapped[str]
    title: Mapped[str]
    arguments: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(String(10), index=True, default="queued")
    fraction: Mapped[float] = mapped_column(default=0.0)
    message: Mapped[str] = mapped_column(default="")
    error: Mapped[str] = mapped_column(default="")
    trace: Mapped[str] = mapped_column(default="")
    worker: Mapped[str] = mapped_column(default="")
    created: Mapped[datetime] = mapped_column(default=now, index=True)
    started: Mapped[datetime | None]
    finished: Mapped[datetime | None]
    heartbeat: Mapped[datetime | None]


class JobResultRow(Base):
    """One result of a job, `sequence` counting from 1."""

    __tablename__ = "job_results"
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True)
    payload: Mapped[dict[str, Any]]
    made: Mapped[datetime] = mapped_column(default=now)
