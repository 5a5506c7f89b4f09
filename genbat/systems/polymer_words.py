"""What the systems that write repeat units share: classes of conductivity, tokens, candidates."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any, ClassVar, Generic, TypeVar

from torch import nn

from genbat.core.candidate import Candidate, Verdict
from genbat.core.condition import Condition, Window
from genbat.domains.polymers.repeat_unit import normal
from genbat.domains.polymers.tokens import Vocabulary
from genbat.systems.again import until_legal
from genbat.systems.base import Progress, Settings, Trained, at_least_one, counted

TARGET = "log_conductivity"
TARGETS: tuple[str, ...] = (TARGET,)
BORDERS = (25.0, 50.0, 75.0, 90.0, 95.0)  # per cent of the training set, between the classes
SAID = ("<any>", *(f"<class {k}>" for k in range(len(BORDERS) + 1)))
UNTOLD = 2  # number of the first word that is said; the classes follow
FIRST = UNTOLD + len(SAID)  # number of the first token of a text
BLOCK = 256  # rows written side by side, always so many: a row's sums then never change


@dataclass(frozen=True)
class Config(Settings):
    """Sizes and scales: all that the weights need to be used; `borders` lie between the classes, in
    log10 of S/cm."""

    tokens: tuple[str, ...] = ()
    longest: int = 64
    width: int = 128
    layers: int = 4
    heads: int = 4
    borders: tuple[float, ...] = (0.0,) * len(BORDERS)
    steps_trained: int = 0

    def class_of(self, value: float) -> int:
        """Number of the word of a value's class; of "any" where it is unknown."""
        if math.isnan(value):
            return UNTOLD
        return UNTOLD + 1 + sum(value >= border for border in self.borders)


N = TypeVar("N", bound=nn.Module)


class Writer(Trained[Config, N], Generic[N]):
    """A system that writes repeat units after the class of their conductivity."""

    targets = TARGETS
    config_type = Config
    name: ClassVar[str]
    block: ClassVar[int] = BLOCK
    plan: ClassVar[Any]  # how it writes; `tries` says how often an illegal text is
    bare_plan: ClassVar[Any]  # each is written once: the model alone, to be measured beside

    def sample(
        self,
        n: int,
        *,
        condition: Condition | None = None,
        seed: int = 0,
        progress: Progress | None = None,
        **options: Any,
    ) -> Iterator[Candidate]:
        """n polymers, valid or not; a longer sample starts with the shorter.

        A window on the conductivity says the class; the wish `begin` is how the text begins.

        Parameters
        ----------
        options : as `units` takes them.

        Raises
        ------
        ValueError : n below 1, or any other wish, or a beginning that is no part of a SMILES.
        """
        at_least_one(n)
        asked = condition or Condition()
        strange = [*sorted(set(asked.windows) - {TARGET}), *sorted(set(asked.wishes) - {"begin"})]
        if strange:
            raise ValueError(f"{self.name}: cannot aim at {strange}; legal are {TARGET} and begin")
        begin = str(asked.wishes.get("begin", ""))
        given = self._given(begin)
        said = self.said(asked.windows.get(TARGET))
        made = (
            self.made(*unit, seed, {"index": first + k}, condition=asked)
            for first in count(0, self.block)
            for k, unit in enumerate(self.units(said, given, seed, first, **options))
        )
        yield from counted(made, n, "polymers", progress)

    def units(
        self, said: int, given: list[int], seed: int, first: int, *, plan: Any = None
    ) -> list[tuple[str, Verdict]]:
        """`block` polymers from number `first` on in their normal form, with what is wrong with
        each: after a word, beginning with given tokens. What is no repeat unit is written again
        with other random numbers, as often as the plan says."""
        how = plan or self.plan
        write = partial(self._rows, said, given, seed, first, how)
        return until_legal(write, unit_of, lambda unit: unit[1].ok, how.tries, self.block)

    def write(
        self, said: int, given: list[int], seed: int, first: int, *, plan: Any = None
    ) -> list[str]:
        """Texts of a block, each written once; see `units`."""
        return self._rows(said, given, seed, first, plan or self.plan, 0, range(self.block))

    @abstractmethod
    def _rows(
        self, said: int, given: list[int], seed: int, first: int, plan: Any, turn: int,
        rows: Sequence[int],
    ) -> list[str]:  # fmt: skip
        """Texts of some rows of a block, at a turn."""

    def said(self, window: Window | None) -> int:
        """The word before the text for a window: the class of its middle, or of just inside an
        open one."""
        if window is None or window == Window():
            return UNTOLD
        ends = [end for end in (window.low, window.high) if math.isfinite(end)]
        inside = 1e-6 * (1 if math.isfinite(window.low) else -1) if len(ends) == 1 else 0.0
        return self.config.class_of(sum(ends) / len(ends) + inside)

    @property
    def vocabulary(self) -> Vocabulary:
        """Its tokens."""
        return Vocabulary(self.config.tokens)

    def _given(self, begin: str) -> list[int]:
        given = self.vocabulary.numbers(begin)
        most = self.config.longest - 3
        if len(given) > most:
            raise ValueError(f"begin: {len(given)} tokens; legal are {most}")
        return given


def unit_of(text: str) -> tuple[str, Verdict]:
    """The normal form of a text that was written, or the text itself, and what is wrong with it."""
    try:
        return normal(text).text, Verdict(True)
    except ValueError as wrong:
        return text, Verdict(False, (str(wrong),))
