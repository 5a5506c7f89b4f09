"""Electrode microstructures, as the studio sees them: voxels counted, transport by TauFactor."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from genbat.core.candidate import ViewSpec
from genbat.core.errors import InputProblem
from genbat.core.properties import Measurement
from genbat.domains.microstructures import data, thumbnail
from genbat.domains.microstructures.build import LABEL_VERSION
from genbat.domains.microstructures.labelling import MEASURED, in_turn
from genbat.domains.microstructures.properties import BY_KEY, PROPERTIES
from genbat.domains.microstructures.reading import read_tiff, relabelled
from genbat.domains.microstructures.texts import read, recipe_text
from genbat.domains.microstructures.transport import METHOD
from genbat.domains.microstructures.volume import ELECTRODE, Volume, to_text
from genbat.studio.rooms import Judgement, Known, Uploaded, Words
from genbat.studio.rooms_plain import KnownRuns, Manner, PlainRooms
from genbat.studio.store import Store

WORDS = Words(
    one="volume",
    many="volumes",
    text="voxels",
    inline=False,
    judge="TauFactor",
    judge_help="TauFactor 1.2.1 solves diffusion through the pore and the solids along each axis; "
    "fractions, surfaces and lengths are counted voxel by voxel. Some 5 s a volume of 64³.",
    prompt="Number or porosity",
    example="electrode 12 or porosity 0.4",
    tries="the number of a known electrode (12) or a porosity (0.4)",
    marks="◆ computed: voxels counted, or diffusion solved by TauFactor, ○ predicted by the model: "
    "every number says which.",
    upload="A TIFF stack of labels, 8 or 16 bit, one value a phase, up to 512 voxels an edge.",
    element_help="",
    searching="The model proposes volumes for your wishes, TauFactor measures each of them.",
    home_title="Find electrode microstructures by walking between known ones",
    home="GenBat has packed, pressed and measured thousands of electrodes and learned a space in "
    "which relatives lie close together. Point anywhere in that space and it fills a volume. "
    "TauFactor measures what you like, and every number says where it comes from.",
    numbers="◆ *computed* values are counted on the voxels or solved by TauFactor 1.2.1 on them. A "
    "tortuosity factor is the volume fraction over the relative diffusivity, not its square root; "
    "surfaces count the faces of voxels, half as much again as a smooth surface has. ○ *predicted* "
    "ones are the model's guesses, each with a 90 % interval. What does not percolate has no "
    "tortuosity: that is a result, not a failure.",
)


MANNER = Manner(
    one="Electrode",
    letter="e",
    key="porosity",
    word="porosity|pore|eps|ε|",
    told="porosity {:.2f}",
    number=r"(0?\.\d+)",
    classes={
        # Mean radius in voxels below the end of each class; share of the height pressed away.
        "particles": ("radius", ((6.5, "fine"), (9.5, "medium"), (np.inf, "coarse"))),
        "calendering": (
            "pressed",
            ((0.1, "hardly pressed"), (0.22, "pressed"), (np.inf, "strongly pressed")),
        ),
    },
    measured=MEASURED,
)


class Microstructures(PlainRooms):
    """See `genbat.studio.rooms.Rooms`."""

    domain = "microstructures"
    words = WORDS
    manner = MANNER
    properties = PROPERTIES
    first = ("porosity", "binder", "tau_z", "diffusivity_z", "surface", "anisotropy")
    physics = tuple(BY_KEY)
    plotted = ("porosity", "tau_z", "surface", "conductivity_z")
    groups: Mapping[str, str] = {"particles": "Particles", "calendering": "Calendering"}
    colour = "porosity"
    uploads = ("tif", "tiff")
    files: Mapping[str, str] = {
        "csv": "CSV · every number, notes, provenance",
        "tif.zip": "TIFF · a stack each, zipped",
        "vti.zip": "VTK ImageData · for ParaView, zipped",
        "stl.zip": "STL · the surface of each solid, zipped",
        "npz": "NPZ · NumPy arrays",
        "json": "JSON · everything",
    }
    single = "tif"
    familiar: Mapping[str, str] = {
        "dense": "porosity 0.2",
        "usual": "porosity 0.35",
        "open": "porosity 0.55",
    }
    pairs = (
        ("Dense → open", "porosity 0.2", "porosity 0.55", "what more pore does to transport"),
        ("Electrode 3 → 12", "electrode 3", "electrode 12", "two recipes"),
    )
    wishable = ("porosity", "binder", "tau_z", "surface", "grain")
    most = 200
    batch = 1  # seconds each

    def load(self) -> data.Dataset:
        """The shipped data set."""
        return data.load()

    def known(self, dataset: data.Dataset) -> Known:
        """Its rows."""
        return KnownRuns(dataset, MANNER, lambda row, seed: recipe_text(dataset.recipe(row), seed))

    # ------------------------------------------------------------------ one object
    def check(self, text: str) -> str:
        """Canonical text of a volume, or of a link's handle.

        Raises
        ------
        ValueError : neither, or a handle of a volume that this computer has not seen.
        """
        text = self.unfolded(text, "volume")
        read(text)
        return text

    def title(self, text: str) -> str:
        """`64 x 64 x 64 voxels, porosity 0.41`."""
        volume = read(text)
        porosity = float(volume.mask(0).mean())
        return f"{' x '.join(map(str, volume.shape))} voxels, porosity {porosity:.2f}"

    def read_off(self, text: str) -> dict[str, Measurement]:
        """What counting voxels says, in some hundredths of a second."""
        return MANNER.measurements(next(in_turn(_electrode(read(text)))))

    def same(self, one: str, two: str) -> bool:
        """The same voxels."""
        return one == two or np.array_equal(read(one).labels, read(two).labels)

    def read(
        self, data: bytes, filename: str, order: bool = False
    ) -> tuple[list[Uploaded], list[InputProblem]]:
        """The one volume of a TIFF of two or three phases, in rising order of their values pore,
        active material and binder."""
        stack = read_tiff(data, filename)
        if not stack.labelled:
            raise ValueError(
                f"{filename}: is grey; legal here are labels, one value a phase. Cut it at "
                "thresholds first"
            )
        names = ELECTRODE[: len(stack.levels)]
        if not 2 <= len(stack.levels) <= len(ELECTRODE):
            raise ValueError(f"{filename}: {len(stack.levels)} phases; legal are 2 or 3")
        note = f"values {', '.join(map(str, stack.levels))} taken as {', '.join(names)}"
        volume = relabelled(stack, names)
        return [Uploaded(to_text(volume), filename.rsplit(".", 1)[0], 1, note)], []

    # ------------------------------------------------------------------ pictures and words
    def view(self, text: str) -> ViewSpec:
        """The text itself: the viewer takes labels."""
        return ViewSpec(text, "volume", {}, text)

    def drawing(self, text: str, width: int, height: int, dark: bool) -> str:
        """A cube of its outermost slices."""
        return thumbnail.svg(read(text), width, height)

    def labels(self, text: str) -> list[str]:
        """Its size, and whether it is periodic."""
        volume = read(text)
        edges = volume.voxel_um
        size = f"voxels of {' x '.join(f'{e:g}' for e in edges)} μm" if edges else "no voxel size"
        return [size, *(["periodic"] if volume.periodic else [])]

    def flags(self, text: str) -> list[str]:
        """Phases that are missing."""
        volume = read(text)
        return [f"⚠ no {name}" for k, name in enumerate(volume.phases) if not volume.mask(k).any()]

    # ------------------------------------------------------------------ physics
    def method(self) -> str:
        """TauFactor with the labels' version."""
        return f"{METHOD}, labels {LABEL_VERSION}"

    def judge(
        self,
        store: Store,
        texts: Sequence[str],
        say: Callable[[float, str], object] | None = None,
    ) -> Iterator[Judgement]:
        """Everything that can be counted and solved of volumes; some 5 s each."""
        for k, text in enumerate(texts):
            values: dict[str, Measurement] = {}
            failed = ""
            try:
                for part in in_turn(_electrode(read(text))):
                    values |= MANNER.measurements(part)
                    if say:
                        say(k / len(texts), f"{k} of {len(texts)} volumes measured")
            except ValueError as wrong:
                failed = str(wrong)
            yield Judgement(store.save_evaluation(self.domain, text, self.method(), values, failed))


def _electrode(volume: Volume) -> Volume:
    """ValueError where its phases are no electrode's."""
    if not 2 <= len(volume.phases) <= len(ELECTRODE):
        raise ValueError(
            f"volume: has the phases {', '.join(volume.phases)}; what is measured needs a pore, an "
            "active material and maybe a binder"
        )
    return volume


ROOMS = Microstructures()
