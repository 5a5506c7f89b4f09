"""How well npvae gives molecules back and predicts HOMO and LUMO, beside chemvae."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import eq
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem

from genbat.domains.molecules.descriptors import sa_score
from genbat.domains.molecules.fragments import tree_of
from genbat.domains.molecules.properties import BY_KEY
from genbat.studio import registry
from genbat.studio.metrics import Metrics, metric
from genbat.studio.metrics_heads import COVERAGE, mean_error
from genbat.studio.metrics_molecules import Subject, equal_share, nearest_texts
from genbat.studio.metrics_questions import judged
from genbat.studio.training_additives import families
from genbat.systems.chemvae_targets import TARGETS as OTHERS
from genbat.systems.npvae_network import TARGETS

AT_MOST = 1.3  # of chemvae's error
JUDGED = 100  # molecules whose LUMO is computed
SA_MARGIN = 0.5
Floats = NDArray[np.float64]


def reconstruction(subject: Subject) -> Metrics:
    """Share of held-out molecules that encode and decode to exactly themselves; one with a piece
    that no training molecule has counts as lost."""
    texts = subject.test["smiles"].tolist()
    subject.report(0.0, f"reconstructing {len(texts)} held-out molecules")
    known = writable(subject, texts)
    back = subject.system.decode_texts(subject.system.encode(known))
    same = sum(map(eq, known, back)) / len(texts)
    nearest = nearest_texts(texts, subject.train["smiles"].tolist())
    baselines = {"nearest training molecule": equal_share(texts, nearest)}
    return {
        "reconstruction_exact": metric(same, "share", baselines=baselines, bar=0.60),
        "writable": metric(len(known) / len(texts), "share"),
    }


def additives(subject: Subject) -> Metrics:
    """What further teaching did: novelty beside what it was taught further on, synthetic
    accessibility beside the named additives', and the median LUMO by GFN2-xTB of JUDGED new
    molecules, beside that of npvae's own; the last bars are half a point above the additives'
    median, and npvae's median."""
    named = subject.table[subject.table["role"] == "additive"]
    made = _distinct(subject, subject.system)
    new = _new(subject, made)
    usual = float(np.median([_sa(text) for text in named["smiles"]]))
    out = {
        "novel_among_additives": metric(_novel_among(subject, made), "share", bar=0.90),
        "sa_median": metric(
            float(np.median([_sa(text) for text in new])), "",
            baselines={"named additives": usual}, bar=usual + SA_MARGIN,
        )
    }  # fmt: skip
    if registry.trained("npvae"):
        before = _new(subject, _distinct(subject, registry.load("npvae")))[:JUDGED]
        rows = judged([*new[:JUDGED], *before], subject)
        mine, theirs = (_median_lumo(texts, rows) for texts in (new[:JUDGED], before))
        baselines = {"npvae": theirs, "named additives": float(named["lumo_ev"].median())}
        out["lumo_median"] = metric(mine, "eV", baselines=baselines, bar=theirs)
    return out


def _distinct(subject: Subject, system: Any) -> list[str]:
    """Distinct valid molecules among n draws."""
    made = (c.text for c in system.sample(subject.n, seed=subject.seed) if c.verdict.ok)
    return list(dict.fromkeys(made))


def _new(subject: Subject, made: Sequence[str]) -> list[str]:
    """Those that the training set does not hold."""
    trained = set(subject.train["smiles"])
    return [text for text in made if text not in trained]


def _novel_among(subject: Subject, made: Sequence[str]) -> float:
    """Share of those that are none of the additives and their families."""
    taught = set(families(subject.train)["smiles"])
    return float(np.mean([text not in taught for text in made]))


def _sa(text: str) -> float:
    return sa_score(Chem.MolFromSmiles(text))


def _median_lumo(texts: Sequence[str], rows: Mapping[str, Mapping[str, Any]]) -> float:
    found = [rows[text].get("lumo_ev") for text in texts]
    return float(np.median([v for v in found if v is not None and np.isfinite(v)]))


def writable(subject: Subject, texts: Sequence[str]) -> list[str]:
    """Molecules whose pieces training has seen."""
    system: Any = subject.system
    known, found = system.config.vocabulary(), []
    for text in texts:
        try:
            known.steps(tree_of(text))
            found.append(text)
        except ValueError:
            continue
    return found


def heads(subject: Subject) -> Metrics:
    """Errors and coverage of the 90 % intervals, on the labelled held-out molecules that both npvae
    and chemvae can write."""
    table = subject.test.dropna(subset=list(TARGETS)).set_index("smiles")
    texts = writable(subject, table.index.tolist())
    values, halves = subject.system.predict_table(subject.system.encode(texts))
    others = _others(texts)
    out: Metrics = {}
    for k, key in enumerate(TARGETS):
        truth = table.loc[texts, key].to_numpy("f8")
        error = np.abs(values[:, k] - truth)
        mean, plain = mean_error(error, truth, subject.train[key].to_numpy("f8"))
        bar = None
        if others is not None:
            plain["chemvae"] = float(np.nanmean(np.abs(others[:, OTHERS.index(key)] - truth)))
            bar = AT_MOST * plain["chemvae"]
        out[f"{key}_mae"] = metric(mean, BY_KEY[key].unit, baselines=plain, bar=bar)
        inside = float(np.mean(error <= halves[:, k]))
        out[f"{key}_coverage"] = metric(inside, "share", bar=COVERAGE)
    return out


def _others(texts: Sequence[str]) -> Floats | None:
    """What chemvae predicts of the same molecules (n, its targets), where it is here."""
    if not registry.trained("chemvae"):
        return None
    chemvae = registry.load("chemvae")
    out = np.full((len(texts), len(OTHERS)), np.nan)
    for k, text in enumerate(texts):
        try:
            out[k] = chemvae.predict_table(chemvae.encode([text], exact=False))[0][0]
        except ValueError:  # a token that chemvae does not know
            continue
    return out
