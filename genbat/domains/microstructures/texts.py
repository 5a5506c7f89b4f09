"""Microstructures as text: the two lines of a volume, or one with the recipe and the seed that make
it again in some tenths of a second, which is how the known ones are written."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import lru_cache

from genbat.domains.microstructures.generator import Recipe, make
from genbat.domains.microstructures.volume import Volume
from genbat.domains.microstructures.volume import from_text as whole

KEPT = 64  # volumes that are held in memory


def recipe_text(recipe: Recipe, seed: int) -> str:
    """One line, the same for the same volume."""
    return json.dumps({"recipe": asdict(recipe), "seed": int(seed)})


@lru_cache(maxsize=KEPT)
def read(text: str) -> Volume:
    """The volume of either form; not to be changed.

    Raises
    ------
    ValueError : the text is no volume; says which part is wrong.
    """
    if not text.startswith('{"recipe"'):
        return whole(text)
    try:
        head = json.loads(text)
        recipe, seed = Recipe(**head["recipe"]), int(head["seed"])
    except (KeyError, TypeError, json.JSONDecodeError) as wrong:
        raise ValueError(f"volume: its recipe cannot be read ({wrong})") from wrong
    return make(recipe, seed)
