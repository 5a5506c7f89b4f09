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
- In a quarter of the training, types are shown throughout: the same network then completes a given
  formula, which makes exact formulas exact by construction.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
import torch
from pymatgen.core import Element
from torch import Tensor

from genbat.core.candidate import Candidate, Verdict
from genbat.core.condition import Condition, Window
from genbat.core.provenance import Provenance, versions
from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.moulds import Mould
from genbat.domains.crystals.structure import judge, to_text
from genbat.domains.crystals.wishes import Wishes, read_wishes
from genbat.families.crystal_net import Crystals
from genbat.systems.base import Progress, SystemCard, Trained
from genbat.systems.crystal_corpus import TARGETS, cells_of
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
from genbat.systems.mattergen_moulds import Cast

NAME = "mattergen"
BATCH = 64
LEGAL_TARGETS = TARGETS
MIDDLE = 0.25  # of a spread: how far inside a half-open window the target is set


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
        space group too, steer by adapters and guidance.

        Raises
        ------
        ValueError : n below 1, or a wish this system cannot honour.
        """
        if n < 1:
            raise ValueError(f"n: got {n}; at least 1 candidate must be asked for")
        asked = condition or Condition()
        wishes = read_wishes(asked)
        self._check(asked)
        for first in range(0, n, BATCH):
            cells = self._block(wishes, asked, seed, first, plan or Plan())
            for k, cell in enumerate(cells[: n - first]):
                if progress:
                    progress((first + k + 1) / n, f"{first + k + 1} of {n} crystals")
                yield self._candidate(cell, seed, first + k, asked)

    def _check(self, condition: Condition) -> None:
        if strange := sorted(set(condition.windows) - set(TARGETS)):
            raise ValueError(f"{NAME}: cannot aim at {strange}; legal are {list(TARGETS)}")
        for name in self._steering(condition, read_wishes(condition)):
            if name not in self.config.adapters:
                raise ValueError(f"{NAME}: has no trained adapter for {name}")

    @staticmethod
    def _steering(condition: Condition, wishes: Wishes) -> list[str]:
        """Adapters that a condition needs."""
        return [*condition.windows, *(["space_group"] if len(wishes.groups) == 1 else [])]

    def _block(
        self, wishes: Wishes, condition: Condition, seed: int, first: int, plan: Plan
    ) -> list[Cell]:
        # One stream a block, always decoded whole, so that the same seed gives the same crystals.
        rng = np.random.default_rng((seed, first))
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        chosen = self.network.moulds.choose(
            wishes, round(BATCH / plan.kept), rng, self._frequency, symmetric=plan.symmetric
        )
        order = np.argsort([mould.size for mould, _ in chosen], kind="stable")
        made: dict[int, tuple[float, Cell]] = {}
        for part in np.array_split(order, 4 * plan.tries):  # like sizes together: less padding
            picked = [chosen[k] for k in part]
            best = self._cast(picked, wishes, condition, plan, generator)
            made |= dict(zip(part.tolist(), best, strict=True))
        least = sorted(made, key=lambda k: made[k][0])[:BATCH]
        return [made[k][1] for k in sorted(least)]

    def _cast(
        self,
        chosen: Sequence[tuple[Mould, list[str] | None]],
        wishes: Wishes,
        condition: Condition,
        plan: Plan,
        generator: torch.Generator,
    ) -> list[tuple[float, Cell]]:
        """One crystal a mould, with how much the network doubts it: of `plan.tries` the one that it
        doubts least; what breaks the domain's limits it doubts without end."""
        many = [*chosen] * plan.tries
        cast = Cast([mould for mould, _ in many], self.config.scale)
        start = with_elements(blank(cast, generator), [names for _, names in many])
        made = denoise(
            self.network, start, plan, generator, cast=cast,
            hints=self._hints(condition, wishes, len(many)),
            allowed=_allowed(wishes).expand(len(many), -1), required=_numbers(wishes.require),
        )  # fmt: skip
        cells = cells_of(made, self.config.scale)
        if plan.tries == 1 and plan.kept == 1.0:
            return [(0.0, cell) for cell in cells]
        doubts = doubt(self.network, made, generator).tolist()
        known = [d if judge(c).ok else math.inf for d, c in zip(doubts, cells, strict=True)]
        n = len(chosen)
        best = [min(range(k, len(many), n), key=known.__getitem__) for k in range(n)]
        return [(known[k], cells[k]) for k in best]

    def _frequency(self, size: int) -> int:
        return self.config.sizes[size] if size < len(self.config.sizes) else 0

    def _hints(self, condition: Condition, wishes: Wishes, count: int) -> Tensor | None:
        found = []
        for name, window in condition.windows.items():
            t = TARGETS.index(name)
            value = (self.aim(name, window) - self.config.mean[t]) / self.config.spread[t]
            found.append(self.network.adapters[name](number_waves(torch.full((count,), value))))
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

    def aim(self, name: str, window: Window) -> float:
        """The value asked of the adapter: a window's middle, or just inside an open one."""
        step = MIDDLE * self.config.spread[TARGETS.index(name)]
        if math.isinf(window.low):
            return window.high - step
        return window.low + step if math.isinf(window.high) else (window.low + window.high) / 2

    def _candidate(self, cell: Cell, seed: int, index: int, condition: Condition) -> Candidate:
        source = Provenance(
            system=NAME,
            action="sample",
            weights=self.weights,
            seed=seed,
            arguments={"index": index},
            condition=condition.to_json(),
            versions=versions(),
        )
        verdict = judge(cell)
        if verdict.ok and (reasons := read_wishes(condition).unmet(cell)):
            verdict = Verdict(False, tuple(reasons))
        return Candidate(to_text(cell), self.card.domain, verdict, source)

    @cached_property
    def training_range(self) -> dict[str, tuple[float, float]]:
        """Mean +- 3 standard deviations of every target in training, in its unit."""
        rows = zip(TARGETS, self.config.mean, self.config.spread, strict=True)
        return {key: (mean - 3 * spread, mean + 3 * spread) for key, mean, spread in rows}


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
