"""Repeat units of linear polymers: SMILES between [Cu] and [Au], and when two are the same polymer.

The same chain can be cut anywhere, read from either end, and written two units at a time. So a unit
is taken apart at every bond that alone holds its two ends together; what remains is a ring of
segments, and of all its rotations and both directions, at its shortest period, the first in the
alphabet is the normal form. Stereochemistry is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from rdkit import Chem, RDLogger

HEAD, TAIL = "[Cu]", "[Au]"
ENDS = (29, 79)  # their atomic numbers
LONGEST = 2000  # characters of a text that is looked at
_LEFT, _RIGHT = 1, 2  # isotopes of the dummy atoms at a segment's two ends
_JOINT = 100  # and, from here on, of those that are joined
_BY_ISOTOPE = Chem.MolzipParams()
_BY_ISOTOPE.label = Chem.MolzipLabel.Isotope

RDLogger.DisableLog("rdApp.*")


@dataclass(frozen=True)
class Unit:
    """A repeat unit in its normal form.

    Attributes
    ----------
    text : SMILES with [Cu] and [Au] at its ends.
    segments : what stands between two bonds at which the chain can be cut, in order; each with a
        dummy atom [1*] where it is reached and [2*] where it is left.
    """

    text: str
    segments: tuple[str, ...]


@lru_cache(maxsize=65_536)
def normal(text: str) -> Unit:
    """The normal form of a repeat unit; the same for every text of the same polymer.

    Raises
    ------
    ValueError : no SMILES, or not exactly one single-bonded [Cu] and [Au].
    """
    pieces = _segments(parsed(text))
    turned = [_reversed(piece) for piece in reversed(pieces)]
    best = min(_least_rotation(_shortest_period(way)) for way in (pieces, turned))
    return Unit(_joined(best), tuple(best))


def parsed(text: str) -> Chem.Mol:
    """A repeat unit as a molecule without stereochemistry.

    Raises
    ------
    ValueError : as `normal`.
    """
    text = text.strip()
    if len(text) > LONGEST:
        raise ValueError(f"unit: {len(text)} characters; legal are up to {LONGEST}")
    mol = Chem.MolFromSmiles(text) if text else None
    if mol is None:
        raise ValueError(f"unit: {text[:60]!r} is no SMILES")
    numbers = _numbers(mol)
    counts = [numbers.count(end) for end in ENDS]
    if counts != [1, 1]:
        raise ValueError(f"unit: has {counts[0]} {HEAD} and {counts[1]} {TAIL}; one each is legal")
    for atom in (mol.GetAtomWithIdx(numbers.index(end)) for end in ENDS):
        kinds = [bond.GetBondType() for bond in atom.GetBonds()]
        if kinds != [Chem.BondType.SINGLE] or atom.GetFormalCharge():
            raise ValueError(f"unit: [{atom.GetSymbol()}] must hang on one single bond")
    if len(Chem.GetMolFrags(mol)) > 1:
        raise ValueError("unit: is in pieces; one is legal")
    Chem.RemoveStereochemistry(mol)
    return mol


# ---------------------------------------------------------------------- taking apart
def _segments(mol: Chem.Mol) -> list[str]:
    """Segments from [Cu] to [Au]: cut at every single bond that alone holds the ends together."""
    numbers = _numbers(mol)
    head, tail = (numbers.index(end) for end in ENDS)
    path = Chem.GetShortestPath(mol, head, tail)
    pairs = list(pairwise(path))
    if len(pairs) < 2:
        raise ValueError(f"unit: nothing stands between {HEAD} and {TAIL}")
    bonds = [mol.GetBondBetweenAtoms(a, b) for a, b in pairs]
    cuts = [k for k, bond in enumerate(bonds)
            if not bond.IsInRing() and bond.GetBondType() == Chem.BondType.SINGLE]  # fmt: skip
    # The first label is of the dummy in place of the begin atom; the path may cross a bond either
    # way.
    labels = [
        (_LEFT, _RIGHT) if bonds[k].GetBeginAtomIdx() == pairs[k][0] else (_RIGHT, _LEFT)
        for k in cuts
    ]
    broken = Chem.FragmentOnBonds(mol, [bonds[k].GetIdx() for k in cuts], dummyLabels=labels)
    parts = {atom: part for part in Chem.GetMolFrags(broken) for atom in part}
    inside = (parts[pairs[k][1]] for k in cuts[:-1])
    return [_canonical(Chem.MolFragmentToSmiles(broken, part)) for part in inside]


def _numbers(mol: Chem.Mol) -> list[int]:
    return [atom.GetAtomicNum() for atom in mol.GetAtoms()]


@lru_cache(maxsize=65_536)
def _canonical(piece: str) -> str:
    return Chem.MolToSmiles(Chem.MolFromSmiles(piece))


@lru_cache(maxsize=65_536)
def _reversed(piece: str) -> str:
    """A segment reached from its other end."""
    mol = Chem.MolFromSmiles(piece)
    for atom in mol.GetAtoms():
        if atom.GetAtomicNum() == 0 and atom.GetIsotope() in (_LEFT, _RIGHT):
            atom.SetIsotope(_LEFT + _RIGHT - atom.GetIsotope())
    return Chem.MolToSmiles(mol)


# ---------------------------------------------------------------------- rings of segments
def _shortest_period(ring: Sequence[str]) -> list[str]:
    """The shortest part of a ring whose repetition is the ring."""
    n = len(ring)
    for period in range(1, n + 1):
        if n % period == 0 and list(ring) == list(ring[:period]) * (n // period):
            return list(ring[:period])
    return list(ring)


def _least_rotation(ring: Sequence[str]) -> list[str]:
    """The rotation that comes first in the alphabet."""
    return min([*ring[k:], *ring[:k]] for k in range(len(ring)))


# ---------------------------------------------------------------------- putting together
def _joined(pieces: Sequence[str]) -> str:
    """SMILES of segments in a row, between [Cu] and [Au]."""
    text = Chem.MolToSmiles(_row(pieces))
    # Put in as text: a metal in the molecule would put its neighbours into brackets.
    return text.replace(f"[{_LEFT}*]", HEAD).replace(f"[{_RIGHT}*]", TAIL)


def _row(pieces: Sequence[str]) -> Chem.Mol:
    """Segments in a row, the dummy atoms still at its ends."""
    if len(pieces) == 1:
        return Chem.MolFromSmiles(pieces[0])
    # Each segment's right dummy and the next one's left dummy get a number that joins them.
    joints = [str(_JOINT + k) for k in range(len(pieces) - 1)]
    lefts, rights = [str(_LEFT), *joints], [*joints, str(_RIGHT)]
    named = (
        piece.replace(f"[{_LEFT}*]", f"[{left}*]").replace(f"[{_RIGHT}*]", f"[{right}*]")
        for piece, left, right in zip(pieces, lefts, rights, strict=True)
    )
    return Chem.molzip(Chem.MolFromSmiles(".".join(named)), _BY_ISOTOPE)


def _dummy(mol: Chem.Mol, isotope: int) -> int:
    return next(a.GetIdx() for a in mol.GetAtoms()
                if a.GetAtomicNum() == 0 and a.GetIsotope() == isotope)  # fmt: skip


# ---------------------------------------------------------------------- views
@lru_cache(maxsize=65_536)
def views(unit: Unit) -> tuple[str, ...]:
    """All texts of a polymer that differ in where it is cut and which end comes first; for training
    on more than one."""
    turned = [_reversed(piece) for piece in reversed(unit.segments)]
    ways = (list(unit.segments), turned)
    rows = ([*way[k:], *way[:k]] for way in ways for k in range(len(way)))
    return tuple(dict.fromkeys(_joined(row) for row in rows))


def capped(unit: Unit, times: int = 1) -> str:
    """SMILES of so many units in a row with hydrogen at both ends: for fingerprints and scores."""
    mol = _row(list(unit.segments) * times)
    for isotope in (_LEFT, _RIGHT):
        atom = mol.GetAtomWithIdx(_dummy(mol, isotope))
        atom.SetIsotope(0)
        atom.SetAtomicNum(1)
    return Chem.MolToSmiles(Chem.RemoveHs(mol))
