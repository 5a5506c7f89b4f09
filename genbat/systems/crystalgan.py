"""crystalgan: Nouira, Sokolovska and Crivello, "CrystalGAN", AAAI-MAKE 2019 (arXiv 1810.11203).

Kept from the paper: two binary hydrides A-H and B-H go in and a ternary A-B-H comes out, though no
ternary is ever seen. A first cross-domain GAN with a reconstruction loss makes pseudo-binaries that
carry the features of both; a second one makes ternaries of these, under a geometric constraint on
the distances of neighbours that is a part of its loss, and with a reconstruction loss of its own.
Both run in both directions, A-H to A-B-H and B-H to B-A-H. POSCAR in, POSCAR out. The battery's
twin joins the oxides A-O and B-O.

Changed, and why:
- One pair of generators for all metals and both anions instead of one for each system: the paper
  has 35 binaries of two metals, here are some hundreds of forty.
- A union of both cells' atoms, in a cell as large as both, is what a generator moves, instead of an
  array with placeholders that it fills: the composition is then the sum of both binaries, and of
  balanced ones balanced. The networks know neither orientation nor the order of atoms (CSPNet,
  with a push along the lines to near neighbours, since its waves know no distances).
- A critic sees the surroundings of each atom, as counts of metals and anions over distance, and
  compares them with those of the same atom in its binary: that is the feature which is transferred.
  It learns by the Wasserstein distance with gradient penalty (Gulrajani et al., arXiv 1704.00028).
- Limits of distances are in sums of covalent radii, and come from the binaries that are learnt
  from, instead of 1.8 to 3 Å for all. The second generator is used three times in turn.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import count
from typing import Any

import numpy as np
import torch

from genbat.core.candidate import Candidate, Verdict
from genbat.core.condition import Condition
from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.contacts import contacts
from genbat.domains.crystals.export import poscar_text
from genbat.domains.crystals.reading_poscar import read_poscar
from genbat.domains.crystals.structure import (
    cell_of,
    from_text,
    judge,
    primitive,
    reduced_formula,
    to_text,
)
from genbat.domains.crystals.wishes import read_wishes
from genbat.systems.base import Progress, SystemCard, Trained, at_least_one, counted
from genbat.systems.crystal_corpus import cells_of
from genbat.systems.crystalgan_asked import ELEMENTS, NAMED, Ends, Known, choices, metals
from genbat.systems.crystalgan_network import Config, Generator
from genbat.systems.crystalgan_pairs import (
    ANIONS_OF,
    JITTER,
    METALS,
    SITES,
    Stock,
    ends_of,
    pairs_of,
)

NAME = "crystalgan"
BLOCK = 32  # unions moved side by side, always so many: a row's sums then never change
LEGAL_TARGETS: tuple[str, ...] = ()
STAGES = ("ternary", "pseudo", "union")  # what can be asked for; the latter two are measured beside


def make_card(parameters: int = 0) -> SystemCard:
    """What the app says about this system."""
    return SystemCard(
        name=NAME,
        domain="crystals",
        family="GAN",
        title="CrystalGAN",
        paper="Nouira et al., AAAI-MAKE 2019, arXiv 1810.11203",
        capabilities=("sample",),
        trained_on="binary hydrides and oxides of GenBat's crystals relaxed with CHGNet, and of "
        "Materials Project structures (CC BY 4.0)",
        licence="MIT",
        parameters=parameters,
        scope="hydrides and oxides of two metals",
    )


class CrystalGAN(Trained[Config, Generator]):
    """The trained system."""

    config_type, network_type = Config, Generator
    describe = staticmethod(make_card)
    honours_wishes = True

    def sample(
        self,
        n: int,
        *,
        condition: Condition | None = None,
        seed: int = 0,
        stage: str = "ternary",
        stock: Stock | None = None,
        progress: Progress | None = None,
    ) -> Iterator[Candidate]:
        """n ternaries, unrelaxed; a longer sample starts with the shorter one.

        The wish `binaries` names the two that are joined ("Li-O, Co-O"), `system` their elements
        ("Li-Co-O"); without, any two known ones of different metals are, of the elements that
        `require`, `allow` and `forbid` leave.

        Parameters
        ----------
        stage : "pseudo" for what the first step makes, "union" for both binaries laid into one
            cell.
        stock : the binaries that are known, if not those of the training.

        Raises
        ------
        ValueError : n below 1, an unknown stage, or a wish this system cannot honour.
        """
        at_least_one(n)
        if stage not in STAGES:
            raise ValueError(f"stage: got {stage!r}; legal are {', '.join(STAGES)}")
        asked = condition or Condition()
        stock = self.network.stock if stock is None else stock
        pairs = choices(asked, stock.by_metal())
        made = (
            self._candidate(cell, seed, first + k, asked, joined)
            for first in count(0, BLOCK)
            for k, (cell, joined) in enumerate(self._block(stock, pairs, seed, first, stage))
        )
        yield from counted(made, n, "crystals", progress)

    def join(self, one: Cell, two: Cell, n: int, *, seed: int = 0) -> list[Candidate]:
        """n ternaries of two binaries of one's own.

        Raises
        ------
        ValueError : n below 1, a crystal that is no hydride or oxide of one metal with at most
            SITES atoms, or two of different anions or of one metal.
        """
        at_least_one(n)
        small = [primitive(cell) for cell in (one, two)]
        ends = [_ends("first", small[0]), _ends("second", small[1])]
        if ends[0][1] != ends[1][1]:
            raise ValueError("binaries: a hydride and an oxide; legal are two of one anion")
        if ends[0][0] == ends[1][0]:
            raise ValueError("binaries: both of one metal; legal are two of different metals")
        out: list[Candidate] = []
        own = Stock.of(small)
        for first in range(0, n, BLOCK):
            rows = [(0, 1)] * BLOCK
            for k, cell in enumerate(self._moved(own, rows, seed, first, "ternary"), first):
                out.append(self._candidate(cell, seed, k, Condition(), tuple(small)))
        return out[:n]

    def join_texts(self, one: str, two: str, n: int, *, seed: int = 0) -> list[Candidate]:
        """As `join`, of CIFs; with these as parents the candidates can be made again."""
        made = self.join(from_text(one), from_text(two), n, seed=seed)
        story = [replace(c.provenance, action="join", parents=(one, two)) for c in made]
        return [replace(c, provenance=s) for c, s in zip(made, story, strict=True)]

    def join_poscars(self, one: str, two: str, n: int, *, seed: int = 0) -> list[str]:
        """As `join`, from and to POSCARs."""
        cells = [cell_of(read_poscar(text)) for text in (one, two)]
        made = self.join(cells[0], cells[1], n, seed=seed)
        return [poscar_text(from_text(candidate.text)) for candidate in made]

    # ------------------------------------------------------------------ what is asked
    def honoured(self, wishes: Mapping[str, Any]) -> dict[str, Any]:
        """The binaries, and elements, also those of a formula."""
        kept = {key: wishes[key] for key in (*NAMED, *ELEMENTS) if key in wishes}
        if wishes.get("formula") and not kept.keys() & set(NAMED):
            asked = Condition(wishes={"formula": wishes["formula"]})
            kept["system"] = sorted(read_wishes(asked).formula)
        return kept

    @cached_property
    def known(self) -> Known:
        """Anion -> metal -> rows of its binaries in the stock."""
        return self.network.stock.by_metal()

    def metals(self, anion: str) -> list[str]:
        """Symbols of the metals whose binaries with an anion are known, for a page to offer."""
        return metals(self.known, anion)

    # ------------------------------------------------------------------ how it is made
    def _block(
        self, stock: Stock, pairs: Sequence[Ends], seed: int, first: int, stage: str
    ) -> list[tuple[Cell, tuple[Cell, ...]]]:
        rows = []
        for k in range(BLOCK):
            rng = np.random.default_rng((seed, first + k))
            ends = pairs[int(rng.integers(len(pairs)))]
            rows.append((int(rng.choice(ends.one)), int(rng.choice(ends.two))))
        made = self._moved(stock, rows, seed, first, stage)
        joined = [(stock.cell(one), stock.cell(two)) for one, two in rows]
        return list(zip(made, joined, strict=True))

    @torch.inference_mode()
    def _moved(
        self, stock: Stock, rows: Sequence[tuple[int, int]], seed: int, first: int, stage: str
    ) -> list[Cell]:
        # Each union has random numbers of its own.
        rngs = [np.random.default_rng((seed, first + k, 1)) for k in range(len(rows))]
        generators = [torch.Generator().manual_seed(int(r.integers(2**62))) for r in rngs]
        one, two = torch.tensor(rows).T
        scale = self.config.scale
        jitter = JITTER if stage != "union" else 0.0  # naive mixing leaves atoms where they are
        ends = stock.crystals(one, scale), stock.crystals(two, scale)
        x = pairs_of(*ends, generators, jitter).union
        if stage != "union":
            x = self.network.pseudo(x)
        if stage == "ternary":
            x = self.network.ternary(x)
        return cells_of(x, scale)

    def _candidate(
        self, cell: Cell, seed: int, index: int, condition: Condition, joined: tuple[Cell, ...]
    ) -> Candidate:
        """A candidate with its binaries' formulas in its story; one that breaks the limits of
        distances is not valid."""
        verdict = judge(cell)
        if verdict.ok and not self.keeps(cell):
            verdict = Verdict(False, ("has neighbours other than binaries usually have",))
        story = {"index": index, "binaries": [reduced_formula(c) for c in joined]}
        return self.made(to_text(cell), verdict, seed, story, condition=condition)

    def keeps(self, cell: Cell) -> bool:
        """Whether a hydride or oxide keeps the geometric constraint."""
        anion = next((z for z in ANIONS_OF if z in cell.numbers), 0)
        limits = self.config.limits(anion) if anion else None
        return limits is not None and limits.hold(contacts(cell, anion))


def _ends(which: str, cell: Cell) -> tuple[int, int]:
    found = ends_of(cell)
    if found is None:
        raise ValueError(f"{which} binary: legal are a metal and H or O, at most {SITES} atoms in "
                         f"the primitive cell and {METALS} of the metal")  # fmt: skip
    return found
