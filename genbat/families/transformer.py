"""A decoder-only transformer that writes tokens one after another, with a key-value cache.

Radford et al., "Language models are unsupervised multitask learners" (2019), in the form of minGPT:
normalisation before each part, learnt positions, GELU, attention to what came before. Guidance of
a told row by an untold one is Sanchez et al., arXiv 2306.17806; the nucleus is Holtzman et al.,
arXiv 1904.09751.

Random numbers are given from outside, one for each token of each row, so that what a row becomes
does not depend on which others are written beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Allowed = Callable[[Tensor], Tensor]  # tokens so far (B, t) -> whether each may follow (B, V)
FULL = 0.85  # share of unfinished rows in the cache below which the finished ones leave it


class Block(nn.Module):
    """Attention and a small network, each beside the identity; what is not `causal` looks at all
    tokens, else each sees those before it.

    What is left out in training is left out at all places of a row (Gal and Ghahramani, arXiv
    1512.05287), and no attention: on a processor the random numbers cost a third of a step else.
    """

    def __init__(self, width: int, heads: int, dropout: float, *, causal: bool = True) -> None:
        super().__init__()
        self.heads, self.dropout, self.causal = heads, dropout, causal
        self.norm, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.ask, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mix = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def forward(self, x: Tensor, memory: Memory | None = None, layer: int = 0) -> Tensor:
        """x (B, T, width), T new tokens after those in the memory -> the same."""
        split = self.ask(self.norm(x)).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        query, key, value = split
        if memory is not None:
            key, value = memory.extended(layer, key, value)
        # One new token may look at all before it; several see only those before themselves.
        heard = F.scaled_dot_product_attention(
            query, key, value, is_causal=self.causal and query.shape[2] > 1
        )
        x = x + self._dropped(self.out(heard.transpose(1, 2).flatten(2)))
        return x + self._dropped(self.mix(self.norm2(x)))

    def _dropped(self, x: Tensor) -> Tensor:
        if not self.training or not self.dropout:
            return x
        return x * F.dropout(x.new_ones(len(x), 1, x.shape[2]), self.dropout)


class Memory:
    """Keys and values of all tokens written so far: the key-value cache."""

    def __init__(self, layers: int, rows: int, heads: int, longest: int, size: int) -> None:
        self.kept = torch.empty(layers, 2, rows, heads, longest, size)
        self.length = 0

    def extended(self, layer: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Take the new tokens' (B, heads, T, size) in; all of them until now."""
        end = self.length + key.shape[2]
        own = self.kept[layer]
        own[0, :, :, self.length : end], own[1, :, :, self.length : end] = key, value
        return own[0, :, :, :end], own[1, :, :, :end]

    def keep(self, rows: Tensor) -> None:
        """Forget all but some rows, in rising order."""
        for layer in self.kept:
            for part in layer:
                part[: len(rows), :, : self.length] = part[rows, :, : self.length]
        self.kept = self.kept[:, :, : len(rows)]


@dataclass(frozen=True)
class Style:
    """How the next token is drawn.

    Attributes
    ----------
    temperature : 0 takes the likeliest.
    nucleus : only the likeliest tokens that hold so much of the probability.
    guidance : how far beyond the untold row the told one is followed; 1 is the told row alone.
    """

    temperature: float = 1.0
    nucleus: float = 1.0
    guidance: float = 1.0


class GPT(nn.Module):
    """The transformer.

    Parameters
    ----------
    vocabulary : number of tokens.
    longest : tokens in a row at most.
    """

    def __init__(
        self, vocabulary: int, longest: int, width: int, layers: int, heads: int,
        dropout: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.longest, self.dropout = longest, dropout
        self.tokens = nn.Embedding(vocabulary, width)
        self.places = nn.Embedding(longest, width)
        self.blocks = nn.ModuleList(Block(width, heads, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, vocabulary, bias=False)
        self.apply(begin_weights)

    def forward(self, tokens: Tensor, memory: Memory | None = None) -> Tensor:
        """tokens (B, T) after those in the memory -> scores of the next one after each, (B, T, V).

        Raises
        ------
        ValueError : more tokens than `longest`, or several after some that are in the memory.
        """
        first = memory.length if memory is not None else 0
        if first and tokens.shape[1] > 1:
            raise ValueError("tokens: after the first ones they are legal one by one")
        if first + tokens.shape[1] > self.longest:
            raise ValueError(f"tokens: {first + tokens.shape[1]}; legal are up to {self.longest}")
        places = torch.arange(first, first + tokens.shape[1])
        x = self.tokens(tokens) + self.places(places)
        x = F.dropout(x, self.dropout, self.training)
        for layer, block in enumerate(self.blocks):
            x = block(x, memory, layer)
        if memory is not None:
            memory.length += tokens.shape[1]
        return self.out(self.norm(x))

    def loss(self, tokens: Tensor, counted: Tensor) -> Tensor:
        """Mean cross entropy in nats of the tokens (B, T) that count (B, T), each given those
        before it; the first one is never guessed."""
        scores, wanted = self(tokens[:, :-1]), tokens[:, 1:]
        each = F.cross_entropy(scores.flatten(0, 1), wanted.flatten(), reduction="none")
        weight = counted[:, 1:].flatten().float()
        return (each * weight).sum() / weight.sum().clamp(min=1.0)

    def memory(self, rows: int, longest: int) -> Memory:
        """An empty cache."""
        block = self.blocks[0]
        heads = block.heads
        assert isinstance(heads, int)
        size = self.tokens.embedding_dim // heads
        return Memory(len(self.blocks), rows, heads, longest, size)

    @torch.inference_mode()
    def write(
        self,
        prefix: Tensor,
        draws: Tensor,
        style: Style | None = None,
        *,
        end: int | None = None,
        untold: Tensor | None = None,
        allowed: Allowed | None = None,
    ) -> Tensor:
        """Go on from a prefix.

        Parameters
        ----------
        prefix : (B, P) tokens.
        draws : (B, T) numbers in [0, 1), one for each token to write.
        end : token after which a row is finished; the rest of it is `end` as well.
        untold : (B, P) the prefix without what is asked, for guidance.

        Returns
        -------
        (B, T) tokens.
        """
        how = style or Style()
        double = untold is not None and how.guidance != 1.0
        writing = _Writing(self, prefix, draws, end, untold if double else None)
        for step in range(draws.shape[1]):
            scores = writing.scores(how.guidance)
            if allowed is not None:
                fits = allowed(torch.cat([prefix[writing.live], writing.written()], 1))
                scores = scores.masked_fill(~fits, -torch.inf)
            writing.add(drawn(scores, draws[writing.live, step], how))
            if not len(writing.live):
                break
        return writing.out


class _Writing:
    """Rows that are being written; those that are finished leave the cache, some at a time.

    `rows` are those in the cache, `alive` the places among them of the unfinished ones.
    """

    def __init__(
        self, gpt: GPT, prefix: Tensor, draws: Tensor, end: int | None, untold: Tensor | None
    ) -> None:
        rows, steps = draws.shape
        self.gpt, self.end, self.double = gpt, end, untold is not None
        self.out = torch.full((rows, steps), -1 if end is None else end)
        self.rows, self.alive, self.step = torch.arange(rows), torch.arange(rows), 0
        self.new = prefix if untold is None else torch.cat([prefix, untold])
        self.memory = gpt.memory(len(self.new), prefix.shape[1] + steps)

    @property
    def live(self) -> Tensor:
        """The rows that are not finished (B,)."""
        return self.rows[self.alive]

    def written(self) -> Tensor:
        """What stands in the rows that are not finished; (B, step)."""
        return self.out[self.live, : self.step]

    def scores(self, guidance: float) -> Tensor:
        """Scores of the next token of these (B, V)."""
        scores = self.gpt(self.new, self.memory)[:, -1]
        if not self.double:
            return scores[self.alive]
        told, untold = scores.log_softmax(1).chunk(2)
        return torch.lerp(untold[self.alive], told[self.alive], guidance)

    def add(self, token: Tensor) -> None:
        """Write a token (B,) at the end of each of these."""
        self.out[self.live, self.step] = token
        self.step += 1
        if self.end is not None:
            self.alive, token = self.alive[token != self.end], token[token != self.end]
        if len(self.alive) < FULL * len(self.rows):
            self._forget()
        new = self.new.new_zeros(len(self.rows))
        new[self.alive] = token
        self.new = new[:, None].repeat(2 if self.double else 1, 1)

    def _forget(self) -> None:
        """Take the finished rows out of the cache."""
        n = len(self.rows)
        self.memory.keep(torch.cat([self.alive, self.alive + n]) if self.double else self.alive)
        self.rows = self.live
        self.alive = torch.arange(len(self.rows))


def draws_of(seed: int, index: int, count: int) -> Tensor:
    """The random numbers of row `index` of a sample (count,)."""
    generator = torch.Generator().manual_seed(seed * 1_000_003 + index)
    return torch.rand(count, generator=generator)


def drawn(scores: Tensor, draws: Tensor, style: Style) -> Tensor:
    """The token of each row whose stretch of the cumulated probability holds its draw; (B,)."""
    if style.temperature <= 0:
        return scores.argmax(1)
    chances, order = torch.softmax(scores / style.temperature, 1).sort(1, descending=True)
    before = chances.cumsum(1) - chances
    chances = torch.where(before < style.nucleus, chances, 0.0)
    total = chances.cumsum(1)
    place = torch.searchsorted(total, (draws[:, None] * total[:, -1:]), right=True)[:, 0]
    return order.gather(1, place.clamp(max=scores.shape[1] - 1)[:, None])[:, 0]


def begin_weights(module: nn.Module) -> None:
    """Start values as in minGPT."""
    if isinstance(module, nn.Linear | nn.Embedding):
        nn.init.normal_(module.weight, std=0.02)
    if isinstance(module, nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)
