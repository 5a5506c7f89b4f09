"""GFN2-xTB and IPEA1-xTB on optimised geometries: the domain's independent judge.

Geometry: ETKDGv3 conformers (Riniker and Landrum 2015; fixed seed), MMFF94s (UFF where it has no
parameters), the lowest one optimised with GFN2-xTB (Bannwarth et al., JCTC 2019, 15, 1652).
Orbitals and dipole: GFN2-xTB at that geometry. Vertical ionisation potential: total energy of the
cation minus that of the neutral by IPEA1-xTB (Asgeirsson et al., Chem. Sci. 2017, 8, 4879) at the
neutral geometry. tblite does the quantum mechanics, ASE the optimisation.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
from rdkit import Chem
from rdkit.Chem import rdDistGeom, rdForceFieldHelpers

from genbat.core.errors import PhysicsFailed
from genbat.core.properties import Measurement

HARTREE_EV = 27.211386245988  # CODATA 2018
BOHR_ANGSTROM = 0.529177210903
DEBYE_PER_AU = 2.541746473

FMAX_EV_A = 0.05
MAX_STEPS = 300
CONFORMERS = 5
SEED = 2018
# Longest bond kept through an optimisation, as a multiple of the sum of covalent radii.
BOND_STRETCH = 1.35

GFN2 = f"GFN2-xTB (tblite {version('tblite')})"
IPEA1 = f"IPEA1-xTB (tblite {version('tblite')})"
COMPUTED = ("homo_ev", "lumo_ev", "gap_ev", "dipole_d", "vip_ev")
UNITS = {"homo_ev": "eV", "lumo_ev": "eV", "gap_ev": "eV", "dipole_d": "D", "vip_ev": "eV"}


@dataclass(frozen=True)
class Geometry:
    """Atomic numbers (n,) and positions (n, 3) in Angstrom."""

    numbers: np.ndarray
    positions: np.ndarray

    def xyz(self, comment: str = "") -> str:
        """XYZ file text."""
        table = Chem.GetPeriodicTable()
        rows = [
            f"{table.GetElementSymbol(int(z))} {x:.5f} {y:.5f} {w:.5f}"
            for z, (x, y, w) in zip(self.numbers, self.positions, strict=True)
        ]
        return "\n".join([str(len(rows)), comment, *rows, ""])


def embed(mol: Chem.Mol, *, conformers: int = CONFORMERS, seed: int = SEED) -> Chem.Mol:
    """The force field's lowest of some conformers, hydrogens added, as the only conformer.

    Raises
    ------
    PhysicsFailed : where no three-dimensional structure could be made.
    """
    full = Chem.AddHs(mol)
    settings = rdDistGeom.ETKDGv3()
    settings.randomSeed = seed
    ids = list(rdDistGeom.EmbedMultipleConfs(full, conformers, settings))
    if not ids:
        settings.useRandomCoords = True
        ids = list(rdDistGeom.EmbedMultipleConfs(full, 1, settings))
    if not ids:
        raise PhysicsFailed("no three-dimensional structure could be embedded (ETKDG)")
    best = ids[int(np.argmin(_relax_conformers(full)))]
    return Chem.Mol(full, confId=best)


def _relax_conformers(full: Chem.Mol) -> list[float]:
    if rdForceFieldHelpers.MMFFHasAllMoleculeParams(full):
        results = rdForceFieldHelpers.MMFFOptimizeMoleculeConfs(
            full, maxIters=1000, mmffVariant="MMFF94s"
        )
    elif rdForceFieldHelpers.UFFHasAllMoleculeParams(full):
        results = rdForceFieldHelpers.UFFOptimizeMoleculeConfs(full, maxIters=1000)
    else:
        return [0.0] * full.GetNumConformers()
    return [energy for _, energy in results]


def optimise(mol: Chem.Mol) -> Geometry:
    """GFN2-xTB optimised geometry of a molecule, its bonds checked afterwards.

    Raises
    ------
    PhysicsFailed : no embedding, no SCF or geometry convergence, or a bond broke on the way.
    """
    from ase import Atoms
    from ase.optimize import LBFGS
    from tblite.ase import TBLite

    full = embed(mol)
    numbers = np.array([a.GetAtomicNum() for a in full.GetAtoms()])
    atoms = Atoms(numbers, full.GetConformer().GetPositions())
    atoms.calc = TBLite(method="GFN2-xTB", verbosity=0)
    try:
        converged = LBFGS(atoms, logfile=None).run(fmax=FMAX_EV_A, steps=MAX_STEPS)
    except Exception as error:
        raise PhysicsFailed(f"GFN2-xTB gave no energy: {_short(error)}") from error
    if not converged:
        raise PhysicsFailed(f"geometry not converged after {MAX_STEPS} steps")
    _check_bonds(full, atoms.positions)
    return Geometry(numbers, atoms.positions.copy())


def _check_bonds(full: Chem.Mol, positions: np.ndarray) -> None:
    table = Chem.GetPeriodicTable()
    for bond in full.GetBonds():
        i, j = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
        reach = sum(table.GetRcovalent(full.GetAtomWithIdx(k).GetAtomicNum()) for k in (i, j))
        if np.linalg.norm(positions[i] - positions[j]) > BOND_STRETCH * reach:
            symbols = "-".join(full.GetAtomWithIdx(k).GetSymbol() for k in (i, j))
            raise PhysicsFailed(f"a {symbols} bond broke during the GFN2-xTB optimisation")


def _short(error: Exception) -> str:
    return str(error).strip().split("\n")[-1][:120] or type(error).__name__


def _single_point(method: str, geometry: Geometry, charge: int = 0, unpaired: int = 0) -> Any:
    from tblite.interface import Calculator

    try:
        calculator = Calculator(
            method,
            geometry.numbers,
            geometry.positions / BOHR_ANGSTROM,
            charge=charge,
            uhf=unpaired,
        )
        calculator.set("verbosity", 0)
        return calculator.singlepoint()
    except Exception as error:
        raise PhysicsFailed(f"{method} gave no energy: {_short(error)}") from error


def electronic(geometry: Geometry) -> dict[str, float]:
    """HOMO, LUMO, gap (eV), dipole (D) by GFN2-xTB; vertical IP (eV) by IPEA1-xTB.

    The IP is the plain energy difference: the empirical shift of -4.846 eV that the xtb program
    adds to compare with experiment is not applied.
    """
    result = _single_point("GFN2-xTB", geometry)
    energies, filling = result.get("orbital-energies"), result.get("orbital-occupations")
    homo = float(energies[filling > 1].max()) * HARTREE_EV
    lumo = float(energies[filling < 1].min()) * HARTREE_EV
    neutral = float(_single_point("IPEA1-xTB", geometry).get("energy"))
    cation = float(_single_point("IPEA1-xTB", geometry, charge=1, unpaired=1).get("energy"))
    return {
        "homo_ev": homo,
        "lumo_ev": lumo,
        "gap_ev": lumo - homo,
        "dipole_d": float(np.linalg.norm(result.get("dipole"))) * DEBYE_PER_AU,
        "vip_ev": (cation - neutral) * HARTREE_EV,
    }


def compute(mol: Chem.Mol) -> tuple[dict[str, float], Geometry]:
    """All computed properties and the geometry they belong to; PhysicsFailed says why not."""
    geometry = optimise(mol)
    values = electronic(geometry)
    if not all(np.isfinite(v) for v in values.values()):
        raise PhysicsFailed("xTB returned a value that is not a number")
    return values, geometry


def measurements(values: dict[str, float]) -> dict[str, Measurement]:
    """Computed values with unit and method."""
    return {
        key: Measurement(values[key], UNITS[key], IPEA1 if key == "vip_ev" else GFN2, "computed")
        for key in COMPUTED
        if key in values
    }
