"""Crystals for electrodes, as the studio sees them: judged by CHGNet, written as CIF in P1."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from pymatgen.core import Element

from genbat.core.candidate import Candidate, ViewSpec
from genbat.core.condition import Condition
from genbat.core.errors import InputProblem
from genbat.core.properties import Measurement, Property
from genbat.domains.crystals import chemistry, data, draw, thumbnail
from genbat.domains.crystals.hosts import working_ion
from genbat.domains.crystals.properties import BY_KEY, CHGNET, PROPERTIES, R2SCAN
from genbat.domains.crystals.reading import ENDINGS, read_crystals
from genbat.domains.crystals.structure import primitive, to_text
from genbat.domains.crystals.symmetry import space_group_number
from genbat.domains.crystals.wishes import ELEMENTS, Wishes, read_wishes
from genbat.studio import crystal_facts
from genbat.studio.rooms import Judgement, Known, Uploaded, Words
from genbat.studio.rooms_crystals_known import (
    CrystalFinder,
    KnownCrystals,
    crystal_system,
    first_same,
)
from genbat.studio.rooms_crystals_text import (
    cell_of_text,
    check,
    formula_of,
    group_symbol,
    pack,
    title_of,
)
from genbat.studio.store import Store

WORDS = Words(
    one="crystal",
    many="crystals",
    text="CIF",
    inline=False,
    judge="CHGNet",
    judge_help="CHGNet 0.3.0 relaxes the crystal and, where it holds Li or Na that can leave, the "
    "emptied host too: formation energy, distance to the hull, average voltage (PBE+U-like, "
    "±0.3 V), volume change. Some 0.3 s a crystal of at most 14 atoms, in batches.",
    prompt="Formula, elements (Li-Co-O), space group or prototype",
    example="LiCoO2, Li-Mn-O, R-3m or spinel",
    tries="a formula (LiCoO2), elements (Li-Mn-O), a space group (R-3m or 166), a prototype or a "
    "family (spinel)",
    marks="◆ computed by CHGNet, a machine-learned potential, ○ predicted by the model: every "
    "number says which.",
    upload="CIF (one or many blocks), POSCAR, XYZ with a lattice, or pymatgen JSON; at most 20 MB. "
    "Good crystals are taken, bad ones are listed.",
    element_help="A crystal stays where it holds no others.",
    searching="The model proposes crystals for your wishes, CHGNet relaxes and judges each of "
    "them, and what fails a gate says why.",
    home_title="Find new battery crystals by walking between known ones",
    home="GenBat has relaxed thousands of crystals and learned a space in which relatives lie "
    "close together. Point anywhere in that space and it builds a crystal, known or new. CHGNet "
    "judges what you like, and every number says where it comes from.",
    numbers="◆ *computed* values come from CHGNet 0.3.0, a machine-learned potential that learned "
    "PBE+U energies of the Materials Project: formation energies err by some 0.06 eV/atom, "
    "voltages by some 0.3 V, and what lies far from its training errs more. ○ *predicted* ones "
    "are the model's guesses, each with a 90 % interval. A number that failed a gate is not shown; "
    "the reason is. No number here speaks of kinetics, of synthesis or of a whole electrode: take "
    "a shortlist as what to look at next, not as an answer.",
)
EXTRA = (
    Property("group", "Space group number", "", "By spglib at 0.1 Å; 1 is P1, from 195 on cubic.",
             "computed", floor=1.0),
    Property("atoms", "Atoms in the cell", "", "Of the primitive cell.", "computed", floor=1.0),
    Property("kinds", "Number of elements", "", "How many different elements.", "computed",
             floor=1.0),
)  # fmt: skip
# As in formulas, alkali metals first.
ORDERED = tuple(sorted(ELEMENTS, key=lambda e: (Element(e).X, e)))


class Crystals:
    """See `genbat.studio.rooms.Rooms`."""

    domain = "crystals"
    words = WORDS
    properties = (*PROPERTIES, *EXTRA)
    first = ("formation_ev", "hull_ev", "voltage_v", "capacity_mah_g", "swelling", "volume_a3")
    physics = tuple(BY_KEY)
    plotted = ("hull_ev", "voltage_v", "capacity_mah_g", "formation_ev")
    groups: Mapping[str, str] = {
        "family": "Family",
        "crystal_system": "Crystal system",
        "ion": "Working ion",
        "anion": "Anion",
    }
    colour = "formation_ev"
    element_order = ORDERED
    uploads = tuple(e.removeprefix(".") for e in ENDINGS if e.startswith("."))
    ordering = True
    files: Mapping[str, str] = {
        "csv": "CSV · every number, notes, provenance",
        "cif": "CIF · with symmetry",
        "p1.cif": "CIF · all atoms, P1",
        "vasp": "POSCAR · one after the other",
        "extxyz": "Extended XYZ · with properties",
        "pymatgen.json": "JSON · pymatgen structures",
        "json": "JSON · everything",
    }
    single = "cif"
    familiar: Mapping[str, str] = {
        "LiCoO2": "LiCoO2",
        "LiTiS2": "LiTiS2",
        "NaMnO2": "NaMnO2",
        "V2O5": "V2O5",
        "Li3N": "Li3N",
        "NaCl": "NaCl",
    }
    pairs = (
        ("LiCoO2 → LiNiO2", "LiCoO2", "LiNiO2", "from cobalt to nickel"),
        ("LiTiS2 → NaTiS2", "LiTiS2", "NaTiS2", "from lithium to sodium"),
        ("NaCl → LiF", "NaCl", "LiF", "two rock salts"),
    )
    fineness = 1
    tries = 1
    pointwise = False
    unplaced = True
    wishable = tuple(p.key for p in PROPERTIES if p.key != "closest")
    without: Mapping[str, str] = {}
    most = 2000
    batch = 96

    def load(self) -> data.Dataset:
        """The shipped data set."""
        return data.load()

    def known(self, dataset: data.Dataset) -> Known:
        """Its rows."""
        return KnownCrystals(dataset)

    def finder(
        self, known: KnownCrystals, texts: Sequence[str], row_of: Mapping[str, int]
    ) -> CrystalFinder:
        """By formula, chemical system, space group, prototype or CIF."""
        return CrystalFinder(known, texts, row_of)

    def judged(self) -> set[str]:
        """All properties: what CHGNet cannot give is refused by a gate."""
        return set(BY_KEY)

    def columns(self) -> Sequence[tuple[str, str, str]]:
        """(key, unit, method) of every computed column."""
        return [(p.key, p.unit, R2SCAN if "r2scan" in p.key else CHGNET) for p in PROPERTIES]

    # ------------------------------------------------------------------ one object
    def check(self, text: str) -> str:
        """Canonical text of a CIF or of a link's handle; ValueError says what is wrong."""
        return check(text)

    def handle(self, text: str) -> str:
        """The text, packed."""
        return pack(text)

    def start(self, text: str) -> str:
        """Its formula: further crystals of it are asked for."""
        return title_of(text)

    def title(self, text: str) -> str:
        """Its formula."""
        return title_of(text)

    def elements(self, text: str) -> frozenset[str]:
        """All its elements."""
        return frozenset(formula_of(text))

    def read_off(self, text: str) -> dict[str, Measurement]:
        """Nothing: a crystal that is not relaxed has no numbers."""
        return {}

    def sensible(self, text: str, found: Mapping[str, Measurement]) -> dict[str, Measurement]:
        """A voltage for insertion hosts only."""
        host = bool(working_ion(cell_of_text(text)))
        return {k: m for k, m in found.items() if host or not k.startswith("voltage")}

    def same(self, one: str, two: str) -> bool:
        """The same structure, at pymatgen's tolerances."""
        alike = title_of(one) == title_of(two)
        return one == two or (alike and first_same(one, [(0, two)]) is not None)

    def read(
        self, data: bytes, filename: str, order: bool = False
    ) -> tuple[list[Uploaded], list[InputProblem]]:
        """Crystals of a file, each as its reduced primitive cell."""
        found, problems = read_crystals(data, filename, order=order)
        rows = [Uploaded(to_text(primitive(c.cell)), c.name, c.line, c.note) for c in found]
        return rows, problems

    # ------------------------------------------------------------------ pictures and words
    def view(self, text: str) -> ViewSpec:
        """For viewers that read CIF."""
        return draw.view(cell_of_text(text))

    def drawing(self, text: str, width: int, height: int, dark: bool) -> str:
        """Atoms, bonds, polyhedra and the cell as SVG."""
        return thumbnail.svg(cell_of_text(text), width, height, dark)

    def labels(self, text: str) -> list[str]:
        """Space group and crystal system."""
        group = space_group_number(cell_of_text(text))
        return [f"{group_symbol(group)} ({group}), {crystal_system(group)}"]

    def flags(self, text: str) -> list[str]:
        """Cobalt, scarce, toxic or costly elements."""
        return [f"⚠ {flag}" for flag in chemistry.flags(cell_of_text(text))]

    def prepare(self) -> None:
        """What a first card loads, and the fingerprints of all known crystals."""
        crystal_facts.prepare()

    # ------------------------------------------------------------------ physics
    def method(self) -> str:
        """CHGNet with the labels' version."""
        from genbat.domains.crystals.table import LABEL_VERSION

        return f"{CHGNET}, labels {LABEL_VERSION}"

    def judge(
        self,
        store: Store,
        texts: Sequence[str],
        say: Callable[[float, str], object] | None = None,
    ) -> Iterator[Judgement]:
        """Relax crystals in batches and keep the values, under their text and the relaxed one's."""
        from genbat.studio.rooms_crystals_judge import judge

        yield from judge(store, texts, self.method(), say)

    def settled(self, candidate: Candidate, judgement: Judgement) -> Candidate:
        """The relaxed crystal, with the text it came from and the noise in its provenance."""
        more = judgement.more
        if not more.get("relaxed"):
            return candidate
        story = candidate.provenance
        steps = {"relaxed_from": candidate.text, "noise": more["noise"], "judge": self.method()}
        story = replace(story, arguments={**story.arguments, **steps})
        return replace(candidate, text=more["relaxed"], provenance=story, latent=None)

    def made_again(self, candidate: Candidate, made: Candidate) -> Candidate:
        """A sample relaxed again, where the candidate was."""
        from genbat.studio.rooms_crystals_judge import relaxed_again

        asked = candidate.provenance.arguments
        if "noise" not in asked:
            return made
        return replace(made, text=relaxed_again(made.text, int(asked["noise"])))

    # ------------------------------------------------------------------ wishes
    def read_wishes(self, condition: Condition) -> Wishes:
        """Formula, elements, atoms, symmetry."""
        return read_wishes(condition)

    def unmet(self, condition: Condition, text: str) -> list[str]:
        """Discrete wishes that a crystal breaks, in words."""
        return read_wishes(condition).unmet(cell_of_text(text))

    def wish_words(self, condition: Condition) -> str:
        """`, of Li-Mn-O, without Co, at most 14 atoms, not P1`."""
        from genbat.studio.rooms_crystals_judge import wish_words

        return wish_words(condition)


ROOMS = Crystals()
