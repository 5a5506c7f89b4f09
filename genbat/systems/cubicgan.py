"""cubicgan: Zhao et al., Adv. Sci. 2021, 8, 2100566 (CubicGAN), for battery crystals.

Kept from the paper: a generator is told a space group and three elements, by their embeddings, and
makes of them and of noise the cell edge and a base atom of each element; a Wasserstein critic with
gradient penalty sees the same labels. Base atoms lie on special positions, and the space group's
operations make the whole crystal of them. Candidates are screened for neutral charges.

Changed, and why:
- Trained on the cubic ternary crystals of GenBat's set and of Materials Project with one base atom
  of each element, some thousands in nine space groups, instead of OQMD's 375,749 in three.
- Coordinates are points on circles, so that 0 and 1 are one place, and are put on the nearest of
  the Wyckoff positions that the training has in the group, instead of rounded to quarters: spinels
  and K2PtCl6 with their free coordinate can be made, too.
- The edge is learnt relative to that of touching covalent spheres, as a logarithm: what is left to
  learn is how far a structure is from it.
- Embeddings of elements are learnt, not read from a table of 23 properties. Elements stand in the
  order of electronegativity, and of origins that are as good one is always chosen.
- What is no crystal, breaks the domain's limits, is not neutral where elements were not asked for,
  or is not what was asked is made anew from other noise, at most eleven times;
  `CubicGAN.bare_plan` makes each once and is measured beside. A quarter of a million parameters.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count

import numpy as np
import torch
from torch import Tensor

from genbat.core.candidate import Candidate
from genbat.core.condition import Condition
from genbat.domains.crystals.measures import smact_valid
from genbat.domains.crystals.symmetric import Symmetric
from genbat.domains.crystals.wishes import Wishes, read_wishes
from genbat.systems.again import until_legal
from genbat.systems.base import (
    Progress,
    SystemCard,
    Trained,
    at_least_one,
    counted,
)
from genbat.systems.by_symmetry import Tried, tried
from genbat.systems.cubicgan_network import ATOMS, Asked, Config, Generator, crystals_of

NAME = "cubicgan"
BLOCK = 64  # crystals made side by side, always so many: a row's sums then never change
LEGAL_TARGETS: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """How often a crystal may be made at the most until it is what was asked, and whether charges
    must balance."""

    tries: int = 12
    neutral: bool = True


@dataclass(frozen=True)
class Order:
    """What is asked: wishes, numbers of legal groups and elements in the config, and elements (in
    the order of a crystal) where all three are given."""

    wishes: Wishes
    groups: tuple[int, ...]
    elements: tuple[int, ...]
    given: tuple[int, ...]
    required: frozenset[int]
    plan: Plan


def make_card(parameters: int = 0) -> SystemCard:
    """What the app says about this system."""
    return SystemCard(
        name=NAME,
        domain="crystals",
        family="GAN",
        title="CubicGAN",
        paper="Zhao et al., Adv. Sci. 2021, 8, 2100566, doi:10.1002/advs.202100566",
        capabilities=("sample",),
        trained_on="cubic ternary crystals of GenBat's set, relaxed with CHGNet, and of Materials "
        "Project (CC BY 4.0)",
        licence="MIT",
        parameters=parameters,
        scope="cubic crystals of three elements",
    )


class CubicGAN(Trained[Config, Generator]):
    """The trained system."""

    targets: tuple[str, ...] = ()
    config_type, network_type = Config, Generator
    describe = staticmethod(make_card)
    takes_windows = False
    honours_wishes = True
    bare_plan = Plan(tries=1, neutral=False)  # the generator alone, to be measured beside

    def sample(
        self,
        n: int,
        *,
        condition: Condition | None = None,
        seed: int = 0,
        plan: Plan | None = None,
        progress: Progress | None = None,
    ) -> Iterator[Candidate]:
        """n cubic crystals of three elements, unrelaxed; a longer sample starts with the shorter
        one.

        Space group and elements (also as the wish "elements") are told to the generator; a formula
        or a number of atoms is sought among what it makes. What is left open is drawn as often as
        the training has it.

        Raises
        ------
        ValueError : n below 1, a property window, or a wish this system cannot honour.
        """
        at_least_one(n)
        asked = condition or Condition()
        order = self.order(asked, plan or Plan())
        made = (
            self.made(one.text, one.verdict, seed, {"index": first + k}, condition=asked)
            for first in count(0, BLOCK)
            for k, one in enumerate(self._block(order, seed, first))
        )
        yield from counted(made, n, "crystals", progress)

    def order(self, condition: Condition, plan: Plan) -> Order:
        """What a condition asks of the generator.

        Raises
        ------
        ValueError : a property window; a space group that was not learnt; elements that are not
            three, or that no training crystal has.
        """
        if condition.windows:
            raise ValueError(f"{NAME}: cannot aim at {sorted(condition.windows)}; it takes space "
                             "group and elements; ask mattergen")  # fmt: skip
        wishes = read_wishes(with_system(condition))
        own = self.config
        groups = [g for g in own.groups if not wishes.groups or g in wishes.groups]
        if not groups:
            raise ValueError(f"space_group: none of those asked for was learnt; legal are "
                             f"{', '.join(map(str, own.groups))}")  # fmt: skip
        return Order(wishes, tuple(own.groups.index(g) for g in groups),
                     *self._elements(wishes), plan)  # fmt: skip

    def _elements(self, wishes: Wishes) -> tuple[tuple[int, ...], tuple[int, ...], frozenset[int]]:
        """Legal elements, the three where they are given, and those required."""
        known = self.config.elements
        if strange := sorted(wishes.require - set(known)):
            raise ValueError(f"elements: no training crystal holds {', '.join(strange)}; legal are "
                             f"{', '.join(known)}")  # fmt: skip
        legal = tuple(k for k, e in enumerate(known) if e in wishes.allow)
        exact = len(legal) == ATOMS or wishes.require == wishes.allow
        if len(wishes.require) > ATOMS or len(legal) < ATOMS:
            raise ValueError(f"elements: got {len(legal)} that may and {len(wishes.require)} that "
                             f"must be in a crystal; {NAME} makes crystals of three")  # fmt: skip
        required = frozenset(known.index(e) for e in wishes.require)
        return legal, legal if exact else (), required

    # ------------------------------------------------------------------ making
    def _block(self, order: Order, seed: int, first: int) -> list[Tried]:
        """BLOCK crystals; what is not legal is made anew, with other elements where they are
        open."""

        def finish(crystal: Symmetric) -> Tried:
            return tried(lambda: crystal, order.wishes, str(crystal))

        make = partial(self.make, order, seed, first)
        return until_legal(make, finish, partial(_is_legal, order), order.plan.tries, BLOCK)

    def make(
        self,
        order: Order,
        seed: int,
        first: int,
        turn: int = 0,
        rows: Sequence[int] = range(BLOCK),
    ) -> list[Symmetric]:
        """The `rows` of a block that begins with crystal `first`, each of its own random
        numbers."""
        noise, groups, elements = [], [], []
        for k in rows:
            rng = np.random.default_rng((seed, turn, first + k))
            noise.append(rng.standard_normal(self.config.noise))
            group, own = self._drawn(order, rng)
            groups.append(group)
            elements.append(own)
        asked = Asked(torch.tensor(groups), torch.tensor(elements))
        with torch.inference_mode():
            made: Tensor = self.network(torch.tensor(np.array(noise)).float(), asked)
        return crystals_of(made, asked, self.config)

    def _drawn(self, order: Order, rng: np.random.Generator) -> tuple[int, list[int]]:
        """A group and three elements, as asked or as often as the training has them."""
        often = self.network.often.numpy()
        chances = often[list(order.groups), 0].sum(1).astype(float)
        group = int(rng.choice(order.groups, p=chances / chances.sum()))
        if order.given:
            return group, list(order.given)
        taken = set(order.required)
        while len(taken) < ATOMS:
            place = int(rng.integers(ATOMS))
            weight = np.zeros(len(self.config.elements))
            free = [k for k in order.elements if k not in taken]
            weight[free] = often[group, place][free] + 1e-3
            taken.add(int(rng.choice(len(weight), p=weight / weight.sum())))
        return group, sorted(taken)  # numbers rise with electronegativity


def with_system(condition: Condition) -> Condition:
    """A condition in which the wish "elements" is called as the domain calls it, "system"."""
    wishes = dict(condition.wishes)
    if "elements" in wishes:
        wishes["system"] = wishes.pop("elements")
    return Condition(condition.windows, wishes)


def _is_legal(order: Order, one: Tried) -> bool:
    if not one.verdict.ok or one.cell is None:
        return False
    return bool(order.given) or not order.plan.neutral or smact_valid(one.cell)
