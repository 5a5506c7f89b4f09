"""Molecules for liquid electrolytes, as the studio sees them: judged by xTB, written as SMILES."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
from rdkit import Chem

from genbat.core.candidate import Candidate, ViewSpec
from genbat.core.condition import Condition
from genbat.core.errors import InputProblem, PhysicsFailed
from genbat.core.properties import Measurement
from genbat.domains.molecules import build, data, descriptors, draw, physics
from genbat.domains.molecules.formula import elements_of
from genbat.domains.molecules.properties import BY_KEY, PROPERTIES
from genbat.domains.molecules.reading import ENDINGS, read_molecules
from genbat.domains.molecules.structure import ELEMENTS, check, parse_smiles
from genbat.domains.molecules.wishes import EXACT, Wishes, read_wishes
from genbat.studio.finder import MoleculeFinder
from genbat.studio.rooms import Judgement, Known, Uploaded, Words
from genbat.studio.store import Store
from genbat.systems.chemvae_targets import TARGETS

WORDS = Words(
    one="molecule",
    many="molecules",
    text="SMILES",
    inline=True,
    judge="xTB",
    judge_help="GFN2-xTB and IPEA1-xTB: quantum chemistry of about a second a molecule. It puts "
    "computed orbital energies and the vertical ionisation potential in the place of predicted "
    "ones.",
    prompt="Name, CAS number, formula or SMILES",
    example="FEC, 96-49-1, C3H4O3 or O=C1OCCO1",
    tries="an abbreviation (FEC), a CAS number (96-49-1), a formula (C3H4O3) or a SMILES "
    "(O=C1OCCO1)",
    marks="● measured in a laboratory, ◆ computed by quantum chemistry, ○ predicted by the model: "
    "every number says which.",
    upload="One SMILES a line, a table with a column smiles (and name), or an SD file; at most "
    "20 MB. Good rows are taken, bad ones are listed.",
    element_help="Hydrogen is always allowed.",
    searching="The search proposes new molecules, xTB judges each of them, and the search learns "
    "from the verdict.",
    home_title="Find new battery molecules by walking between known ones",
    home="GenBat has read some 22,000 molecules and learned a space in which relatives lie close "
    "together. Point anywhere in that space and it writes down a molecule, known or new. "
    "Quantum chemistry judges what you like, and every number says where it comes from.",
    numbers="● *measured* values come from laboratories (package `chemicals`, with their source). "
    "◆ *computed* ones from semi-empirical quantum chemistry (GFN2-xTB, IPEA1-xTB) of one "
    "molecule in vacuum: they order molecules well, but they are no experiment, and absolute "
    "values are offset. ○ *predicted* ones are the model's guesses, each with a 90 % interval; "
    "where a molecule lies far from all the model has seen, the page says so. No number here "
    "speaks of a whole electrolyte, of its salts or its interphase: take a shortlist as what to "
    "look at next, not as an answer.",
)

WITHOUT = {"pfas": "PFAS", "hazards": "hazard groups"}  # wishes that only forbid


class KnownMolecules:
    """The rows of a data set; see `genbat.studio.rooms.Known`."""

    complete = False
    handles: Mapping[str, int] = {}

    def __init__(self, dataset: data.Dataset) -> None:
        self.dataset = dataset
        self.texts = dataset.table["smiles"].tolist()
        self.names = dataset.table["name"].tolist()
        self.row_of = dataset.row_of

    def __len__(self) -> int:
        return len(self.dataset)

    @property
    def elements(self) -> list[frozenset[str]]:
        """Elements of every row, hydrogen left out."""
        return [elements_of(text) for text in self.texts]

    def values(self, key: str) -> np.ndarray:
        """A property of all rows, NaN where unknown (n,)."""
        return self.dataset.table[key].to_numpy("f8")

    def group(self, key: str) -> np.ndarray:
        """Role in a battery, "" where none is known (n,)."""
        return self.dataset.table[key].to_numpy(object)

    def fulfil(self, wishes: Wishes) -> np.ndarray:
        """All rows: what windows say is enough to compare with."""
        return np.ones(len(self), bool)

    def measurements(self, row: int) -> dict[str, Measurement]:
        """All that is known of one molecule."""
        return self.dataset.measurements(row)

    def called(self, row: int) -> list[str]:
        """Name, CAS number and synonyms."""
        series = self.dataset.table.iloc[row]
        names = [series["name"], series["cas"], *str(series["synonyms"]).split("|")]
        return [str(name) for name in names if name]

    def match(self, text: str) -> int | None:
        """The row of a SMILES in normal form."""
        return self.row_of.get(text)


class Molecules:
    """See `genbat.studio.rooms.Rooms`."""

    domain = "molecules"
    words = WORDS
    properties = PROPERTIES
    first = ("lumo_ev", "vip_ev", "tflash_k", "permittivity", "viscosity_mpas", "dipole_d")
    physics = physics.COMPUTED
    plotted = ("lumo_ev", "vip_ev", "tflash_k", "dipole_d")
    groups: Mapping[str, str] = {"role": "Role in a battery"}
    colour = "lumo_ev"
    element_order = ("C", "N", "O", "F", "S", "P", "Si", "B", "Cl")
    uploads = tuple(e.removeprefix(".") for e in ENDINGS)
    ordering = False
    files: Mapping[str, str] = {
        "csv": "CSV · every number, notes, provenance",
        "sdf": "SDF · 3D structures",
        "smi": "SMILES · one a line",
        "json": "JSON · everything",
    }
    single = "sdf"
    familiar: Mapping[str, str] = {
        "ethylene carbonate": "O=C1OCCO1",
        "fluoroethylene carbonate": "O=C1OCC(F)O1",
        "dimethyl carbonate": "COC(=O)OC",
        "1,3-dioxolane": "C1COCO1",
        "sulfolane": "O=S1(=O)CCCC1",
        "adiponitrile": "N#CCCCCC#N",
    }
    pairs = (
        (
            "EC → FEC",
            "ethylene carbonate",
            "fluoroethylene carbonate",
            "from solvent to SEI former",
        ),
        (
            "DMC → TTE",
            "dimethyl carbonate",
            "1,1,2,2-tetrafluoroethyl 2,2,3,3-tetrafluoropropyl ether",
            "from carbonate to fluorinated diluent",
        ),
        ("Adiponitrile → sulfolane", "adiponitrile", "sulfolane", "two solvents for high voltage"),
    )
    fineness = 20
    tries = 4
    pointwise = True
    unplaced = False
    without: Mapping[str, str] = WITHOUT
    wishable = tuple(k for k in BY_KEY if k in {*TARGETS, *EXACT} - set(WITHOUT))
    most = 500
    batch = 1

    def load(self) -> data.Dataset:
        """The shipped data set."""
        return data.load()

    def known(self, dataset: data.Dataset) -> Known:
        """Its rows."""
        return KnownMolecules(dataset)

    def finder(
        self, known: KnownMolecules, texts: Sequence[str], row_of: Mapping[str, int]
    ) -> MoleculeFinder:
        """By name, abbreviation, CAS number, SMILES or formula."""
        return MoleculeFinder(known.dataset.table, texts, row_of)

    def judged(self) -> set[str]:
        """What xTB or RDKit compute for any molecule."""
        return {key for key, _, _ in self.columns()}

    def columns(self) -> Sequence[tuple[str, str, str]]:
        """(key, unit, method) of every computed column."""
        return data.computed_columns()

    # ------------------------------------------------------------------ one object
    def check(self, text: str) -> str:
        """Normal form of a SMILES; ValueError says what is wrong."""
        return check(text)

    def handle(self, text: str) -> str:
        """The SMILES itself."""
        return text

    def start(self, text: str) -> str:
        """The SMILES: searches start there."""
        return text

    def title(self, text: str) -> str:
        """None: a SMILES says it best."""
        return ""

    def elements(self, text: str) -> frozenset[str]:
        """Elements besides hydrogen."""
        return elements_of(text)

    def read_off(self, text: str) -> dict[str, Measurement]:
        """What RDKit reads off a structure."""
        return data.descriptor_measurements(text)

    def sensible(self, text: str, found: Mapping[str, Measurement]) -> dict[str, Measurement]:
        """All of them."""
        return dict(found)

    def same(self, one: str, two: str) -> bool:
        """Equal normal forms."""
        return one == two

    def read(
        self, data: bytes, filename: str, order: bool = False
    ) -> tuple[list[Uploaded], list[InputProblem]]:
        """Molecules of a file."""
        rows, problems = read_molecules(data, filename)
        return [Uploaded(row.text, row.name, row.line) for row in rows], problems

    # ------------------------------------------------------------------ pictures and words
    def view(self, text: str) -> ViewSpec:
        """SDF with bond orders, force-field geometry; PhysicsFailed where none can be made."""
        mol = physics.embed(parse_smiles(text), conformers=1)
        return ViewSpec(Chem.MolToMolBlock(mol), "sdf", {}, text)

    def drawing(self, text: str, width: int, height: int, dark: bool) -> str:
        """Structural formula as SVG."""
        return draw.svg(text, width, height, dark)

    def labels(self, text: str) -> list[str]:
        """None: the role of a known one is all there is."""
        return []

    def flags(self, text: str) -> list[str]:
        """PFAS and hazard groups."""
        mol = parse_smiles(text)
        found = ["PFAS"] if descriptors.is_pfas(mol) else []
        return found + [f"⚠ {name}" for name in descriptors.hazard_groups(mol)]

    def prepare(self) -> None:
        """Nothing: a molecule's card needs no more."""

    # ------------------------------------------------------------------ physics
    def method(self) -> str:
        """GFN2-xTB with the labels' version."""
        return f"{physics.GFN2}, labels {build.LABEL_VERSION}"

    def judge(
        self,
        store: Store,
        texts: Sequence[str],
        say: Callable[[float, str], object] | None = None,
    ) -> Iterator[Judgement]:
        """xTB and RDKit values of molecules in normal form; ~1 to 60 s each."""
        for text in texts:
            mol, failed = Chem.MolFromSmiles(text), ""
            values = data.descriptor_measurements(text)
            try:
                values.update(physics.measurements(physics.compute(mol)[0]))
            except PhysicsFailed as reason:
                failed = str(reason)
            found = store.save_evaluation(self.domain, text, self.method(), values, failed)
            yield Judgement(found)

    def settled(self, candidate: Candidate, judgement: Judgement) -> Candidate:
        """The same molecule."""
        return candidate

    # ------------------------------------------------------------------ wishes
    def read_wishes(self, condition: Condition) -> Wishes:
        """Elements, substructures, start and exact windows."""
        return read_wishes(condition)

    def unmet(self, condition: Condition, text: str) -> list[str]:
        """Wishes that a molecule breaks, in words."""
        return read_wishes(condition).unmet(Chem.MolFromSmiles(text))

    def wish_words(self, condition: Condition) -> str:
        """`, made of H C O, without PFAS, keeping C=O, starting from ...`."""
        wishes = condition.wishes
        elements = wishes.get("elements")
        text = ""
        if elements and set(elements) != ELEMENTS - {"H"}:
            text += f", made of {' '.join(['H', *elements])}"
        gone = [word for key, word in self.without.items() if key in condition.windows]
        text += f", without {' and '.join(gone)}" if gone else ""
        text += f", keeping {', '.join(wishes['keep'])}" if wishes.get("keep") else ""
        return text + (f", starting from {wishes['start']}" if wishes.get("start") else "")

    def made_again(self, candidate: Candidate, made: Candidate) -> Candidate:
        """Nothing follows a sample."""
        return made


ROOMS = Molecules()
