"""How well a system writes molecules: reconstruction, and what its prior draws are worth."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from operator import eq
from typing import Any

import numpy as np
import pandas as pd
from rdkit import Chem
from rdkit.Chem import rdFingerprintGenerator
from rdkit.DataStructs import BulkTanimotoSimilarity

from genbat.domains.molecules.structure import judge
from genbat.studio.metrics import Metrics, Progress, metric
from genbat.systems.chemvae import ChemVAE
from genbat.systems.chemvae_training import writable

RADIUS, BITS = 2, 2048
BARS = {  # wanted of n draws, where a system has such bars
    "chemvae": {"valid": 1.0, "unique": 0.97, "novel": 0.85, "fcd_over_floor": 4.0},
    "moleculegpt": {"valid": 0.99, "unique": 0.97, "novel": 0.80, "fcd_over_floor": 3.0},
    "npvae": {"valid": 1.0},
    "additivevae": {"valid": 1.0, "novel": 0.90},
}


@dataclass(frozen=True)
class Subject:
    """What is measured: a system on a data set's table, with n draws and one seed."""

    system: ChemVAE
    table: pd.DataFrame
    n: int
    seed: int
    report: Progress

    @cached_property
    def train(self) -> pd.DataFrame:
        """Rows the system learnt from."""
        return self.table[self.table["split"] == "train"]

    @cached_property
    def test(self) -> pd.DataFrame:
        """Rows nothing was fitted to."""
        found = self.table[self.table["split"] == "test"]
        if found.empty:
            raise ValueError("data: the table has no row of the split test")
        return found

    def reporting(self, report: Progress) -> Subject:
        """The same subject with another progress."""
        return replace(self, report=report)

    def rng(self, purpose: int) -> np.random.Generator:
        """Random numbers of one purpose, the same in every run of a seed."""
        return np.random.default_rng((self.seed, purpose))

    def writable(self, table: pd.DataFrame) -> pd.DataFrame:
        """Rows the system's vocabulary can write."""
        return writable(table, self.system.vocabulary)


def subject_of(system: ChemVAE, table: pd.DataFrame, n: int, seed: int) -> Subject:
    """What `genbat evaluate` measures."""
    return Subject(system, table, n, seed, lambda fraction, text: None)


# ---------------------------------------------------------------------- reconstruction
def reconstruction(subject: Subject) -> Metrics:
    """Share of held-out molecules that encode and decode to exactly themselves.

    `reconstruction_exact` is that of the encoder alone, as published figures are;
    `reconstruction_refined` that of the points the app uses, which were moved with the molecule
    itself in view (`families.vae.refine`). A molecule the vocabulary cannot write counts as lost.
    """
    system, texts = subject.system, subject.test["smiles"].tolist()
    subject.report(0.0, f"reconstructing {len(texts)} held-out molecules")
    known = subject.writable(subject.test)["smiles"].tolist()
    backs = [system.decode_texts(system.encode(known, exact=exact)) for exact in (False, True)]
    draws = subject.rng(1).standard_normal((len(texts), system.config.latent))
    blind = system.decode_texts(draws)
    subject.report(0.5, "looking for the nearest training molecules")
    nearest = nearest_texts(texts, subject.train["smiles"].tolist())
    alone, refined = (sum(map(eq, known, back)) / len(texts) for back in backs)
    baselines = {
        "nearest training molecule": equal_share(texts, nearest),
        "random decode": equal_share(texts, blind),
    }
    return {
        "reconstruction_exact": metric(alone, "share", baselines=baselines, bar=0.95),
        "reconstruction_refined": metric(refined, "share", baselines={"encoder alone": alone}),
    }


def equal_share(a: Sequence[str | None], b: Sequence[str | None]) -> float:
    """Share of places where two sequences agree."""
    return float(np.mean([x == y for x, y in zip(a, b, strict=True)]))


def fingerprints(texts: Iterable[str]) -> list[Any]:
    """Morgan fingerprints (Rogers and Hahn 2010) of radius 2 with 2,048 bits."""
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=RADIUS, fpSize=BITS)
    return [generator.GetFingerprint(Chem.MolFromSmiles(text)) for text in texts]


def nearest_texts(texts: Sequence[str], known: Sequence[str]) -> list[str]:
    """For each text the known molecule of the highest Tanimoto similarity."""
    prints = fingerprints(known)
    return [known[int(np.argmax(BulkTanimotoSimilarity(p, prints)))] for p in fingerprints(texts)]


# ---------------------------------------------------------------------- prior
def prior(subject: Subject) -> Metrics:
    """Validity, uniqueness, novelty and Frechet ChemNet distance of n draws from the prior.

    Unique and novel are shares of the valid and of the distinct valid ones (Polykovskiy et al.,
    Front. Pharmacol. 2020, 11, 565644); novel: not in the training set; unknown: in no split.
    """
    n, rng = subject.n, subject.rng(2)
    subject.report(0.0, f"drawing {n} molecules")
    samples = [c.text for c in subject.system.sample(n, seed=subject.seed)]
    trained, held = subject.train["smiles"].tolist(), subject.test["smiles"].tolist()
    again = rng.choice(trained, n, replace=True).tolist()
    real = rng.choice(held, min(n, len(held)), replace=False).tolist()
    known = {"novel": set(trained), "unknown": set(subject.table["smiles"])}
    ours, copies, truth = (counts(texts, known) for texts in (samples, again, real))
    bars = BARS.get(subject.system.card.name, {})
    found = {
        name: metric(
            value,
            "share",
            baselines={"training set resampled": copies[name]},
            real=truth[name],
            bar=bars.get(name),
        )
        for name, value in ours.items()
    }
    distinct = rng.choice(trained, min(n, len(trained)), replace=False).tolist()
    return found | chemnet(subject, samples, distinct, held, bars.get("fcd_over_floor"))


def counts(texts: Sequence[str], known: dict[str, set[str]]) -> dict[str, float]:
    """Shares valid (RDKit reads it), in_domain, unique, and not in each of the known sets."""
    mols = [Chem.MolFromSmiles(text) if text else None for text in texts]
    valid = [text for text, mol in zip(texts, mols, strict=True) if mol is not None]
    distinct = set(valid)
    inside = sum(mol is not None and judge(mol).ok for mol in mols)
    return {
        "valid": len(valid) / len(texts),
        "in_domain": inside / len(texts),
        "unique": len(distinct) / max(1, len(valid)),
        **{name: len(distinct - old) / max(1, len(distinct)) for name, old in known.items()},
    }


def chemnet(
    subject: Subject,
    samples: Sequence[str],
    distinct: Sequence[str],
    held: Sequence[str],
    most: float | None,
) -> Metrics:
    """Frechet ChemNet distance (Preuer et al., JCIM 2018, 58, 1736) to the held-out molecules.

    It depends on the sample size; the floor is what as many distinct training molecules reach,
    which come from the same distribution as the held-out ones; `most` times it is the bar, if any.
    """
    from fcd_torch import FCD

    judge_net = FCD(device="cpu", n_jobs=1)
    valid = [text for text in samples if text and Chem.MolFromSmiles(text) is not None]
    sets = {"held-out": held, "training": distinct, "sampled": valid}
    moments = {}
    for k, (name, texts) in enumerate(sets.items()):
        subject.report(0.2 + 0.25 * k, f"Frechet ChemNet distance: {name} molecules")
        moments[name] = judge_net.precalc(list(texts))
    value = float(judge_net.metric(moments["held-out"], moments["sampled"]))
    floor = float(judge_net.metric(moments["held-out"], moments["training"]))
    floors = {"training molecules (floor)": floor}
    ratio = value / floor if floor > 0 else math.nan
    return {
        "fcd": metric(value, baselines=floors),
        "fcd_over_floor": metric(ratio, baselines={"training molecules (floor)": 1.0}, bar=most),
    }
