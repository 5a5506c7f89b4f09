"""What the systems that make molecules for wishes share: what can be told, what is filtered."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import numpy as np
import pandas as pd
from rdkit import Chem
from torch import nn

from genbat.core.candidate import Candidate, Verdict
from genbat.core.condition import Condition
from genbat.domains.molecules.structure import judge, parse_smiles
from genbat.domains.molecules.wishes import EXACT, Wishes, read_wishes
from genbat.systems.base import Progress, Settings, Trained, at_least_one, counted
from genbat.systems.heads import ranges, standard_aims

# What can be told: what xTB computes of every molecule of the data.
TOLD = ("homo_ev", "lumo_ev", "gap_ev", "dipole_d", "vip_ev")
LEGAL = (*TOLD, *EXACT)
BLOCK = 256  # molecules made side by side, always so many: a row's sums then never change
TRIES = 40  # blocks a wanted block at most, where most break an exact wish
Made = Sequence[tuple[str | None, "np.ndarray | None"]]  # SMILES and the latent they came from


class Scaled(Protocol):
    """A config with the scales of TOLD."""

    @property
    def mean(self) -> tuple[float, ...]:
        """Of each of TOLD in training."""
        ...

    @property
    def spread(self) -> tuple[float, ...]:
        """Its standard deviation."""
        ...


C = TypeVar("C", bound=Settings)
N = TypeVar("N", bound=nn.Module)


class Maker(Trained[C, N], Generic[C, N]):
    """A system that makes molecules for windows on TOLD.

    What RDKit answers exactly (elements, substructures, hazards) filters what is made: a candidate
    that breaks such a wish is left out and another one made.
    """

    targets = TOLD
    honours_wishes = True
    name: ClassVar[str]

    @abstractmethod
    def make(self, aims: list[float], seed: int, block: int) -> Made:
        """BLOCK molecules for standardised values of TOLD, NaN where nothing is asked."""

    def sample(
        self,
        n: int,
        *,
        condition: Condition | None = None,
        seed: int = 0,
        progress: Progress | None = None,
    ) -> Iterator[Candidate]:
        """n molecules; a longer sample starts with the shorter one. Fewer, where TRIES times as
        many were made and broke an exact wish.

        Raises
        ------
        ValueError : n below 1, or a wish it cannot honour.
        """
        at_least_one(n)
        asked = condition or Condition()
        if strange := sorted(set(asked.windows) - set(LEGAL)):
            raise ValueError(f"{self.name}: cannot aim at {strange}; legal are {list(LEGAL)}")
        wishes = read_wishes(asked)
        yield from counted(self._candidates(n, asked, wishes, seed), n, "molecules", progress)

    def _candidates(
        self, n: int, asked: Condition, wishes: Wishes, seed: int
    ) -> Iterator[Candidate]:
        aims, free = self.aims(asked), wishes == Wishes()
        for block in range(TRIES * -(-n // BLOCK)):
            for k, (text, z) in enumerate(self.make(aims, seed, block)):
                candidate = self._candidate(text, z, asked, seed, block * BLOCK + k)
                if free or (candidate.verdict.ok and not wishes.unmet(parse_smiles(text or ""))):
                    yield candidate

    def aims(self, asked: Condition) -> list[float]:
        """Standardised value of each of TOLD, see `standard_aims`."""
        config: Any = self.config
        return standard_aims(asked.windows, TOLD, (config.mean, config.spread))

    @property
    def training_range(self) -> dict[str, tuple[float, float]]:
        """Mean +- 3 standard deviations of each of TOLD in training, in its unit."""
        config: Any = self.config
        return ranges(TOLD, (config.mean, config.spread))

    def _candidate(
        self, text: str | None, z: np.ndarray | None, asked: Condition, seed: int, index: int
    ) -> Candidate:
        if text is None:
            verdict = Verdict(False, ("nothing was written",))
        else:
            verdict = judge(Chem.MolFromSmiles(text))
        return self.made(text or "", verdict, seed, {"index": index}, condition=asked, latent=z)


def told_values(table: pd.DataFrame) -> np.ndarray:
    """Columns TOLD of a data set's table (n, t), NaN where unknown."""
    return table[list(TOLD)].to_numpy("f8")
