"""Small texts that every page needs: users' words made harmless, times in words."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~$:&@^=])")


def plain(text: str) -> str:
    """Users' text for Streamlit's Markdown: shown letter by letter, no link, picture or colour."""
    return _MARKDOWN.sub(r"\\\1", " ".join(text.split()))


def short(text: str, longest: int = 40) -> str:
    """Text cut to a length, with an ellipsis where something is missing."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def with_article(noun: str) -> str:
    """`a molecule`, `an interphase`."""
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"


def duration(seconds: float) -> str:
    """`8 s`, `2 min 05 s`, `1 h 20 min`."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def moment(when: datetime) -> str:
    """A time of the server's clock: the hour today, the date before."""
    here = when.astimezone()
    today = datetime.now(UTC).astimezone().date()
    return f"{here:%H:%M}" if here.date() == today else f"{here:%Y-%m-%d %H:%M}"


def count(number: int, one: str, many: str = "") -> str:
    """`1 candidate`, `2,000 candidates`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
