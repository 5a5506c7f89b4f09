"""One box that takes a name, a formula or a structure and finds what is meant."""

from __future__ import annotations

from dataclasses import dataclass

from genbat.studio.explore import Atlas

MOST = 12


@dataclass(frozen=True)
class Found:
    """One object that a text may mean; `whole` where the text is its very name."""

    text: str
    label: str
    whole: bool = False


def find(place: Atlas, asked: str) -> list[Found]:
    """What a text may mean, likeliest first: whole names, the very structure, the rest.

    Raises
    ------
    ValueError : saying what was tried and what is wrong.
    """
    words = place.rooms.words
    asked = asked.strip() if "\n" in asked.strip() else " ".join(asked.split())
    if not asked:
        prompt = words.prompt
        raise ValueError(f"Nothing to look for; write a {prompt[0].lower()}{prompt[1:]}.")
    hits = [_known(place, row, asked) for row in place.search(asked, MOST)]
    typed, problem = _typed(place, asked)
    found = [h for h in hits if h.whole] + typed + hits
    if not found:
        raise ValueError(
            f"“{_cut(asked)}” is nothing that finds a known {words.one} "
            f"({words.prompt[0].lower()}{words.prompt[1:]}). {problem}"
        )
    unique = {f.text: f for f in reversed(found)}
    return list({f.text: unique[f.text] for f in found}.values())[:MOST]


def _known(place: Atlas, row: int, asked: str) -> Found:
    name = place.names[row]
    whole = row < place.n_known and asked.lower() in map(str.lower, place.known.called(row))
    return Found(place.texts[row], _cut(name), whole)


def _typed(place: Atlas, asked: str) -> tuple[list[Found], str]:
    try:
        text = place.typed(asked).text
    except ValueError as wrong:
        return [], str(wrong)
    return [Found(text, name_of(place, text))], ""


def name_of(place: Atlas, text: str) -> str:
    """An object's name where it is known, else its text, shortened."""
    row = place.row_of.get(text)
    return _cut(place.names[row] if row is not None else place.rooms.title(text) or text)


def _cut(text: str, most: int = 60) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
