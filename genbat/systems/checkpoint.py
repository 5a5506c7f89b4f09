"""Checkpoints of trainings: networks and optimiser moments in 32 bits, the rest as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import nn

TENSORS, NOTE = "checkpoint.safetensors", "checkpoint.json"
SLOTS = ("step", "exp_avg", "exp_avg_sq")  # what Adam keeps of each parameter


def write(
    folder: Path,
    networks: Mapping[str, nn.Module],
    optimisers: Mapping[str, torch.optim.Optimizer],
    note: Mapping[str, Any],
) -> None:
    """Put a training aside; the former checkpoint stays until the new one is whole."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {
        f"{name}.{k}": _copy(v)
        for name, network in networks.items()
        for k, v in network.state_dict().items()
    }
    for name, optimiser in optimisers.items():
        for k, slots in optimiser.state_dict()["state"].items():
            tensors |= {f"{name}.{k}.{slot}": _copy(slots[slot]) for slot in slots}
    partial = folder / "checkpoint.part"
    save_file(tensors, partial)
    partial.replace(folder / TENSORS)
    (folder / NOTE).write_text(json.dumps(note) + "\n", "utf-8")


def _copy(tensor: torch.Tensor) -> torch.Tensor:
    """In the plain order of memory, which the format wants."""
    return tensor.clone(memory_format=torch.contiguous_format)


def read_note(folder: Path) -> dict[str, Any]:
    """The checkpoint's JSON."""
    return dict(json.loads((folder / NOTE).read_text("utf-8")))


def read(
    folder: Path,
    networks: Mapping[str, nn.Module],
    optimisers: Mapping[str, torch.optim.Optimizer],
) -> dict[str, Any]:
    """Fill networks and optimisers from a checkpoint; returns its JSON."""
    kept = load_file(folder / TENSORS)
    for name, network in networks.items():
        head = f"{name}."
        network.load_state_dict({k[len(head) :]: v for k, v in kept.items() if k.startswith(head)})
    for name, optimiser in optimisers.items():
        state = optimiser.state_dict()
        count = sum(len(group["params"]) for group in state["param_groups"])
        state["state"] = {
            k: {slot: kept[f"{name}.{k}.{slot}"] for slot in SLOTS}
            for k in range(count)
            if f"{name}.{k}.step" in kept
        }
        optimiser.load_state_dict(state)
    return read_note(folder)
