"""Whether a system's latent point of a crystal leads back to the crystal."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.measures import same_structure
from genbat.domains.crystals.structure import formula_counts
from genbat.domains.crystals.swaps import replaced
from genbat.studio.metrics import Metrics, metric
from genbat.studio.metrics_crystals import Made, Subject


def reconstruction(subject: Subject) -> Metrics:
    """Share of at most n held-out crystals that encode and decode to the same structure
    (StructureMatcher, stol 0.5, 10 degrees, ltol 0.3), with the atoms' mean distance.

    Beside it: draws from the prior, and a training crystal of the same stoichiometry with
    the right elements put in at random.
    """
    held = subject.some(subject.test, subject.n, 1).cells
    system, rng = subject.system, subject.rng(3)
    subject.report(0.0, f"reconstructing {len(held)} held-out crystals")
    back = system.decode_cells(system.encode_cells(held), seed=subject.seed)
    blind = subject.draw(len(held), None)
    subject.report(0.6, "comparing structures")
    dressed = dress(held, subject.train.cells, rng)
    ours, chance, guess = (distances(held, cells) for cells in (back, blind, dressed))
    found = ours[~np.isnan(ours)]
    right = [formula_counts(a) == formula_counts(b) for a, b in zip(held, back, strict=True)]
    sizes = [len(a.numbers) == len(b.numbers) for a, b in zip(held, back, strict=True)]
    return {
        "reconstruction_match": metric(
            _known(ours),
            "share",
            baselines={"draws from the prior": _known(chance), "training prototype": _known(guess)},
            bar=subject.bars.get("reconstruction_match"),
        ),
        "reconstruction_distance": metric(
            float(found.mean()) if len(found) else np.nan,
            "free lengths",
            baselines={"training prototype": _mean(guess)},
        ),
        "reconstruction_atoms": metric(float(np.mean(sizes)), "share"),
        "reconstruction_composition": metric(float(np.mean(right)), "share"),
    }


def distances(held: Sequence[Cell], back: Sequence[Cell | None]) -> np.ndarray:
    """StructureMatcher's distance of each pair (n,), NaN where they do not match."""
    pairs = zip(held, back, strict=True)
    found = [None if b is None else same_structure(a, b) for a, b in pairs]
    return np.array([np.nan if d is None else d for d in found])


def _known(values: np.ndarray) -> float:
    return float(np.mean(~np.isnan(values)))


def _mean(values: np.ndarray) -> float:
    return float(np.nanmean(values)) if _known(values) else np.nan


def dress(held: Sequence[Cell], patterns: Sequence[Cell], rng: np.random.Generator) -> Made:
    """For each crystal a random pattern of its stoichiometry in its elements; None without one."""
    kinds: dict[tuple[int, ...], list[Cell]] = {}
    for cell in patterns:
        kinds.setdefault(tuple(sorted(formula_counts(cell).values())), []).append(cell)
    made: Made = []
    for cell in held:
        wanted = formula_counts(cell)
        alike = kinds.get(tuple(sorted(wanted.values())), [])
        if not alike:
            made.append(None)
            continue
        pattern = alike[int(rng.integers(len(alike)))]
        # Both are listed by falling metal character; equal counts pair up in that order.
        slots = sorted(formula_counts(pattern).items(), key=lambda item: item[1])
        names = sorted(wanted.items(), key=lambda item: item[1])
        mapping = {s: e for (s, _), (e, _) in zip(slots, names, strict=True)}
        made.append(replaced(pattern, mapping))
    return made
