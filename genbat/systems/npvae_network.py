"""The networks of npvae: a Tree-LSTM that reads trees, a decoder that grows them.

See `genbat.systems.npvae` for what is the papers' and what was changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from genbat.families.blocks import HeadEnsemble
from genbat.systems.base import Settings
from genbat.systems.npvae_trees import ATOMS, BITS, Steps, Vocabulary

TARGETS = ("homo_ev", "lumo_ev")


@dataclass(frozen=True)
class Config(Settings):
    """Sizes, vocabulary and scales: all that the weights need to be used."""

    pieces: tuple[str, ...] = ()
    way_pieces: tuple[int, ...] = ()
    way_atoms: tuple[int, ...] = ()
    latent: int = 64
    width: int = 128
    hidden: int = 320
    members: int = 5
    head_hidden: int = 160
    mean: tuple[float, ...] = (0.0,) * len(TARGETS)
    spread: tuple[float, ...] = (1.0,) * len(TARGETS)
    quantile: tuple[float, ...] = (1.645,) * len(TARGETS)
    floor: tuple[float, ...] = (0.3,) * len(TARGETS)
    steps_trained: int = 0

    def vocabulary(self) -> Vocabulary:
        """Pieces and ways."""
        return Vocabulary(self.pieces, tuple(zip(self.way_pieces, self.way_atoms, strict=True)))


@dataclass(frozen=True)
class Trees:
    """Some trees as tensors: nodes of all of them one after another, steps padded.

    Attributes
    ----------
    pieces, parents, on, at, tree, height : of each node (n,); a root's parent is -1.
    root : of each tree (B,).
    step_pieces, held, used, last, actions, ways : (B, T) or (B, T, ATOMS), see `Steps`; actions
        are -1 where a row has ended.
    """

    pieces: Tensor
    parents: Tensor
    on: Tensor
    at: Tensor
    tree: Tensor
    height: Tensor
    root: Tensor
    step_pieces: Tensor
    held: Tensor
    used: Tensor
    last: Tensor
    actions: Tensor
    ways: Tensor

    @classmethod
    def of(cls, rows: Sequence[Steps]) -> Trees:
        """Of the steps of some trees."""
        first = np.cumsum([0, *(len(row.parents) for row in rows)])
        flat = lambda name: np.concatenate([getattr(row, name) for row in rows])  # noqa: E731
        parents = np.concatenate(
            [[p + k if p >= 0 else -1 for p in row.parents] for row, k in zip(rows, first)]  # noqa: B905
        )
        hang = lambda name: np.concatenate([[0, *getattr(row, name)] for row in rows])  # noqa: E731
        padded = lambda name, fill: torch.tensor(_padded(rows, name, fill))  # noqa: E731
        return cls(
            pieces=torch.tensor(flat("node_pieces")),
            parents=torch.tensor(parents),
            on=torch.tensor(hang("ons")),
            at=torch.tensor(hang("ats")),
            tree=torch.tensor(np.repeat(np.arange(len(rows)), np.diff(first))),
            height=torch.tensor(_heights(parents)),
            root=torch.tensor([row.root for row in rows]),
            step_pieces=padded("pieces", 0),
            held=padded("held", -1),
            used=padded("used", 0),
            last=padded("last", -1),
            actions=padded("actions", -1),
            ways=padded("ways", -1),
        )


def _padded(rows: Sequence[Steps], name: str, fill: int) -> np.ndarray:
    longest = max(len(row) for row in rows)
    shape = (ATOMS,) if name == "used" else ()
    out = np.full((len(rows), longest, *shape), fill, np.int64)
    for k, row in enumerate(rows):
        out[k, : len(row)] = getattr(row, name)
    return out


def _heights(parents: np.ndarray) -> np.ndarray:
    """Of each node the longest way down to a leaf; children come after their parents."""
    out = np.zeros(len(parents), np.int64)
    for k in range(len(parents) - 1, -1, -1):
        if parents[k] >= 0:
            out[parents[k]] = max(out[parents[k]], out[k] + 1)
    return out


class Pieces(nn.Module):
    """What a piece is to the networks: its fingerprint, and something learnt."""

    prints: Tensor

    def __init__(self, vocabulary: Vocabulary, width: int) -> None:
        super().__init__()
        self.register_buffer("prints", torch.tensor(vocabulary.prints), persistent=False)
        self.own = nn.Embedding(len(vocabulary.pieces), width)
        self.look = nn.Sequential(nn.Linear(BITS, width), nn.SiLU(), nn.Linear(width, width))
        nn.init.normal_(self.own.weight, std=0.1)

    def forward(self) -> Tensor:
        """(pieces, width)."""
        return self.look(self.prints) + self.own.weight


class Encoder(nn.Module):
    """Child-sum Tree-LSTM (Tai et al., arXiv 1503.00075, Eq. 2 to 8), from leaves to root."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        w, h = config.width, config.hidden
        self.on, self.at = nn.Embedding(ATOMS, w), nn.Embedding(ATOMS, w)
        self.enter = nn.Linear(w, 4 * h)
        self.gates = nn.Linear(h, 3 * h, bias=False)
        self.forget = nn.Linear(h, h, bias=False)
        self.out = nn.Sequential(nn.Linear(2 * h, h), nn.SiLU(), nn.Linear(h, 2 * config.latent))
        self.hidden = h

    def forward(self, trees: Trees, pieces: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance of z, each (B, latent)."""
        roots = trees.parents < 0
        hang = (self.on(trees.on) + self.at(trees.at)) * ~roots[:, None]
        x = self.enter(pieces[trees.pieces] + hang)
        h = x.new_zeros(len(x), self.hidden)
        c = torch.zeros_like(h)
        for level in range(int(trees.height.max()) + 1):
            now = torch.nonzero(trees.height == level)[:, 0]
            new_h, new_c = self._cell(trees, x, h, c, now)
            h, c = h.index_copy(0, now, new_h), c.index_copy(0, now, new_c)
        count = len(trees.root)
        total = x.new_zeros(count, self.hidden).index_add(0, trees.tree, h)
        mean, log_variance = self.out(torch.cat([h[roots], total / 4], 1)).chunk(2, 1)
        return mean, log_variance.clamp(-8.0, 4.0)

    def _cell(
        self, trees: Trees, x: Tensor, h: Tensor, c: Tensor, now: Tensor
    ) -> tuple[Tensor, Tensor]:
        """States of the nodes `now`, whose children have theirs."""
        place = torch.full((len(x),), -1)
        place[now] = torch.arange(len(now))
        below = torch.nonzero((trees.parents >= 0) & (place[trees.parents] >= 0))[:, 0]
        above = place[trees.parents[below]]
        zero = x.new_zeros(len(now), self.hidden)
        heard = zero.index_add(0, above, h[below])
        own, keep = x[now, : 3 * self.hidden], x[now, 3 * self.hidden :]
        i, o, u = (own + self.gates(heard)).chunk(3, 1)
        f = torch.sigmoid(keep[above] + self.forget(h[below]))
        cell = zero.index_add(0, above, f * c[below]) + torch.sigmoid(i) * torch.tanh(u)
        return torch.sigmoid(o) * torch.tanh(cell), cell


class Decoder(nn.Module):
    """Grows a tree step by step from z."""

    room: Tensor

    def __init__(self, config: Config, vocabulary: Vocabulary) -> None:
        super().__init__()
        w, h, z = config.width, config.hidden, config.latent
        self.root = nn.Sequential(nn.Linear(z, h), nn.SiLU(), nn.Linear(h, w))
        self.bias = nn.Parameter(torch.zeros(len(vocabulary.pieces)))
        self.begin = nn.Linear(z, h)
        self.held, self.used = nn.Embedding(ATOMS + 1, w), nn.Linear(ATOMS, w)
        self.last = nn.Embedding(len(vocabulary.ways) + 1, w)
        self.gru = nn.GRU(2 * w + z, h, batch_first=True)
        self.action = nn.Sequential(nn.Linear(h + w, h), nn.SiLU(), nn.Linear(h, 1 + ATOMS))
        self.on = nn.Embedding(ATOMS, w)
        self.way = nn.Sequential(nn.Linear(h + w, h), nn.SiLU(), nn.Linear(h, len(vocabulary.ways)))
        self.register_buffer("room", torch.tensor(vocabulary.room), persistent=False)

    def roots(self, z: Tensor, pieces: Tensor) -> Tensor:
        """Scores of the root's piece (B, pieces)."""
        return self.root(z) @ pieces.T / pieces.shape[1] ** 0.5 + self.bias

    def states(self, z: Tensor, now: Open, state: Tensor | None) -> tuple[Tensor, Tensor]:
        """States (B, T, hidden) after the nodes that are open at T steps, and the last one for the
        next call."""
        if state is None:
            state = torch.tanh(self.begin(z))[None]
        told = now.at + self.held(now.held + 1) + self.used(now.used.float())
        here = z[:, None].expand(-1, told.shape[1], -1)
        return self.gru(torch.cat([told, self.last(now.last + 1), here], 2), state)

    def actions(self, states: Tensor, now: Open) -> Tensor:
        """Scores of going back and of hanging on each atom (B, T, 1 + ATOMS); what has no room,
        or lies before an atom that has a child already, is barred."""
        scores = self.action(torch.cat([states, now.at], 2))
        held = F.one_hot(now.held + 1, ATOMS + 1)[..., 1:]
        last = ((now.used > 0) * torch.arange(ATOMS)).amax(-1, keepdim=True)
        legal = (self.room[now.pieces] > now.used + held) & (torch.arange(ATOMS) >= last)
        return torch.cat([scores[..., :1], scores[..., 1:].masked_fill(~legal, -torch.inf)], 2)

    def ways(self, states: Tensor, on: Tensor) -> Tensor:
        """Scores of how a child hangs on atoms (B, T); (B, T, ways)."""
        return self.way(torch.cat([states, self.on(on)], 2))


@dataclass(frozen=True)
class Open:
    """The nodes that are open at each step: their pieces (B, T) and what the networks make of them
    (B, T, width), and of each what `Steps` says."""

    pieces: Tensor
    at: Tensor
    held: Tensor
    used: Tensor
    last: Tensor


class Network(nn.Module):
    """All of it."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        vocabulary = config.vocabulary()
        self.pieces = Pieces(vocabulary, config.width)
        self.encoder = Encoder(config)
        self.decoder = Decoder(config, vocabulary)
        self.heads = HeadEnsemble(config.members, config.latent, config.head_hidden, len(TARGETS))

    def nll(self, z: Tensor, trees: Trees, pieces: Tensor) -> Tensor:
        """Negative log likelihood of trees in nats (B,)."""
        root = F.cross_entropy(self.decoder.roots(z, pieces), trees.root, reduction="none")
        at = pieces[trees.step_pieces]
        now = Open(trees.step_pieces, at, trees.held, trees.used, trees.last)
        states, _ = self.decoder.states(z, now, None)
        actions = self.decoder.actions(states, now)
        on = (trees.actions - 1).clamp(min=0)
        ways = self.decoder.ways(states, on)
        return root + _nll(actions, trees.actions) + _nll(ways, trees.ways)


def _nll(scores: Tensor, wanted: Tensor) -> Tensor:
    """Summed over the steps (B, T) that are wanted, from 0 on; (B,)."""
    flat = F.cross_entropy(
        scores.flatten(0, 1), wanted.flatten(), reduction="none", ignore_index=-1
    )
    return flat.view_as(wanted).sum(1)
