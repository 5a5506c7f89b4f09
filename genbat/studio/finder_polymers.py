"""Finding polymers by what people write: names, abbreviations, repeat units."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import pandas as pd

from genbat.domains.polymers.repeat_unit import normal

_PLAIN = re.compile(r"[^a-z0-9]+")


def plain(text: str) -> str:
    """Small letters and digits alone: `Poly(ethylene oxide)` is `polyethyleneoxide`."""
    return _PLAIN.sub("", text.lower())


class PolymerFinder:
    """See `genbat.studio.rooms.Finder`."""

    def __init__(self, called: Sequence[Sequence[str]], row_of: Mapping[str, int]) -> None:
        self._called = [[plain(word) for word in words] for words in called]
        self._row_of = row_of

    @classmethod
    def of(cls, table: pd.DataFrame) -> PolymerFinder:
        """Of named polymers alone."""
        rows = zip(table["name"], table["short"], strict=True)
        texts = {text: row for row, text in enumerate(table["text"])}
        return cls([[word for word in row if word] for row in rows], texts)

    def find(self, text: str, limit: int) -> list[int]:
        """Rows: the very repeat unit, else exact names, else names that begin or hold it."""
        try:
            row = self._row_of.get(normal(text).text)
            return [] if row is None else [row]
        except ValueError:
            asked = plain(text)
        if not asked:
            return []
        ranks = [(self._rank(words, asked), row) for row, words in enumerate(self._called)]
        return [row for rank, row in sorted(ranks) if rank < 3][:limit]

    @staticmethod
    def _rank(words: Sequence[str], asked: str) -> int:
        if asked in words:
            return 0
        if any(word.startswith(asked) for word in words):
            return 1
        return 2 if any(asked in word for word in words) else 3
