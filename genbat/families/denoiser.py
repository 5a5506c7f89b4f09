"""A transformer that looks both ways and guesses the tokens of a row that is partly noise.

As in BERT-like denoisers of text (Li et al., Diffusion-LM, arXiv 2205.14217; Sahoo et al., arXiv
2406.07524): every place sees every other; the time and what is told are added to all of them.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from genbat.families.blocks import time_waves
from genbat.families.transformer import Block, begin_weights


class Denoiser(nn.Module):
    """The transformer.

    Parameters
    ----------
    inner : numbers a place has when it comes in.
    longest : places of a row, always so many.
    words : how many different words can be told.
    """

    def __init__(
        self, inner: int, vocabulary: int, longest: int, words: int, width: int, layers: int,
        heads: int, dropout: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.dropout = dropout
        self.enter = nn.Linear(inner, width)
        self.places = nn.Parameter(torch.zeros(longest, width))
        self.words = nn.Embedding(words, width)
        self.time = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))
        blocks = (Block(width, heads, dropout, causal=False) for _ in range(layers))
        self.blocks = nn.ModuleList(blocks)
        self.norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, vocabulary)
        self.apply(begin_weights)

    def forward(self, x: Tensor, time: Tensor, word: Tensor) -> Tensor:
        """x (B, longest, inner), time in [0, 1] (B,), word (B,) -> scores (B, longest, V)."""
        told = self.time(time_waves(time, self.places.shape[1])) + self.words(word)
        h = self.enter(x) + self.places + told[:, None]
        h = F.dropout(h, self.dropout, self.training)
        for block in self.blocks:
            h = block(h)
        return self.out(self.norm(h))


def guided(told: Tensor, untold: Tensor, guidance: float) -> Tensor:
    """Logarithms of chances, followed `guidance` times as far as the word told goes (Ho and
    Salimans, arXiv 2207.12598)."""
    return torch.lerp(untold.log_softmax(-1), told.log_softmax(-1), guidance)
