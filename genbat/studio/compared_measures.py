"""The measures of a comparison: what each means, who judged it, and which way is better."""

from __future__ import annotations

from dataclasses import dataclass

HIGH, LOW = "high", "low"


@dataclass(frozen=True)
class Measure:
    """One column of a comparison.

    Attributes
    ----------
    key : its name in the result.
    group : the group of measures it belongs to; the first one of a group stands for it.
    better : HIGH, LOW, or "" where neither end is.
    definition, judge : what is measured, and by whom.
    of : of how many a share is one: "n" (all samples), "valid", "distinct", "relaxed", "judged" (by
        phonons); "" for no share.
    """

    key: str
    group: str
    label: str
    unit: str
    better: str
    definition: str
    judge: str
    of: str = ""


_GEOMETRY = "distances between atoms, SMACT"
_MATCH = "pymatgen's StructureMatcher"
_HULL = "CHGNet 0.3.0, hull of our crystals and the known phases"
_HELD = "held-out crystals of the reference set"
# The groups of LeMat-GenBench (arXiv 2512.04562), in its order.
CRYSTALS = (
    Measure("validity", "Validity", "valid", "share", HIGH,
            "Share of all samples that are structurally valid and neutral.", _GEOMETRY, "n"),
    Measure("structural_validity", "Validity", "structure valid", "share", HIGH,
            "No two atoms closer than 0.5 Å, and a volume of at least 0.1 Å³.",
            "distances between atoms", "n"),
    Measure("smact_validity", "Validity", "neutral", "share", HIGH,
            "The elements have usual oxidation states that add up to zero.", "SMACT", "n"),
    Measure("chgnet_frechet", "Distribution", "Fréchet distance", "", LOW,
            f"Squared Fréchet distance of CHGNet's embeddings to those of {_HELD}.",
            "CHGNet 0.3.0"),
    Measure("space_group_js", "Distribution", "space groups", "", LOW,
            f"Jensen-Shannon distance of space groups to those of {_HELD}: 0 alike, 1 disjoint.",
            "spglib, 0.1 Å"),
    Measure("volume_mmd", "Distribution", "volume an atom", "", LOW,
            f"Maximum mean discrepancy of the volume an atom to that of {_HELD}.", "geometry"),
    Measure("density_mmd", "Distribution", "density", "", LOW,
            f"Maximum mean discrepancy of the density to that of {_HELD}.", "geometry"),
    Measure("diversity", "Diversity", "between structures", "", HIGH,
            "Mean distance of the fingerprints (radial distributions and composition) of two valid "
            "samples.", "GenBat's fingerprints"),
    Measure("elements", "Diversity", "elements", "", HIGH,
            "How many elements there would be if all were as frequent (exponential of the "
            "entropy).", "counting"),
    Measure("space_groups", "Diversity", "kinds of space group", "", HIGH,
            "How many space groups there would be if all were as frequent.", "spglib, 0.1 Å"),
    Measure("novel", "Novelty", "novel", "share", HIGH,
            "Share of the distinct valid ones that are not in the training set.", _MATCH,
            "distinct"),
    Measure("unique", "Uniqueness", "unique", "share", HIGH,
            "Share of the valid ones that no earlier sample equals.", _MATCH, "valid"),
    Measure("stable", "Stability", "stable", "share", HIGH,
            "Share of all samples that relax to at most 0.1 eV/atom above the hull.", _HULL, "n"),
    Measure("relaxed", "Stability", "relax", "share", HIGH,
            "Share of all samples that CHGNet relaxes past the gates.", "CHGNet 0.3.0", "n"),
    Measure("sun", "SUN", "stable, unique, novel", "share", HIGH,
            "Share of all samples that are stable, unique among these, and neither in the data nor "
            "a known phase.", f"{_HULL}; {_MATCH}", "n"),
    Measure("phonon_stable", "Phonons", "no imaginary phonon", "share", HIGH,
            "Share of the first 50 relaxed ones without a frequency below -0.1 THz at the wave "
            "vectors of a supercell 8 Å high (finite displacements of 0.03 Å).",
            "CHGNet 0.3.0; phonopy", "judged"),
    Measure("displacement_a", "Displacement", "displacement", "Å", LOW,
            "Median root mean square way of the atoms from the sample to its relaxed structure.",
            "CHGNet 0.3.0"),
    Measure("seconds_valid", "Cost", "seconds a valid one", "s", LOW,
            "Seconds that a valid sample took, on this project's two processor cores.", "a clock"),
    Measure("p1_share", "Symmetry", "P1 as made", "share", "",
            "Share of the valid ones without any symmetry, as generated.", "spglib, 0.1 Å",
            "valid"),
    Measure("relaxed_p1", "Symmetry", "P1 when relaxed", "share", "",
            "The same after relaxation, of those that relax.", "CHGNet 0.3.0; spglib, 0.1 Å",
            "relaxed"),
)  # fmt: skip
MOLECULES = (
    Measure("valid", "Validity", "valid", "share", HIGH,
            "Share of all samples that are molecules.", "RDKit", "n"),
    Measure("in_domain", "Validity", "in the domain", "share", HIGH,
            "Share of all samples that keep the domain's limits of size and elements.", "RDKit",
            "n"),
    Measure("fcd", "Distribution", "Fréchet ChemNet distance", "", LOW,
            "Distance of ChemNet's activations to those of held-out molecules.", "ChemNet"),
    Measure("novel", "Novelty", "novel", "share", HIGH,
            "Share of the distinct valid ones that are not in the training set.",
            "canonical SMILES", "distinct"),
    Measure("unique", "Uniqueness", "unique", "share", HIGH,
            "Share of the valid ones that no earlier sample equals.", "canonical SMILES", "valid"),
)  # fmt: skip
POLYMERS = (
    Measure("valid", "Validity", "valid", "share", HIGH,
            "Share of all samples that are repeat units.", "RDKit", "n"),
    Measure("distance of conductivities", "Distribution", "conductivity", "log10 S/cm", LOW,
            "Wasserstein distance of the conductivities to those of held-out polymers.",
            "the surrogate for molecular dynamics"),
    Measure("similarity", "Distribution", "likeness to the training", "", "",
            "Mean Tanimoto similarity to the nearest training polymer.", "Morgan fingerprints"),
    Measure("diversity", "Diversity", "diversity", "", HIGH,
            "One less the mean Tanimoto similarity of two samples.", "Morgan fingerprints"),
    Measure("novel", "Novelty", "novel", "share", HIGH,
            "Share of the distinct valid ones that are not in the training set.", "normal form",
            "distinct"),
    Measure("unique", "Uniqueness", "unique", "share", HIGH,
            "Share of the valid ones that no earlier sample equals.", "normal form", "valid"),
    Measure("SA score", "Synthesis", "SA score", "", LOW,
            "Synthetic accessibility, 1 easy to 10 hard.", "Ertl's SA score"),
    Measure("seconds a thousand", "Cost", "seconds a thousand", "s", LOW,
            "Seconds that a thousand samples took, on two processor cores.", "a clock"),
)  # fmt: skip
MEASURES = {"crystals": CRYSTALS, "molecules": MOLECULES, "polymers": POLYMERS}
