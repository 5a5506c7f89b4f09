"""What users may write: names, notes, tags and ranks. A ValueError says what is legal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

MAX_NAME = 80
MAX_NOTE = 4000
MAX_TAG = 40
MAX_TAGS = 12
MAX_RANK = 9999


def line(argument: str, text: str, longest: int) -> str:
    """One printable line of at most `longest` characters; ValueError names `argument`."""
    text = " ".join(text.split())
    if not 1 <= len(text) <= longest or not text.isprintable():
        raise ValueError(
            f"{argument}: got {text[:60]!r} ({len(text)} characters); legal are 1 to {longest} "
            "printable characters"
        )
    return text


def note(note: str) -> str:
    """A note with plain line ends; ValueError where it is too long."""
    note = note.replace("\r\n", "\n").strip()
    if len(note) > MAX_NOTE:
        raise ValueError(f"note: got {len(note)} characters; at most {MAX_NOTE} are kept")
    return note


def tags(tags: Iterable[str]) -> list[str]:
    """Tags without repeats; ValueError where one is illegal or there are too many."""
    clean = list(dict.fromkeys(line("tag", tag, MAX_TAG) for tag in tags))
    if len(clean) > MAX_TAGS:
        raise ValueError(f"tags: got {len(clean)}; at most {MAX_TAGS} are kept")
    return clean


def merged_tags(stored: Sequence[str], seen: Sequence[str], wished: Sequence[str]) -> list[str]:
    """The stored tags after one tab, which saw `seen`, asked for `wished`; others' stay."""
    kept = [tag for tag in stored if tag in wished or tag not in seen]
    return kept + [tag for tag in wished if tag not in seen and tag not in kept]


def rank(rank: int | None) -> int:
    """A whole number from 1 to MAX_RANK; ValueError otherwise."""
    if not isinstance(rank, int) or not 1 <= rank <= MAX_RANK:
        raise ValueError(f"rank: got {rank!r}; legal are whole numbers from 1 to {MAX_RANK}")
    return rank
