"""One box that takes a name, a CAS number, a formula or a SMILES and finds what is meant."""

from __future__ import annotations

from dataclasses import dataclass

from genbat.studio.explore import Atlas

MOST = 12
PROMPT = "Name, CAS number, formula or SMILES"


@dataclass(frozen=True)
class Found:
    """One object that a text may mean; `whole` where the text is its very name."""

    text: str
    label: str
    whole: bool = False


def find(place: Atlas, asked: str) -> list[Found]:
    """What a text may mean, likeliest first: names and CAS numbers, the SMILES itself, the rest.

    Raises
    ------
    ValueError : saying what was tried and what is wrong.
    """
    asked = " ".join(asked.split())
    if not asked:
        raise ValueError(f"Nothing to look for; write a {PROMPT[0].lower()}{PROMPT[1:]}.")
    hits = [_known(place, row, asked) for row in place.search(asked, MOST)]
    typed, problem = _typed(place, asked)
    found = [h for h in hits if h.whole] + typed + hits
    if not found:
        raise ValueError(
            f"“{_cut(asked)}” is no name, CAS number or formula of a known molecule, "
            f"and no SMILES that can be used. {problem}"
        )
    unique = {f.text: f for f in reversed(found)}
    return list({f.text: unique[f.text] for f in found}.values())[:MOST]


def _known(place: Atlas, row: int, asked: str) -> Found:
    if row >= place.n_known:
        return Found(place.texts[row], _cut(place.texts[row]))
    series = place.dataset.table.iloc[row]
    names = [series["name"], series["cas"], *str(series["synonyms"]).split("|")]
    whole = asked.lower() in (str(n).lower() for n in names if n)
    return Found(place.texts[row], _cut(str(series["name"])), whole)


def _typed(place: Atlas, asked: str) -> tuple[list[Found], str]:
    try:
        text = place.typed(asked).text
    except ValueError as wrong:
        return [], str(wrong)
    return [Found(text, name_of(place, text))], ""


def name_of(place: Atlas, text: str) -> str:
    """An object's name where it is known, else its text, shortened."""
    row = place.row_of.get(text)
    return _cut(place.names[row] if row is not None else text)


def _cut(text: str, most: int = 60) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
