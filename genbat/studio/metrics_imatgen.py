"""What imatgen is worth: whether images lead back to crystals, whether its classifier knows what is
stable, and whether it finds structure types again that it has never seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from pymatgen.core import Element

from genbat.domains.crystals import data
from genbat.domains.crystals.catalogue import Catalogue
from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.similarity import same_structure
from genbat.domains.crystals.structure import formula_counts, reduced_formula
from genbat.domains.crystals.swaps import replaced
from genbat.domains.crystals.views import settled
from genbat.studio import metrics_crystals
from genbat.studio.judging import rule
from genbat.studio.metrics import Metrics, metric
from genbat.studio.metrics_crystals import RESAMPLED, SUBSTITUTED, Made, Subject, table_of
from genbat.studio.metrics_reconstruction import dress
from genbat.systems.base import part_of
from genbat.systems.crystal_corpus import Corpus
from genbat.systems.imatgen_corpus import HELD_OUT, PAIR, prototypes
from genbat.systems.imatgen_training import images_of, lattices_of, stability_of

SEARCHED = 5_000  # samples in which structure types are looked for
DRAWS, DRESSED = "samples of the system", "training prototype"
AS_MADE = "samples before relaxation"
BY_VOLUME, BY_FORMULA = "volume an atom alone", "trees on composition and volume"
TREES = 300


@dataclass(frozen=True)
class PairSubject(Subject):
    """As `Subject`. Where the corpus holds the two elements alone, none could be exchanged: there
    the substituted prototypes are the data set's other crystals of two elements, with these put
    in."""

    @property
    def pair(self) -> tuple[int, int]:
        """The two elements of the system."""
        one, two = self.system.config.elements
        return one, two

    @cached_property
    def test(self) -> Corpus:
        """All that was kept out of the training: its test split and the structure types that are
        looked for, with whatever equals them."""
        kept = {"test", HELD_OUT}
        rows = [k for k, split in enumerate(self.corpus.splits) if split in kept]
        return self.corpus.part(rows)

    def others(self) -> dict[str, Made]:
        """See the class."""
        alone = all(set(c.numbers.tolist()) <= set(self.pair) for c in self.train.cells)
        if alone and "others" not in self.memory:
            rows = self.rng(2).integers(len(self.train), size=self.n)
            self.memory["others"] = {
                RESAMPLED: [self.train.cells[int(k)] for k in rows],
                SUBSTITUTED: list(put_in(self.pair, self.n, self.seed)),
            }
        return super().others()


def subject_of(system: Any, corpus: Corpus, n: int, seed: int) -> PairSubject:
    """What `genbat evaluate` measures; see `metrics_crystals.subject_of`."""
    plain = metrics_crystals.subject_of(system, corpus, n, seed)
    return PairSubject(plain.system, plain.corpus, n, seed, plain.report, plain.log)


def put_in(pair: Sequence[int], n: int, seed: int) -> Iterator[Cell]:
    """n random training crystals of two other elements with a pair put in, the more metallic for
    the more metallic."""
    known = data.load()
    train = known.split("train")
    rows = [known.row_of[name] for name, own in zip(train["name"], train["numbers"], strict=True)
            if len(set(own)) == 2 and set(own) != set(pair)]  # fmt: skip
    names = [str(Element.from_Z(z).symbol) for z in pair]
    for k in np.random.default_rng(seed).integers(len(rows), size=n):
        cell = known.cell(rows[int(k)])
        yield replaced(cell, dict(zip(formula_counts(cell), names, strict=True)))


# ---------------------------------------------------------------------- images
def images(subject: PairSubject) -> Metrics:
    """Shares of at most n held-out crystals that are the same structure (StructureMatcher's
    defaults) after drawing alone, after the compressor, and after the VAE."""
    system, held = subject.system, list(subject.some(subject.test, subject.n, 1).cells)
    views = [settled(cell, system.config.elements[0]) for cell in held]
    drawn = images_of(views, system.config)
    lattices = lattices_of(views, system.config).double().numpy()
    compressor = system.network.compressor
    subject.report(0.1, f"reading the images of {len(held)} held-out crystals")
    alone = [system.seen(*pair).cell for pair in zip(drawn.numpy(), lattices, strict=True)]
    squeezed = compressor.decode(compressor.encode(drawn)).detach().numpy()
    through = [system.seen(*pair).cell for pair in zip(squeezed, lattices, strict=True)]
    back = system.decode_cells(system.encode_cells(held))
    subject.report(0.7, "comparing structures")
    guesses = {
        DRAWS: alike(held, subject.draw(len(held), None)),
        DRESSED: alike(held, dress(held, subject.train.cells, subject.rng(3))),
    }
    amounts = [formula_counts(a) == formula_counts(b) for a, b in zip(held, back, strict=True)]
    return {
        "image_recovery": metric(alike(held, alone), "share", bar=subject.bars["image_recovery"]),
        "compressor_recovery": metric(
            alike(held, through), "share", baselines=guesses, bar=subject.bars["latent_recovery"]
        ),
        "latent_recovery": metric(
            alike(held, back), "share", baselines=guesses, bar=subject.bars["latent_recovery"]
        ),
        "latent_composition": metric(float(np.mean(amounts)), "share"),
    }


def alike(one: Sequence[Cell], two: Sequence[Cell | None]) -> float:
    """Share of pairs that are the same structure."""
    pairs = zip(one, two, strict=True)
    return float(np.mean([b is not None and same_structure(a, b) for a, b in pairs]))


# ---------------------------------------------------------------------- classifier
def classifier(subject: PairSubject) -> Metrics:
    """How well the classifier tells stable from unstable among the held-out crystals: the area
    under its curve, beside that of the volume an atom, which every crystal shows, and that of a
    forest on composition and volume."""
    held, train = subject.test, subject.train
    subject.report(0.0, f"classifying {len(held)} held-out crystals")
    truth = stability_of(held, range(len(held))).numpy()
    told = subject.system.stability(subject.system.encode_cells(held.cells))
    known = stability_of(train, range(len(train))).numpy()
    learnt = area(_volumes(train), known)
    sign = 1.0 if not learnt < 0.5 else -1.0
    plain = area(sign * _volumes(held), truth)
    others = {BY_VOLUME: plain, BY_FORMULA: area(_forest(subject, train, known), truth)}
    bar = subject.bars["stability_auc"]
    return {
        "stability_auc": metric(area(told, truth), baselines=others, bar=bar),
        "stable_share": metric(float(np.nanmean(truth)), "share"),
    }


def _forest(subject: PairSubject, train: Corpus, truth: np.ndarray) -> np.ndarray:
    """Chance of being stable that a forest gives to the held-out crystals (n,)."""
    from sklearn.ensemble import ExtraTreesClassifier

    seen, held = (np.stack([_shares(c, subject.pair[0]), _volumes(c)], 1)
                  for c in (train, subject.test))  # fmt: skip
    labelled = np.isfinite(truth)
    forest = ExtraTreesClassifier(TREES, min_samples_leaf=3, random_state=subject.seed)
    forest.fit(seen[labelled], truth[labelled] == 1)
    chances = forest.predict_proba(held)
    return np.asarray(chances[:, -1] if len(forest.classes_) == 2 else np.zeros(len(held)))


def _shares(corpus: Corpus, number: int) -> np.ndarray:
    return np.array([(cell.numbers == number).mean() for cell in corpus.cells])


def _volumes(corpus: Corpus) -> np.ndarray:
    sizes = corpus.sizes
    return np.array([abs(np.linalg.det(c.lattice)) for c in corpus.cells]) / sizes


def area(scores: np.ndarray, truth: np.ndarray) -> float:
    """Area under the receiver operating curve: the chance that a stable one scores higher than an
    unstable one, ties half (Mann and Whitney); NaN where either is missing or all is unknown."""
    high, low = scores[truth == 1], scores[truth == 0]
    if not len(high) or not len(low):
        return float("nan")
    away = high[:, None] - low[None]
    return float(np.mean((away > 0) + 0.5 * (away == 0)))


# ---------------------------------------------------------------------- structure types
def rediscovery(subject: PairSubject) -> Metrics:
    """How many of the structure types that were held out are found among SEARCHED samples when they
    are relaxed, as in the paper, but with CHGNet; beside the samples as they leave the system, as
    many substituted prototypes and the training set itself, both not relaxed."""
    if set(subject.pair) != set(PAIR):
        return {}
    types = list(prototypes().values())
    made = subject.reporting(part_of(subject.report, 0.0, 0.3)).draw(SEARCHED, None)
    alike = of_formulas(made, types)
    relaxed = rule(alike, subject.log, progress=part_of(subject.report, 0.3, 0.6))
    subject.report(0.9, "looking for the structure types")
    groups: dict[str, Made] = {"": [ruling.cell for ruling in relaxed], AS_MADE: made,
              SUBSTITUTED: list(put_in(PAIR, SEARCHED, subject.seed)),
              RESAMPLED: list(subject.train.cells)}  # fmt: skip
    found = {
        name: {"rediscovered": float(sum(met(types, cells)))} for name, cells in groups.items()
    }
    return table_of(found, {"rediscovered": f"of {len(types)}"}, subject.bars)


def of_formulas(cells: Made, types: Sequence[Cell]) -> list[Cell]:
    """Those with the reduced formula of some type: no other can relax to one."""
    wanted = {reduced_formula(cell) for cell in types}
    return [cell for cell in cells if cell is not None and reduced_formula(cell) in wanted]


def met(types: Sequence[Cell], cells: Made) -> list[bool]:
    """Whether each of some structures is among the cells."""
    known = Catalogue(cell for cell in cells if cell is not None)
    return [known.holds(cell) for cell in types]
