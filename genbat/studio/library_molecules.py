"""A system's library: some thousands of its own molecules, placed, predicted and partly judged."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rdkit import Chem

from genbat.core import paths
from genbat.core.logs import adding
from genbat.domains.molecules import build, descriptors, physics
from genbat.studio import registry
from genbat.studio.labelling import label_stream
from genbat.systems.chemvae import ChemVAE
from genbat.systems.chemvae_targets import TARGETS

Progress = Callable[[float, str], None]
SIZE, LABELLED, SEED = 4_000, 600, 0
FEWER = (1_000, 200)
BLOCK = 256
MOST = 50  # draws a wanted molecule; a system that needs more has nothing new to say
PREDICTED, HALF = "_predicted", "_half"


def make_library(
    system: Any,
    known: Sequence[str] | None = None,
    *,
    log: Path,
    size: int | None = None,
    labelled: int | None = None,
    workers: int = 2,
    progress: Progress | None = None,
    reference: ChemVAE | None = None,
) -> pd.DataFrame:
    """The first `size` new, valid and unique draws of a system that the map can place, seed 0.

    Parameters
    ----------
    known : texts that are not new, by default those of the shipped molecules.
    log : JSONL of finished xTB labels, the checkpoint of a stopped build.
    size, labelled : molecules, and how many are judged by xTB, in the order they were drawn (a
        fair sample); SIZE and LABELLED of the system that draws the map, FEWER of both of others.
    reference : the system that draws the map, by default the domain's.

    Returns
    -------
    One row a molecule: `text`; `seed` and `index`, with which `sample(index + 1, seed=seed)` makes
    it again as its last; `latent`, a list of float16, where `reference` places it; for each target
    `key_predicted` and `key_half` (90 % interval) by it at that place; descriptors; the labels by
    xTB and `failed`, the reason why there are none (`build.PENDING` where nobody asked).
    """
    report = progress or (lambda fraction, text: None)
    reference = reference or registry.load(registry.REFERENCE["molecules"])
    usual = (SIZE, LABELLED) if system.card.name == reference.card.name else FEWER
    size, labelled = (
        u if own is None else own for u, own in zip(usual, (size, labelled), strict=True)
    )
    drawn = _draws(system, reference, set(known_texts() if known is None else known), size, report)
    table = pd.DataFrame(drawn, columns=["text", "index"]).astype({"index": "i4"})
    table.insert(1, "seed", np.int32(SEED))
    latents = reference.encode(table["text"].tolist())
    table["latent"] = list(latents.astype("f2"))
    table = pd.concat(
        [table, _predictions(reference, latents), _descriptors(table["text"])], axis=1
    )
    asked = table["text"].tolist()[:labelled]
    rows = _labels(asked, log, workers, lambda f, text: report(0.2 + 0.8 * f, text))
    table = pd.concat([table, _judged(table["text"], rows)], axis=1)
    table.attrs = {
        "system": system.card.name,
        "weights": system.weights,
        "label_version": build.LABEL_VERSION,
        "methods": {"orbitals": physics.GFN2, "ip": physics.IPEA1, "rest": descriptors.METHOD},
    }
    return table


def known_latents(system: ChemVAE) -> np.ndarray:
    """Latent points of all known molecules, in the order of their table (n, d)."""
    return system.encode(known_texts())


def known_texts() -> list[str]:
    """Normal-form SMILES of all known molecules, in the order of their table."""
    table = paths.ASSETS / "data/molecules.parquet"
    if not table.exists():
        raise ValueError(f"data: {table} is missing; run genbat build molecules first")
    return pd.read_parquet(table, columns=["smiles"])["smiles"].tolist()


def _draws(
    system: Any, reference: ChemVAE, known: set[str], size: int, report: Progress
) -> list[tuple[str, int]]:
    found: dict[str, int] = {}
    for index, candidate in enumerate(system.sample(MOST * size, seed=SEED)):
        text = candidate.text
        if candidate.verdict.ok and text not in known and text not in found:
            if not _placeable(reference, text):
                continue
            found[text] = index
            if len(found) % BLOCK == 0:
                report(0.2 * len(found) / size, f"{len(found)} of {size} new molecules")
            if len(found) == size:
                return list(found.items())
    raise ValueError(f"library: {MOST * size} draws gave only {len(found)} of {size} new molecules")


def _placeable(system: ChemVAE, text: str) -> bool:
    # The normal form may need a token that the decoder's own spelling did not.
    try:
        system.vocabulary.encode(text)
    except ValueError:
        return False
    return True


def _predictions(system: ChemVAE, latents: np.ndarray) -> pd.DataFrame:
    values, halves = system.predict_table(latents)
    columns = {}
    for k, key in enumerate(TARGETS):
        columns[f"{key}{PREDICTED}"] = values[:, k].astype("f4")
        columns[f"{key}{HALF}"] = halves[:, k].astype("f4")
    return pd.DataFrame(columns)


def _descriptors(texts: pd.Series) -> pd.DataFrame:
    return pd.DataFrame([descriptors.describe(Chem.MolFromSmiles(t)) for t in texts]).astype("f4")


def _labels(
    texts: Sequence[str], log: Path, workers: int, report: Progress
) -> dict[str, dict[str, Any]]:
    """Label rows by SMILES, from the log where they stand in it; new ones are added to it."""
    rows = build.read_log(log)
    todo = [text for text in texts if text not in rows]
    with adding(log) as lines:
        for row in _closing(label_stream(todo, workers=workers)):
            rows[row["smiles"]] = row
            lines.write(json.dumps(row) + "\n")
            lines.flush()
            done = sum(text in rows for text in texts)
            report(done / len(texts), f"{done} of {len(texts)} molecules judged by xTB")
    return {text: rows[text] for text in texts}


def _closing(rows: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    # A cancelled build must not wait for the molecules that are queued.
    try:
        yield from rows
    finally:
        rows.close()  # type: ignore[attr-defined]


def _judged(texts: pd.Series, rows: dict[str, dict[str, Any]]) -> pd.DataFrame:
    values = {
        key: np.array([rows.get(t, {}).get(key, np.nan) for t in texts], "f4")
        for key in physics.COMPUTED
    }
    failed = [rows[t].get("failed", "") if t in rows else build.PENDING for t in texts]
    return pd.DataFrame({**values, "failed": failed})
