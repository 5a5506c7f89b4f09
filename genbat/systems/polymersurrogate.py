"""polymersurrogate: what molecular dynamics would say of a polymer electrolyte, with an interval.

An ensemble of small networks (Lakshminarayanan et al., arXiv 1612.01474) on counts of fragments and
descriptors per heavy atom, calibrated by split conformal prediction on scaffolds that training has
not seen. It is the judge of the polymers, not a generator: it stands in for simulations that take a
day each, and every number it gives says so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from genbat.core.properties import Measurement
from genbat.domains.polymers.data import COLUMNS, Polymers
from genbat.domains.polymers.features import NAMES, features
from genbat.domains.polymers.properties import BY_KEY
from genbat.families.blocks import HeadEnsemble
from genbat.systems.base import Progress, Settings, SystemCard, Trained
from genbat.systems.conformal import intervals
from genbat.systems.heads import known_error, known_scale

NAME = "polymersurrogate"
TARGETS = tuple(COLUMNS)
METHOD = "surrogate for MD"
COVER = 0.9


@dataclass(frozen=True)
class Rules:
    """How it is trained: steps, rows at a time, rate, decay of the weights, share of the features
    that is left out at a time."""

    steps: int = 3000
    batch: int = 256
    rate: float = 1e-3
    decay: float = 1e-2
    dropout: float = 0.2


PRESETS = {"tiny": Rules(steps=30, batch=16), "base": Rules()}


@dataclass(frozen=True)
class Config(Settings):
    """Sizes and scales: all that the weights need to be used."""

    members: int = 8
    hidden: int = 128
    mean: tuple[float, ...] = (0.0,) * len(TARGETS)
    spread: tuple[float, ...] = (1.0,) * len(TARGETS)
    quantile: tuple[float, ...] = (1.645,) * len(TARGETS)
    floor: tuple[float, ...] = (0.3,) * len(TARGETS)


class Network(nn.Module):
    """Standardised features (B, NAMES) -> standardised targets (members, B, TARGETS)."""

    middle: Tensor
    width: Tensor

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.heads = HeadEnsemble(config.members, len(NAMES), config.hidden, len(TARGETS))
        self.register_buffer("middle", torch.zeros(len(NAMES)))
        self.register_buffer("width", torch.ones(len(NAMES)))

    def standard(self, x: Tensor) -> Tensor:
        """Features with mean 0 and width 1 in training, none further than 5 from 0."""
        return ((x - self.middle) / self.width).clamp(-5.0, 5.0)

    def forward(self, x: Tensor) -> Tensor:
        """As the class says, from features as they are counted."""
        return self.heads(self.standard(x))


def make_card(parameters: int = 0) -> SystemCard:
    """What the app says about it."""
    return SystemCard(
        name=NAME,
        domain="polymers",
        family="surrogate",
        title="Surrogate for MD",
        paper="ensemble after Lakshminarayanan et al., NeurIPS 2017, arXiv 1612.01474",
        capabilities=("predict",),
        trained_on="HTP-MD (TRI, MIT): molecular dynamics of repeat units in LiTFSI",
        licence="MIT",
        parameters=parameters,
    )


class Surrogate(Trained[Config, Network]):
    """The trained judge."""

    config_type, network_type = Config, Network
    describe = staticmethod(make_card)

    @torch.inference_mode()
    def predict_table(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Prediction and half width of the 90 % interval of repeat units, each (n, TARGETS)."""
        members = self.network(torch.as_tensor(features(list(texts)))).numpy()
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
    """Learn from the split "train", calibrate on "calibration"; seconds to minutes, seed 0.

    Raises
    ------
    ValueError : nothing to learn from.
    """
    table = polymers.rows("train")
    if not len(table):
        raise ValueError("polymers: none of the split train")
    values = table[list(TARGETS)].to_numpy("f8")
    mean, spread = known_scale(values)
    config = Config(mean=mean, spread=spread)
    torch.manual_seed(0)
    network = Network(config)
    x = torch.as_tensor(features(table["text"].tolist()))
    network.middle.copy_(x.mean(0))
    network.width.copy_(x.std(0).nan_to_num().clamp(min=1e-3))
    wanted = torch.as_tensor((values - np.array(mean)) / np.array(spread)).float()
    _fit(network, network.standard(x), wanted, rules, progress)
    return calibrated(Surrogate(config, network), polymers)


def _fit(
    network: Network, x: Tensor, wanted: Tensor, rules: Rules, progress: Progress | None
) -> None:
    """Every member sees rows of its own, with some features left out."""
    heads, generator = network.heads, torch.Generator().manual_seed(0)
    optimiser = torch.optim.AdamW(heads.parameters(), lr=rules.rate, weight_decay=rules.decay)
    for step in range(rules.steps):
        pick = torch.randint(len(x), (rules.batch,), generator=generator)
        keep = torch.rand(x[pick].shape, generator=generator) >= rules.dropout
        loss = known_error(heads(x[pick] * keep / (1 - rules.dropout)), wanted[pick])
        for group in optimiser.param_groups:
            group["lr"] = rules.rate * 0.5 * (1 + math.cos(math.pi * step / rules.steps))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if progress and step % 50 == 0:
            progress(step / rules.steps, f"step {step} error {float(loss.detach()):.3f}")


def calibrated(system: Surrogate, polymers: Polymers, share: float = COVER) -> Surrogate:
    """The same with conformal quantiles of the split "calibration"."""
    table = polymers.rows("calibration")
    if not len(table):
        return system
    config = system.config
    wanted = (table[list(TARGETS)].to_numpy("f8") - np.array(config.mean)) / np.array(config.spread)
    with torch.no_grad():
        members = system.network(torch.as_tensor(features(table["text"].tolist()))).numpy()
    floor, quantile = intervals(members, wanted, share)
    return Surrogate(replace(config, floor=floor, quantile=quantile), system.network)
