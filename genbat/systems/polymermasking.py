"""polymermasking: Yang et al. 2024: repeat units by diffusion of the tokens themselves.

Kept from the study: SMILES of repeat units, the class of their conductivity as condition, discrete
diffusion of the tokens, a transformer that looks both ways and is asked again and again.

Changed, and why:
- The diffusion is the absorbing one (Austin et al., arXiv 2107.03006, in the form of Sahoo et al.,
  arXiv 2406.07524): tokens are hidden and come back, which for text does better than turning them
  into others.
- Half of a percent of the study's parameters, nearly twice as many steps as a row has places:
  tokens that are revealed at once do not know of each other.
- Scores are divided by a temperature of .5, and what is no repeat unit then is written again, at
  most three times; `PolymerMasking.bare_plan` writes each once and is measured beside.
- Six classes instead of two, forgotten in a quarter of the training, so that the class can be left
  open and followed further than it goes (guidance), as in `polymergpt`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn

from genbat.families.denoiser import Denoiser
from genbat.families.masking import reveal
from genbat.systems.again import FAR
from genbat.systems.base import SystemCard
from genbat.systems.polymer_words import SAID, TARGETS, UNTOLD, Config, Writer
from genbat.systems.polymerdiffusion import STREAM, barred, card_of, followed

NAME = "polymermasking"
LEGAL_TARGETS = TARGETS
INNER = 64  # numbers of an embedding


@dataclass(frozen=True)
class Plan:
    """How to sample: steps, how far the class is followed (1 is the class alone), by what the
    scores are divided, and how often an illegal text is written."""

    steps: int = 60
    guidance: float = 1.5
    temperature: float = 0.5
    tries: int = 4


PLAN = Plan()


class Network(nn.Module):
    """Embeddings of the tokens and of the mask, and what guesses the hidden ones."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        count = len(config.tokens)
        self.mask = count
        self.tokens = nn.Embedding(count + 1, INNER)
        self.denoiser = Denoiser(
            INNER, count, config.longest, len(SAID), config.width, config.layers, config.heads,
            dropout=0.1,
        )  # fmt: skip

    def scores(self, tokens: Tensor, time: Tensor, said: Tensor) -> Tensor:
        """Scores of the tokens (B, T, V) behind hidden ones; words of a class are barred."""
        found = self.denoiser(self.tokens(tokens), time, said - UNTOLD)
        return found.masked_fill(barred(found.shape[-1]), -torch.inf)


def make_card(parameters: int = 0) -> SystemCard:
    """What the app says about this system."""
    return card_of(NAME, "Polymer diffusion (masked tokens)", parameters)


class PolymerMasking(Writer[Network]):
    """The trained system."""

    name = NAME
    network_type = Network
    describe = staticmethod(make_card)
    block = STREAM
    plan, bare_plan = PLAN, Plan(tries=1)

    @torch.inference_mode()
    def _rows(
        self, said: int, given: list[int], seed: int, first: int, plan: Plan, turn: int,
        rows: Sequence[int],
    ) -> list[str]:  # fmt: skip
        """See `Writer`."""
        generator = torch.Generator().manual_seed(seed * 1_000_003 + first + FAR * turn)
        texts = torch.full((len(rows), self.config.longest), self.network.mask)
        texts[:, : len(given)] = torch.tensor(given, dtype=torch.long)
        times = torch.linspace(1.0, 0.0, plan.steps + 1).tolist()
        for now, later in pairwise(times):
            known = partial(self.network.scores, texts, torch.full((len(rows),), now))
            sharp = followed(known, len(rows), said, plan.guidance) / plan.temperature
            texts = reveal(texts, sharp, now, later, self.network.mask, generator)
        return [self.vocabulary.text(row) for row in texts.tolist()]
