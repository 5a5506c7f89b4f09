"""unimat: Yang et al., "Scalable diffusion for materials generation", ICLR 2024 (arXiv 2311.09235).

Kept from the paper: a crystal is a tensor on the periodic table, periods by groups by atoms of an
element by three fractional coordinates, with a null location (-1, -1, -1) where there is no atom,
and the cell beside it; all of it is noised with normal noise and denoised at once by convolutions
that hear neighbouring elements, interleaved with attention over all periods and groups; which
elements there are is decided by the diffusion itself; samples by DDIM (Song et al., arXiv
2010.02502). A chosen composition is kept by leaving only its numbers of atoms possible.

Changed, and why:
- Seven rows instead of nine (those of the domain's elements, the lanthanides last) and ten atoms an
  element. Six layers of 96 channels instead of a U-Net in three dimensions: the atoms of an element
  are channels of its place, since an axis of its own costs ten times as much.
- The network says the number of atoms of each element and where each would be. Both together are
  the expected tensor, which DDIM needs; but cross entropy learns the rare elements of a sparse
  tensor far sooner than squared errors do. Guesses are in units of what the noise leaves open
  (Karras et al., arXiv 2206.00364), velocities for the cell, with the cosine schedule.
- Coordinates are stretched threefold before the noise, so that the time is spent evenly on which
  elements there are and on where the atoms are.
- One setting of each crystal (`domains/crystals/setting.py`) instead of random shifts, rotations
  and orders of atoms: these are a thousand times the data, which an hour cannot show.
- The cell is the six numbers of its symmetric part's logarithm (codec), freed of the number of
  atoms, instead of lengths and angles: any six numbers are a cell.
- No guidance: the only wishes are elements and formulas, which are kept exactly.
- How many elements a crystal has is drawn as often as the training has it, where no wish says it.
  What has another number, or is no crystal, is denoised anew from other noise, at most five times:
  an hour's network forgets every fifth element. `UniMat.bare_plan` makes each once and is measured
  beside.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
import torch
from torch import Tensor

from genbat.core.candidate import Candidate
from genbat.core.condition import Condition
from genbat.domains.crystals import codec, periodic
from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.structure import judge, to_text
from genbat.domains.crystals.wishes import Wishes, read_wishes
from genbat.systems.again import FAR, until_legal
from genbat.systems.base import Progress, SystemCard, Trained, at_least_one, counted
from genbat.systems.unimat_network import NULL, STRETCH, Config, Network, Plan, State, denoise
from genbat.systems.unimat_table import PLACE_OF, PLACES, SLOTS, numbers_and_fractions

NAME = "unimat"
BLOCK = 16  # crystals denoised side by side, always so many: a row's sums then never change
LEGAL_TARGETS: tuple[str, ...] = ()
UNKNOWN = ("space_group", "crystal_system", "not_p1")  # wishes that nothing here could keep


def make_card(parameters: int = 0) -> SystemCard:
    """What the app says about this system."""
    return SystemCard(
        name=NAME,
        domain="crystals",
        family="diffusion",
        title="UniMat",
        paper="Yang et al., ICLR 2024, arXiv 2311.09235",
        capabilities=("sample",),
        trained_on="GenBat's crystals relaxed with CHGNet, and Materials Project structures "
        "(CC BY 4.0) of at most 20 atoms",
        licence="MIT",
        parameters=parameters,
    )


@dataclass(frozen=True)
class Frame:
    """One crystal on its way from noise.

    Attributes
    ----------
    time : 1 is noise, 0 the crystal.
    tensor : the noisy coordinates (PLACES, SLOTS, 3); null is -1.
    atoms : expected number of atoms of each element (PLACES,); `unimat_table.NUMBERS` names them,
        `unimat_table.on_grid` lays them out as the periodic table.
    cell : the crystal that the network sees in it.
    """

    time: float
    tensor: np.ndarray
    atoms: np.ndarray
    cell: Cell


@dataclass(frozen=True)
class Made:
    """A crystal, the turn that made it, and how many elements it should have, 0 for any."""

    cell: Cell
    turn: int
    kinds: int

    @property
    def legal(self) -> bool:
        """Whether it is a crystal of the domain with so many elements."""
        own = len(set(self.cell.numbers.tolist()))
        return own == (self.kinds or own) and judge(self.cell).ok


Watch = Callable[[int, Sequence[int], State], None]  # a turn, its rows, a state on their way


class UniMat(Trained[Config, Network]):
    """The trained system."""

    config_type, network_type = Config, Network
    bare_plan = Plan(tries=1)  # the network alone, to be measured beside
    describe = staticmethod(make_card)
    honours_wishes = True

    def sample(
        self,
        n: int,
        *,
        condition: Condition | None = None,
        seed: int = 0,
        plan: Plan | None = None,
        progress: Progress | None = None,
    ) -> Iterator[Candidate]:
        """n crystals, unrelaxed; a longer sample starts with the shorter one.

        Formulas (with a number of atoms, too) and elements are kept exactly, by leaving only the
        numbers of atoms possible that they allow.

        Raises
        ------
        ValueError : n below 1, or a wish this system cannot honour.
        """
        at_least_one(n)
        asked = condition or Condition()
        wishes = self._wishes(asked)
        made = (
            self.candidate(one.cell, seed, first + k, asked)
            for first in count(0, BLOCK)
            for k, one in enumerate(self._block(wishes, seed, first, plan or Plan()))
        )
        yield from counted(made, n, "crystals", progress)

    def frames(
        self,
        count: int = 8,
        *,
        index: int = 0,
        condition: Condition | None = None,
        seed: int = 0,
        plan: Plan | None = None,
    ) -> list[Frame]:
        """The way from noise to the crystal that `sample` gives at this index, in some even steps,
        both ends counted.

        Raises
        ------
        ValueError : a count below 2 or above the plan's steps and one, an index below 0, or a wish
            this system cannot honour.
        """
        how = plan or Plan()
        if not 2 <= count <= how.steps + 1:
            raise ValueError(f"count: got {count}; legal are 2 to {how.steps + 1} frames")
        if index < 0:
            raise ValueError(f"index: got {index}; it must not be below 0")
        wishes, row = self._wishes(condition or Condition()), index % BLOCK
        ways: dict[int, list[Frame]] = defaultdict(list)

        def watch(turn: int, rows: Sequence[int], state: State) -> None:
            if row in rows:
                ways[turn].append(self._frame(state, list(rows).index(row)))

        made = self._block(wishes, seed, index - row, how, watch)
        shown = np.linspace(0, how.steps, count).round().astype(int)
        return [ways[made[row].turn][k] for k in shown]

    def honoured(self, wishes: Mapping[str, Any]) -> dict[str, Any]:
        """Formula and elements; a number of atoms with a formula only."""
        kept = {key: value for key, value in wishes.items() if key not in UNKNOWN}
        if not kept.get("formula"):
            kept.pop("atoms", None)
        return kept

    # ------------------------------------------------------------------ the way
    def _wishes(self, condition: Condition) -> Wishes:
        if condition.windows:
            raise ValueError(f"{NAME}: cannot aim at {sorted(condition.windows)}; ask mattergen")
        wishes = read_wishes(condition)
        strange = [name for name in UNKNOWN if condition.wishes.get(name)]
        if "atoms" in condition.wishes and not wishes.formula:
            strange.append("atoms without a formula")
        if strange:
            raise ValueError(f"{NAME}: cannot honour {', '.join(strange)}; ask mattergen")
        if wishes.formula and not self._sizes(wishes):
            raise ValueError(f"formula: has over {SLOTS} atoms of an element in every cell; ask "
                             "mattergen")  # fmt: skip
        return wishes

    def _sizes(self, wishes: Wishes) -> dict[int, float]:
        """Numbers of atoms that a cell of the formula may have, each as likely as in training; all
        alike where no training crystal has such a number."""
        unit, most = sum(wishes.formula.values()), max(wishes.formula.values())
        legal = [n for n in wishes.sizes() if n // unit * most <= SLOTS]
        known = {n: self.config.sizes[n] for n in legal if n < len(self.config.sizes)}
        total = sum(known.values())
        return {n: known.get(n, 0) / total if total else 1 / len(legal) for n in legal}

    def _allowed(self, wishes: Wishes, rng: np.random.Generator) -> Tensor:
        """Numbers of atoms that each element may have (PLACES, SLOTS + 1)."""
        allowed = torch.zeros(PLACES, SLOTS + 1, dtype=torch.bool)
        allowed[:, 0] = True
        names = {e.symbol: PLACE_OF[e.number] for e in periodic.rows()}
        if wishes.formula:
            sizes = self._sizes(wishes)
            atoms = rng.choice(list(sizes), p=list(sizes.values()))
            for element, n in wishes.formula.items():
                allowed[names[element]] = False
                allowed[names[element], n * int(atoms) // sum(wishes.formula.values())] = True
            return allowed
        for element in wishes.allow:
            allowed[names[element]] = True
        for element in wishes.require:
            allowed[names[element], 0] = False
        return allowed

    def _kinds(self, wishes: Wishes, seed: int, index: int) -> int:
        """How many elements a crystal should have, 0 where a formula says it."""
        low, high = max(1, len(wishes.require)), len(wishes.allow)
        often = np.array(self.config.kinds[low : high + 1], float)
        if wishes.formula or not often.sum():
            return 0
        chosen = np.random.default_rng((seed, index, 1)).choice(len(often), p=often / often.sum())
        return low + int(chosen)

    def _states(
        self, wishes: Wishes, seed: int, first: int, plan: Plan, turn: int, rows: Sequence[int]
    ) -> Iterator[State]:
        # Each crystal has random numbers of its own.
        rngs = [np.random.default_rng((seed, first + k + turn * FAR)) for k in rows]
        allowed = torch.stack([self._allowed(wishes, rng) for rng in rngs])
        seeds = [int(rng.integers(2**62)) for rng in rngs]
        generators = [torch.Generator().manual_seed(own) for own in seeds]
        return denoise(self.network, generators, plan, allowed)

    def _block(
        self, wishes: Wishes, seed: int, first: int, plan: Plan, watch: Watch | None = None
    ) -> list[Made]:
        """BLOCK crystals; what is not legal is denoised anew."""
        kinds = [self._kinds(wishes, seed, first + row) for row in range(BLOCK)]

        def make(turn: int, rows: Sequence[int]) -> list[Made]:
            for last in self._states(wishes, seed, first, plan, turn, rows):
                if watch:
                    watch(turn, rows, last)
            cells = [self._cell(last, k) for k in range(len(rows))]
            return [Made(c, turn, kinds[row]) for c, row in zip(cells, rows, strict=True)]

        return until_legal(make, lambda one: one, lambda one: one.legal, plan.tries, BLOCK)

    def _cell(self, state: State, row: int) -> Cell:
        """The crystal that the network sees in one row."""
        numbers, fractions = numbers_and_fractions(state.told()[row])
        sizes = torch.tensor([len(numbers)])
        stretch = self.config.scale.back(state.lattices[row : row + 1].clamp(-4.0, 4.0), sizes)
        lattice = codec.lattice_of(stretch[0].double().numpy())
        return Cell(numbers, fractions @ lattice, lattice)

    def _frame(self, state: State, row: int) -> Frame:
        noisy = state.noisy
        return Frame(
            float(noisy.time[row]),
            (noisy.points[row] / STRETCH + NULL).numpy(),
            state.chances[row].sum(-1).numpy(),
            self._cell(state, row),
        )

    def candidate(self, cell: Cell, seed: int, index: int, condition: Condition) -> Candidate:
        """What a sample has at an index whose way ends in a cell."""
        verdict = self._wishes(condition).verdict(cell)
        return self.made(to_text(cell), verdict, seed, {"index": index}, condition=condition)
