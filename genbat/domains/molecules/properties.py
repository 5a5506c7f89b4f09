"""The properties of a molecule that GenBat knows, in the order pages show them."""

from __future__ import annotations

from genbat.core.properties import Property

_XTB = "GFN2-xTB at its own optimised geometry; trends are right, absolute values are offset."

PROPERTIES: tuple[Property, ...] = (
    Property(
        "lumo_ev",
        "LUMO",
        "eV",
        f"Energy of the lowest empty orbital: the lower, the sooner a molecule is reduced at the "
        f"anode. {_XTB} Against 107 independent DFT values: Spearman 0.86.",
        "computed",
        better=0,
    ),
    Property(
        "vip_ev",
        "Vertical IP",
        "eV",
        "Energy to take one electron away at fixed geometry: the higher, the more stable against "
        "oxidation at the cathode. IPEA1-xTB without its empirical shift: subtract 4.85 eV to "
        "compare with experiment. Against 120 independent DFT values: Pearson 0.90. Sulfones "
        "come out too low.",
        "computed",
        better=1,
    ),
    Property(
        "homo_ev",
        "HOMO",
        "eV",
        f"Energy of the highest filled orbital. {_XTB} Use the vertical IP to rank oxidation.",
        "computed",
    ),
    Property("gap_ev", "Gap", "eV", f"LUMO minus HOMO. {_XTB}", "computed"),
    Property(
        "dipole_d",
        "Dipole moment",
        "D",
        "Charge separation of one conformer in vacuum, GFN2-xTB. Against 120 measured values: "
        "mean error 0.29 D.",
        "computed",
    ),
    Property(
        "tflash_k",
        "Flash point",
        "K",
        "Lowest temperature at which the vapour can be ignited: higher is safer.",
        "measured",
        better=1,
        floor=1.0,
    ),
    Property(
        "permittivity",
        "Relative permittivity",
        "",
        "Static dielectric constant of the liquid: high values dissolve salts.",
        "measured",
        better=1,
        floor=0.1,
    ),
    Property(
        "viscosity_mpas",
        "Viscosity (298 K)",
        "mPa s",
        "Resistance to flow at 298 K: low values let ions move.",
        "measured",
        better=-1,
    ),
    Property("tm_k", "Melting point", "K", "Below it the solvent is solid.", "measured", -1, 1.0),
    Property("tb_k", "Boiling point", "K", "At 1 atm.", "measured", 1, 1.0),
    Property(
        "dipole_exp_d", "Dipole (measured)", "D", "Measured dipole moment, gas phase.", "measured"
    ),
    Property(
        "sa_score",
        "SA score",
        "",
        "Synthetic accessibility from 1 (easy) to 10 (hard), Ertl and Schuffenhauer 2009.",
        "computed",
        better=-1,
        floor=0.1,
    ),
    Property("logp", "logP", "", "Crippen's octanol-water partition estimate.", "computed"),
    Property("mass_g_mol", "Molar mass", "g/mol", "From the formula.", "computed", -1),
    Property(
        "h_donors", "H donors", "", "OH and NH groups; they react with lithium.", "computed", -1, 2
    ),
    Property(
        "pfas",
        "PFAS",
        "",
        "1 where a saturated CF2 or CF3 carbon makes it a PFAS by the OECD's 2021 definition.",
        "computed",
        -1,
        2,
    ),
    Property(
        "hazards",
        "Hazard groups",
        "",
        "Number of kinds of groups known as explosive, toxic or violently reactive.",
        "computed",
        -1,
        2,
    ),
)
BY_KEY: dict[str, Property] = {p.key: p for p in PROPERTIES}
UNITS = {p.key: p.unit for p in PROPERTIES}
