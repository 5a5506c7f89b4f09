"""Shortlists: named lists of candidates with notes, tags and ranks, edited by many at once.

Every change touches one row, so that two people or two tabs never overwrite one another; a note
changed by both raises `Conflict` and tags are merged. An owner sees her own lists; whoever has a
list's id can open and edit it, and its owner alone can delete it.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from genbat.core.candidate import Candidate
from genbat.studio import texts
from genbat.studio.store import Conflict, Store
from genbat.studio.tables import EntryRow, ShortlistRow, now

MAX_ENTRIES = 2000


@dataclass(frozen=True)
class Shortlist:
    """A list without its entries; `id` is its link."""

    id: str
    owner: str
    name: str
    domain: str
    created: datetime
    count: int


@dataclass(frozen=True)
class Entry:
    """One candidate of a list; `stamp` is when its note last changed."""

    candidate: Candidate
    note: str
    tags: tuple[str, ...]
    rank: int | None
    stamp: datetime
    id: int


class Shortlists:
    """What can be done with shortlists; unknown ids and illegal texts are ValueErrors."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def lists(self, owner: str, domain: str | None = None) -> list[Shortlist]:
        """The owner's lists, oldest first."""
        count = func.count(EntryRow.id)
        query = select(ShortlistRow, count).outerjoin(EntryRow).group_by(ShortlistRow.id)
        query = query.where(ShortlistRow.owner == owner).order_by(ShortlistRow.created)
        if domain is not None:
            query = query.where(ShortlistRow.domain == domain)
        with self._store.read() as session:
            return [_shortlist(row, number) for row, number in session.execute(query)]

    def open(self, list_id: str) -> Shortlist:
        """Any list by its id, whoever owns it."""
        with self._store.read() as session:
            row = _list_row(session, list_id)
            return _shortlist(row, _size(session, list_id))

    def create(self, owner: str, name: str, domain: str) -> Shortlist:
        """A new empty list; its name is the owner's only one of that name in the domain."""
        row = ShortlistRow(
            id=secrets.token_urlsafe(12),
            owner=texts.line("owner", owner, 200),
            name=texts.line("name", name, texts.MAX_NAME),
            domain=texts.line("domain", domain, texts.MAX_NAME),
            created=now(),
        )
        with _names_are_unique(name), self._store.write() as session:
            session.add(row)
        return _shortlist(row, 0)

    def rename(self, list_id: str, name: str) -> None:
        """Another name, of 1 to 80 characters."""
        with _names_are_unique(name), self._store.write() as session:
            _list_row(session, list_id).name = texts.line("name", name, texts.MAX_NAME)

    def delete(self, list_id: str, owner: str) -> None:
        """Delete a list with its entries; only its owner can."""
        with self._store.write() as session:
            row = _list_row(session, list_id)
            if row.owner != owner:
                raise ValueError(f"owner: the list {row.name!r} belongs to somebody else")
            session.execute(delete(ShortlistRow).where(ShortlistRow.id == list_id))

    def add(self, list_id: str, candidate: Candidate) -> Entry:
        """Put a candidate on a list; one already there only learns the new properties."""
        with self._store.write() as session:
            shortlist = _list_row(session, list_id)
            if candidate.domain != shortlist.domain:
                raise ValueError(
                    f"candidate: got one of {candidate.domain}; this list takes {shortlist.domain}"
                )
            row = session.scalars(
                select(EntryRow).filter_by(list_id=list_id, text=candidate.text)
            ).one_or_none()
            if row is None:
                row = _new_entry(session, list_id, candidate)
            else:
                known = Candidate.from_json(row.candidate)
                row.candidate = known.with_properties(candidate.properties).to_json()
                row.updated = now()
            return _entry(row)

    def learn(self, list_id: str) -> int:
        """Give entries the stored evaluations they lack; how many entries learned something.

        A computed value takes the place of a predicted one, never of a measured one.
        """
        entries, learned = self.entries(list_id), 0
        domain = self.open(list_id).domain
        stored = self._store.evaluations(domain, [e.candidate.text for e in entries])
        for candidate in (e.candidate for e in entries if e.candidate.text in stored):
            known = {k for k, m in candidate.properties.items() if m.kind != "predicted"}
            values = stored[candidate.text].values
            new = {key: value for key, value in values.items() if key not in known}
            if new:
                self.add(list_id, candidate.with_properties(new))
                learned += 1
        return learned

    def remove(self, entry_id: int) -> None:
        """Take an entry off its list; no error where it is gone already."""
        with self._store.write() as session:
            session.execute(delete(EntryRow).where(EntryRow.id == entry_id))

    def entries(self, list_id: str) -> list[Entry]:
        """All entries, ranked ones first, then in the order they came."""
        query = select(EntryRow).where(EntryRow.list_id == list_id)
        query = query.order_by(EntryRow.rank.is_(None), EntryRow.rank, EntryRow.id)
        with self._store.read() as session:
            _list_row(session, list_id)
            return [_entry(row) for row in session.scalars(query)]

    def set_note(self, entry_id: int, note: str, expected: datetime | None = None) -> Entry:
        """Write a note.

        Raises
        ------
        Conflict : the note is no longer the one of the stamp `expected` and reads differently.
        """
        note = texts.note(note)
        with self._store.write() as session:
            row = _entry_row(session, entry_id)
            _write_note(row, note, expected)
            return _entry(row)

    def annotate(
        self,
        entry: Entry,
        *,
        note: str | None = None,
        tags: Iterable[str] | None = None,
        rank: int | None = None,
        unrank: bool = False,
    ) -> Entry:
        """Change note, tags and rank of an entry as the caller saw it; None leaves one as it is.

        Tags that others added or took away meanwhile stay so. The rank counts from 1, `unrank`
        takes it away; the last writer of a rank wins.

        Raises
        ------
        Conflict : somebody else changed the note meanwhile; nothing is written then.
        """
        with self._store.write() as session:
            row = _entry_row(session, entry.id)
            if note is not None:
                _write_note(row, texts.note(note), entry.stamp)
            if tags is not None:
                row.tags = texts.merged_tags(row.tags, entry.tags, texts.tags(tags))
            if rank is not None or unrank:
                row.rank = None if unrank else texts.rank(rank)
            row.updated = now()
            return _entry(row)


@contextmanager
def _names_are_unique(name: str) -> Iterator[None]:
    # The database objects to an owner's second list of one name.
    try:
        yield
    except IntegrityError:
        raise ValueError(f"name: got {name!r}; you have a list of that name already") from None


def _list_row(session: Session, list_id: str) -> ShortlistRow:
    row = session.get(ShortlistRow, list_id)
    if row is None:
        raise ValueError(f"list: {list_id!r} does not exist (any more)")
    return row


def _entry_row(session: Session, entry_id: int) -> EntryRow:
    row = session.get(EntryRow, entry_id)
    if row is None:
        raise ValueError("entry: it was taken off its list meanwhile")
    return row


def _size(session: Session, list_id: str) -> int:
    query = select(func.count(EntryRow.id)).where(EntryRow.list_id == list_id)
    return session.scalars(query).one()


def _new_entry(session: Session, list_id: str, candidate: Candidate) -> EntryRow:
    if _size(session, list_id) >= MAX_ENTRIES:
        raise ValueError(f"list: it holds {MAX_ENTRIES} candidates already, the most it can")
    row = EntryRow(list_id=list_id, text=candidate.text, candidate=candidate.to_json())
    session.add(row)
    session.flush()  # gives it its id and the defaults
    return row


def _write_note(row: EntryRow, note: str, expected: datetime | None) -> None:
    if note == row.note:
        return
    if expected is not None and row.noted != expected:
        raise Conflict(row.note, row.noted)
    row.note = note
    row.noted = max(now(), row.noted + timedelta(microseconds=1))  # never the same stamp twice
    row.updated = row.noted


def _shortlist(row: ShortlistRow, count: int) -> Shortlist:
    return Shortlist(row.id, row.owner, row.name, row.domain, row.created, count)


def _entry(row: EntryRow) -> Entry:
    candidate = Candidate.from_json(row.candidate)
    return Entry(candidate, row.note, tuple(row.tags), row.rank, row.noted, row.id)


def table(entries: Sequence[Entry], keys: Sequence[str]) -> pd.DataFrame:
    """One row an entry.

    Columns: id, name, text, note, tags, rank, then for each key the value (float, NaN where
    missing), `_uncertainty` (90 % half width, same unit), `_unit`, `_method` and `_kind`.
    """
    columns: dict[str, Any] = {
        "id": [e.id for e in entries],
        "name": [e.candidate.name for e in entries],
        "text": [e.candidate.text for e in entries],
        "note": [e.note for e in entries],
        "tags": [", ".join(e.tags) for e in entries],
        "rank": pd.array([e.rank for e in entries], dtype="Int64"),
    }
    for key in keys:
        found = [e.candidate.properties.get(key) for e in entries]
        columns[key] = np.array([m.value if m else np.nan for m in found], float)
        halves = [m.uncertainty if m else None for m in found]
        columns[f"{key}_uncertainty"] = np.array(halves, float)
        for part in ("unit", "method", "kind"):
            columns[f"{key}_{part}"] = [getattr(m, part) if m else "" for m in found]
    return pd.DataFrame(columns)


def pareto(entries: Sequence[Entry], goals: Mapping[str, int]) -> list[bool | None]:
    """Whether no other entry is better in every goal; None where an entry lacks a value.

    Parameters
    ----------
    goals : property key -> +1 (higher is wanted) or -1 (lower is). An entry without all values
        neither dominates nor is judged; equal entries share the front.
    """
    if not goals or any(sign not in (1, -1) for sign in goals.values()):
        raise ValueError(f"goals: got {dict(goals)}; legal is one or more key: +1 or key: -1")
    scores = table(entries, list(goals))[list(goals)].to_numpy(float)
    scores = scores * np.array(list(goals.values()))  # (n, goals), higher is better
    complete = np.isfinite(scores).all(axis=1)
    front: list[bool | None] = [None] * len(entries)
    if complete.any():
        import torch
        from botorch.utils.multi_objective.pareto import is_non_dominated

        best = is_non_dominated(torch.from_numpy(scores[complete]), deduplicate=False)
        for place, flag in zip(np.flatnonzero(complete), best.tolist(), strict=True):
            front[place] = flag
    return front
