"""Molecules as trees of substructures: rings, multiple bonds and single atoms, joined by single
bonds.

Every single bond outside rings is cut (but between charged neighbours), so that each piece is small
and the same pieces come again and again; what joins them is a tree, and it gives the molecule back
exactly. As in the fragment trees of JT-VAE and NP-VAE (Ochiai et al., Commun. Chem. 2023, 6, 249).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import lru_cache

from rdkit import Chem

from genbat.domains.molecules.structure import normal_form, parse_smiles

MATCHES = 256  # ways a piece can lie on itself that are looked at


@dataclass(frozen=True)
class Node:
    """A piece, hydrogens where it is cut, and what hangs on it.

    Attributes
    ----------
    piece : canonical SMILES.
    links : in the order of the piece's atoms; those on one atom by what hangs there.
    """

    piece: str
    links: tuple[Link, ...] = ()


@dataclass(frozen=True)
class Link:
    """A child, by its own atom `at`, on the parent's atom `on`; numbers of the pieces' SMILES."""

    on: int
    at: int
    child: Node


# ---------------------------------------------------------------------- taking apart
def tree_of(smiles: str) -> Node:
    """The tree of a molecule; its largest piece is the root.

    Raises
    ------
    ValueError : no molecule of the domain.
    """
    mol = parse_smiles(smiles)
    bonds = [bond for bond in mol.GetBonds() if _cuttable(bond)]
    pairs = [(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()) for bond in bonds]
    pieces = _pieces(mol, pairs)
    owner = {atom: k for k, piece in enumerate(pieces) for atom in piece.number}
    across: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for a, b in pairs:
        across[owner[a]].append((a, b))
        across[owner[b]].append((b, a))
    numbers = [_placed(piece, [a for a, _ in across[k]]) for k, piece in enumerate(pieces)]

    def node(k: int, came_from: int) -> Node:
        links = [
            Link(numbers[k][a], numbers[owner[b]][b], node(owner[b], k))
            for a, b in across[k]
            if owner[b] != came_from
        ]
        return Node(pieces[k].text, tuple(sorted(links, key=_order)))

    root = max(range(len(pieces)), key=lambda k: (len(pieces[k].number), -min(pieces[k].number)))
    return node(root, -1)


def _order(link: Link) -> tuple[int, int, int, str]:
    """One order for all spellings of a molecule."""
    below = nodes_of(link.child)
    return link.on, link.at, len(below), " ".join(node.piece for node in below)


def _cuttable(bond: Chem.Bond) -> bool:
    charged = bond.GetBeginAtom().GetFormalCharge() and bond.GetEndAtom().GetFormalCharge()
    single = bond.GetBondType() == Chem.BondType.SINGLE
    return bool(single and not bond.IsInRing() and not charged)


@dataclass(frozen=True)
class _Piece:
    """A piece's SMILES, and the number in it of each of the molecule's atoms."""

    text: str
    number: dict[int, int]


def _pieces(mol: Chem.Mol, pairs: list[tuple[int, int]]) -> list[_Piece]:
    cut = Chem.RWMol(mol)
    for a, b in pairs:
        cut.RemoveBond(a, b)
    for number, cuts in Counter(atom for pair in pairs for atom in pair).items():
        atom = cut.GetAtomWithIdx(number)
        if _counted(atom):
            atom.SetNumExplicitHs(mol.GetAtomWithIdx(number).GetTotalNumHs() + cuts)
            atom.SetNoImplicit(True)
    places: list[tuple[int, ...]] = []
    found = Chem.GetMolFrags(cut, asMols=True, fragsMolAtomMapping=places)
    return [_piece(part, atoms) for part, atoms in zip(found, places, strict=True)]


def _counted(atom: Chem.Atom) -> bool:
    """Whether a cut must be written down as a hydrogen: RDKit would not know of it."""
    several = atom.GetSymbol() in ("S", "P", "Cl")  # elements of several valences
    aromatic = atom.GetIsAromatic() and atom.GetSymbol() != "C"
    return bool(atom.GetNoImplicit() or several or aromatic)


def _piece(part: Chem.Mol, atoms: tuple[int, ...]) -> _Piece:
    text = Chem.MolToSmiles(part)
    order = list(part.GetPropsAsDict(True, True)["_smilesAtomOutputOrder"])
    return _Piece(text, {atoms[own]: number for number, own in enumerate(order)})


def _placed(piece: _Piece, used: list[int]) -> dict[int, int]:
    """Numbers of a piece's atoms; of the ways a symmetric piece can lie, the one that uses its
    first atoms."""
    own = [piece.number[atom] for atom in used]
    best = min(
        _ways(piece.text), key=lambda way: (sorted(way[k] for k in own), [way[k] for k in own])
    )
    return {atom: best[number] for atom, number in piece.number.items()}


@lru_cache(maxsize=16_384)
def _ways(text: str) -> tuple[tuple[int, ...], ...]:
    """Renumberings of a piece's atoms that leave it the same."""
    mol, hydrogens = piece_mol(text), free_hydrogens(text)
    found = mol.GetSubstructMatches(mol, uniquify=False, maxMatches=MATCHES)
    return tuple(way for way in found if all(hydrogens[b] == hydrogens[a]
                                             for a, b in enumerate(way)))  # fmt: skip


@lru_cache(maxsize=16_384)
def piece_mol(text: str) -> Chem.Mol:
    """The molecule of a piece; not to be changed."""
    return Chem.MolFromSmiles(text)


@lru_cache(maxsize=16_384)
def free_hydrogens(text: str) -> tuple[int, ...]:
    """How much can hang on each atom of a piece."""
    return tuple(atom.GetTotalNumHs() for atom in piece_mol(text).GetAtoms())


# ---------------------------------------------------------------------- putting together
def molecule_of(tree: Node) -> str:
    """The normal form of the molecule of a tree.

    Raises
    ------
    ValueError : more hangs on an atom than it can hold.
    """
    mol = Chem.RWMol()
    _added(mol, tree)
    try:
        Chem.SanitizeMol(mol)
    except ValueError as wrong:
        raise ValueError(f"tree: {str(wrong).strip()}") from wrong
    return normal_form(mol.GetMol())


def _added(mol: Chem.RWMol, node: Node) -> int:
    """Put a node with all that hangs on it into a molecule; returns its first atom."""
    first = mol.GetNumAtoms()
    mol.InsertMol(piece_mol(node.piece))
    for link in node.links:
        below = _added(mol, link.child)
        ends = first + link.on, below + link.at
        mol.AddBond(*ends, Chem.BondType.SINGLE)
        for end in ends:
            atom = mol.GetAtomWithIdx(end)
            if atom.GetNumExplicitHs():
                atom.SetNumExplicitHs(atom.GetNumExplicitHs() - 1)
    return first


def size_of(tree: Node) -> int:
    """Heavy atoms."""
    return piece_mol(tree.piece).GetNumAtoms() + sum(size_of(link.child) for link in tree.links)


def nodes_of(tree: Node) -> list[Node]:
    """All nodes, each before what hangs on it."""
    return [tree, *(node for link in tree.links for node in nodes_of(link.child))]
