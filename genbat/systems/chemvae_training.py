"""Training of chemvae: joint loss, checkpoints, conformal calibration.

Loss per molecule: reconstruction (nats) + beta * KL + weight * mean squared error of the heads on
standardised properties, unknown ones masked. All randomness comes from one seed; a stopped run
goes on from its checkpoint with the same optimiser state.
"""

from __future__ import annotations

import json
import math
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from genbat.domains.molecules.codec import Vocabulary, random_form
from genbat.families.vae import warm_up
from genbat.systems.base import Progress
from genbat.systems.chemvae import (
    TARGETS,
    Calibration,
    ChemVAE,
    Config,
    Network,
    make_card,
    pad,
    scales,
    standardise,
    with_ends,
)


@dataclass(frozen=True)
class Schedule:
    """How long and how hard to train."""

    steps: int = 12_000
    batch: int = 128
    rate: float = 1.2e-3
    beta: float = 0.05
    warm_steps: int = 2_000
    head_weight: float = 3.0
    forms: int = 6
    canonical_share: float = 0.4
    seed: int = 0


PRESETS = {
    "tiny": Schedule(steps=30, batch=32, warm_steps=10, forms=2),
    "base": Schedule(),
}


@dataclass(frozen=True)
class Corpus:
    """Training molecules: several spellings each, targets (n, t) standardised, NaN unknown."""

    inputs: list[list[list[int]]]
    outputs: list[list[int]]
    targets: Tensor

    def __len__(self) -> int:
        return len(self.outputs)


def target_values(table: pd.DataFrame) -> np.ndarray:
    """Columns TARGETS of a data set's table; (n, t), NaN where unknown."""
    return table[list(TARGETS)].to_numpy("f8")


def make_corpus(table: pd.DataFrame, config: Config, schedule: Schedule) -> Corpus:
    """Spell every molecule several times; the first spelling is the normal form."""
    rng = random.Random(schedule.seed)
    vocabulary = Vocabulary(config.tokens)
    outputs = [vocabulary.encode(s) for s in table["smiles"]]
    inputs = []
    for smiles, own in zip(table["smiles"], outputs, strict=True):
        inputs.append([own, *_spellings(smiles, vocabulary, schedule.forms - 1, rng)])
    targets = torch.tensor(standardise(target_values(table), config), dtype=torch.float32)
    return Corpus(inputs, outputs, targets)


def _spellings(
    smiles: str, vocabulary: Vocabulary, count: int, rng: random.Random
) -> list[list[int]]:
    found = []
    for _ in range(count):
        try:
            found.append(vocabulary.encode(random_form(smiles, rng)))
        except ValueError:  # a token that only this spelling needs
            continue
    return found


def batches(corpus: Corpus, schedule: Schedule, epoch: int) -> Iterator[list[int]]:
    """Row numbers of one epoch's batches, molecules of like length together."""
    rng = random.Random(f"{schedule.seed}:{epoch}")
    order = sorted(range(len(corpus)), key=lambda k: len(corpus.outputs[k]) + rng.random() * 2)
    chunks = [order[k : k + schedule.batch] for k in range(0, len(order), schedule.batch)]
    rng.shuffle(chunks)
    yield from chunks


def loss_of(
    network: Network, corpus: Corpus, rows: list[int], schedule: Schedule, step: int
) -> tuple[Tensor, dict[str, float]]:
    """Joint loss of a batch and its parts."""
    rng = random.Random(f"{schedule.seed}:{step}")
    inputs = [_choose(corpus.inputs[k], schedule.canonical_share, rng) for k in rows]
    targets = with_ends([corpus.outputs[k] for k in rows])
    bound = network.vae.bound(pad(inputs), (targets,))
    error = head_error(network.heads(bound.z), corpus.targets[rows])
    beta = warm_up(step, schedule.warm_steps, schedule.beta)
    parts = {
        "reconstruction": float(bound.reconstruction),
        "divergence": float(bound.divergence),
        "heads": float(error),
    }
    return bound.loss(beta) + schedule.head_weight * error, parts


def _choose(forms: list[list[int]], share: float, rng: random.Random) -> list[int]:
    return forms[0] if rng.random() < share else rng.choice(forms)


def head_error(predicted: Tensor, wanted: Tensor) -> Tensor:
    """Mean squared error over the known entries: predicted (members, n, t), wanted (n, t).

    The common computed labels count as much together as all rare measured ones.
    """
    known = ~wanted.isnan()
    squared = (predicted - wanted.nan_to_num()) ** 2 * known
    return squared.sum(dim=(1, 2)).mean() / len(TARGETS) ** 0.5 / max(1, wanted.shape[0])


@torch.inference_mode()
def reconstruction_rate(system: ChemVAE, smiles: Sequence[str]) -> float:
    """Share of molecules that encode and decode to exactly themselves."""
    back = system.decode_texts(system.encode(smiles))
    return float(np.mean([a == b for a, b in zip(smiles, back, strict=True)]))


def writable(table: pd.DataFrame, vocabulary: Vocabulary) -> pd.DataFrame:
    """Rows the vocabulary can write."""
    known = []
    for smiles in table["smiles"]:
        try:
            vocabulary.encode(smiles)
            known.append(True)
        except ValueError:
            known.append(False)
    return table[known]


# ---------------------------------------------------------------------- calibration
def calibrate(system: ChemVAE, table: pd.DataFrame, share: float = 0.9) -> Calibration:
    """Conformal quantiles from molecules the training has not seen.

    Score = |error| / sqrt(ensemble variance + floor**2); the quantile is the
    ceil((n + 1) * share)-th smallest score, which covers at least `share` of new molecules.
    """
    z = system.encode(table["smiles"].tolist())
    members = system.network.heads(torch.as_tensor(z)).detach().numpy()
    wanted = standardise(target_values(table), system.config)
    quantiles, floors, counts = [], [], []
    for k in range(len(TARGETS)):
        known = np.isfinite(wanted[:, k])
        error = np.abs(members.mean(0)[known, k] - wanted[known, k])
        floor = float(np.median(error)) if len(error) else 0.3
        score = np.sort(error / np.sqrt(members.var(0)[known, k] + floor**2))
        rank = min(len(score), math.ceil((len(score) + 1) * share)) - 1
        quantiles.append(float(score[rank]) if len(score) else 1.645)
        floors.append(floor)
        counts.append(len(score))
    return Calibration(tuple(quantiles), tuple(floors), tuple(counts))


# ---------------------------------------------------------------------- the run
@dataclass
class Run:
    """A training in progress and its checkpoint folder."""

    network: Network
    config: Config
    schedule: Schedule
    folder: Path
    step: int = 0

    def __post_init__(self) -> None:
        self.optimiser = torch.optim.Adam(self.network.parameters(), lr=self.schedule.rate)

    def rate(self) -> float:
        """Cosine from the full rate to 2 % of it, after 200 steps of warming up."""
        s = self.schedule
        wave = 0.5 * (1 + math.cos(math.pi * min(1.0, self.step / s.steps)))
        return s.rate * min(1.0, (self.step + 1) / 200) * (0.02 + 0.98 * wave)

    def advance(self, corpus: Corpus, rows: list[int]) -> dict[str, float]:
        """One optimiser step on one batch."""
        loss, parts = loss_of(self.network, corpus, rows, self.schedule, self.step)
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate()
        self.optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self.optimiser.step()
        self.step += 1
        return parts

    def save(self) -> None:
        """Checkpoint: network and optimiser moments in 32 bits, step and settings as JSON."""
        self.folder.mkdir(parents=True, exist_ok=True)
        tensors = {f"net.{k}": v.clone() for k, v in self.network.state_dict().items()}
        for k, slot in enumerate(self.optimiser.state_dict()["state"].values()):
            tensors |= {f"opt.{k}.{name}": slot[name].clone() for name in slot}
        partial = self.folder / "checkpoint.part"
        save_file(tensors, partial)
        partial.replace(self.folder / "checkpoint.safetensors")
        note = {"step": self.step, "config": asdict(self.config), **asdict(self.schedule)}
        (self.folder / "checkpoint.json").write_text(json.dumps(note) + "\n", "utf-8")

    def resume(self, folder: Path) -> None:
        """Take network, optimiser and step from a checkpoint folder."""
        tensors = load_file(folder / "checkpoint.safetensors")
        self.network.load_state_dict(
            {k[4:]: v for k, v in tensors.items() if k.startswith("net.")}
        )
        state = self.optimiser.state_dict()
        state["state"] = {
            k: {name: tensors[f"opt.{k}.{name}"] for name in ("step", "exp_avg", "exp_avg_sq")}
            for k in range(len(list(self.network.parameters())))
            if f"opt.{k}.step" in tensors
        }
        self.optimiser.load_state_dict(state)
        self.step = json.loads((folder / "checkpoint.json").read_text("utf-8"))["step"]

    def system(self) -> ChemVAE:
        """The system as trained so far."""
        config = replace(self.config, steps_trained=self.step)
        return ChemVAE(config, self.network, "", make_card())


def train(
    table: pd.DataFrame,
    folder: Path,
    *,
    schedule: Schedule,
    start: Path | None = None,
    minutes: float = math.inf,
    progress: Progress | None = None,
) -> ChemVAE:
    """Train on the split "train" of a data set's table and calibrate on "calibration".

    Parameters
    ----------
    folder : receives the checkpoint every two minutes and at the end.
    start : checkpoint folder to go on from.
    minutes : stop early after this time, checkpoint kept.
    """
    torch.manual_seed(schedule.seed)
    known = table[table["split"] == "train"]
    config = make_config(known)
    run = Run(Network(config), config, schedule, folder)
    if start is not None:
        run.resume(start)
    corpus = make_corpus(known, config, schedule)
    held = writable(table[table["split"] == "calibration"], Vocabulary(config.tokens))
    _loop(run, corpus, held["smiles"].tolist()[:500], minutes, progress)
    system = run.system()
    system.config = replace(system.config, calibration=calibrate(system, held))
    return system


def make_config(known: pd.DataFrame) -> Config:
    """Vocabulary and scales of the training molecules."""
    mean, scale = scales(target_values(known))
    return Config(Vocabulary.from_smiles(known["smiles"]).tokens, mean=mean, scale=scale)


def _loop(
    run: Run, corpus: Corpus, watch: list[str], minutes: float, progress: Progress | None
) -> None:
    began = saved = time.monotonic()
    steps_an_epoch = math.ceil(len(corpus) / run.schedule.batch)
    while run.step < run.schedule.steps:
        for rows in batches(corpus, run.schedule, run.step // steps_an_epoch):
            run.network.train()
            parts = run.advance(corpus, rows)
            now = time.monotonic()
            finished = run.step >= run.schedule.steps or now - began > 60 * minutes
            if progress and run.step % 50 == 0:
                text = " ".join(f"{k} {v:.3f}" for k, v in parts.items())
                progress(run.step / run.schedule.steps, f"step {run.step} {text}")
            if now - saved > 120 or finished:
                run.save()
                saved = now
                rate = reconstruction_rate(run.system(), watch)
                if progress:
                    progress(
                        run.step / run.schedule.steps,
                        f"step {run.step} held-out exact reconstruction {rate:.3f}",
                    )
            if finished:
                run.network.eval()
                return
