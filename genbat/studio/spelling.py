"""How a GPT writes a molecule: token by token, with what might have stood there instead."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from genbat.core.candidate import Candidate, Verdict
from genbat.core.condition import Condition, Window
from genbat.domains.molecules.codec import Vocabulary, from_selfies
from genbat.domains.molecules.structure import judge, parse_smiles
from genbat.studio import registry
from genbat.systems.molecule_making import TOLD
from genbat.systems.moleculegpt import END, NAME

OTHERS = 8  # likeliest tokens that are shown of a place
STOP = "end"  # what the token that ends a molecule is called


@dataclass(frozen=True)
class Place:
    """A place of a text: its token, the probability it had, and the likeliest ones with theirs."""

    token: str
    chance: float
    likeliest: tuple[tuple[str, float], ...]


def asked_for() -> tuple[str, ...]:
    """Properties that may be told, by key."""
    return TOLD


def usual(key: str) -> float:
    """The mean of a property in training."""
    low, high = registry.load(NAME).training_range[key]
    return (low + high) / 2


def tokens_of(smiles: str) -> list[str]:
    """Tokens of a molecule.

    Raises
    ------
    ValueError : no SMILES, or one with a token that no training molecule has.
    """
    parse_smiles(smiles)
    known = registry.load(NAME).config.tokens
    return [known[k] for k in Vocabulary(known).encode(smiles)]


def written(asked: Mapping[str, float], given: Sequence[str], seed: int) -> list[Place]:
    """A molecule that begins with given tokens, for values of properties in their units.

    Raises
    ------
    ValueError : a token that no training molecule has, or too many of them.
    """
    system = registry.load(NAME)
    known: tuple[str, ...] = system.config.tokens
    if strange := sorted(set(given) - set(known)):
        raise ValueError(f"given: unknown {', '.join(strange)}")
    numbers = [known.index(token) for token in given]
    spelling = system.spell(system.aims(condition(asked)), numbers, seed)
    places = []
    for number, chances in zip(spelling.numbers, spelling.chances, strict=True):
        best = chances.topk(min(OTHERS, len(known)))
        found = [(_word(known, k), c) for k, c in zip(best.indices.tolist(), best.values.tolist(),
                                                      strict=True) if c > 0]  # fmt: skip
        places.append(Place(_word(known, number), float(chances[number]), tuple(found)))
    return places


def _word(known: Sequence[str], number: int) -> str:
    return STOP if number == END else known[number]


def condition(asked: Mapping[str, float]) -> Condition:
    """Values of properties as windows without width."""
    return Condition(windows={key: Window(value, value) for key, value in asked.items()})


def molecule(tokens: Sequence[str]) -> str:
    """SMILES of the first tokens of a text; nothing where they are none yet."""
    return from_selfies([t for t in tokens if t != STOP]) or "" if tokens else ""


def candidate(
    tokens: Sequence[str], asked: Mapping[str, float], given: int, seed: int
) -> Candidate:
    """What was written, `given` tokens of which were not the model's."""
    text = molecule(tokens)
    verdict = judge(parse_smiles(text)) if text else Verdict(False, ("nothing was written",))
    arguments = {"begin": "".join(tokens[:given])} if given else {}
    made: Candidate = registry.load(NAME).made(
        text, verdict, seed, arguments, action="spell", condition=condition(asked)
    )
    return made


def surprise(places: Sequence[Place]) -> float:
    """Mean bits a token: how little the model expected what stands there."""
    return sum(-math.log2(max(p.chance, 1e-12)) for p in places) / max(1, len(places))
