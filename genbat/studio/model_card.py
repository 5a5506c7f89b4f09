"""A system's card.md: what it is, what it learnt from, how to make it again, where it fails."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from genbat.core.provenance import versions
from genbat.studio import registry
from genbat.systems.base import SystemCard

# Those whose training needs more than the weights: critics, or parts that are learnt one by one.
NEEDS_CHECKPOINT = frozenset(
    {"cubicgan", "crystalgan", "microgpt", "latentgan", "npvae", "additivevae", "polymersurrogate"}
)


@dataclass(frozen=True)
class Words:
    """What a card says of its domain: how the data were split, whose they are, where it fails."""

    split: str
    origin: str
    own: str
    limits: str


_WORDS = {
    "molecules": Words(
        split="scaffold and composition",
        origin="GenBat's own labels: MIT; its identifiers and measured values: package chemicals, "
        "MIT.",
        own="molecules of your own: a column smiles, and property columns named as in the app",
        limits="""\
- Molecules of H, B, C, N, O, F, Si, P, S and Cl, neutral, without stereo marks; trained on at most
  12 heavy atoms (named compounds up to 17), so that larger ones are guesses.
- HOMO, LUMO, gap, dipole and vertical IP are learnt from GFN2- and IPEA1-xTB, whose trends are
  right and whose absolute values are offset by some eV; sulfones oxidise too early in them.
- The 90 % intervals are calibrated on held-out molecules of the same kind; far from the data
  they are too narrow. Measured properties are known of few molecules, their intervals are wide.
- Valid means that valences are right. Whether a molecule can be made, is stable or is safe, the
  system does not know.""",
    ),
    "crystals": Words(
        split="composition, so that polymorphs never fall on different sides",
        origin="GenBat's own crystals and labels: MIT; Materials Project structures: CC BY 4.0.",
        own="crystals of your own: a CSV with a column cif, or a CIF, POSCAR, extended XYZ or JSON "
        "file",
        limits="""\
- Ordered crystals of H to Bi without noble gases, at most 20 atoms in the primitive cell; no
  disorder, no partial occupancy, no surfaces.
- What leaves the system is not relaxed. Numbers come from CHGNet afterwards: PBE+U-like, voltages
  within some 0.3 V, at 0 K; a crystal that fails its gates has none.
- Formation energies, hull distances and voltages are learnt from CHGNet, not from DFT or
  experiment; the hull holds the embedded set and Materials Project's small structures only.
- Valid means that atoms keep their distance and charges can balance. Whether a crystal can be
  made, conducts ions or survives cycling, the system does not know.""",
    ),
    "microstructures": Words(
        split="space, with a gap of 32 voxels",
        origin="Slices are counted along y. The tomogram (NREL's MATBOX, BSD-3) does not ship; its "
        "carbon-binder was placed numerically, and the size of its voxels is not stated.",
        own="volumes of your own: a TIFF of labels, one value a phase",
        limits="""\
- Volumes look like the one material it was trained on, and nothing else.
- What is smaller than a voxel does not exist: pores inside the carbon-binder, cracks, roughness.
- Tortuosity factors and diffusivities are computed by TauFactor on what was made, never guessed.
- That a volume can be made by mixing, coating and calendering, the system does not know.""",
    ),
    "polymers": Words(
        split="scaffold: which kinds of segments a chain is built of",
        origin="HTP-MD (TRI), MIT; the table does not ship.",
        own="polymers of your own: a column smiles of repeat units between [Cu] and [Au], and "
        "property columns named as HTP-MD's",
        limits="""\
- Linear homopolymers of carbonates, esters, amides, ethers and the like, as HTP-MD has them; no
  networks, copolymers, molar masses or additives.
- Conductivities, diffusivities and transference numbers are those of short molecular dynamics in
  LiTFSI at 1.5 mol/kg and 353 K, guessed by a surrogate: no measurement stands behind them.
- Valid means that a repeat unit has its two ends and right valences. Whether a polymer can be made,
  is a solid or lasts, the system does not know.""",
    ),
    "interphases": Words(
        split="runs of the kinetic Monte Carlo, each with barriers of its own",
        origin="GenBat's own runs and labels: MIT.",
        own="nothing of your own: interphases are grown by GenBat",
        limits="""\
- Interphases are those of one model: a lattice in two dimensions, ethylene carbonate alone, four
  species, barriers near those of a published reaction network. They are no measured ones.
- Thickness and porosity are counted on what was made; a site is taken as one nanometre.
- What lies outside the design of experiments the system has never seen.""",
    ),
}

_GENERATED = Words(
    split="recipe, of which no two are alike",
    origin="GenBat's own volumes and labels: MIT.",
    own="volumes of your own: a TIFF of labels, one value a phase",
    limits="""\
- Volumes look like those of one generator: spheres of several sizes, carbon-binder in bridges
  between them, pressed in one direction. They are no tomograms.
- What is smaller than a voxel does not exist: pores inside the carbon-binder, cracks, roughness.
- Tortuosity factors and diffusivities are computed by TauFactor on what was made; where they are
  predicted, it says so.
- That a volume can be made by mixing, coating and calendering, the system does not know.""",
)
_FROM_GENERATED = ("microvae", "microdiffusion", "microgpt")


def _words(name: str, domain: str) -> Words:
    """What is said of a system's data and limits."""
    if name in _FROM_GENERATED:
        return _GENERATED
    if name in registry.VARIANTS:
        return replace(_WORDS[domain], origin="Its files do not ship.")
    return _WORDS[domain]


def write_card(
    path: Path,
    card: SystemCard,
    config: Any,
    schedule: Any,
    counts: Mapping[str, int],
    bad: int = 0,
) -> None:
    """Write the model card in Markdown.

    Parameters
    ----------
    counts : examples of each split.
    bad : rows of the user's file that were left out.
    """
    parts = [
        f"# {card.name}: {card.title}",
        _about(card.name),
        f"Paper: {card.paper}",
        "## Data",
        _data(card, counts, bad),
        "## Training",
        _training(card, config, schedule),
        "## How to train it again",
        _again(card),
        "## Limits",
        _words(card.name, card.domain).limits,
        f"Licence of code and weights: {card.licence}.",
    ]
    path.write_text("\n\n".join(parts) + "\n", "utf-8")


def _about(name: str) -> str:
    # The method section stands once, in the module's own docstring.
    module = sys.modules[registry.SYSTEMS[registry.method_of(name)][0]]
    return (module.__doc__ or "").strip()


def _data(card: SystemCard, counts: Mapping[str, int], bad: int) -> str:
    shares = ", ".join(f"{counts.get(s, 0):,} {s}" for s in ("train", "calibration", "test"))
    left = f" {bad} rows of the file could not be used." if bad else ""
    words = _words(card.name, card.domain)
    return f"{card.trained_on}. Split by {words.split}: {shares}.{left} {words.origin}"


def _training(card: SystemCard, config: Any, schedule: Any) -> str:
    settings = _settings(asdict(schedule))
    used = ", ".join(f"{name} {number}" for name, number in versions().items())
    return (
        f"{card.parameters:,} parameters, {config.steps_trained:,} steps. Schedule: {settings}. "
        f"Versions: {used}."
    )


def _settings(schedule: Mapping[str, Any]) -> str:
    """`steps 2400, batch 12`; of several schedules each with its name."""
    return ", ".join(
        f"{key} ({_settings(value)})" if isinstance(value, Mapping) else f"{key} {value:g}"
        for key, value in schedule.items()
    )


def _again(card: SystemCard) -> str:
    name, own = card.name, _words(card.name, card.domain).own
    file = {"molecules": "mine.csv", "polymers": "mine.csv", "crystals": "mine.cif"}.get(
        card.domain, "mine.tif"
    )
    further, goes_on = f" --from assets/weights/{name}", "goes on with"
    if name in NEEDS_CHECKPOINT:
        further, goes_on = "", "begins anew with"
    return (
        f"    genbat train {name}\n"
        f"    genbat train {name} --data {file}{further}\n\n"
        f"The second line {goes_on} {own}. `genbat evaluate` measures the outcome."
    )
