"""SMILES of repeat units as tokens: atoms, bonds, brackets, ring numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

PAD, END = "[pad]", "[end]"  # numbers 0 and 1
_TOKEN = re.compile(r"\[[^\[\]]+\]|Br|Cl|%\d\d|[BCNOPSFIbcnops]|[0-9]|[-=#$:/\\.()~]")


def split(text: str) -> list[str]:
    """Tokens of a SMILES.

    Raises
    ------
    ValueError : a character that belongs to none.
    """
    found = _TOKEN.findall(text)
    if "".join(found) != text:
        rest = _TOKEN.sub("", text)
        raise ValueError(f"SMILES: {text[:60]!r} holds {rest[:10]!r}, which is no part of one")
    return found


@dataclass(frozen=True)
class Vocabulary:
    """Token <-> number; 0 pads, 1 ends a text, then words said before it, then the text's own."""

    tokens: tuple[str, ...]

    @classmethod
    def of(cls, texts: Iterable[str], said: Sequence[str] = ()) -> Vocabulary:
        """All tokens of some texts, sorted, and the words that may be said before them."""
        used = {token for text in texts for token in split(text)}
        return cls((PAD, END, *said, *sorted(used)))

    def __len__(self) -> int:
        return len(self.tokens)

    def numbers(self, text: str) -> list[int]:
        """Numbers of a text's tokens.

        Raises
        ------
        ValueError : a token that is not known; the known ones are named.
        """
        table = {token: k for k, token in enumerate(self.tokens)}
        found = split(text)
        if strange := [token for token in found if token not in table]:
            legal = " ".join(self.tokens[2:])
            raise ValueError(f"SMILES: {strange[0]!r} is not known here; legal are {legal}")
        return [table[token] for token in found]

    def text(self, numbers: Iterable[int]) -> str:
        """The text of numbers until the first end or padding."""
        out = []
        for number in numbers:
            if number < 2:
                break
            out.append(self.tokens[number])
        return "".join(out)
