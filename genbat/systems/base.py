"""What every system shares: its card, its contract, its weights on disk."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import count, islice
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar, get_type_hints

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from genbat.core.candidate import Candidate, Verdict
from genbat.core.condition import Condition
from genbat.core.properties import Measurement
from genbat.core.provenance import Provenance, file_hash, versions

Progress = Callable[[float, str], None]


def part_of(progress: Progress | None, begin: float, share: float) -> Progress:
    """Progress of one part as a share of the whole."""

    def report(fraction: float, text: str) -> None:
        if progress:
            progress(min(1.0, begin + share * fraction), text)

    return report


@dataclass(frozen=True)
class SystemCard:
    """What a user should know of a system before asking it.

    `metrics` holds what `genbat evaluate` measured last, as {name: {"value", "unit", ...}}. `scope`
    says what the system makes where that is a part of the domain only.
    """

    name: str
    domain: str
    family: str
    title: str
    paper: str
    capabilities: tuple[str, ...]
    trained_on: str
    licence: str
    parameters: int = 0
    metrics: Mapping[str, Any] = field(default_factory=dict)
    scope: str = ""


class System(Protocol):
    """The contract; encode, decode and predict stand where `card.capabilities` says so."""

    card: SystemCard

    def sample(
        self,
        n: int,
        *,
        condition: Condition | None = None,
        seed: int = 0,
        progress: Progress | None = None,
    ) -> Iterator[Candidate]:
        """n new candidates; the same seed gives the same ones."""
        ...

    def encode(self, objects: Sequence[str]) -> np.ndarray:
        """Objects' texts -> latent points (n, d)."""
        ...

    def decode(self, z: np.ndarray, *, seed: int = 0) -> list[Candidate]:
        """Latent points (n, d) -> candidates."""
        ...

    def predict(self, z: np.ndarray) -> list[dict[str, Measurement]]:
        """Properties with calibrated uncertainty at latent points (n, d)."""
        ...


def at_least_one(n: int) -> None:
    """ValueError where a sample of nothing is asked for."""
    if n < 1:
        raise ValueError(f"n: got {n}; at least 1 candidate must be asked for")


def refuse(name: str, condition: Condition | None, instead: str) -> None:
    """ValueError where anything is asked of a system that takes no condition, saying what to do
    `instead`."""
    asked = condition or Condition()
    if asked.windows or asked.wishes:
        named = ", ".join([*asked.windows, *asked.wishes])
        raise ValueError(f"{name}: cannot honour {named}; {instead}")


def counted(
    made: Iterable[Candidate], n: int, what: str, progress: Progress | None
) -> Iterator[Candidate]:
    """The first n of some candidates, each told to `progress` as one of n `what`."""
    for done, candidate in enumerate(islice(made, n), 1):
        if progress:
            progress(done / n, f"{done} of {n} {what}")
        yield candidate


def prior_blocks(latent: int, block: int, seed: int) -> Iterator[tuple[int, np.ndarray]]:
    """Draws (block, latent) from the prior N(0, I) without end, and the number of each one's first.

    One stream a block, always drawn and to be decoded whole: a longer sample starts with the
    shorter one, to the last bit, since a product's rounding may depend on the number of rows.
    """
    for first in count(0, block):
        rng = np.random.default_rng((seed, first))
        yield first, rng.standard_normal((block, latent)).astype("f4")


def save_weights(
    folder: Path, state: Mapping[str, torch.Tensor], config: Any, *, half: bool = True
) -> None:
    """Write weights.safetensors (16-bit floats by default) and config.json."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {
        k: (v.half() if half and v.is_floating_point() else v).contiguous().clone()
        for k, v in state.items()
    }
    partial = folder / "weights.part"
    save_file(tensors, partial)
    partial.replace(folder / "weights.safetensors")
    (folder / "config.json").write_text(json.dumps(asdict(config), indent=1) + "\n", "utf-8")


@torch.no_grad()
def round_as_kept(network: nn.Module) -> None:
    """Round a network to the 16-bit floats in which `save_weights` keeps it: what is calibrated
    before it is saved must be what is used afterwards."""
    for values in network.state_dict().values():
        if values.is_floating_point():
            values.copy_(values.half().float())


def load_weights(folder: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Tensors as 32-bit floats, and the config.

    Raises
    ------
    ValueError : naming the folder and the missing file.
    """
    for name in ("weights.safetensors", "config.json"):
        if not (folder / name).exists():
            raise ValueError(f"weights: {folder} has no {name}; train the system first")
    tensors = load_file(folder / "weights.safetensors")
    state = {k: v.float() if v.is_floating_point() else v for k, v in tensors.items()}
    return state, json.loads((folder / "config.json").read_text("utf-8"))


class Settings:
    """What dataclasses of sizes and scales share: the way back from JSON."""

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Inverse of `asdict`: lists become tuples, objects the settings they were."""
        kinds = get_type_hints(cls)
        return cls(**{key: _again(kinds[key], value) for key, value in data.items()})


def _again(kind: Any, value: Any) -> Any:
    if isinstance(kind, type) and issubclass(kind, Settings):
        return kind.from_json(value)
    return tuple(value) if isinstance(value, list) else value


C = TypeVar("C", bound=Settings)
N = TypeVar("N", bound=nn.Module)


class Trained(Generic[C, N]):
    """A network with its config and card; read-only, so that several users may share one."""

    config_type: ClassVar[type[Settings]]
    network_type: ClassVar[type[nn.Module]]
    describe: ClassVar[Callable[[int], SystemCard]]  # parameters -> card
    # Whether its samples honour windows on its LEGAL_TARGETS, else it is asked by decoding around
    # known objects, where it decodes; and whether they honour the discrete part of a condition.
    takes_windows: ClassVar[bool] = True
    honours_wishes: ClassVar[bool] = False

    def __init__(self, config: C, network: N, weights: str = "") -> None:
        self.config = config
        self.network = network.eval()
        self.weights = weights  # their hash; none before they are saved
        count = sum(p.numel() for p in network.parameters())
        self.card = type(self).describe(count)

    def honoured(self, wishes: Mapping[str, Any]) -> dict[str, Any]:
        """The wishes that it keeps while it draws; the others are sought among what it made."""
        return dict(wishes) if self.honours_wishes else {}

    @classmethod
    def load(cls, folder: Path) -> Self:
        """From a folder with weights.safetensors and config.json."""
        state, data = load_weights(folder)
        config: Any = cls.config_type.from_json(data)
        network: Any = cls.network_type(config)
        network.load_state_dict(state)
        return cls(config, network, file_hash(folder / "weights.safetensors"))

    def made(
        self,
        text: str,
        verdict: Verdict,
        seed: int,
        arguments: Mapping[str, Any],
        *,
        action: str = "sample",
        condition: Condition | None = None,
        latent: Sequence[float] | np.ndarray | None = None,
    ) -> Candidate:
        """A candidate of this system with its story; `latent` is where it came from, (d,)."""
        story = Provenance(
            system=self.card.name,
            action=action,
            weights=self.weights,
            seed=seed,
            arguments=dict(arguments),
            condition=condition.to_json() if condition else {},
            versions=versions(),
        )
        point = None if latent is None else tuple(round(float(v), 5) for v in latent)
        return Candidate(text, self.card.domain, verdict, story, latent=point)

    def save(self, folder: Path) -> None:
        """Weights in 16 bits, config; the inverse of `load`."""
        save_weights(folder, self.network.state_dict(), self.config)
