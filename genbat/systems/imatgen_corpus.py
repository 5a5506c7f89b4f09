"""What imatgen learns from: crystals of two elements, vanadium oxides unless told otherwise.

Ten structure types, each with all that equal it, are kept out of the training, to see which of them
are found again (Noh et al. left known vanadium oxides out one by one).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from pymatgen.core import Element

from genbat.domains.crystals import data
from genbat.domains.crystals.catalogue import Catalogue
from genbat.domains.crystals.chgnet_batch import Cell
from genbat.systems import crystal_corpus
from genbat.systems.crystal_corpus import MAX_ATOMS, TARGETS, Corpus

PAIR = (23, 8)  # V, O
HELD_OUT = "held out"  # split of the prototypes and what equals them
PROTOTYPES = {
    "rutile": "aflow:A2B_tP6_136_f_a",
    "anatase": "aflow:A2B_tI12_141_e_a",
    "CdI2": "aflow:AB2_hP3_164_a_d",
    "cristobalite": "aflow:A2B_cF24_227_c_a",
    "quartz": "aflow:A2B_hP9_152_c_a",
    "corundum": "aflow:A2B3_hR10_167_c_e",
    "Bi2Te3": "aflow:A2B3_hR5_166_c_ac",
    "V2O5": "V2O5",
    "spinel": "aflow:A2BC4_cF56_227_d_a_e",
    "BiI3": "aflow:AB3_hR8_148_c_f",
}


def embedded(pair: Sequence[int] = PAIR) -> Corpus:
    """The embedded crystals of two elements; of vanadium oxides the prototypes are held out."""
    known = data.load()
    kept = _rows(known, pair)
    table = known.table.iloc[kept]
    corpus = crystal_corpus.make(
        [known.cell(k) for k in kept],
        table["group"].to_numpy("i8"),
        table[list(TARGETS)].to_numpy("f8"),
        table["split"].astype(str).tolist(),
    )
    return held_out(corpus, prototypes().values()) if set(pair) == set(PAIR) else corpus


def _rows(known: data.Dataset, pair: Sequence[int]) -> list[int]:
    numbers = known.table["numbers"]
    return [k for k, own in enumerate(numbers) if set(own) == set(pair) and len(own) <= MAX_ATOMS]


def prototypes() -> Mapping[str, Cell]:
    """PROTOTYPES as relaxed vanadium oxides, of several starts the one that lies lowest."""
    known = data.load()
    table = known.table.iloc[_rows(known, PAIR)].sort_values("hull_ev")
    starts = table["name"].str.split("|").str[0]
    return {
        name: known.cell(int(table.index[starts == start][0])) for name, start in PROTOTYPES.items()
    }


def held_out(corpus: Corpus, cells: Iterable[Cell]) -> Corpus:
    """The corpus with whatever of the split "train" equals one of some crystals put aside."""
    known = Catalogue(cells)
    pairs = zip(corpus.cells, corpus.splits, strict=True)
    splits = [HELD_OUT if s == "train" and known.holds(c) else s for c, s in pairs]
    return replace(corpus, splits=splits)


def pair_of(corpus: Corpus) -> tuple[int, int]:
    """The two elements that most crystals consist of, the more metallic first.

    Raises
    ------
    ValueError : no crystal has exactly two elements.
    """
    pairs = Counter(frozenset(int(z) for z in cell.numbers) for cell in corpus.cells)
    pairs = Counter({pair: n for pair, n in pairs.items() if len(pair) == 2})
    if not pairs:
        raise ValueError(
            "data: no crystal of exactly two elements; imatgen draws one image of each"
        )
    (most,) = pairs.most_common(1)
    one, two = sorted(most[0], key=lambda z: (float(Element.from_Z(z).X), z))
    return one, two


def of_pair(corpus: Corpus, pair: Sequence[int]) -> Corpus:
    """The crystals that consist of exactly these two elements."""
    wanted = np.array(sorted(pair))
    rows = [k for k, c in enumerate(corpus.cells) if np.array_equal(np.unique(c.numbers), wanted)]
    return corpus.part(rows)
