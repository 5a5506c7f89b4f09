"""The properties of interphases: names, units and what they mean."""

from __future__ import annotations

from genbat.core.properties import Property

METHOD = "counting sites of the kinetic Monte Carlo's lattice"
_INSIDE = (
    "The interphase is what lies below the outermost solid sites that are connected to the "
    "electrode, column by column."
)

PROPERTIES: tuple[Property, ...] = (
    Property(
        "thickness",
        "Thickness",
        "nm",
        f"Mean over the columns of how far the interphase reaches; a site is 1 nm. {_INSIDE}",
        "computed",
        floor=0.1,
    ),
    Property(
        "porosity",
        "Porosity",
        "",
        f"Share of the interphase that is electrolyte or radical. {_INSIDE}",
        "computed",
        better=-1,
        floor=0.001,
    ),
    Property(
        "organic",
        "Organic share",
        "",
        "Share of the interphase that is lithium ethylene dicarbonate.",
        "computed",
        floor=0.001,
    ),
    Property(
        "inorganic",
        "Inorganic share",
        "",
        "Share of the interphase that is lithium carbonate.",
        "computed",
        better=1,
        floor=0.001,
    ),
    Property(
        "roughness",
        "Roughness",
        "nm",
        "Standard deviation over the columns of how far the interphase reaches.",
        "computed",
        better=-1,
        floor=0.1,
    ),
)
BY_KEY = {p.key: p for p in PROPERTIES}
