"""Trees that npvae's decoder grows, step by step, many side by side."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from genbat.domains.molecules.fragments import Node
from genbat.systems.npvae_network import Network, Open
from genbat.systems.npvae_trees import ATOMS, BACK, Vocabulary

LARGEST = 20  # heavy atoms of a molecule that is grown


@dataclass
class Growth:
    """What was done to each tree, its size in heavy atoms, and its open nodes: piece, the atom by
    which it hangs, children by atom, way of the last child."""

    roots: list[int]
    sizes: list[int]
    actions: list[list[tuple[int, int]]] = field(default_factory=list)
    stacks: list[list[tuple[int, int, np.ndarray, int]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.actions = [[] for _ in self.roots]
        self.stacks = [[(root, -1, np.zeros(ATOMS, np.int64), -1)] for root in self.roots]

    def alive(self) -> list[int]:
        """Trees that have an open node."""
        return [k for k, stack in enumerate(self.stacks) if stack]

    def now(self, rows: list[int], pieces: Tensor) -> Open:
        """The last open nodes of some trees, one step each."""
        piece, held, used, last = zip(*(self.stacks[k][-1] for k in rows), strict=True)
        number = torch.tensor(piece)[:, None]
        return Open(
            number,
            pieces[number],
            torch.tensor(held)[:, None],
            torch.tensor(np.stack(used))[:, None],
            torch.tensor(last)[:, None],
        )

    def back(self, k: int) -> None:
        """Close the last open node of a tree."""
        self.actions[k].append((BACK, -1))
        self.stacks[k].pop()

    def hang(self, k: int, on: int, way: int, child: tuple[int, int], size: int) -> None:
        """Hang a child (piece, atom) on an atom of the last open node, and open it."""
        self.actions[k].append((1 + on, way))
        piece, held, used, _ = self.stacks[k][-1]
        used = used.copy()
        used[on] += 1
        self.stacks[k][-1] = piece, held, used, way
        self.stacks[k].append((*child, np.zeros(ATOMS, np.int64), -1))
        self.sizes[k] += size


@torch.inference_mode()
def grown(network: Network, vocabulary: Vocabulary, z: Tensor) -> list[Node]:
    """The likeliest tree at each latent point (B, latent), step by step."""
    pieces, decoder = network.pieces(), network.decoder
    roots = decoder.roots(z, pieces).argmax(1).tolist()
    growth = Growth(roots, [int(vocabulary.sizes[root]) for root in roots])
    states = torch.tanh(decoder.begin(z))[None]
    way_sizes = torch.tensor([vocabulary.sizes[piece] for piece, _ in vocabulary.ways])
    while rows := growth.alive():
        now = growth.now(rows, pieces)
        out, new = decoder.states(z[rows], now, states[:, rows])
        states[:, rows] = new
        actions = decoder.actions(out, now)[:, 0]
        alone = torch.tensor([growth.sizes[k] == 1 for k in rows])
        actions[alone, BACK] = -torch.inf  # a single atom is no molecule
        best = actions.argmax(1)
        scores = decoder.ways(out, (best - 1).clamp(min=0)[:, None])[:, 0]
        room = LARGEST - torch.tensor([growth.sizes[k] for k in rows])
        scores = scores.masked_fill(way_sizes > room[:, None], -torch.inf)
        chosen = scores.argmax(1).tolist()
        fits = torch.isfinite(scores).any(1).tolist()
        for k, action, way, fit in zip(rows, best.tolist(), chosen, fits, strict=True):
            if action == BACK or not fit:
                growth.back(k)
            else:
                child = vocabulary.ways[way]
                growth.hang(k, action - 1, way, child, int(way_sizes[way]))
    found = zip(roots, growth.actions, strict=True)
    return [vocabulary.tree(root, actions) for root, actions in found]
