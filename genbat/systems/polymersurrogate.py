"""polymersurrogate: what molecular dynamics would say of a polymer electrolyte, with an interval.

An ensemble of boosted trees (Friedman 2001) on counts of fragments and descriptors per heavy atom,
calibrated by split conformal prediction on scaffolds that training has not seen. It is the judge of
the polymers, not a generator: it stands in for simulations that take a day each, and every number
it gives says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from genbat.core.properties import Measurement
from genbat.domains.polymers.data import COLUMNS, Polymers
from genbat.domains.polymers.features import features
from genbat.domains.polymers.properties import BY_KEY
from genbat.systems.base import (
    Progress,
    Settings,
    SystemCard,
    Trained,
    part_of,
    round_as_kept,
)
from genbat.systems.boosted_trees import Trees, in_half, planted
from genbat.systems.conformal import intervals
from genbat.systems.heads import known_scale

NAME = "polymersurrogate"
TARGETS = tuple(COLUMNS)
METHOD = "surrogate for MD"
COVER = 0.9


FEWEST = 20  # polymers whose target is known, below which it is not learnt
ROWS = 256  # polymers at once


@dataclass(frozen=True)
class Rules:
    """How it is trained: members of the ensemble, trees of each, their depth and rate, the smallest
    leaf; each tree sees `rows` and `columns` of them, as shares."""

    members: int = 4
    trees: int = 150
    depth: int = 7
    rate: float = 0.06
    leaf: int = 5
    rows: float = 0.5
    columns: float = 0.1


PRESETS = {"tiny": Rules(members=2, trees=20), "base": Rules()}


@dataclass(frozen=True)
class Config(Settings):
    """Sizes and scales: all that the weights need to be used."""

    nodes: int = len(TARGETS)
    members: int = 1
    trees: int = 1
    depth: int = 0
    mean: tuple[float, ...] = (0.0,) * len(TARGETS)
    spread: tuple[float, ...] = (1.0,) * len(TARGETS)
    quantile: tuple[float, ...] = (1.645,) * len(TARGETS)
    floor: tuple[float, ...] = (0.3,) * len(TARGETS)
    steps_trained: int = 0  # trees grown for each target


def network_of(config: Config) -> Trees:
    """Features (B, NAMES) -> standardised targets (members, B, TARGETS)."""
    return Trees(config.nodes, (len(TARGETS), config.members, config.trees), config.depth)


def make_card(parameters: int = 0) -> SystemCard:
    """What the app says about it."""
    return SystemCard(
        name=NAME,
        domain="polymers",
        family="surrogate",
        title="Surrogate for MD",
        paper="boosted trees: Friedman, Ann. Stat. 2001, 29, 1189, doi:10.1214/aos/1013203451",
        capabilities=("predict",),
        trained_on="HTP-MD (TRI, MIT): molecular dynamics of repeat units in LiTFSI",
        licence="MIT",
        parameters=parameters,
    )


class Surrogate(Trained[Config, Trees]):
    """The trained judge."""

    config_type = Config
    network_type = staticmethod(network_of)  # type: ignore[assignment]
    describe = staticmethod(make_card)

    @torch.inference_mode()
    def members(self, texts: Sequence[str]) -> np.ndarray:
        """Standardised guesses of repeat units (members, n, TARGETS)."""
        x = torch.as_tensor(features(list(texts)))
        return torch.cat([self.network(part) for part in x.split(ROWS)], 1).numpy()

    def predict_table(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Prediction and half width of the 90 % interval of repeat units, each (n, TARGETS)."""
        members = self.members(texts)
        spread = np.sqrt(members.var(0) + np.square(self.config.floor))
        scale = np.array(self.config.spread)
        middle = members.mean(0) * scale + np.array(self.config.mean)
        return middle, spread * np.array(self.config.quantile) * scale

    def judge(self, texts: Sequence[str]) -> list[dict[str, Measurement]]:
        """Every target with its interval."""
        values, halves = self.predict_table(texts)
        return [
            {
                key: Measurement(float(v), BY_KEY[key].unit, METHOD, "predicted", float(half))
                for key, v, half in zip(TARGETS, row, own, strict=True)
            }
            for row, own in zip(values, halves, strict=True)
        ]


# ---------------------------------------------------------------------- training
def train(polymers: Polymers, rules: Rules, progress: Progress | None = None) -> Surrogate:
    """Learn from the split "train", calibrate on "calibration"; a minute, seed 0.

    Raises
    ------
    ValueError : nothing to learn from.
    """
    table = polymers.rows("train")
    if not len(table):
        raise ValueError("polymers: none of the split train")
    values = table[list(TARGETS)].to_numpy("f8")
    mean, spread = known_scale(values)
    wanted = (values - np.array(mean)) / np.array(spread)
    x = in_half(torch.as_tensor(features(table["text"].tolist()))).numpy()
    models = [
        [_fitted(x, column, rules, seed, part_of(progress, k / len(TARGETS), 1 / len(TARGETS)))
         for seed in range(rules.members)]
        for k, column in enumerate(wanted.T)
    ]  # fmt: skip
    network = planted(models)
    round_as_kept(network)
    config = Config(
        len(network.value), rules.members, rules.trees, network.depth, mean=mean, spread=spread,
        steps_trained=rules.members * rules.trees,
    )  # fmt: skip
    return calibrated(Surrogate(config, network), polymers)


def _fitted(x: np.ndarray, wanted: np.ndarray, rules: Rules, seed: int, progress: Progress) -> Any:
    """One member for one target, NaN unknown; where too few are known, one that always says the
    mean."""
    from sklearn.ensemble import GradientBoostingRegressor  # half a second, for training alone

    progress(seed / rules.members, f"growing {rules.trees} trees")
    known = ~np.isnan(wanted)
    if few := known.sum() < FEWEST:
        known, wanted = np.ones(len(x), bool), np.zeros(len(x))
    model = GradientBoostingRegressor(
        init="zero", n_estimators=rules.trees, max_depth=rules.depth, learning_rate=rules.rate,
        min_samples_leaf=rules.leaf, max_features=rules.columns,
        subsample=1.0 if few else rules.rows, random_state=seed,
    )  # fmt: skip
    return model.fit(x[known], wanted[known])


def calibrated(system: Surrogate, polymers: Polymers, share: float = COVER) -> Surrogate:
    """The same with conformal quantiles of the split "calibration"."""
    table = polymers.rows("calibration")
    if not len(table):
        return system
    config = system.config
    wanted = (table[list(TARGETS)].to_numpy("f8") - np.array(config.mean)) / np.array(config.spread)
    members = system.members(table["text"].tolist())
    floor, quantile = intervals(members, wanted, share)
    return Surrogate(replace(config, floor=floor, quantile=quantile), system.network)
