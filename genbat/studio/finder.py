"""Finding molecules by name, abbreviation, CAS number, SMILES or formula."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np
import pandas as pd

from genbat.domains.molecules.formula import formula_of, same_formula
from genbat.domains.molecules.structure import check

_LONGEST = 300
_LEAST = 0.6  # a score below it is no hit


class MoleculeFinder:
    """An index over rows: `table` names the known ones, `texts` are the SMILES of all."""

    def __init__(
        self, table: pd.DataFrame, texts: Sequence[str], row_of: Mapping[str, int]
    ) -> None:
        self._table, self._texts, self._row_of = table, texts, row_of

    def find(self, text: str, limit: int) -> list[int]:
        """Rows, best first: the very molecule, then names, then formulas."""
        text = text.strip()
        if not text or len(text) > _LONGEST:
            return []
        found = [*self._exact(text), *self._by_name(text.lower(), limit)]
        found += self._by_formula.get(same_formula(text), [])
        return list(dict.fromkeys(found))[:limit]

    def _exact(self, text: str) -> list[int]:
        try:
            row = self._row_of.get(check(text))
        except ValueError:
            return []
        return [] if row is None else [row]

    @cached_property
    def _words(self) -> pd.Series:
        table = self._table
        joined = table["name"] + "|" + table["synonyms"] + "|" + table["cas"]
        return "|" + joined.str.lower() + "|"

    def _by_name(self, text: str, limit: int) -> list[int]:
        words = self._words
        whole = words.str.contains(f"|{text}|", regex=False)
        start = words.str.contains(f"|{text}", regex=False)
        part = words.str.contains(text, regex=False) if len(text) > 2 else start
        score = 4 * whole + 2 * start + part.astype(int) + 0.5 * self._table["named"] * part
        best = np.argsort(-score.to_numpy(), kind="stable")[:limit]
        return [int(k) for k in best if score.iloc[k] > _LEAST]

    @cached_property
    def _by_formula(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for row, text in enumerate(self._texts):
            found.setdefault(formula_of(text), []).append(row)
        return found
