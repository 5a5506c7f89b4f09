"""polymergpt: Khajeh et al. 2025: repeat units written token by token, class first.

The paper is Digital Discovery 2025, doi:10.1039/D4DD00293H.

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
- What can no longer become a repeat unit is not written: a bracket that nothing opened, a second
  end marker, an end before both stand there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from genbat.domains.polymers.repeat_unit import HEAD, TAIL
from genbat.domains.polymers.tokens import END
from genbat.families.transformer import GPT, Style, draws_of
from genbat.systems.again import FAR
from genbat.systems.base import SystemCard
from genbat.systems.polymer_words import BLOCK, FIRST, TARGETS, UNTOLD, Config, Writer

NAME = "polymergpt"
LEGAL_TARGETS = TARGETS
STYLE = Style(temperature=1.5, nucleus=0.98, guidance=1.5)


@dataclass(frozen=True)
class Plan:
    """How polymers are written: the style, and how often an illegal one is tried."""

    style: Style = STYLE
    tries: int = 4


PLAN = Plan()


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
        paper="Khajeh et al., Digital Discovery 2025, doi:10.1039/D4DD00293H (minGPT with a "
        "feedback loop)",
        capabilities=("sample",),
        trained_on="HTP-MD (TRI, MIT): repeat units with conductivity by molecular dynamics",
        licence="MIT",
        parameters=parameters,
    )


class PolymerGPT(Writer[GPT]):
    """The trained system."""

    name = NAME
    network_type = staticmethod(network_of)  # type: ignore[assignment]
    describe = staticmethod(make_card)
    block = 2 * BLOCK
    plan, bare_plan = PLAN, Plan(tries=1)

    def _rows(
        self, said: int, given: list[int], seed: int, first: int, plan: Plan, turn: int,
        rows: Sequence[int],
    ) -> list[str]:  # fmt: skip
        """See `Writer`."""
        known, room = self.vocabulary, self.config.longest - 1 - len(given)
        draws = torch.stack([draws_of(seed, first + k + FAR * turn, room) for k in rows])
        prefix = torch.tensor([[said, *given]]).expand(len(draws), -1)
        untold = torch.tensor([[UNTOLD, *given]]).expand(len(draws), -1)
        out = self.network.write(
            prefix, draws, plan.style, end=known.tokens.index(END), allowed=self._text,
            untold=None if said == UNTOLD else untold,
        )  # fmt: skip
        return [known.text([*given, *row]) for row in out.tolist()]

    def _text(self, tokens: Tensor) -> Tensor:
        """What may follow tokens (B, t): neither padding nor what is said before a text, each end
        marker once, brackets in pairs and not empty, the end behind all of these."""
        names = self.config.tokens
        count = lambda name: (tokens == names.index(name)).sum(1) if name in names else 0  # noqa: E731
        depth = torch.as_tensor(count("(")) - count(")")
        heads, tails = torch.as_tensor(count(HEAD)), torch.as_tensor(count(TAIL))
        legal = (torch.arange(len(names)) >= FIRST).repeat(len(tokens), 1)
        legal[:, names.index(END)] = (heads > 0) & (tails > 0) & (depth == 0)
        for name, fits in ((HEAD, heads == 0), (TAIL, tails == 0)):
            legal[:, names.index(name)] = fits
        if "(" in names and ")" in names:
            legal[:, names.index(")")] = (depth > 0) & (tokens[:, -1] != names.index("("))
        return legal
