"""What a search and a walk in latent space are worth, judged by xTB and beside their baselines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from genbat.core.candidate import Candidate
from genbat.core.condition import Condition, Window
from genbat.domains.molecules.structure import canonical
from genbat.latent.density import Manifold
from genbat.latent.neighbours import Neighbours
from genbat.latent.paths import KINDS
from genbat.studio.labelling import label_many
from genbat.studio.metrics import Metrics, metric
from genbat.studio.metrics_molecules import Subject
from genbat.studio.path import decode_way, standing
from genbat.systems.latent_bayes import bayes_search
from genbat.systems.latent_search import Search, gradient_search, prior_draws, random_walk

STARTS, BUDGET, KEPT = 50, 200, 3
STEPS = 11
TEACHERS = 150  # labelled training molecules around a start that the Gaussian process learns from
FAR = 6.0  # standard deviations: a wish nobody can meet, so that its gradient never vanishes
OURS = ("gradient", "Gaussian process")
GOALS = {"lumo_ev": ("search_lumo_gain_ev", -1.0), "vip_ev": ("search_vip_gain_ev", 1.0)}
PAIRS = {
    "ec_fec": ("O=C1OCCO1", "O=C1OCC(F)O1"),
    "dmc_tte": ("COC(=O)OC", "FC(F)C(F)(F)COC(F)(F)C(F)F"),
    "adiponitrile_sulfolane": ("N#CCCCCC#N", "O=S1(=O)CCCC1"),
}

Rounds = Iterator[list[Candidate]]
Method = Callable[[Search, np.ndarray], Rounds]


@dataclass(frozen=True)
class Ground:
    """Training molecules with their latents (n, d): what a search may know."""

    table: pd.DataFrame
    latents: np.ndarray
    manifold: Manifold
    index: Neighbours

    @classmethod
    def of(cls, subject: Subject) -> Ground:
        """The training split as the system places it."""
        table = subject.writable(subject.train)
        latents = subject.system.encode(table["smiles"].tolist())
        return cls(table, latents, Manifold(latents), Neighbours(latents))

    def near(self, z: np.ndarray, key: str) -> tuple[np.ndarray, list[Mapping[str, float]]]:
        """Latents and labels of the TEACHERS nearest to z (d,) whose label is known."""
        reach = min(4 * TEACHERS, len(self.latents))
        rows = self.index.query(z[None], reach)[1][0]
        labels = self.table[key].to_numpy("f8")[rows]
        rows = rows[np.isfinite(labels)][:TEACHERS]
        return self.latents[rows], [{key: float(v)} for v in self.table[key].to_numpy("f8")[rows]]


def search(subject: Subject) -> Metrics:
    """Median xTB gain over held-out starts, by our searches and at equal cost by their baselines.

    Every method decodes BUDGET points for a start and shows its KEPT best by the heads to xTB;
    the best of those by xTB counts. A method of which xTB confirms nothing gains 0.
    """
    subject.report(0.0, "placing the training molecules")
    ground = Ground.of(subject)
    starts = _starts(subject)
    found: dict[str, dict[str, list[list[str]]]] = {}
    for k, (key, (_, sign)) in enumerate(GOALS.items()):
        found[key] = _finds(subject, ground, starts["smiles"].tolist(), key, sign, 0.3 * k)
    texts = {t for goal in found.values() for kept in goal.values() for row in kept for t in row}
    subject.report(0.6, f"xTB of {len(texts)} molecules")
    report = lambda share, text: subject.report(0.6 + 0.4 * share, text)  # noqa: E731
    judged = label_many(sorted(texts), workers=2, progress=report)
    metrics: Metrics = {}
    for key, (name, sign) in GOALS.items():
        began = starts[key].to_numpy("f8")
        gains = {
            method: float(np.median(gains_of(rows, judged, began, key, sign)))
            for method, rows in found[key].items()
        }
        ours = max(OURS, key=lambda method: gains[method])
        others = {method: gain for method, gain in gains.items() if method != ours}
        metrics[name] = {"method": ours, **metric(gains[ours], "eV", baselines=others, bar=1.0)}
    return metrics


def _starts(subject: Subject) -> pd.DataFrame:
    test = subject.writable(subject.test)
    known = test[test[list(GOALS)].notna().all(axis=1)].sort_values("smiles")
    if known.empty:
        raise ValueError("data: no held-out molecule with LUMO and vertical IP to start from")
    rows = subject.rng(3).permutation(len(known))[:STARTS]
    return known.iloc[rows]


def wish(subject: Subject, key: str, sign: float) -> Condition:
    """A window that nothing reaches, FAR standard deviations from the training mean."""
    train = subject.train[key]
    edge = float(train.mean() + sign * FAR * train.std())
    return Condition({key: Window(low=edge) if sign > 0 else Window(high=edge)})


def _finds(
    subject: Subject, ground: Ground, starts: list[str], key: str, sign: float, begun: float
) -> dict[str, list[list[str]]]:
    """For each method and start the texts of the KEPT molecules with the best predictions."""
    methods = _methods(ground, key)
    condition = wish(subject, key, sign)
    found: dict[str, list[list[str]]] = {name: [] for name in methods}
    for k, (text, z) in enumerate(zip(starts, subject.system.encode(starts), strict=True)):
        subject.report(
            begun + 0.3 * k / len(starts), f"searching {key}: start {k} of {len(starts)}"
        )
        for name, method in methods.items():
            seed = subject.seed * 1_000 + k
            run = Search(subject.system, condition, ground.manifold, seed=seed, seen={text})
            met = [c for fresh in method(run, z[None]) for c in fresh]
            met.sort(key=lambda c: -sign * c.properties[key].value)
            found[name].append([c.text for c in met[:KEPT]])
    return found


def _methods(ground: Ground, key: str) -> dict[str, Method]:
    def bayes(run: Search, start: np.ndarray) -> Rounds:
        points, labels = ground.near(start[0], key)
        return bayes_search(run, points, labels, _by_heads, budget=BUDGET)

    return {
        "gradient": lambda run, start: gradient_search(run, start, budget=BUDGET),
        "Gaussian process": bayes,
        "prior": lambda run, _: prior_draws(run, budget=BUDGET),
        "random walk": lambda run, start: random_walk(run, start, budget=BUDGET),
    }


def _by_heads(candidates: Sequence[Candidate]) -> list[Mapping[str, float]]:
    # No physics is spent within a search: what the process learns on the way the heads tell it.
    return [{key: m.value for key, m in c.properties.items()} for c in candidates]


def gains_of(
    rows: list[list[str]],
    judged: Mapping[str, Mapping[str, float]],
    began: np.ndarray,
    key: str,
    sign: float,
) -> np.ndarray:
    """Best gain of each start's molecules by xTB (n,), in the wished direction."""
    gains = []
    for texts, first in zip(rows, began, strict=True):
        values = [judged[t][key] for t in texts if key in judged[t]]
        gains.append(max((sign * (v - first) for v in values), default=0.0))
    return np.array(gains)


# ---------------------------------------------------------------------- paths
def paths(subject: Subject) -> Metrics:
    """Walks of STEPS between the ends of PAIRS by every kind of path.

    A walk's ends are the given molecules; `path_ends_exact` is the share of ends that the decoder
    writes by itself at the points where the system places them.
    """
    subject.report(0.0, "placing all known molecules")
    system = subject.system
    known = system.encode(subject.writable(subject.table)["smiles"].tolist())
    manifold = Manifold(known)
    walks: dict[str, dict[str, Walk]] = {}
    for k, (pair, ends) in enumerate(PAIRS.items()):
        subject.report(0.3 + 0.2 * k, f"walking {pair.replace('_', ' to ')}")
        walks[pair] = {kind: _walk(subject, ends, kind, manifold) for kind in KINDS}
    every = [walk for kinds in walks.values() for walk in kinds.values()]
    plenty = sum(min(w.distinct for w in kinds.values()) >= 5 for kinds in walks.values())
    metrics = {
        "path_valid": metric(float(np.mean([w.valid for w in every])), "share", bar=1.0),
        "path_points_valid": metric(float(np.mean([w.points for w in every])), "share"),
        "path_ends_exact": metric(float(np.mean([w.ends for w in every])), "share", bar=1.0),
        "path_pairs_with_5_molecules": metric(plenty, "of 3 pairs", bar=2.0),
    }
    for pair, kinds in walks.items():
        counts = {kind: float(w.distinct) for kind, w in kinds.items()}
        metrics[f"path_molecules_{pair}"] = _geodesic(counts, f"of {STEPS}")
    remote = {kind: float(np.mean([w[kind].remoteness for w in walks.values()])) for kind in KINDS}
    return metrics | {"path_remoteness": _geodesic(remote, "latent units", remote["linear"])}


@dataclass(frozen=True)
class Walk:
    """One path's figures: shares of valid steps, points and exact ends, molecules, remoteness."""

    valid: float
    points: float
    ends: float
    distinct: int
    remoteness: float


def _walk(subject: Subject, ends: tuple[str, str], kind: str, manifold: Manifold) -> Walk:
    system, (first, last) = subject.system, map(canonical, ends)
    a, b = system.encode([first, last])
    way, decoded = decode_way(system, a, b, STEPS, kind, manifold)
    exact = ((decoded[0].text == first) + (decoded[-1].text == last)) / 2
    inner = [decoded[k] for k in standing(decoded, (first, last), STEPS)[1:-1]]
    valid = [step for step in inner if step.verdict.ok]
    return Walk(
        valid=(len(valid) + 2) / STEPS,
        points=float(np.mean([point.verdict.ok for point in decoded])),
        ends=exact,
        distinct=len({first, last, *(step.text for step in valid)}),
        remoteness=float(way.remoteness.mean()),
    )


def _geodesic(values: dict[str, float], unit: str, bar: float | None = None) -> dict:
    others = {kind: value for kind, value in values.items() if kind != "geodesic"}
    return metric(values["geodesic"], unit, baselines=others, bar=bar)
