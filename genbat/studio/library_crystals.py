"""A system's library of crystals: its own new ones, relaxed and judged by CHGNet, with places."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from genbat.domains.crystals import data
from genbat.domains.crystals.catalogue import Catalogue
from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.hosts import working_ion
from genbat.domains.crystals.properties import BY_KEY
from genbat.domains.crystals.stability import Landscape, landscape
from genbat.domains.crystals.structure import formula_counts, from_text, primitive, to_text
from genbat.domains.crystals.table import LABEL_VERSION
from genbat.studio import registry
from genbat.studio.judging import Ruling, rule
from genbat.studio.metrics import Progress
from genbat.systems.crystal_corpus import MAX_ATOMS

SIZE, SEED = 1_000, 0
BLOCK = 384  # draws that are judged together
MOST = 10  # draws a wanted crystal; a system that needs more has little to say
Row = dict[str, Any]


def known_cells() -> list[Cell]:
    """The shipped crystals, in the order of their table."""
    known = data.load()
    return [known.cell(k) for k in range(len(known))]


def known_latents(system: Any) -> np.ndarray:
    """Latent points of all known crystals, in the order of their table (n, d)."""
    return system.encode_cells([primitive(cell) for cell in known_cells()])


def make_library(
    system: Any,
    *,
    log: Path,
    size: int | None = None,
    workers: int = 2,
    progress: Progress | None = None,
    reference: Any = None,
) -> pd.DataFrame:
    """The first `size` of a system's draws that relax past the gates into a new crystal, seed 0.

    Parameters
    ----------
    log : JSONL of CHGNet's rulings, the checkpoint of a stopped build.
    size : crystals, SIZE of them.
    reference : the system whose encoder places them; by default the domain's.

    Returns
    -------
    One row a crystal: `text`, relaxed; `seed` and `index`, with which `sample(index + 1,
    seed=seed)` makes its start as its last, and `noise`, the seed it was relaxed with; `latent`, a
    list of float16, where the reference's encoder places it; CHGNet's labels with the distance to
    the hull; `group`, `ion`, `moved` in Å. What was lost on the way stands in `attrs`.
    """
    size = SIZE if size is None else size
    rows = list(islice(_new(system, log, size, workers, progress or _silent), size))
    if len(rows) < size:
        raise ValueError(f"library: {MOST * size} draws gave only {len(rows)} of {size} crystals")
    reference = reference or registry.load(registry.REFERENCE["crystals"])
    table = pd.DataFrame([row for row, _ in rows])
    latents = reference.encode_cells([cell for _, cell in rows])
    table.insert(4, "latent", list(latents.astype("f2")))
    numbers = [*BY_KEY, "moved", "atoms", "kinds"]
    for column in numbers:
        table[column] = table.get(column, pd.Series(index=table.index, dtype=float)).astype("f4")
    table.attrs = {
        "system": system.card.name,
        "weights": system.weights,
        "label_version": LABEL_VERSION,
        "draws": int(table["index"].max()) + 1,
    }
    return table


def _silent(fraction: float, text: str) -> None:
    pass


def _new(
    system: Any, log: Path, size: int, workers: int, report: Progress
) -> Iterator[tuple[Row, Cell]]:
    """Rows of draws that become new crystals, with their primitive cells."""
    seen, land, found = Catalogue(known_cells()), landscape(), 0
    draws = enumerate(system.sample(MOST * size, seed=SEED))
    while block := [(k, c.text) for k, c in islice(draws, BLOCK)]:
        say = partial(_told, report, found, size)
        rulings = rule([_cell(text) for _, text in block], log, workers=workers, progress=say)
        for (index, _), ruling in zip(block, rulings, strict=True):
            if (made := _row(index, ruling, seen, land)) is not None:
                found += 1
                yield made


def _told(report: Progress, found: int, size: int, fraction: float, text: str) -> None:
    report(min(1.0, found / size), f"{found} of {size} new crystals; {text}")


def _cell(text: str) -> Cell | None:
    try:
        return from_text(text)
    except ValueError:
        return None


def _row(index: int, ruling: Ruling, seen: Catalogue, land: Landscape) -> tuple[Row, Cell] | None:
    """A new crystal's row; None where it failed, is too large, or was there before."""
    if ruling.cell is None:
        return None
    cell, energy = primitive(ruling.cell), ruling.get("formation_ev")
    if len(cell.numbers) > MAX_ATOMS or land.is_known_phase(cell, energy) or not seen.add(cell):
        return None
    counts = formula_counts(cell)
    row = {
        "text": to_text(ruling.cell),
        "seed": SEED,
        "index": index,
        "noise": ruling.noise,
        **ruling.values,
        "hull_ev": land.above(cell, energy),
        "group": ruling.group,
        "ion": working_ion(cell),
        "moved": ruling.moved,
        "atoms": len(cell.numbers),
        "kinds": len(counts),
    }
    return row, cell
