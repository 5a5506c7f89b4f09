"""What must hold before a number of a crystal is shown, in words a chemist uses."""

from __future__ import annotations

from genbat.domains.crystals.hosts import FARADAY_MAH

SHORTEST = 0.6  # distance over the sum of covalent radii
FORMATION_EV = (-5.5, 3.0)  # eV/atom; beyond lie CHGNet's spurious minima
VOLUME_A3 = (2.5, 120.0)  # Å³ an atom
VOLTAGE_V = (0.0, 6.0)
SWELLING = 0.30  # largest volume change of a host that is still the same host


def crystal_reason(closest: float, formation_ev: float, volume_a3: float) -> str:
    """Why a relaxed crystal's numbers are not to be believed, or "".

    Parameters
    ----------
    closest : shortest distance in sums of covalent radii.
    formation_ev : eV/atom.
    volume_a3 : Å³ an atom.
    """
    if not closest >= SHORTEST:  # written so that NaN fails too
        return f"two atoms are {closest:.2f} times their covalent radii apart"
    if not FORMATION_EV[0] < formation_ev < FORMATION_EV[1]:
        return f"CHGNet's formation energy of {formation_ev:.1f} eV/atom is not credible"
    if not VOLUME_A3[0] < volume_a3 < VOLUME_A3[1]:
        return f"a volume of {volume_a3:.0f} Å³ an atom is not credible"
    return ""


def host_reason(voltage_v: float, swelling: float, closest: float) -> str:
    """Why a host's voltage is not shown, or ""; `swelling` is the relative volume change."""
    if not closest >= SHORTEST:
        return f"emptied, two atoms are {closest:.2f} times their covalent radii apart"
    if not abs(swelling) <= SWELLING:
        return f"the emptied host changes its volume by {swelling:+.0%}"
    if not VOLTAGE_V[0] <= voltage_v <= VOLTAGE_V[1]:
        return f"a voltage of {voltage_v:.2f} V is outside {VOLTAGE_V[0]:g} to {VOLTAGE_V[1]:g} V"
    return ""


def average_voltage(host_ev: float, empty_ev: float, metal_ev: float, ions: int) -> float:
    """-[E(host) - E(empty) - n E(metal)] / n in V, total energies of one cell in eV."""
    return -(host_ev - empty_ev - ions * metal_ev) / ions


def capacity(ions: int, mass_g_mol: float) -> float:
    """Gravimetric capacity in mAh/g of the charged and discharged ions of one cell."""
    return FARADAY_MAH * ions / mass_g_mol
