"""Trees of molecules as numbers for npvae: a list of pieces and of ways to hang on, rows of steps.

A tree is grown depth first. At a node the next step is either to hang a child on one of its atoms,
which becomes the node, or to go back to the parent; both are read off the tree, in the order of the
atoms.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from rdkit.Chem import rdFingerprintGenerator

from genbat.domains.molecules.fragments import (
    Link,
    Node,
    free_hydrogens,
    nodes_of,
    piece_mol,
)

ATOMS = 16  # of a piece at most; larger ones cannot be written
BITS = 512  # of a piece's fingerprint
BACK = 0  # the action of going back; 1 + k hangs a child on atom k


@dataclass(frozen=True)
class Vocabulary:
    """All pieces, and the ways (piece, atom) in which one hangs on another."""

    pieces: tuple[str, ...]
    ways: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, trees: Iterable[Node]) -> Vocabulary:
        """What some trees are made of, the commonest first; trees with too large a piece do not
        count."""
        pieces: Counter[str] = Counter()
        ways: Counter[tuple[str, int]] = Counter()
        for tree in trees:
            nodes = nodes_of(tree)
            if any(piece_mol(node.piece).GetNumAtoms() > ATOMS for node in nodes):
                continue
            pieces.update(node.piece for node in nodes)
            ways.update((link.child.piece, link.at) for node in nodes for link in node.links)
        order = [text for text, _ in sorted(pieces.items(), key=lambda item: (-item[1], item[0]))]
        number = {text: k for k, text in enumerate(order)}
        common = sorted(ways.items(), key=lambda item: (-item[1], item[0]))
        return cls(tuple(order), tuple((number[text], at) for (text, at), _ in common))

    @cached_property
    def piece_number(self) -> dict[str, int]:
        """Number of each piece."""
        return {text: k for k, text in enumerate(self.pieces)}

    @cached_property
    def way_number(self) -> dict[tuple[int, int], int]:
        """Number of each way."""
        return {way: k for k, way in enumerate(self.ways)}

    @cached_property
    def sizes(self) -> np.ndarray:
        """Heavy atoms of each piece (pieces,)."""
        return np.array([piece_mol(text).GetNumAtoms() for text in self.pieces])

    @cached_property
    def room(self) -> np.ndarray:
        """How much can hang on each atom of each piece (pieces, ATOMS)."""
        out = np.zeros((len(self.pieces), ATOMS), np.int64)
        for k, text in enumerate(self.pieces):
            free = free_hydrogens(text)
            out[k, : len(free)] = free
        return out

    @cached_property
    def prints(self) -> np.ndarray:
        """Counts of the pieces' circular fragments (pieces, BITS), as logarithms."""
        generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=BITS)
        counts = [generator.GetCountFingerprintAsNumPy(piece_mol(text)) for text in self.pieces]
        return np.log1p(np.array(counts, np.float32))

    def steps(self, tree: Node) -> Steps:
        """The steps that grow a tree.

        Raises
        ------
        ValueError : a piece or a way that no training molecule has.
        """
        out = Steps(self._piece(tree.piece))
        self._grow(tree, out, -1, -1)
        return out

    def _piece(self, text: str) -> int:
        if text not in self.piece_number:
            raise ValueError(f"molecule: holds {text}, which no training molecule does")
        return self.piece_number[text]

    def _way(self, link: Link) -> int:
        way = self._piece(link.child.piece), link.at
        if way not in self.way_number:
            raise ValueError(
                f"molecule: {link.child.piece} hangs on another piece by its atom {link.at}, as in "
                "no training molecule"
            )
        return self.way_number[way]

    def _grow(self, node: Node, out: Steps, parent: int, held: int) -> None:
        own = len(out.parents)
        out.parents.append(parent)
        out.node_pieces.append(self._piece(node.piece))
        used, last = np.zeros(ATOMS, np.int64), -1
        for link in node.links:
            way = self._way(link)
            out.add(self._piece(node.piece), held, used, last, 1 + link.on, way)
            out.ons.append(link.on)
            out.ats.append(link.at)
            self._grow(link.child, out, own, link.at)
            used[link.on] += 1
            last = way
        out.add(self._piece(node.piece), held, used, last, BACK, -1)

    def tree(self, root: int, actions: Sequence[tuple[int, int]]) -> Node:
        """The tree that steps (action, way) grow from a root; missing steps back are made."""
        grown, _ = self._read(root, list(actions), 0)
        return grown

    def _read(self, piece: int, actions: list[tuple[int, int]], at: int) -> tuple[Node, int]:
        links = []
        while at < len(actions) and actions[at][0] != BACK:
            on, way = actions[at][0] - 1, actions[at][1]
            child, atom = self.ways[way]
            below, at = self._read(child, actions, at + 1)
            links.append(Link(on, atom, below))
        return Node(self.pieces[piece], tuple(links)), at + 1


class Steps:
    """The steps of one tree, and its nodes for the encoder.

    Attributes
    ----------
    pieces, held, used, last : at each step the node's piece, the atom by which it hangs (-1 of the
        root), how many children each of its atoms has (ATOMS,), and the way of its last child, -1
        before the first.
    actions, ways : what is done, and how the child hangs, -1 where there is none.
    node_pieces, parents : of each node, parents before children; ons, ats of all but the root.
    """

    def __init__(self, root: int) -> None:
        self.root = root
        self.pieces: list[int] = []
        self.held: list[int] = []
        self.used: list[np.ndarray] = []
        self.last: list[int] = []
        self.actions: list[int] = []
        self.ways: list[int] = []
        self.node_pieces: list[int] = []
        self.parents: list[int] = []
        self.ons: list[int] = []
        self.ats: list[int] = []

    def add(
        self, piece: int, held: int, used: np.ndarray, last: int, action: int, way: int
    ) -> None:
        """One more step."""
        self.pieces.append(piece)
        self.held.append(held)
        self.used.append(used.copy())
        self.last.append(last)
        self.actions.append(action)
        self.ways.append(way)

    def __len__(self) -> int:
        return len(self.pieces)
