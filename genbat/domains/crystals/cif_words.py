"""The words of a CIF with their lines: single values and loops (CIF 1.1, Hall et al., Acta Cryst. A
1991, 47, 655)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from genbat.domains.crystals.file_errors import LineError

_TOKEN = re.compile(r"'(?:[^']|'(?=\S))*'(?=\s|$)|\"(?:[^\"]|\"(?=\S))*\"(?=\s|$)|#.*|\S+")


@dataclass(frozen=True)
class Token:
    """A word of the file and its line, counted from 1; `bare` where it stands without quotes."""

    text: str
    line: int
    bare: bool = True


@dataclass
class Block:
    """Single values and loops (columns, rows) of a block, names in small letters."""

    values: dict[str, Token] = field(default_factory=dict)
    loops: list[tuple[list[Token], list[list[Token]]]] = field(default_factory=list)

    def column(self, name: str) -> list[Token] | None:
        """A column of a loop, or a single value as such; None where neither is there."""
        for columns, rows in self.loops:
            for place, column in enumerate(columns):
                if column.text == name:
                    return [row[place] for row in rows]
        return [self.values[name]] if name in self.values else None


def tokens(text: str) -> Iterator[Token]:
    """The words of a CIF: quoted ones without their quotes, text fields as one word."""
    lines = iter(enumerate(text.split("\n"), 1))
    for number_, line in lines:
        if not line.startswith(";"):
            for match in _TOKEN.finditer(line):
                word = match[0]
                if word[0] == "#":
                    break
                quoted = len(word) > 1 and word[0] in "'\"" and word[-1] == word[0]
                yield Token(word[1:-1] if quoted else word, number_, not quoted)
            continue
        parts = [line[1:]]
        for _, inner in lines:
            if inner.startswith(";"):
                break
            parts.append(inner)
        else:
            words = "a text begins with ';' and never ends; legal is a line with ';' behind it"
            raise LineError(number_, words)
        yield Token("\n".join(parts), number_, False)


def parse(text: str) -> Block:
    """Values and loops of one block; LineError for a loop whose rows do not fill its columns."""
    block, words = Block(), list(tokens(text))
    k = 0
    while k < len(words):
        word = words[k]
        small = word.text.lower()
        if word.bare and small == "loop_":
            k = _loop(block, words, k + 1)
        elif word.bare and small.startswith("_"):
            value = words[k + 1] if k + 1 < len(words) else None
            if value is None or (value.bare and _is_name(value)):
                raise LineError(word.line, f"{word.text[:60]} has no value; legal is one behind it")
            if small in block.values and small.startswith("_cell_"):
                raise LineError(word.line, f"{small} is given twice; legal is once")
            block.values[small] = value
            k += 2
        else:
            k += 1
    return block


def _is_name(word: Token) -> bool:
    small = word.text.lower()
    return word.bare and (small.startswith(("_", "data_", "save_")) or small == "loop_")


def _loop(block: Block, words: Sequence[Token], k: int) -> int:
    """Read one loop from word k on; the number of the word after it."""
    columns = []
    while k < len(words) and words[k].bare and words[k].text.startswith("_"):
        columns.append(Token(words[k].text.lower(), words[k].line))
        k += 1
    values = []
    while k < len(words) and not _is_name(words[k]):
        values.append(words[k])
        k += 1
    if columns and len(values) % len(columns):
        _blame(columns, values)
    rows = [values[i : i + len(columns)] for i in range(0, len(values), len(columns) or 1)]
    block.loops.append((columns, rows))
    return k


def _blame(columns: Sequence[Token], values: Sequence[Token]) -> None:
    """Name the first line whose number of words is not that of the columns."""
    counts: dict[int, int] = {}
    for value in values:
        counts[value.line] = counts.get(value.line, 0) + 1
    line = next((n for n, count in counts.items() if count != len(columns)), values[0].line)
    raise LineError(
        line,
        f"has {counts[line]} values where the loop has {len(columns)} columns "
        f"({columns[0].text[:40]} ...); legal is one value for each",
    )
