"""How well npvae gives molecules back and predicts HOMO and LUMO, beside chemvae."""

from __future__ import annotations

from collections.abc import Sequence
from operator import eq

import numpy as np
from numpy.typing import NDArray

from genbat.domains.molecules.properties import BY_KEY
from genbat.studio import registry
from genbat.studio.metrics import Metrics, metric
from genbat.studio.metrics_heads import COVERAGE, mean_error
from genbat.studio.metrics_molecules import Subject, equal_share, nearest_texts
from genbat.systems.chemvae_targets import TARGETS as OTHERS
from genbat.systems.npvae_network import TARGETS

AT_MOST = 1.3  # of chemvae's error
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


def writable(subject: Subject, texts: Sequence[str]) -> list[str]:
    """Molecules whose pieces training has seen."""
    found = []
    for text in texts:
        try:
            subject.system.encode([text])
            found.append(text)
        except ValueError:
            continue
    return found


def heads(subject: Subject) -> Metrics:
    """Errors and coverage of the 90 % intervals, on the held-out molecules that both npvae and
    chemvae can write."""
    table = subject.test.set_index("smiles")
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
