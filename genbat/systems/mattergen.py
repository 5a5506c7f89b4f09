"""mattergen: Zeni et al., Nature 2025, 639, 624, for battery crystals of at most 20 atoms.

Kept from the paper: one diffusion of everything a crystal is, each part with the noise that suits
it. Types are masked (absorbing discrete diffusion), fractional coordinates get wrapped normal
noise, the lattice drifts to a limit distribution whose mean volume follows the number of atoms.
The score network is pretrained on all crystals and then frozen; adapters, which begin as zero, are
trained on the crystals whose property is known, and classifier-free guidance strengthens them.

Changed, and why:
- CSPNet instead of GemNet-dQ: all pairs of a small cell with Fourier waves of their differences
  cost a tenth, and cells of at most 20 atoms need no cutoff. Scores are of fractional coordinates.
- The lattice is its symmetric part's logarithm (codec), which makes any six numbers a lattice and
  leaves orientation out; its diffusion is variance preserving in these numbers.
- 30 steps instead of 1,000: ancestral steps with one Langevin corrector, dense where a structure is
  decided. Logits of types are divided by 0.7.
- The symmetry of a sample, its space group with the sites that atoms take, is drawn first, as often
  as training crystals have it, and kept at every step (`mattergen_moulds`, after DiffCSP++): two
  hours on two cores teach distances and chemistry, but not to place atoms within hundredths of an
  ångström of a special position.
- Two crystals are cast in each mould and the one that the network itself doubts less is taken, and
  of the moulds the three fifths that it doubts least (`doubt`, a part of its loss): half of what it
  draws it knows to be wrong. `MatterGen.free_plan` samples without all this and is measured, too.
- For a property window, heads on the frozen network choose among the casts, too, and for a voltage
  each crystal is made to hold what an insertion host needs: adapters trained for minutes steer, but
  of what they steer a quarter is a host and half lies far off the window. Where to aim is measured
  with CHGNet once (`genbat build crystals:aims`), since a choice favours what the heads overrate.
- In a quarter of the training, types are shown throughout: the same network then completes a given
  formula, which makes exact formulas exact by construction.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import count

import numpy as np
import torch
from pymatgen.core import Element
from torch import Tensor

from genbat.core.candidate import Candidate, Verdict
from genbat.core.condition import Condition, Window
from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.hosts import HOST_PARTS
from genbat.domains.crystals.moulds import Mould
from genbat.domains.crystals.structure import judge, to_text
from genbat.domains.crystals.wishes import Wishes, read_wishes
from genbat.families.crystal_net import Crystals
from genbat.systems.base import Progress, SystemCard, Trained, at_least_one, counted
from genbat.systems.crystal_corpus import TARGETS, cells_of
from genbat.systems.heads import middle_of, ranges
from genbat.systems.mattergen_diffusion import (
    INPUTS,
    KINDS,
    Config,
    Network,
    Plan,
    blank,
    denoise,
    doubt,
    number_waves,
)
from genbat.systems.mattergen_heads import misfit
from genbat.systems.mattergen_moulds import Cast, choose

NAME = "mattergen"
BATCH = 64
LEGAL_TARGETS = TARGETS


def make_card(parameters: int = 0) -> SystemCard:
    """What the app says about this system."""
    return SystemCard(
        name=NAME,
        domain="crystals",
        family="diffusion",
        title="MatterGen",
        paper="Zeni et al., Nature 2025, 639, 624, doi:10.1038/s41586-025-08628-5",
        capabilities=("sample",),
        trained_on="GenBat's crystals relaxed with CHGNet, and Materials Project structures "
        "(CC BY 4.0) of at most 20 atoms",
        licence="MIT",
        parameters=parameters,
    )


@dataclass(frozen=True)
class Order:
    """What is asked of a sample: wishes, windows to aim at, plan, required sets of elements, and
    the moulds that fit."""

    wishes: Wishes
    aims: Mapping[str, Window]
    plan: Plan
    required: tuple[frozenset[int], ...]
    fitting: Sequence[tuple[Mould, float]]


class MatterGen(Trained[Config, Network]):
    """The trained system."""

    targets = TARGETS
    config_type, network_type = Config, Network
    free_plan = Plan(
        symmetric=False, tries=1, temperature=1.0
    )  # the paper's own sampler, to be measured beside
    describe = staticmethod(make_card)

    # ------------------------------------------------------------------ sampling
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

        Formula, elements (allowed and required) and number of atoms are kept exactly, by showing
        types or barring elements, and symmetry by the choice of moulds; properties, and a single
        space group too, steer by adapters and guidance, and by the choice of what the heads place
        nearest. Who asks for a voltage gets insertion hosts.

        Raises
        ------
        ValueError : n below 1, or a wish this system cannot honour.
        """
        at_least_one(n)
        asked = condition or Condition()
        order = self._order(asked, plan or Plan())
        made = (
            self._candidate(cell, seed, first + k, asked)
            for first in count(0, BATCH)
            for k, cell in enumerate(self._block(order, seed, first))
        )
        yield from counted(made, n, "crystals", progress)

    def _order(self, condition: Condition, plan: Plan) -> Order:
        """All of a sample that is the same for each of its blocks."""
        if strange := sorted(set(condition.windows) - set(TARGETS)):
            raise ValueError(f"{NAME}: cannot aim at {strange}; legal are {list(TARGETS)}")
        wishes = read_wishes(condition)
        for name in steering(condition, wishes):
            if name not in self.config.adapters:
                raise ValueError(f"{NAME}: has no trained adapter for {name}")
        required = required_of(wishes, condition)
        fitting = self.network.moulds.fitting(
            wishes, self._frequency, orbits=max(1, len(required)), symmetric=plan.symmetric
        )
        return Order(wishes, self._aims(condition.windows), plan, required, fitting)

    def _block(self, order: Order, seed: int, first: int) -> list[Cell]:
        # One stream a block, always decoded whole, so that the same seed gives the same crystals.
        rng, plan = np.random.default_rng((seed, first)), order.plan
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        chosen = choose(order.fitting, round(BATCH / plan.kept), order.wishes, rng)
        sizes = np.argsort([mould.size for mould, _ in chosen], kind="stable")
        made: dict[int, tuple[float, Cell]] = {}
        for part in np.array_split(sizes, 4 * plan.tries):  # like sizes together: less padding
            best = self._cast([chosen[k] for k in part], order, generator)
            made |= dict(zip(part.tolist(), best, strict=True))
        least = sorted(made, key=lambda k: made[k][0])[:BATCH]
        return [made[k][1] for k in sorted(least)]

    def _cast(
        self,
        chosen: Sequence[tuple[Mould, list[str] | None]],
        order: Order,
        generator: torch.Generator,
    ) -> list[tuple[float, Cell]]:
        """One crystal a mould, with how unfit it seems: of `plan.tries` the least unfit one."""
        many, wishes, plan = [*chosen] * order.plan.tries, order.wishes, order.plan
        cast = Cast([mould for mould, _ in many], self.config.scale)
        start = with_elements(blank(cast, generator), [names for _, names in many])
        made = denoise(
            self.network, start, plan, generator, cast=cast,
            hints=self._hints(order, len(many)),
            allowed=_allowed(wishes).expand(len(many), -1), required=order.required,
        )  # fmt: skip
        cells = cells_of(made, self.config.scale)
        if plan.tries == 1 and plan.kept == 1.0:
            return [(0.0, cell) for cell in cells]
        unfit = self._unfit(made, cells, order, generator)
        n = len(chosen)
        best = [min(range(k, len(many), n), key=unfit.__getitem__) for k in range(n)]
        return [(unfit[k], cells[k]) for k in best]

    def _unfit(
        self, made: Crystals, cells: Sequence[Cell], order: Order, generator: torch.Generator
    ) -> list[float]:
        """How much the network doubts crystals, and how far outside the windows its heads place
        them; without end what breaks the domain's limits."""
        doubts = doubt(self.network, made, generator)
        if order.aims:
            with torch.inference_mode():
                found = self.network.heads(self.network.heads.features(self.network.net, made))
            doubts = doubts + order.plan.choosy * misfit(found, order.aims)
        return [d if judge(c).ok else math.inf for d, c in zip(doubts.tolist(), cells, strict=True)]

    def _aims(self, windows: Mapping[str, Window]) -> dict[str, Window]:
        """Windows in the heads' unit, moved to what has to be aimed at (`Heads.aim`)."""
        out = {}
        for name, window in windows.items():
            place = TARGETS.index(name)
            mean, spread = self.config.mean[place], self.config.spread[place]
            ends = ((end - mean) / spread for end in (window.low, window.high))
            out[name] = Window(
                *(e if math.isinf(e) else self.network.heads.aim(name, e) for e in ends)
            )
        return out

    def _frequency(self, size: int) -> int:
        return self.config.sizes[size] if size < len(self.config.sizes) else 0

    def _hints(self, order: Order, count: int) -> Tensor | None:
        wishes, adapters, found = order.wishes, self.network.adapters, []
        for name, window in order.aims.items():
            aim = torch.full((count,), middle_of(window))
            found.append(adapters[name](number_waves(aim)))
        if len(wishes.groups) == 1:
            found.append(self._marks("space_group", list(wishes.groups), count))
        if wishes.require == wishes.allow and "elements" in self.config.adapters:
            found.append(self._marks("elements", _numbers(wishes.require), count))
        return torch.stack(found).sum(0) if found else None

    def _marks(self, name: str, places: list[int], count: int) -> Tensor:
        """What an adapter makes of ones at some places, for `count` crystals alike."""
        wish = torch.zeros(count, INPUTS[name])
        wish[:, places] = 1.0
        return self.network.adapters[name](wish)

    def _candidate(self, cell: Cell, seed: int, index: int, condition: Condition) -> Candidate:
        verdict = judge(cell)
        if verdict.ok and (reasons := read_wishes(condition).unmet(cell)):
            verdict = Verdict(False, tuple(reasons))
        return self.made(to_text(cell), verdict, seed, {"index": index}, condition=condition)

    @cached_property
    def training_range(self) -> dict[str, tuple[float, float]]:
        """Mean +- 3 standard deviations of every target in training, in its unit."""
        return ranges(TARGETS, (self.config.mean, self.config.spread))


def steering(condition: Condition, wishes: Wishes) -> list[str]:
    """Adapters that a condition needs."""
    return [*condition.windows, *(["space_group"] if len(wishes.groups) == 1 else [])]


def required_of(wishes: Wishes, condition: Condition) -> tuple[frozenset[int], ...]:
    """Sets of elements of each of which a crystal must hold one: those required, and for a voltage
    what makes an insertion host.

    Raises
    ------
    ValueError : a voltage is asked for, but no element is allowed that could give one.
    """
    needed = [frozenset([element]) for element in sorted(wishes.require)]
    for what, elements in (HOST_PARTS if "voltage_v" in condition.windows else {}).items():
        if not (legal := elements & wishes.allow):
            raise ValueError(f"voltage_v: a host needs {what}; allow one of {sorted(elements)}")
        if not wishes.formula and not legal & wishes.require:
            needed.append(legal)
    return tuple(frozenset(_numbers(one)) for one in needed)


def with_elements(start: Crystals, names: Sequence[list[str] | None]) -> Crystals:
    """Noise whose atoms have types where elements are given for a crystal."""
    kinds = start.kinds.clone()
    for k, own in enumerate(names):
        if own is not None:
            kinds[k, : len(own)] = torch.tensor([Element(e).Z for e in own])
    return replace(start, kinds=kinds)


def _allowed(wishes: Wishes) -> Tensor:
    allowed = torch.zeros(1, KINDS, dtype=torch.bool)
    allowed[0, _numbers(wishes.allow)] = True
    return allowed


def _numbers(elements: Iterable[str]) -> list[int]:
    return sorted(Element(e).Z for e in elements)
