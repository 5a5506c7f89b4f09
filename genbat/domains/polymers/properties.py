"""The properties of polymer electrolytes: names, units and what they mean."""

from __future__ import annotations

from genbat.core.properties import Property

SIMULATION = (
    "A surrogate learnt from molecular dynamics of some six thousand repeat units in LiTFSI "
    "(HTP-MD, TRI): short chains, 1.5 mol/kg, 353 K. It is no measurement; the interval holds 90 "
    "of 100 simulated values."
)

SA_METHOD = "RDKit, Ertl and Schuffenhauer 2009"

PROPERTIES: tuple[Property, ...] = (
    Property(
        "log_conductivity",
        "Ionic conductivity",
        "log10 S/cm",
        f"By Nernst and Einstein from the diffusion of all ions. {SIMULATION}",
        "predicted",
        better=1,
        floor=0.05,
    ),
    Property(
        "transference",
        "Transference number of lithium",
        "",
        "Share of the current that lithium carries; it can be negative where lithium moves in "
        f"negative clusters. {SIMULATION}",
        "predicted",
        better=1,
        floor=0.01,
    ),
    Property(
        "log_li_diffusivity",
        "Diffusivity of lithium",
        "log10 cm²/s",
        SIMULATION,
        "predicted",
        better=1,
        floor=0.05,
    ),
    Property(
        "log_anion_diffusivity",
        "Diffusivity of the anion",
        "log10 cm²/s",
        SIMULATION,
        "predicted",
        better=-1,
        floor=0.05,
    ),
    Property(
        "log_polymer_diffusivity",
        "Diffusivity of the polymer",
        "log10 cm²/s",
        SIMULATION,
        "predicted",
        floor=0.05,
    ),
    Property(
        "sa_score",
        "Synthetic accessibility",
        "",
        "Of a repeat unit with hydrogen at both ends: 1 easy to 10 hard to make, by a rule of "
        "thumb.",
        "computed",
        better=-1,
        floor=0.1,
    ),
)
BY_KEY = {p.key: p for p in PROPERTIES}
UNITS = {p.key: p.unit for p in PROPERTIES}
