"""What several families share: recurrent coders, an ensemble of heads, times, precision."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def quickly(training: bool) -> torch.autocast:
    """Matrix products in bfloat16 while training, where the processor has it: a third to twice as
    fast, and noise well below that of the batches. What is sampled is always in 32 bits. Not for
    convolutions in 3D: oneDNN's gradients of small ones are now and then no numbers."""
    wanted = training and torch.is_grad_enabled() and has_bfloat16()
    return torch.autocast("cpu", torch.bfloat16, enabled=wanted)


def has_bfloat16() -> bool:
    """Whether the processor multiplies in bfloat16; where it only imitates it, convolutions in 3D
    take twenty times as long."""
    return bool(torch.cpu.get_capabilities().get("avx512_bf16"))


def time_waves(time: Tensor, size: int) -> Tensor:
    """Sinusoidal embedding of times in [0, 1] (B,); (B, size)."""
    k = torch.exp(torch.linspace(0.0, math.log(1000.0), size // 2))
    angles = time[:, None] * k
    return torch.cat([angles.sin(), angles.cos()], 1)


class GRUEncoder(nn.Module):
    """Token sequence -> mean and log variance of z.

    Two GRUs (Cho et al., arXiv 1406.1078) read the sequence from both ends; their last states
    and the mean over all states go through one hidden layer.
    """

    def __init__(self, vocabulary: int, embedding: int, hidden: int, latent: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, embedding, padding_idx=0)
        self.forward_gru = nn.GRU(embedding, hidden, batch_first=True)
        self.backward_gru = nn.GRU(embedding, hidden, batch_first=True)
        self.mix = nn.Linear(4 * hidden, 2 * hidden)
        self.out = nn.Linear(2 * hidden, 2 * latent)

    def forward(self, tokens: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """tokens (batch, time) padded with 0, lengths (batch,) -> mean, log variance (batch, d)."""
        parts = []
        for gru, ids in ((self.forward_gru, tokens), (self.backward_gru, flip(tokens, lengths))):
            states, _ = gru(self.embedding(ids))  # (batch, time, hidden)
            parts += [last_state(states, lengths), mean_state(states, lengths)]
        mean, log_variance = self.out(F.silu(self.mix(torch.cat(parts, 1)))).chunk(2, dim=1)
        return mean, log_variance.clamp(-12.0, 4.0)


def flip(tokens: Tensor, lengths: Tensor) -> Tensor:
    """Each row reversed within its own length; the padding stays at the end."""
    place = torch.arange(tokens.shape[1]).expand_as(tokens)
    mirrored = lengths[:, None] - 1 - place
    return torch.where(mirrored >= 0, tokens.gather(1, mirrored.clamp(min=0)), tokens)


def last_state(states: Tensor, lengths: Tensor) -> Tensor:
    """State after each row's last token; (batch, hidden)."""
    return states[torch.arange(len(states)), lengths - 1]


def mean_state(states: Tensor, lengths: Tensor) -> Tensor:
    """Mean of each row's states without padding; (batch, hidden)."""
    mask = torch.arange(states.shape[1])[None] < lengths[:, None]
    return (states * mask[..., None]).sum(1) / lengths[:, None]


class GRUDecoder(nn.Module):
    """z -> token sequence, one token at a time; z enters the first state and every step."""

    def __init__(
        self, vocabulary: int, embedding: int, hidden: int, latent: int, dropout: float
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, embedding, padding_idx=0)
        self.start = nn.Linear(latent, hidden)
        self.gru = nn.GRU(embedding + latent, hidden, batch_first=True)
        self.out = nn.Linear(hidden, vocabulary)
        self.dropout = dropout

    def nll(self, z: Tensor, tokens: Tensor) -> Tensor:
        """-log p(tokens | z) in nats by teacher forcing; (batch,).

        tokens (batch, time): start token first, end token last, padded with 0. A share of the
        input tokens is blanked so that the decoder has to ask z (Bowman et al. 2015).
        """
        given, wanted = tokens[:, :-1], tokens[:, 1:]
        if self.training and self.dropout:
            keep = torch.rand(given.shape) > self.dropout
            keep[:, 0] = True
            given = given * keep
        logits = self.logits(z, given)
        each = F.cross_entropy(logits.flatten(0, 1), wanted.flatten(), reduction="none")
        return (each.view_as(wanted) * (wanted > 0)).sum(1)

    def logits(self, z: Tensor, given: Tensor) -> Tensor:
        """Scores of the next token after each of the given ones (batch, time); one more axis."""
        x = torch.cat([self.embedding(given), z[:, None].expand(-1, given.shape[1], -1)], 2)
        states, _ = self.gru(x, torch.tanh(self.start(z))[None])
        return self.out(states)  # (batch, time, vocabulary)

    def exact(self, z: Tensor, tokens: Tensor) -> Tensor:
        """Whether the likeliest sequence at z is the given one (as in `nll`); (batch,) booleans."""
        given, wanted = tokens[:, :-1], tokens[:, 1:]
        logits = self.logits(z, given).clone()
        logits[:, :, :2] = -torch.inf  # as in `pick`
        return ((logits.argmax(2) == wanted) | (wanted == 0)).all(1)

    @torch.inference_mode()
    def generate(
        self,
        z: Tensor,
        *,
        start: int,
        end: int,
        steps: int,
        temperature: float = 0.0,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Token numbers (batch, <= steps), 0 after the end; temperature 0 takes the likeliest."""
        state = torch.tanh(self.start(z))[None]
        token = torch.full((len(z),), start)
        alive = torch.ones(len(z), dtype=torch.bool)
        rows = []
        for _ in range(steps):
            x = torch.cat([self.embedding(token), z], 1)[:, None]
            output, state = self.gru(x, state)
            token = pick(self.out(output[:, 0]), temperature, generator)
            rows.append(torch.where(alive, token, 0))
            alive &= token != end
            if not alive.any():
                break
        return torch.stack(rows, 1)


def pick(logits: Tensor, temperature: float, generator: torch.Generator | None) -> Tensor:
    """One token a row; padding (0) and start (1) are never chosen; (batch,)."""
    logits = logits.clone()
    logits[:, :2] = -torch.inf
    if temperature <= 0:
        return logits.argmax(1)
    chances = torch.softmax(logits / temperature, 1)
    return torch.multinomial(chances, 1, generator=generator)[:, 0]


class HeadEnsemble(nn.Module):
    """Several small networks side by side from z to properties, evaluated in one go.

    Members differ by their start values and by the noise in training; their spread is the
    raw uncertainty (Lakshminarayanan et al., arXiv 1612.01474).
    """

    def __init__(self, members: int, latent: int, hidden: int, outputs: int) -> None:
        super().__init__()
        sizes = (latent, hidden, hidden, outputs)
        self.weights = nn.ParameterList(
            nn.Parameter(torch.randn(members, a, b) * (2.0 / (a + b)) ** 0.5)
            for a, b in pairwise(sizes)
        )
        self.biases = nn.ParameterList(nn.Parameter(torch.zeros(members, 1, b)) for b in sizes[1:])

    def forward(self, z: Tensor) -> Tensor:
        """z (batch, d) -> predictions (members, batch, outputs)."""
        x = z.expand(len(self.weights[0]), *z.shape)
        layers = list(zip(self.weights, self.biases, strict=True))
        for weight, bias in layers[:-1]:
            x = F.silu(torch.baddbmm(bias, x, weight))
        return torch.baddbmm(layers[-1][1], x, layers[-1][0])
