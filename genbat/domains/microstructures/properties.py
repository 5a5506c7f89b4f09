"""The properties of microstructures: names, units and what they mean."""

from __future__ import annotations

from genbat.core.properties import Property
from genbat.domains.microstructures.transport import METHOD

COUNTED = "counting voxels"
_FACES = (
    "Faces of voxels are counted, which for a smooth isotropic interface is 3/2 of its true area; "
    "other programs divide by the solid's volume or smooth the surface first."
)
_TAU = (
    f"{METHOD}: volume fraction over relative effective diffusivity, not its square root. Above 1 "
    "means slower than straight channels of the same volume would be."
)


def _share(key: str, what: str) -> Property:
    words = f"Share of the volume that is {what}, by counting voxels."
    return Property(key, what.capitalize(), "", words, "computed", floor=0.001)


PROPERTIES: tuple[Property, ...] = (
    Property(
        "porosity",
        "Porosity",
        "",
        "Share of the volume that is pore, by counting voxels.",
        "computed",
        floor=0.001,
    ),
    _share("active", "active material"),
    _share("binder", "carbon-binder"),
    Property(
        "tau_z",
        "Tortuosity factor of the pore, through-plane",
        "",
        f"Along z, from collector to separator. {_TAU}",
        "computed",
        better=-1,
    ),
    Property("tau_y", "Tortuosity factor of the pore, along y", "", _TAU, "computed", better=-1),
    Property("tau_x", "Tortuosity factor of the pore, along x", "", _TAU, "computed", better=-1),
    Property(
        "diffusivity_z",
        "Effective diffusivity of the pore, through-plane",
        "of bulk",
        f"{METHOD}: flux through the pore over that through pure electrolyte; 0 where no pore "
        "connects both faces.",
        "computed",
        better=1,
        floor=0.001,
    ),
    Property(
        "conductivity_z",
        "Effective conductivity of the solids, through-plane",
        "of bulk",
        f"{METHOD}: through active material and carbon-binder taken as one conductor; how much "
        "better binder conducts is not counted.",
        "computed",
        better=1,
        floor=0.001,
    ),
    Property(
        "anisotropy",
        "Anisotropy of the pore",
        "",
        "Through-plane tortuosity factor over the mean of the in-plane ones: above 1 where "
        "calendering has flattened the particles.",
        "computed",
        floor=0.01,
    ),
    Property(
        "reached",
        "Pore within reach",
        "",
        "Share of the pore that connects both faces along z through faces of voxels.",
        "computed",
        better=1,
        floor=0.001,
    ),
    Property(
        "surface",
        "Active surface",
        "per edge",
        f"Area between active material and pore over the volume, 1/μm where the size of a voxel "
        f"is known, else 1/voxel. {_FACES}",
        "computed",
        better=1,
        floor=0.001,
    ),
    Property(
        "triple_line",
        "Triple-phase boundary",
        "per area",
        "Length of edges that pore, active material and carbon-binder share over the volume, "
        "1/μm² or 1/voxel². Edges of voxels are counted, 3/2 of the true length of smooth lines.",
        "computed",
        better=1,
        floor=0.001,
    ),
    Property(
        "chord",
        "Mean pore chord",
        "edges",
        "Mean length of straight lines inside the pore along the three axes, in μm or voxels; "
        "lines that a border cuts do not count.",
        "computed",
        floor=0.1,
    ),
    Property(
        "grain",
        "Mean particle chord",
        "edges",
        "The same inside the active material: a measure of the particles' size.",
        "computed",
        floor=0.1,
    ),
)
BY_KEY = {p.key: p for p in PROPERTIES}
UNITS = {p.key: p.unit for p in PROPERTIES}
