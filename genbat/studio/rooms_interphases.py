"""Solid-electrolyte interphases, as the studio sees them: sites of a kinetic Monte Carlo."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache

import numpy as np

from genbat.core.candidate import ViewSpec
from genbat.core.errors import InputProblem
from genbat.core.properties import Measurement
from genbat.domains.interphases import data, picture
from genbat.domains.interphases.build import LABEL_VERSION
from genbat.domains.interphases.kmc import ORGANIC, Sites
from genbat.domains.interphases.measures import attached, label
from genbat.domains.interphases.properties import BY_KEY, METHOD, PROPERTIES
from genbat.domains.interphases.texts import from_text, grown_text
from genbat.studio.rooms import Judgement, Known, Uploaded, Words
from genbat.studio.rooms_plain import KnownRuns, Manner, PlainRooms
from genbat.studio.store import Store

WORDS = Words(
    one="interphase",
    many="interphases",
    text="sites",
    inline=False,
    judge="Counting",
    judge_help="What is counted on the lattice: how thick, how porous, of what, how rough.",
    prompt="Number or thickness",
    example="interphase 12 or thickness 8",
    tries="the number of a known interphase (12) or a thickness in nm (thickness 8)",
    marks="◆ computed: sites counted, ○ predicted by the model: every number says which.",
    upload="There is no file format for interphases of your own.",
    element_help="",
    searching="The model proposes interphases for your wishes; each is counted.",
    home_title="Walk from a thin, dense interphase to a thick, porous one",
    home="GenBat has grown thousands of solid-electrolyte interphases with a kinetic Monte Carlo "
    "over the barriers of their reactions, and learned a space that is laid out by how thick and "
    "how porous they are. Walk through it, or ask for an interphase and see how it may look.",
    numbers="◆ *computed* values are counted on the lattice, whose sites are a nanometre wide: a "
    "cut through the interphase, periodic along the electrode. The kinetic Monte Carlo knows "
    "reduction by tunnelling electrons, diffusion, dimerisation to organic, conversion to "
    "inorganic and aggregation of one electrolyte, ethylene carbonate; its barriers are near "
    "published ones, but none was fitted to a cell.",
)
MANNER = Manner(
    one="Interphase",
    letter="s",
    key="thickness",
    word="thickness|thick|nm",
    told="{:.1f} nm thick",
    number=r"(\d+(?:\.\d+)?)(?:\s*nm)?",
    classes={
        # Barrier of the second reduction in eV, and how far electrons tunnel in nm.
        "reduction": (
            "second_reduction",
            ((0.45, "easy second reduction"), (0.51, "usual second reduction"),
             (np.inf, "hard second reduction")),
        ),
        "tunnelling": (
            "tunnel", ((1.6, "short tunnelling"), (2.3, "usual tunnelling"),
                       (np.inf, "long tunnelling")),
        ),
    },
    measured=tuple((p.key, p.unit, METHOD) for p in PROPERTIES),
)  # fmt: skip


@lru_cache(maxsize=256)
def _read(text: str) -> Sites:
    return from_text(text)


class Interphases(PlainRooms):
    """See `genbat.studio.rooms.Rooms`."""

    domain = "interphases"
    words = WORDS
    manner = MANNER
    properties = PROPERTIES
    first = ("thickness", "porosity", "organic", "inorganic", "roughness")
    physics = tuple(BY_KEY)
    plotted = ("thickness", "porosity", "inorganic", "roughness")
    groups: Mapping[str, str] = {"reduction": "Second reduction", "tunnelling": "Tunnelling"}
    colour = "thickness"
    uploads = ("json",)
    files: Mapping[str, str] = {
        "csv": "CSV · every number, notes, provenance",
        "npz": "NPZ · the sites as NumPy arrays",
        "json": "JSON · everything",
    }
    single = "npz"
    familiar: Mapping[str, str] = {
        "thin": "thickness 3",
        "usual": "thickness 10",
        "thick": "thickness 25",
    }
    pairs = (
        ("Thin → thick", "thickness 3", "thickness 25", "how it changes as it grows"),
        ("Interphase 3 → 12", "interphase 3", "interphase 12", "two sets of barriers"),
    )
    wishable = ("thickness", "porosity", "inorganic")
    most = 500
    batch = 32

    def load(self) -> data.Dataset:
        """The shipped data set."""
        return data.load()

    def known(self, dataset: data.Dataset) -> Known:
        """Its rows."""
        return KnownRuns(dataset, MANNER, lambda row, seed: grown_text(dataset.barriers(row), seed))

    # ------------------------------------------------------------------ one object
    def check(self, text: str) -> str:
        """Canonical text of an interphase, or of a link's handle.

        Raises
        ------
        ValueError : neither, or a handle of an interphase that this computer has not seen.
        """
        text = self.unfolded(text, "interphase")
        _read(text)
        return text

    def title(self, text: str) -> str:
        """`8.2 nm thick, porosity 0.31`."""
        found = label(_read(text))
        return f"{found['thickness']:.1f} nm thick, porosity {found['porosity']:.2f}"

    def read_off(self, text: str) -> dict[str, Measurement]:
        """Everything: it is counted at once."""
        return MANNER.measurements(label(_read(text)))

    def same(self, one: str, two: str) -> bool:
        """The same sites."""
        return one == two or np.array_equal(_read(one), _read(two))

    def read(
        self, data: bytes, filename: str, order: bool = False
    ) -> tuple[list[Uploaded], list[InputProblem]]:
        """ValueError: there is no file of interphases but GenBat's own lists."""
        raise ValueError(f"{filename}: interphases of your own cannot be read; there is no format")

    # ------------------------------------------------------------------ pictures and words
    def view(self, text: str) -> ViewSpec:
        """The text itself: it is drawn as a picture."""
        return ViewSpec(text, "sites", {}, text)

    def drawing(self, text: str, width: int, height: int, dark: bool) -> str:
        """The cut through it."""
        return picture.svg(_read(text), width, height)

    def labels(self, text: str) -> list[str]:
        """How large it is."""
        rows, columns = _read(text).shape
        return [f"{columns} nm along the electrode, {rows} nm away from it"]

    def flags(self, text: str) -> list[str]:
        """Whether it reaches the end of the lattice; what drifts there is no part of it."""
        full = bool(attached(_read(text) >= ORGANIC)[-1].any())
        return ["⚠ reaches the end of the lattice: thicker in truth"] if full else []

    # ------------------------------------------------------------------ physics
    def method(self) -> str:
        """Counting with the labels' version."""
        return f"{METHOD}, labels {LABEL_VERSION}"

    def judge(
        self,
        store: Store,
        texts: Sequence[str],
        say: Callable[[float, str], object] | None = None,
    ) -> Iterator[Judgement]:
        """Count each of them."""
        for k, text in enumerate(texts):
            values: dict[str, Measurement] = {}
            failed = ""
            try:
                values = self.read_off(text)
            except ValueError as wrong:
                failed = str(wrong)
            if say:
                say((k + 1) / len(texts), f"{k + 1} of {len(texts)} interphases counted")
            yield Judgement(store.save_evaluation(self.domain, text, self.method(), values, failed))


ROOMS = Interphases()
