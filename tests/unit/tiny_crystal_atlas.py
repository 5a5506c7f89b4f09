"""An atlas of some shipped crystals whose system decodes to the nearest; nothing is trained."""

from functools import lru_cache
from types import SimpleNamespace

import numpy as np
import pandas as pd
from pymatgen.core import Element

from genbat.core.candidate import Candidate, Verdict
from genbat.core.properties import Measurement
from genbat.core.provenance import Provenance, versions
from genbat.domains.crystals import data
from genbat.domains.crystals.data import Dataset
from genbat.domains.crystals.properties import BY_KEY
from genbat.domains.crystals.structure import from_text, judge, to_text
from genbat.domains.crystals.wishes import read_wishes
from genbat.latent.maps import LatentMap
from genbat.studio.explore import Atlas
from genbat.studio.rooms import Judgement
from genbat.systems.base import SystemCard
from genbat.systems.cdvae import TARGETS

MOST_ATOMS = 20
KNOWN = 80  # the first ones; the rest can only be decoded or sampled
CARD = SystemCard("cdvae", "crystals", "VAE", "Tiny", "none", ("sample", "encode", "decode",
                  "predict"), "nothing", "MIT")  # fmt: skip
NAMES = ("LiCoO2", "LiTiS2", "NaMnO2", "V2O5", "Li3N", "NaCl", "LiNiO2", "NaTiS2", "LiF")


@lru_cache
def universe() -> data.Dataset:
    """Well-known compounds, three crystals each, and a hundred others of the shipped table."""
    whole = data.load()
    formulas = whole.table["formula"]
    first = [k for name in NAMES for k in formulas.index[formulas == name][:3]]
    rest = [k for k in range(0, len(whole), len(whole) // 100) if k not in first]
    return Dataset(whole.table.iloc[[*first, *rest]].reset_index(drop=True))


def point(cell) -> np.ndarray:
    """Mean and spread of electronegativity, mean number, volume an atom, number of atoms."""
    chi = np.array([Element.from_Z(int(z)).X for z in cell.numbers], float)
    volume = abs(np.linalg.det(cell.lattice)) / len(cell.numbers)
    size = len(cell.numbers)
    return np.array([chi.mean(), chi.std(), cell.numbers.mean() / 20, volume / 10, size / 10])


@lru_cache
def texts() -> list[str]:
    """Canonical texts of the universe."""
    return [to_text(universe().cell(k)) for k in range(len(universe()))]


@lru_cache
def points() -> np.ndarray:
    """Their latent points (n, 5)."""
    return np.array([point(universe().cell(k)) for k in range(len(universe()))])


class TinySystem:
    """What the studio asks of cdvae, by looking up."""

    weights, card, targets = "tiny-weights", CARD, TARGETS
    config = SimpleNamespace(latent=5)
    takes_windows = False

    def encode(self, objects):
        """Points of texts; too large ones are refused."""
        cells = [from_text(text) for text in objects]
        if any(len(cell.numbers) > MOST_ATOMS for cell in cells):
            raise ValueError(f"crystal: more than {MOST_ATOMS} atoms")
        return np.array([point(cell) for cell in cells], "f4").reshape(-1, 5)

    def decode(self, z, *, seed=0):
        """The nearest crystal of the universe."""
        places = np.atleast_2d(np.asarray(z, "f4"))
        near = ((places[:, None] - points()[None]) ** 2).sum(2).argmin(1)
        return [
            self._made(texts()[k], "decode", p, seed) for k, p in zip(near, places, strict=True)
        ]

    def _made(self, text, action, place=None, seed=0, arguments=None):
        story = Provenance(self.card.name, action, self.weights, seed, arguments or {},
                           versions=versions())  # fmt: skip
        latent = None if place is None else tuple(round(float(v), 5) for v in place)
        return Candidate(text, "crystals", Verdict(True), story, latent=latent)

    def predict(self, z):
        """Numbers that depend on the point."""
        places = np.atleast_2d(np.asarray(z, "f4"))
        return [
            {
                key: Measurement(float(p[k]), BY_KEY[key].unit, "tiny heads", "predicted", 0.3)
                for k, key in enumerate(TARGETS)
            }
            for p in places
        ]


class TinySampler(TinySystem):
    """What the studio asks of mattergen: crystals of the universe that honour the elements."""

    card = SystemCard("mattergen", "crystals", "diffusion", "Tiny sampler", "none", ("sample",),
                      "nothing", "MIT")  # fmt: skip
    config = SimpleNamespace(adapters=("voltage_v",))
    takes_windows = True

    def sample(self, n, *, condition=None, seed=0, progress=None):
        """In the order of the universe, from `seed` on; the first is no crystal at all."""
        wishes = read_wishes(condition) if condition else None
        found = [t for t in texts() if wishes is None or not wishes.unmet(from_text(t))]
        for k in range(n):
            text = found[(seed + k) % len(found)] if k else absurd(found[0])
            ok = judge(from_text(text))
            made = self._made(text, "sample", seed=seed, arguments={"index": k})
            yield Candidate(made.text, made.domain, ok, made.provenance)


def absurd(text: str) -> str:
    """The same crystal squeezed until its atoms overlap."""
    cell = from_text(text)
    return to_text(type(cell)(cell.numbers, cell.positions * 0.2, cell.lattice * 0.2))


@lru_cache
def atlas() -> Atlas:
    """The first KNOWN of the universe are known; one of the others stands in the library."""
    table = universe().table
    known = Dataset(table.iloc[:KNOWN].reset_index(drop=True))
    made = pd.DataFrame(
        {
            "text": [texts()[KNOWN]],
            "latent": [points()[KNOWN].astype("f2")],
            "seed": [0],
            "index": [0],
            "system": ["mattergen"],
            "formation_ev": [-1.0],
        }
    )
    latents = points()[:KNOWN].astype("f4")
    return Atlas(known, made, LatentMap(latents, latents[:, :2], 0.5), TinySystem())


def looked_up(store, told, say=None):
    """A judge that knows the universe by heart."""
    for k, text in enumerate(told):
        row = texts().index(text) if text in texts() else None
        values = {} if row is None else universe().measurements(row)
        found = store.save_evaluation("crystals", text, "m", values, "" if values else "too close")
        more = {"relaxed": text, "noise": k, "told": {"moved": "0.10 Å"}} if values else {}
        yield Judgement(found, more)
