"""The judge against the Materials Project: formation energies of its structures, voltages of hosts.

`GENBAT_DATA=FOLDER python benchmarks/chgnet_against_mp.py [N]`: relaxes N of the structures in
FOLDER/crystals/mp_3202_cifs.tar.xz and compares the shipped hosts' voltages with
FOLDER/crystals/mp_batteries.csv (same formula charged and discharged, its most stable entry; the
polymorphs may differ). About a minute for each 100 structures.
"""

import sys
import warnings

import numpy as np
import pandas as pd
import torch
from pymatgen.core import Composition

from genbat.core.paths import beside as folder
from genbat.domains.crystals import data
from genbat.domains.crystals.chgnet_batch import evaluator
from genbat.domains.crystals.known_phases import ARCHIVE, read_cells
from genbat.domains.crystals.relax import Settings, relax
from genbat.domains.crystals.table import amounts, formation


def report(name, ours, theirs, unit):
    gaps = np.abs(ours - theirs)
    print(
        f"{name}: {len(gaps)} compared, mean error {gaps.mean():.3f}, median "
        f"{np.median(gaps):.3f}, 90 % within {np.quantile(gaps, 0.9):.2f} {unit}, mean shift "
        f"{(ours - theirs).mean():+.3f}, r {np.corrcoef(ours, theirs)[0, 1]:.3f}"
    )


def formation_energies(place, n):
    table = pd.read_csv(place / "crystals/mp_3202_properties.csv").set_index("material_id")
    known = table["formation_energy_per_atom"].to_dict()
    cells = [(name, cell) for name, cell in read_cells(place / ARCHIVE) if name in known]
    chosen = [cells[k] for k in np.random.default_rng(0).permutation(len(cells))[:n]]
    ours, theirs = [], []
    for end in relax(evaluator(), chosen, Settings(fmax=0.05)):
        try:
            energy = formation(end.energy, amounts(end.cell))
        except ValueError:  # an element without reference
            continue
        if not end.failed:
            ours.append(energy)
            theirs.append(known[end.key])
    report("formation energy", np.array(ours), np.array(theirs), "eV/atom")


def voltages(place):
    batteries = pd.read_csv(place / "crystals/mp_batteries.csv")
    batteries = batteries[batteries["Average Voltage"].between(0, 6)]
    best = batteries.sort_values("Stability Discharge").drop_duplicates(
        ["Working Ion", "Formula Charge", "Formula Discharge"]
    )
    pairs = {
        (row["Working Ion"], plain(row["Formula Charge"]), plain(row["Formula Discharge"])): row
        for _, row in best.iterrows()
    }
    known = data.load()
    hosts = known.table[known.table["voltage_v"].notna()].sort_values("hull_ev")
    found = {}
    for row in hosts.index:
        one = known.table.loc[row]
        atoms = amounts(known.cell(row))
        atoms.pop(one["ion"])
        key = (one["ion"], Composition(atoms).reduced_formula, one["formula"])
        if key in pairs:
            found.setdefault(key, (one["voltage_v"], pairs[key]["Average Voltage"]))
    if len(found) > 2:
        ours, theirs = np.array(list(found.values())).T
        report("voltage", ours, theirs, "V")


def plain(formula):
    return Composition(formula).reduced_formula


def main():
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    place = folder()
    if place is None or not (place / ARCHIVE).exists():
        print("skipped: GENBAT_DATA names no folder with crystals/mp_3202_cifs.tar.xz")
        return
    formation_energies(place, int(sys.argv[1]) if len(sys.argv) > 1 else 300)
    voltages(place)


if __name__ == "__main__":
    main()
