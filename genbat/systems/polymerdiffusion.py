"""polymerdiffusion: Yang et al. 2024: repeat units by diffusion of their tokens' embeddings.

Kept from the study: SMILES of repeat units, the class of their conductivity as condition, diffusion
on embeddings of the tokens that are learnt with the network (its Diffusion-LM, Li et al., arXiv
2205.14217), a transformer that looks both ways.

Changed, and why:
- The network says the chances of the tokens, and the clean row is their mean embedding (score
  interpolation, Dieleman et al., arXiv 2211.15089), instead of a guessed embedding that a second
  loss rounds: one loss, and no row ends between two tokens.
- Embeddings have a fixed length, without which they shrink or grow until the noise means nothing;
  a short one (Chen, arXiv 2301.10972, scales the input so).
- Half of a percent of the study's parameters, some fifty steps instead of two thousand. Steps are
  ancestral and the chances sharpened: of this network's texts .46 instead of .35 are then legal.
- What is no repeat unit is written again from other noise, at most three times;
  `PolymerDiffusion.bare_plan` writes each once and is measured beside.
- Six classes instead of two, forgotten in a quarter of the training, so that the class can be left
  open and followed further than it goes (guidance), as in `polymergpt`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from genbat.families.denoiser import Denoiser, guided
from genbat.families.gaussian import denoised, drift
from genbat.systems.again import FAR
from genbat.systems.base import SystemCard
from genbat.systems.polymer_words import FIRST, SAID, TARGETS, UNTOLD, Config, Writer

NAME = "polymerdiffusion"
LEGAL_TARGETS = TARGETS
INNER = 32  # numbers of an embedding
# Length of one beside that of the noise: at 1 the tokens could be read off without their
# neighbours until the noise is three times as strong, and most of the times would teach nothing.
LENGTH = 0.4
STREAM = 64  # rows written side by side: every token takes many steps, and somebody waits
SHARP = 0.5  # temperature of the chances


@dataclass(frozen=True)
class Plan:
    """How to sample: steps, how far the class is followed (1 is the class alone), and how often an
    illegal text is written."""

    steps: int = 48
    guidance: float = 2.5
    tries: int = 4


PLAN = Plan()


class Network(nn.Module):
    """Embeddings of the tokens and what guesses them from noisy ones."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        count = len(config.tokens)
        self.tokens = nn.Embedding(count, INNER)
        self.denoiser = Denoiser(
            INNER, count, config.longest, len(SAID), config.width, config.layers, config.heads,
            dropout=0.1,
        )  # fmt: skip

    def embeddings(self) -> Tensor:
        """Of all tokens (V, INNER), each of the same length."""
        return F.normalize(self.tokens.weight, dim=1) * (LENGTH * INNER**0.5)

    def scores(self, x: Tensor, time: Tensor, said: Tensor) -> Tensor:
        """Scores of the tokens (B, T, V) behind noisy embeddings; words of a class are barred."""
        found = self.denoiser(x, time, said - UNTOLD)
        return found.masked_fill(barred(found.shape[-1]), -torch.inf)


def barred(count: int) -> Tensor:
    """Tokens that no text holds: the words that are said before it."""
    number = torch.arange(count)
    return (number >= UNTOLD) & (number < FIRST)


def followed(scores: Callable[[Tensor], Tensor], rows: int, said: int, guidance: float) -> Tensor:
    """Scores of the tokens (B, T, V) after a word, followed further than the word alone goes.

    Parameters
    ----------
    scores : words (B,) -> scores.
    said : the word; `guidance` 1 is the word alone (Ho and Salimans, arXiv 2207.12598).
    """
    words = torch.full((rows,), said)
    found = scores(words)
    if said == UNTOLD or guidance == 1.0:
        return found
    free = scores(torch.full_like(words, UNTOLD))
    return guided(found, free, guidance).nan_to_num(nan=-torch.inf)


def make_card(parameters: int = 0) -> SystemCard:
    """What the app says about this system."""
    return card_of(NAME, "Polymer diffusion (embeddings)", parameters)


def card_of(name: str, title: str, parameters: int) -> SystemCard:
    """The card of either of the study's diffusions."""
    return SystemCard(
        name=name,
        domain="polymers",
        family="diffusion",
        title=title,
        paper="Yang et al., npj Comput. Mater. 2024, arXiv 2312.06470 (GPT against "
        "diffusion for polymers)",
        capabilities=("sample",),
        trained_on="HTP-MD (TRI, MIT): repeat units with conductivity by molecular dynamics",
        licence="MIT",
        parameters=parameters,
    )


class PolymerDiffusion(Writer[Network]):
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
        start = torch.randn(len(rows), self.config.longest, INNER, generator=generator)
        last: list[Tensor] = []

        def velocity(x: Tensor, time: Tensor) -> Tensor:
            chances = self._chances(x, time, said, given, plan.guidance)
            last[:] = [chances]
            keep, blur = drift(time[0])
            return (keep * x - chances @ self.network.embeddings()) / blur.clamp(min=1e-4)

        denoised(velocity, start, plan.steps, reach=LENGTH * INNER**0.5, fresh=generator)
        return [self.vocabulary.text(row) for row in last[0].argmax(-1).tolist()]

    def _chances(
        self, x: Tensor, time: Tensor, said: int, given: list[int], guidance: float
    ) -> Tensor:
        """Chances of the tokens (B, T, V), the given ones certain."""
        scores = followed(partial(self.network.scores, x, time), len(x), said, guidance)
        chances = torch.softmax(scores / SHARP, -1)
        if given:
            chances[:, : len(given)] = F.one_hot(torch.tensor(given), scores.shape[-1]).float()
        return chances
