"""What the systems that write crystals by their symmetry share: training crystals, verdicts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from genbat.core.candidate import Verdict
from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.structure import primitive, to_text
from genbat.domains.crystals.symmetric import Symmetric, built
from genbat.domains.crystals.wishes import Wishes
from genbat.systems.base import Progress
from genbat.systems.crystal_cache import Symmetries
from genbat.systems.crystal_corpus import Corpus


def symmetric(
    corpus: Corpus, rows: Sequence[int], progress: Progress | None = None
) -> list[Symmetric]:
    """Some of a corpus' crystals by their symmetry; those in which spglib finds none are left
    out."""
    found = []
    with Symmetries() as known:
        for done, k in enumerate(rows):
            if progress and done % 500 == 0:
                progress(0.0, f"symmetry of {done:,} of {len(rows):,} crystals")
            if one := known.of(corpus.cells[k]):
                found.append(one)
    return found


@dataclass(frozen=True)
class Tried:
    """What became of something that a system wrote.

    Attributes
    ----------
    text : the crystal's CIF, or what was written where it is none.
    verdict : whether it is a crystal of the domain and what was asked.
    cell : reduced and primitive; None where there is none.
    """

    text: str
    verdict: Verdict
    cell: Cell | None = None


def tried(said: Callable[[], Symmetric], wishes: Wishes, written: str) -> Tried:
    """The crystal that `said` gives, judged; what was `written` where that is a ValueError."""
    try:
        cell = cell_of(said())
    except ValueError as wrong:
        return Tried(written, Verdict(False, (f"is no crystal: {wrong}",)))
    return Tried(to_text(cell), wishes.verdict(cell), cell)


def cell_of(crystal: Symmetric) -> Cell:
    """The reduced primitive cell; ValueError where the crystal is none."""
    return primitive(built(crystal))
