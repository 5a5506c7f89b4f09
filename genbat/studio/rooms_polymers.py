"""Polymer electrolytes, as the studio sees them: repeat units, judged by a surrogate for MD."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from rdkit import Chem

from genbat.core.candidate import Candidate, ViewSpec
from genbat.core.condition import Condition
from genbat.core.errors import InputProblem
from genbat.core.properties import Measurement
from genbat.domains.molecules import physics
from genbat.domains.molecules.descriptors import sa_score
from genbat.domains.molecules.formula import elements_of
from genbat.domains.polymers import draw, named
from genbat.domains.polymers.named import Named
from genbat.domains.polymers.properties import PROPERTIES, SA_METHOD
from genbat.domains.polymers.repeat_unit import HEAD, TAIL, capped, normal
from genbat.studio import registry
from genbat.studio.finder_polymers import PolymerFinder
from genbat.studio.rooms import Judgement, Known, Uploaded, Words
from genbat.studio.rooms_plain import PlainRooms
from genbat.studio.store import Store
from genbat.systems.polymersurrogate import METHOD, TARGETS

MAX_BYTES = 20_000_000
SHOWN = 3  # units in a row of the 3D view
WORDS = Words(
    one="polymer",
    many="polymers",
    text="repeat unit",
    inline=True,
    judge="Surrogate",
    judge_help="Boosted trees that have learnt what molecular dynamics says of some six thousand "
    "repeat units; a fraction of a second each. They stand in for simulations of a day, and every "
    "number comes with the interval that holds 90 of 100 simulated values.",
    prompt="Name or repeat unit",
    example="PEO or [Cu]OCC[Au]",
    tries="a name (PEO, polycaprolactone) or a repeat unit between [Cu] and [Au] ([Cu]OCC[Au])",
    marks="○ predicted: by the model, or by the surrogate for molecular dynamics.",
    upload="One repeat unit between [Cu] and [Au] a line, or a table with a column smiles (and "
    "name); at most 20 MB. Good rows are taken, bad ones are listed.",
    element_help="Hydrogen is always allowed.",
    searching="The systems write polymers for your wishes, the surrogate for molecular dynamics "
    "judges each of them.",
    home_title="Find polymer electrolytes by walking between known ones",
    home="GenBat has read some five thousand repeat units with their simulated conductivity and "
    "learned to write new ones. A GPT, two diffusions and a variational autoencoder answer the "
    "same question side by side; a surrogate for the simulation judges all of them.",
    numbers="○ *predicted* values come from a surrogate that has learnt molecular dynamics "
    "(HTP-MD: short chains in LiTFSI at 1.5 mol/kg and 353 K), with intervals that hold 90 of 100 "
    "simulated values of chains it has not seen. They are no measurements: simulated and measured "
    "conductivities go together loosely, which the system's card puts in numbers.",
)


class KnownPolymers:
    """The named polymers; see `genbat.studio.rooms.Known`."""

    complete = False

    def __init__(self, dataset: Named) -> None:
        self.dataset = dataset
        self.texts: list[str] = dataset.table["text"].tolist()
        self.names = [_name(row.name, row.short) for row in dataset.table.itertuples(index=False)]
        self.row_of = {text: row for row, text in enumerate(self.texts)}
        self.handles = {s: k for k, s in enumerate(dataset.table["short"]) if s}

    def __len__(self) -> int:
        return len(self.dataset)

    @property
    def elements(self) -> list[frozenset[str]]:
        """Elements of every row, hydrogen and the end markers left out."""
        return [_elements(text) for text in self.texts]

    def values(self, key: str) -> np.ndarray:
        """What the surrogate and counting say (n,)."""
        if key == "sa_score":
            return np.array([sa_of(text) for text in self.texts])
        return self._judged[:, TARGETS.index(key)]

    @cached_property
    def _judged(self) -> np.ndarray:
        """The surrogate's values (n, TARGETS)."""
        found: np.ndarray = registry.load("polymersurrogate").predict_table(self.texts)[0]
        return found

    def group(self, key: str) -> np.ndarray:
        """Kind of chain (n,)."""
        return self.dataset.table[key].to_numpy(object)

    def fulfil(self, wishes: object) -> np.ndarray:
        """All rows."""
        return np.ones(len(self), bool)

    def measurements(self, row: int) -> dict[str, Measurement]:
        """What takes no time."""
        return read_off(self.texts[row])

    def called(self, row: int) -> list[str]:
        """Name and abbreviation."""
        own = self.dataset.table.iloc[row]
        return [word for word in (own["name"], own["short"]) if word]

    def match(self, text: str) -> int | None:
        """The row of a repeat unit in its normal form."""
        return self.row_of.get(text)


def _name(name: object, short: object) -> str:
    return f"{name} ({short})" if short else str(name)


def _elements(text: str) -> frozenset[str]:
    return elements_of(capped(normal(text)))


def sa_of(text: str) -> float:
    """Synthetic accessibility of a unit with hydrogen at both ends."""
    return sa_score(Chem.MolFromSmiles(capped(normal(text))))


def read_off(text: str) -> dict[str, Measurement]:
    """What takes no time: synthetic accessibility, and what the surrogate says."""
    judged: dict[str, Measurement] = registry.load("polymersurrogate").judge([text])[0]
    return {**judged, "sa_score": Measurement(sa_of(text), "", SA_METHOD, "computed")}


def _judged(text: str) -> tuple[dict[str, Measurement], str]:
    """What takes no time, or why there is nothing to say."""
    try:
        return read_off(text), ""
    except ValueError as wrong:
        return {}, str(wrong)


class Polymers(PlainRooms):
    """See `genbat.studio.rooms.Rooms`."""

    domain = "polymers"
    words = WORDS
    properties = PROPERTIES
    first = ("log_conductivity", "transference", "log_li_diffusivity", "sa_score")
    physics = TARGETS
    plotted = ("log_conductivity", "transference", "log_li_diffusivity", "sa_score")
    groups: Mapping[str, str] = {"kind": "Kind of chain"}
    colour = "log_conductivity"
    element_order = ("C", "N", "O", "F", "S", "P", "Si")
    uploads = ("csv", "smi", "txt")
    files: Mapping[str, str] = {
        "csv": "CSV · every number, notes, provenance",
        "smi": "SMILES · one repeat unit a line",
        "json": "JSON · everything",
    }
    single = "smi"
    familiar: Mapping[str, str] = {
        "PEO": "PEO",
        "poly(trimethylene carbonate)": "PTMC",
        "polycaprolactone": "PCL",
        "poly(1,3-dioxolane)": "PDOL",
    }
    pairs = (
        ("PEO → PTMC", "PEO", "PTMC", "from ether to carbonate"),
        ("PEO → PCL", "PEO", "PCL", "from ether to ester"),
        ("PDOL → PEM", "PDOL", "PEM", "two that conduct well at room temperature"),
    )
    fineness = 20
    tries = 4
    unplaced = True
    wishable = (*TARGETS, "sa_score")
    most = 2000
    batch = 64

    def load(self) -> Named:
        """The named polymers."""
        return named.load()

    def known(self, dataset: Named) -> Known:
        """Its rows."""
        return KnownPolymers(dataset)

    def finder(self, known: Any, texts: Sequence[str], row_of: Mapping[str, int]) -> PolymerFinder:
        """By name, abbreviation or repeat unit."""
        return PolymerFinder([known.called(row) for row in range(len(known))], row_of)

    def columns(self) -> Sequence[tuple[str, str, str]]:
        """(key, unit, method) of every computed column: the surrogate's are predictions."""
        return [("sa_score", "", SA_METHOD)]

    def judged(self) -> set[str]:
        """What the surrogate and counting give."""
        return {*TARGETS, "sa_score"}

    # ------------------------------------------------------------------ one object
    def check(self, text: str) -> str:
        """Normal form of a repeat unit, or of a name's; ValueError says what is wrong."""
        text = text.strip()
        if HEAD not in text and TAIL not in text:
            found = PolymerFinder.of(named.load().table).find(text, 1)
            if found:
                return str(named.load().table["text"].iat[found[0]])
        return normal(text).text

    def handle(self, text: str) -> str:
        """The repeat unit itself."""
        return text

    def title(self, text: str) -> str:
        """None: a repeat unit says it best."""
        return ""

    def elements(self, text: str) -> frozenset[str]:
        """Elements besides hydrogen."""
        return _elements(text)

    def read_off(self, text: str) -> dict[str, Measurement]:
        """Synthetic accessibility, and what the surrogate says."""
        return read_off(text)

    def same(self, one: str, two: str) -> bool:
        """Equal normal forms."""
        return one == two

    def read(
        self, data: bytes, filename: str, order: bool = False
    ) -> tuple[list[Uploaded], list[InputProblem]]:
        """Repeat units of a file, a line each."""
        from genbat.domains.polymers.reading import read_units

        rows, problems = read_units(data, filename)
        return [Uploaded(row.text, row.name, row.line) for row in rows], problems

    # ------------------------------------------------------------------ pictures and words
    def view(self, text: str) -> ViewSpec:
        """SHOWN units in a row with hydrogen at the ends, force-field geometry."""
        mol = physics.embed(Chem.MolFromSmiles(capped(normal(text), SHOWN)), conformers=1)
        return ViewSpec(Chem.MolToMolBlock(mol), "sdf", {}, text)

    def drawing(self, text: str, width: int, height: int, dark: bool) -> str:
        """Structural formula of a unit, its ends open."""
        return draw.svg(text, width, height, dark)

    def labels(self, text: str) -> list[str]:
        """How many atoms of a unit lie in the backbone."""
        unit = normal(text)
        heavy = Chem.MolFromSmiles(capped(unit)).GetNumHeavyAtoms()
        return [f"{heavy} heavy atoms a unit"]

    def flags(self, text: str) -> list[str]:
        """None."""
        return []

    # ------------------------------------------------------------------ physics
    def method(self) -> str:
        """The surrogate with its weights."""
        return f"{METHOD}, weights {registry.load('polymersurrogate').weights[:8]}"

    def judge(
        self,
        store: Store,
        texts: Sequence[str],
        say: Callable[[float, str], object] | None = None,
    ) -> Iterator[Judgement]:
        """What the surrogate says of repeat units in their normal form; of what is none, why."""
        method = self.method()
        for k, text in enumerate(texts):
            values, failed = _judged(text)
            if say:
                say(k / len(texts), f"{k} of {len(texts)} polymers judged")
            yield Judgement(store.save_evaluation(self.domain, text, method, values, failed))

    def settled(self, candidate: Candidate, judgement: Judgement) -> Candidate:
        """The same polymer; its values stay marked as predicted."""
        return candidate

    # ------------------------------------------------------------------ wishes
    def read_wishes(self, condition: Condition) -> None:
        """How a text begins may be asked; ValueError for any other wish."""
        if strange := sorted(set(condition.wishes) - {"begin"}):
            raise ValueError(f"wish: unknown {', '.join(strange)}; polymers know begin")

    def wish_words(self, condition: Condition) -> str:
        """`, beginning with [Cu]OCC`."""
        begin = condition.wishes.get("begin")
        return f", beginning with {begin}" if begin else ""


ROOMS = Polymers()
