"""`genbat evaluate`: what a system is worth on held-out data, beside its baselines and bars."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

from genbat.core.provenance import file_hash, versions
from genbat.studio import registry
from genbat.studio.metrics import Metrics, Progress
from genbat.studio.training import gather
from genbat.systems.base import part_of

Part = Callable[[Any], Metrics]
# System -> each part by its name: module and function, with its share of the time.
_PARTS: dict[str, dict[str, tuple[str, str, float]]] = {
    "chemvae": {
        "reconstruction": ("metrics_molecules", "reconstruction", 0.05),
        "prior": ("metrics_molecules", "prior", 0.05),
        "heads": ("metrics_heads", "heads", 0.4),
        "search": ("metrics_search", "search", 0.45),
        "paths": ("metrics_search", "paths", 0.05),
    },
    "cdvae": {
        "reconstruction": ("metrics_reconstruction", "reconstruction", 0.15),
        "samples": ("metrics_crystals", "samples", 0.1),
        "coverage": ("metrics_coverage", "cover", 0.4),
        "heads": ("metrics_crystal_heads", "heads", 0.05),
        "distribution": ("metrics_distribution", "distribution", 0.1),
        "stability": ("metrics_stability", "stability", 0.3),
        "phonons": ("metrics_phonons", "phonons", 0.4),
    },
    "mattergen": {
        "samples": ("metrics_crystals", "samples", 0.1),
        "coverage": ("metrics_coverage", "cover", 0.3),
        "distribution": ("metrics_distribution", "distribution", 0.1),
        "stability": ("metrics_stability", "stability", 0.3),
        "phonons": ("metrics_phonons", "phonons", 0.4),
        "wishes": ("metrics_asked", "wishes", 0.1),
        "symmetry": ("metrics_asked", "symmetry", 0.1),
        "targets": ("metrics_asked", "targets", 0.1),
    },
    "unimat": {
        "samples": ("metrics_crystals", "samples", 0.15),
        "coverage": ("metrics_coverage", "cover", 0.45),
        "distribution": ("metrics_distribution", "distribution", 0.1),
        "stability": ("metrics_stability", "stability", 0.4),
        "phonons": ("metrics_phonons", "phonons", 0.4),
    },
    "crystalgan": {
        "constraint": ("metrics_crystalgan", "constraint", 0.1),
        "samples": ("metrics_crystals", "samples", 0.1),
        "relaxation": ("metrics_crystalgan", "relaxation", 0.4),
        "distribution": ("metrics_distribution", "distribution", 0.1),
        "stability": ("metrics_stability", "stability", 0.4),
        "phonons": ("metrics_phonons", "phonons", 0.4),
    },
    "cubicgan": {
        "asked": ("metrics_cubicgan", "asked", 0.4),
        "samples": ("metrics_crystals", "samples", 0.2),
        "distribution": ("metrics_distribution", "distribution", 0.1),
        "stability": ("metrics_stability", "stability", 0.4),
        "phonons": ("metrics_phonons", "phonons", 0.4),
    },
    "crystalgpt": {
        "writing": ("metrics_crystal_texts", "writing", 0.2),
        "asked": ("metrics_crystal_texts", "asked", 0.2),
        "samples": ("metrics_crystals", "samples", 0.2),
        "distribution": ("metrics_distribution", "distribution", 0.1),
        "stability": ("metrics_stability", "stability", 0.4),
        "phonons": ("metrics_phonons", "phonons", 0.4),
    },
    "imatgen": {
        "images": ("metrics_imatgen", "images", 0.05),
        "classifier": ("metrics_imatgen", "classifier", 0.02),
        "samples": ("metrics_crystals", "samples", 0.1),
        "heads": ("metrics_crystal_heads", "heads", 0.03),
        "distribution": ("metrics_distribution", "distribution", 0.05),
        "stability": ("metrics_stability", "stability", 0.4),
        "phonons": ("metrics_phonons", "phonons", 0.4),
        "rediscovery": ("metrics_imatgen", "rediscovery", 0.4),
    },
    "slicegan": {
        "morphology": ("metrics_volumes", "morphology", 0.3),
        "repetition": ("metrics_volumes", "repetition", 0.1),
        "flow": ("metrics_volumes", "flow", 0.5),
        "copies": ("metrics_volumes", "copies", 0.1),
    },
    "dcgan3d": {
        "morphology": ("metrics_volumes", "morphology", 0.25),
        "repetition": ("metrics_volumes", "repetition", 0.1),
        "flow": ("metrics_volumes", "flow", 0.35),
        "borders": ("metrics_volumes", "borders", 0.2),
        "copies": ("metrics_volumes", "copies", 0.1),
    },
    "microvae": {
        "heads": ("metrics_micro", "heads", 0.3),
        "textures": ("metrics_micro", "textures", 0.1),
        "freely": ("metrics_micro", "freely", 0.6),
    },
    "microdiffusion": {
        "asked": ("metrics_micro", "asked", 0.8),
        "freely": ("metrics_micro", "freely", 0.2),
    },
    "microgpt": {
        "asked": ("metrics_micro", "asked", 0.8),
        "freely": ("metrics_micro", "freely", 0.2),
    },
    **{
        name: {
            "prior": ("metrics_molecules", "prior", 0.2),
            "asked": ("metrics_questions", "asked", 0.8),
        }
        for name in ("moleculegpt", "moleculediffusion", "latentgan")
    },
    **{
        name: {
            "writing": ("metrics_polymers", "writing", 0.6),
            "asked": ("metrics_polymers", "asked", 0.4),
        }
        for name in ("polymerdiffusion", "polymermasking")
    },
    "polymergpt": {
        "writing": ("metrics_polymers", "writing", 0.4),
        "asked": ("metrics_polymers", "asked", 0.2),
        "loop": ("metrics_loop", "loop", 0.4),
    },
    "polymervae": {
        "reconstruction": ("metrics_polymers", "reconstruction", 0.2),
        "writing": ("metrics_polymers", "writing", 0.8),
    },
    "npvae": {
        "reconstruction": ("metrics_npvae", "reconstruction", 0.3),
        "prior": ("metrics_molecules", "prior", 0.4),
        "heads": ("metrics_npvae", "heads", 0.3),
    },
    "additivevae": {
        "prior": ("metrics_molecules", "prior", 0.2),
        "additives": ("metrics_npvae", "additives", 0.6),
        "heads": ("metrics_npvae", "heads", 0.2),
    },
    "polymersurrogate": {"heads": ("metrics_surrogate", "heads", 1.0)},
    "superres": {"fidelity": ("metrics_superres", "fidelity", 1.0)},
    **{name: {"slices": ("metrics_slices", "slices", 1.0)} for name in registry.VARIANTS},
    "seivae": {
        "asked": ("metrics_interphases", "asked", 0.5),
        "freely": ("metrics_interphases", "freely", 0.5),
    },
}
# What is measured of a domain's systems, or of one that is unlike the others.
_SUBJECTS: dict[str, str] = {
    **dict.fromkeys(registry.VARIANTS, "metrics_slices"),
    "superres": "metrics_superres",
    "polymersurrogate": "metrics_surrogate",
    "imatgen": "metrics_imatgen",
    "microvae": "metrics_micro",
    "microdiffusion": "metrics_micro",
    "microgpt": "metrics_micro",
    "molecules": "metrics_molecules",
    "polymers": "metrics_polymers",
    "crystals": "metrics_crystals",
    "microstructures": "metrics_volumes",
    "interphases": "metrics_interphases",
}
_JUDGES = {
    "molecules": ("fcd_torch", "scikit-learn", "botorch", "chemicals"),
    "crystals": ("chgnet", "phonopy", "pymatgen", "smact", "spglib"),
    "microstructures": ("taufactor", "scipy"),
    "polymers": ("rdkit", "scipy"),
    "interphases": ("scipy",),
}


def parts_of(name: str) -> tuple[str, ...]:
    """The parts a system's evaluation has.

    Raises
    ------
    ValueError : unknown system.
    """
    if name not in _PARTS:
        raise ValueError(f"system: unknown {name!r}; legal are {', '.join(_PARTS)}")
    return tuple(_PARTS[name])


def evaluate(
    name: str,
    n: int = 1000,
    seed: int = 0,
    progress: Progress | None = None,
    *,
    parts: Sequence[str] = (),
    weights: Path | None = None,
    data: Path | None = None,
    system: Any = None,
    examples: Any = None,
) -> dict[str, Any]:
    """Metrics of a system on the split "test".

    Parameters
    ----------
    n : samples; the other parts use all held-out objects they can, or n of them.
    seed : of the samples, the baselines and whatever else is chosen.
    parts : some of `parts_of(name)`, all by default.
    weights : a folder of finished weights instead of the shipped ones.
    data : a file of the user's own, as `genbat train --data` takes it, split the same way.
    system, examples : instead of what `weights` and `data` name (a training in progress, a test).

    Returns
    -------
    {"system", "n", "seed", "metrics": {name: {"value", "unit", "baselines", "real", "bar"}},
    "versions"}; a bar of one number is the least or, for errors and distances, the most that is
    wanted, one of two numbers the ends of the wanted range. Takes about half an hour in full.

    Raises
    ------
    ValueError : unknown system or part, n below 2, or no data.
    """
    legal = parts_of(name)
    if strange := [part for part in parts if part not in legal]:
        raise ValueError(f"parts: unknown {', '.join(strange)}; legal are {', '.join(legal)}")
    if n < 2:
        raise ValueError(f"n: got {n}; at least 2 samples are needed")
    system = system or _load(name, weights)
    if examples is None:
        examples = gather(name, data).examples
    chosen = [part for part in legal if part in parts or not parts]
    domain = registry.card(name).domain
    subject = _module(_SUBJECTS.get(name, _SUBJECTS[domain])).subject_of(system, examples, n, seed)
    metrics = _measured(name, chosen, subject, progress)
    return {
        "system": name,
        "n": n,
        "seed": seed,
        "metrics": metrics,
        "versions": {**versions(), **judges(domain), "weights": system.weights},
    }


def judges(domain: str) -> dict[str, str]:
    """The packages that judge a domain's objects, with their versions."""
    return {name: version(name) for name in _JUDGES[domain]}


def _load(name: str, weights: Path | None) -> Any:
    if weights is None:
        return registry.load(name)
    return registry.load_from(weights, name)


def _measured(name: str, parts: Sequence[str], subject: Any, progress: Progress | None) -> Metrics:
    plan = {part: _PARTS[name][part] for part in parts}
    whole, done = sum(share for *_, share in plan.values()), 0.0
    metrics: Metrics = {}
    for module, function, share in plan.values():
        measure: Part = getattr(_module(module), function)
        metrics |= measure(subject.reporting(part_of(progress, done / whole, share / whole)))
        done += share
    return metrics


def _module(name: str) -> Any:
    return import_module(f"genbat.studio.{name}")


def keep(result: dict[str, Any], out: Path) -> dict[str, Any]:
    """Write a result to a JSON file and return what now stands there.

    Metrics that the file holds of other parts stay, where they were measured with the same weights,
    number of samples and seed: a long evaluation may be done part by part.
    """
    try:
        old = json.loads(out.read_text("utf-8"))
        alike = all(old[key] == result[key] for key in ("system", "n", "seed"))
        if alike and old["versions"]["weights"] == result["versions"]["weights"]:
            result = result | {"metrics": old["metrics"] | result["metrics"]}
    except (OSError, ValueError, KeyError, TypeError):
        pass  # nothing there, or something else
    out.write_text(json.dumps(result, indent=1, allow_nan=False) + "\n", "utf-8")
    return result


def save_metrics(result: dict[str, Any]) -> Path:
    """Keep an evaluation beside the system's weights, where its card finds it.

    Raises
    ------
    ValueError : it was measured on other weights.
    """
    path = registry.folder(result["system"]) / "metrics.json"
    weights = path.with_name("weights.safetensors")
    measured = result["versions"]["weights"]
    if weights.exists() and file_hash(weights) != measured:
        raise ValueError(f"metrics: measured on {measured}, installed is {file_hash(weights)}")
    path.parent.mkdir(parents=True, exist_ok=True)
    keep(result, path)
    return path
