"""SMILES <-> SELFIES tokens: every token sequence is a molecule.

Krenn et al., Mach. Learn.: Sci. Technol. 2020, 1, 045024.

What is lost: stereo marks and isotopes (the domain's normal form has none). Nothing else: the
data set holds only molecules that survive the round trip.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import selfies
from rdkit import Chem

from genbat.domains.molecules.structure import normal_form

PAD, START, END = "[nop]", "[start]", "[end]"
MAX_TOKENS = 48

# Silicon is missing from SELFIES' own valence table, which would then allow eight bonds.
selfies.set_semantic_constraints({**selfies.get_preset_constraints("default"), "Si": 4})


def to_selfies(smiles: str) -> list[str]:
    """Tokens of a SMILES in the atom order it is written in; ValueError where SELFIES has none."""
    try:
        return list(selfies.split_selfies(selfies.encoder(smiles)))
    except selfies.EncoderError as error:
        raise ValueError(f"SMILES: {smiles!r} cannot be written in SELFIES") from error


def from_selfies(tokens: Sequence[str]) -> str | None:
    """Normal-form SMILES of a token sequence; None where nothing sensible remains of it."""
    mol = Chem.MolFromSmiles(selfies.decoder("".join(tokens)))
    if mol is None or mol.GetNumAtoms() == 0:
        return None
    try:
        return normal_form(mol)
    except ValueError:
        return None


def survives(smiles: str) -> bool:
    """Whether a normal-form SMILES comes back unchanged from SELFIES."""
    try:
        return from_selfies(to_selfies(smiles)) == smiles
    except ValueError:
        return False


def random_form(smiles: str, rng: random.Random) -> str:
    """The same molecule written from another atom, in another order (Bjerrum 2017)."""
    mol = Chem.MolFromSmiles(smiles)
    order = list(range(mol.GetNumAtoms()))
    rng.shuffle(order)
    return Chem.MolToSmiles(Chem.RenumberAtoms(mol, order), canonical=False)


@dataclass(frozen=True)
class Vocabulary:
    """Token <-> number; 0 pads, 1 starts, 2 ends a sequence."""

    tokens: tuple[str, ...]

    @classmethod
    def from_smiles(cls, smiles: Iterable[str]) -> Vocabulary:
        """All tokens these molecules use, sorted."""
        used = {token for s in smiles for token in to_selfies(s)}
        return cls((PAD, START, END, *sorted(used)))

    def __len__(self) -> int:
        return len(self.tokens)

    def encode(self, smiles: str) -> list[int]:
        """Token numbers without start and end.

        Raises
        ------
        ValueError : naming the tokens this vocabulary lacks, or the length.
        """
        tokens = to_selfies(smiles)
        index = {token: k for k, token in enumerate(self.tokens)}
        strange = sorted(set(tokens) - index.keys())
        if strange:
            raise ValueError(f"SMILES: {smiles!r} needs {', '.join(strange)}, which no training "
                             "molecule contains")  # fmt: skip
        if len(tokens) > MAX_TOKENS:
            raise ValueError(
                f"SMILES: {smiles!r} needs {len(tokens)} tokens; legal are {MAX_TOKENS}"
            )
        return [index[token] for token in tokens]

    def decode(self, numbers: Iterable[int]) -> str | None:
        """SMILES of token numbers up to the first end token; None for an empty molecule."""
        tokens = []
        for number in numbers:
            if number == 2:
                break
            if number > 2:
                tokens.append(self.tokens[number])
        return from_selfies(tokens) if tokens else None
