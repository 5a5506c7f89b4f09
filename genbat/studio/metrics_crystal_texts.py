"""How well crystalgpt writes: texts that parse, prompts that are honoured, valid ones a second."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from genbat.core.condition import Condition
from genbat.domains.crystals.catalogue import Catalogue
from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.measures import structurally_valid
from genbat.domains.crystals.structure import formula_counts, reduced_formula
from genbat.domains.crystals.swaps import substituted
from genbat.domains.crystals.symmetric import Symmetric, described
from genbat.domains.crystals.symmetric_grammar import read
from genbat.domains.crystals.symmetric_text import VOCABULARY, words_of
from genbat.domains.crystals.symmetry import space_group_number
from genbat.studio.metrics import Metrics, metric
from genbat.studio.metrics_crystals import ALONE, SUBSTITUTED, Made, Subject, cell_read
from genbat.studio.metrics_reconstruction import dress
from genbat.systems.base import part_of
from genbat.systems.by_symmetry import cell_of
from genbat.systems.crystalgpt import Plan
from genbat.systems.crystalgpt_training import Texts, rows_of

ONCE = "written once"  # with grammar
UNASKED = "unconditional"
PATTERNS = "training prototype of the group"
FREQUENCIES = "frequencies of words"
KNOWN = 200  # crystals whose texts are looked at
PROMPTS = 50  # held-out crystals whose formula and space group are asked for
BARS = {"parses": 0.98, "prompt_honoured": 0.95, "valid_per_second": 20.0}


def writing(subject: Subject) -> Metrics:
    """Texts that say a crystal, as written once, beside the model without grammar and beside the
    texts of held-out crystals; nats a word on these; valid crystals a second of one core."""
    plans = {"": Plan(tries=1), ALONE: subject.system.bare_plan}
    made: dict[str, Made] = {}
    for k, (name, plan) in enumerate(plans.items()):
        mine = subject.reporting(part_of(subject.report, 0.3 * k, 0.3))
        made[name] = mine.draw(subject.n, None, plan=plan)
    held = subject.some(subject.test, KNOWN, 1).cells
    back = [_again(cell) for cell in held]
    same = [b is not None and Catalogue([a]).holds(b) for a, b in zip(held, back, strict=True)]
    out = {
        "parses": _share(made, _is_there, back, BARS["parses"]),
        "valid_once": _share(made, structurally_valid, list(held)),
        "text_keeps_structure": metric(float(np.mean(same)), "share"),
    }
    return out | speed(subject) | likelihood(subject)


def _share(
    made: dict[str, Made],
    holds: Callable[[Cell], bool],
    real: Made,
    bar: float | None = None,
) -> dict[str, Any]:
    shares = {
        name: float(np.mean([c is not None and holds(c) for c in cells]))
        for name, cells in (made | {"real": real}).items()
    }
    return metric(
        shares[""], "share", baselines={ALONE: shares[ALONE]}, real=shares["real"], bar=bar
    )


def _is_there(cell: Cell) -> bool:
    return len(cell.numbers) > 0


def _again(cell: Cell) -> Cell | None:
    """A crystal written and read; None where it cannot be."""
    try:
        return cell_of(read(words_of(described(cell))))
    except ValueError:
        return None


def speed(subject: Subject) -> Metrics:
    """Structurally valid crystals that leave the system in a second of processor time, after the
    first few, beside substitution's."""
    list(subject.system.sample(1))  # groups' tables are made once
    began = time.process_time()
    texts = [candidate.text for candidate in subject.system.sample(subject.n, seed=subject.seed)]
    seconds = time.process_time() - began
    mine = _valid_per([cell_read(text) for text in texts], seconds)
    began = time.process_time()
    theirs = _valid_per(
        list(substituted(subject.train.cells, min(subject.n, KNOWN), subject.seed)),
        time.process_time() - began,
    )
    entry = metric(mine, "1/s", baselines={SUBSTITUTED: theirs}, bar=BARS["valid_per_second"])
    return {"valid_per_second": entry}


def _valid_per(made: Made, seconds: float) -> float:
    return sum(c is not None and structurally_valid(c) for c in made) / max(seconds, 1e-9)


@torch.inference_mode()
def likelihood(subject: Subject) -> Metrics:
    """Cross entropy of held-out texts in nats a word, beside that of words drawn as often as the
    training has them."""
    longest = subject.system.config.longest
    parts = {}
    for name, corpus in (("train", subject.train), ("test", subject.test)):
        cells = subject.some(corpus, KNOWN, 3).cells
        parts[name] = Texts.of(filter(None, map(_symmetric, cells)), longest)
    held = parts["test"]
    losses, weights = [], []
    for k in range(len(held.bodies)):
        tokens, counted = rows_of(held, [k], k)
        losses.append(float(subject.system.network.loss(tokens, counted)))
        weights.append(len(held.bodies[k]))
    seen = np.bincount(np.concatenate(parts["train"].bodies), minlength=len(VOCABULARY)) + 1.0
    plain = -np.log(seen / seen.sum())[np.concatenate(held.bodies)].mean()
    mine = float(np.average(losses, weights=weights))
    return {"nats_per_word": metric(mine, "nats", baselines={FREQUENCIES: float(plain)})}


def _symmetric(cell: Cell) -> Symmetric | None:
    try:
        return described(cell)
    except ValueError:
        return None


# ---------------------------------------------------------------------- prompts
def asked(subject: Subject) -> Metrics:
    """Formula and space group of held-out crystals asked together: the share of samples that have
    both (spglib, 0.1 Å), beside the same as written once, by the model alone, and of unconditional
    samples. Recovered: the held-out crystals whose structure is among the samples, and among as
    many training crystals of the stoichiometry with the right elements put in."""
    held = subject.some(subject.test.part(_askable(subject)), PROMPTS, 5)
    plans = {"": None, ONCE: Plan(tries=1), ALONE: subject.system.bare_plan}
    shares: dict[str, list[float]] = {name: [] for name in (*plans, UNASKED)}
    found: list[bool] = []
    guessed: list[bool] = []
    for k, cell in enumerate(held.cells):
        mine = subject.reporting(part_of(subject.report, k / len(held), 1 / len(held)))
        wanted = reduced_formula(cell), int(held.groups[k])
        for name, plan in plans.items():
            made = _asked_for(mine, *wanted, plan)
            shares[name].append(_honoured(made, *wanted))
            if not name:
                found.append(_holds(cell, made))
                guesses = dress([cell] * len(made), _of_group(subject, wanted[1]), subject.rng(6))
                guessed.append(_holds(cell, guesses))
        shares[UNASKED].append(_honoured(subject.drawn(), *wanted))
    means = {name: float(np.mean(values)) for name, values in shares.items()}
    others = {name: means[name] for name in means if name}
    return {
        "prompt_honoured": metric(
            means[""], "share", baselines=others, real=1.0, bar=BARS["prompt_honoured"]
        ),
        "prompt_recovered": metric(
            float(np.mean(found)), "share", baselines={PATTERNS: float(np.mean(guessed))}
        ),
    }


def _askable(subject: Subject) -> list[int]:
    """Held-out crystals whose group and elements training has seen."""
    config = subject.system.config
    groups, elements = set(config.groups), set(config.elements)
    return [
        k
        for k, (cell, group) in enumerate(zip(subject.test.cells, subject.test.groups, strict=True))
        if int(group) in groups and set(formula_counts(cell)) <= elements
    ]


def _of_group(subject: Subject, group: int) -> list[Cell]:
    pairs = zip(subject.train.cells, subject.train.groups, strict=True)
    return [cell for cell, own in pairs if int(own) == group]


def _holds(cell: Cell, made: Made) -> bool:
    own = Catalogue([cell])
    return any(c is not None and own.holds(c) for c in made)


def _asked_for(subject: Subject, formula: str, group: int, plan: Plan | None) -> Made:
    condition = Condition(wishes={"formula": formula, "space_group": group})
    try:
        return subject.draw(max(2, subject.n // PROMPTS), condition, plan=plan)
    except ValueError:  # the symmetry has no room for these atoms
        return [None]


def _honoured(made: Made, formula: str, group: int) -> float:
    good = [
        c is not None and reduced_formula(c) == formula and space_group_number(c) == group
        for c in made
    ]
    return float(np.mean(good))
