"""Training of chemvae: joint loss, checkpoints, conformal calibration.

Loss per molecule: reconstruction (nats) + beta * KL + weight * Huber loss of the heads on
standardised properties, unknown ones masked. All randomness comes from the seed and the step
alone, so that a run that goes on from its checkpoint ends as if it had never been stopped.
"""

from __future__ import annotations

import json
import math
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional as F

from genbat.domains.molecules.codec import Vocabulary
from genbat.families.vae import warm_up
from genbat.systems.base import Progress, load_weights, part_of
from genbat.systems.chemvae import ChemVAE, Config, Network, pad, with_ends
from genbat.systems.chemvae_calibration import calibrate
from genbat.systems.chemvae_corpus import (
    PRESETS,
    SIZES,
    Corpus,
    Schedule,
    batches,
    fingerprint,
    make_corpus,
    steps_an_epoch,
    writable,
)
from genbat.systems.chemvae_heads import polish_heads
from genbat.systems.chemvae_targets import TARGETS, scales, target_values

__all__ = [  # what a script about a training needs, from one place
    "PRESETS",
    "SIZES",
    "Corpus",
    "Run",
    "Schedule",
    "batches",
    "calibrate",
    "checkpoint_config",
    "fingerprint",
    "loss_of",
    "make_config",
    "make_corpus",
    "reconstruction_rate",
    "target_values",
    "train",
    "writable",
]


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
        "reconstruction": float(bound.reconstruction.detach()),
        "divergence": float(bound.divergence.detach()),
        "heads": float(error.detach()),
    }
    return bound.loss(beta) + schedule.head_weight * error, parts


def _choose(forms: list[list[int]], share: float, rng: random.Random) -> list[int]:
    return forms[0] if rng.random() < share else rng.choice(forms)


def head_error(predicted: Tensor, wanted: Tensor) -> Tensor:
    """Smooth absolute error over the known entries: predicted (members, n, t), wanted (n, t).

    Huber's loss, quadratic below a tenth of a standard deviation, so that rare strange molecules
    do not rule it; summed over targets, mean over members and molecules.
    """
    known = ~wanted.isnan()
    each = F.smooth_l1_loss(
        predicted, wanted.nan_to_num().expand_as(predicted), reduction="none", beta=0.1
    )
    return (each * known).sum(dim=(1, 2)).mean() / len(TARGETS) ** 0.5 / max(1, wanted.shape[0])


def reconstruction_rate(system: ChemVAE, smiles: Sequence[str]) -> float:
    """Share of molecules the encoder alone sends to where they are decoded; NaN for none."""
    if not smiles:
        return math.nan
    back = system.decode_texts(system.encode(smiles, exact=False))
    return float(np.mean([a == b for a, b in zip(smiles, back, strict=True)]))


# ---------------------------------------------------------------------- the run
@dataclass
class Run:
    """A training in progress and its checkpoint folder."""

    network: Network
    config: Config
    schedule: Schedule
    folder: Path
    data: str = ""  # fingerprint of the training molecules
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
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.schedule.seed * 1_000_003 + self.step)  # noise and dropout
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
        config = asdict(self.config)
        note = {"step": self.step, "data": self.data, "config": config, **asdict(self.schedule)}
        (self.folder / "checkpoint.json").write_text(json.dumps(note) + "\n", "utf-8")

    def resume(self, folder: Path) -> None:
        """Go on from a checkpoint folder with its optimiser and step.

        From finished weights, or on molecules other than the checkpoint's, only the networks are
        taken: that is a new training from a good start.
        """
        if not (folder / "checkpoint.safetensors").exists():
            self.network.load_state_dict(load_weights(folder)[0])
            return
        tensors = load_file(folder / "checkpoint.safetensors")
        self.network.load_state_dict({k[4:]: v for k, v in tensors.items() if k.startswith("net.")})
        note = json.loads((folder / "checkpoint.json").read_text("utf-8"))
        if note.get("data", self.data) != self.data:
            return
        state = self.optimiser.state_dict()
        state["state"] = {
            k: {name: tensors[f"opt.{k}.{name}"] for name in ("step", "exp_avg", "exp_avg_sq")}
            for k in range(len(list(self.network.parameters())))
            if f"opt.{k}.step" in tensors
        }
        self.optimiser.load_state_dict(state)
        self.step = note["step"]

    def system(self) -> ChemVAE:
        """The system as trained so far."""
        config = replace(self.config, steps_trained=self.step)
        return ChemVAE(config, self.network)


def train(
    table: pd.DataFrame,
    folder: Path,
    *,
    schedule: Schedule,
    start: Path | None = None,
    minutes: float = math.inf,
    progress: Progress | None = None,
    sizes: Mapping[str, int] | None = None,
) -> ChemVAE:
    """Train on the split "train" of a data set's table and calibrate on "calibration".

    Parameters
    ----------
    folder : receives the checkpoint every two minutes and at the end.
    start : checkpoint or weights folder to go on from, see `Run.resume`; it decides the sizes.
    minutes : stop early after this time, checkpoint kept.
    sizes : fields of `Config` that differ from its defaults, see SIZES.

    Raises
    ------
    ValueError : no training molecule that the vocabulary can write.
    """
    torch.manual_seed(schedule.seed)
    config = make_config(table, sizes) if start is None else checkpoint_config(start)
    vocabulary = Vocabulary(config.tokens)
    known = writable(table[table["split"] == "train"], vocabulary)
    if known.empty:
        raise ValueError("table: no training molecule can be written by the vocabulary")
    run = Run(Network(config), config, schedule, folder, fingerprint(known["smiles"]))
    if start is not None:
        run.resume(start)
    held_out = set(table.loc[table["split"] != "train", "smiles"])
    corpus = make_corpus(known, config, schedule, held_out)
    held = writable(table[table["split"] == "calibration"], vocabulary)
    _loop(run, corpus, held["smiles"].tolist()[::5], minutes, part_of(progress, 0.0, 0.9))
    system = run.system()
    if run.step >= schedule.steps:
        steps, seed = schedule.head_steps, schedule.seed
        polish_heads(system, known, steps=steps, seed=seed, progress=part_of(progress, 0.9, 0.08))
    system.config = replace(system.config, calibration=calibrate(system, held))
    if progress:
        progress(1.0, f"trained {run.step} steps")
    return system


def make_config(table: pd.DataFrame, sizes: Mapping[str, int] | None = None) -> Config:
    """Scales of the training molecules; the alphabet is the domain's, from all known molecules."""
    mean, scale = scales(target_values(table[table["split"] == "train"]))
    tokens = Vocabulary.from_smiles(table["smiles"]).tokens
    return replace(Config(tokens, mean=mean, scale=scale), **dict(sizes or {}))  # type: ignore[arg-type]


def checkpoint_config(folder: Path) -> Config:
    """The config of a checkpoint or of finished weights: sizes, vocabulary and scales stay."""
    checkpoint = folder / "checkpoint.json"
    if checkpoint.exists():
        return Config.from_json(json.loads(checkpoint.read_text("utf-8"))["config"])
    return replace(Config.from_json(load_weights(folder)[1]), steps_trained=0)


def _loop(
    run: Run, corpus: Corpus, watch: list[str], minutes: float, progress: Progress | None
) -> None:
    began = saved = time.monotonic()
    length = steps_an_epoch(corpus, run.schedule)
    while run.step < run.schedule.steps:
        epoch, done = divmod(run.step, length)
        for rows in islice(batches(corpus, run.schedule, epoch), done, None):
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
