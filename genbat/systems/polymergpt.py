"""polymergpt: Khajeh et al. 2025: repeat units written token by token, class first.

Kept from the paper: minGPT on SMILES of repeat units between two end markers, with a token of the
conductivity's class first; polymers are also written from a fragment that somebody gives.

Changed, and why:
- Six classes between quantiles of the training set instead of two, so that the top five of a
  hundred are one class and what lies below is told apart as well. No class is drawn more often than
  another: a model that sees few polymers again and again recites them.
- Every polymer is learnt from all its texts: cut elsewhere, or read from the other end.
- The class is forgotten in a quarter of the training, so that it can be left open, and followed
  further than it goes (guidance).
- A key-value cache, and rows that have ended leave the batch.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from genbat.core.candidate import Candidate, Verdict
from genbat.core.condition import Condition, Window
from genbat.core.provenance import Provenance, versions
from genbat.domains.polymers.repeat_unit import normal
from genbat.domains.polymers.tokens import END, Vocabulary
from genbat.families.transformer import GPT, Style, draws_of
from genbat.systems.base import Progress, Settings, SystemCard, Trained

NAME = "polymergpt"
TARGET = "log_conductivity"
LEGAL_TARGETS: tuple[str, ...] = (TARGET,)
BORDERS = (25.0, 50.0, 75.0, 90.0, 95.0)  # per cent of the training set, between the classes
SAID = ("<any>", *(f"<class {k}>" for k in range(len(BORDERS) + 1)))
UNTOLD = 2  # number of the first word that is said; the classes follow
BLOCK = 256  # rows written side by side, always so many: a row's sums then never change
STYLE = Style(temperature=1.0, nucleus=0.98, guidance=1.5)


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


def network_of(config: Config) -> GPT:
    """The transformer of a config."""
    return GPT(
        len(config.tokens), config.longest, config.width, config.layers, config.heads, dropout=0.1
    )


def make_card(parameters: int = 0) -> SystemCard:
    """What the app says about this system."""
    return SystemCard(
        name=NAME,
        domain="polymers",
        family="GPT",
        title="Polymer GPT",
        paper="Khajeh et al., npj Comput. Mater. 2025 (minGPT with a feedback loop)",
        capabilities=("sample",),
        trained_on="HTP-MD (TRI, MIT): repeat units with conductivity by molecular dynamics",
        licence="MIT",
        parameters=parameters,
    )


class PolymerGPT(Trained[Config, GPT]):
    """The trained system."""

    targets = LEGAL_TARGETS
    config_type = Config
    network_type = staticmethod(network_of)  # type: ignore[assignment]
    describe = staticmethod(make_card)

    def sample(
        self,
        n: int,
        *,
        condition: Condition | None = None,
        seed: int = 0,
        style: Style = STYLE,
        progress: Progress | None = None,
    ) -> Iterator[Candidate]:
        """n polymers as they are written, valid or not; a longer sample starts with the shorter.

        A window on the conductivity says the class; the wish `begin` is how the text begins.

        Raises
        ------
        ValueError : n below 1, or any other wish, or a beginning that is no part of a SMILES.
        """
        if n < 1:
            raise ValueError(f"n: got {n}; at least 1 candidate must be asked for")
        asked = condition or Condition()
        strange = [*sorted(set(asked.windows) - {TARGET}), *sorted(set(asked.wishes) - {"begin"})]
        if strange:
            raise ValueError(f"{NAME}: cannot aim at {strange}; legal are {TARGET} and begin")
        begin = str(asked.wishes.get("begin", ""))
        said = self.said(asked.windows.get(TARGET))
        for first in range(0, n, BLOCK):
            for k, text in enumerate(self.write(said, begin, seed, first, style)[: n - first]):
                if progress:
                    progress((first + k + 1) / n, f"{first + k + 1} of {n} polymers")
                yield self._candidate(text, seed, first + k, asked)

    def said(self, window: Window | None) -> int:
        """The word before the text for a window: the class of its middle, or of just inside an
        open one."""
        if window is None or window == Window():
            return UNTOLD
        ends = [end for end in (window.low, window.high) if math.isfinite(end)]
        inside = 1e-6 * (1 if math.isfinite(window.low) else -1) if len(ends) == 1 else 0.0
        return self.config.class_of(sum(ends) / len(ends) + inside)

    def write(self, said: int, begin: str, seed: int, first: int, style: Style) -> list[str]:
        """BLOCK texts from number `first` on."""
        known = Vocabulary(self.config.tokens)
        given = known.numbers(begin)
        room = self.config.longest - 1 - len(given)
        if room < 2:
            raise ValueError(f"begin: {len(given)} tokens; legal are {self.config.longest - 3}")
        prefix = torch.tensor([[said, *given]]).expand(BLOCK, -1)
        untold = torch.tensor([[UNTOLD, *given]]).expand(BLOCK, -1)
        draws = torch.stack([draws_of(seed, first + k, room) for k in range(BLOCK)])
        out = self.network.write(
            prefix, draws, style, end=known.tokens.index(END), allowed=self._text,
            untold=None if said == UNTOLD else untold,
        )  # fmt: skip
        return [begin + known.text(row) for row in out.tolist()]

    def _text(self, tokens: Tensor) -> Tensor:
        """Neither padding nor what is said before a text may be written."""
        count = len(self.config.tokens)
        legal = torch.arange(count) >= UNTOLD + len(SAID)
        legal[1] = True
        return legal.expand(len(tokens), -1)

    def _candidate(self, text: str, seed: int, index: int, asked: Condition) -> Candidate:
        story = Provenance(
            NAME, "sample", weights=self.weights, seed=seed, arguments={"index": index},
            condition=asked.to_json(), versions=versions(),
        )  # fmt: skip
        try:
            unit = normal(text)
        except ValueError as wrong:
            return Candidate(text, "polymers", Verdict(False, (str(wrong),)), story)
        return Candidate(unit.text, "polymers", Verdict(True), story)
