"""An atlas of made-up molecules whose system decodes to the nearest of them; nothing is trained."""

from functools import lru_cache
from itertools import product
from types import SimpleNamespace

import numpy as np
import pandas as pd
import torch
from rdkit import Chem

from genbat.core.candidate import Candidate, Verdict
from genbat.core.properties import Measurement
from genbat.core.provenance import Provenance, versions
from genbat.domains.molecules.data import Dataset
from genbat.domains.molecules.descriptors import describe
from genbat.domains.molecules.measured import MEASURED
from genbat.domains.molecules.properties import BY_KEY
from genbat.domains.molecules.sources import named
from genbat.domains.molecules.structure import canonical, check
from genbat.latent.maps import LatentMap
from genbat.studio.explore import Atlas
from genbat.studio.store import Evaluation
from genbat.studio.tables import now
from genbat.systems.base import SystemCard
from genbat.systems.chemvae_targets import TARGETS

LATENT, MEMBERS = 6, 3
COMPUTED = ("homo_ev", "lumo_ev", "gap_ev", "dipole_d", "vip_ev")
CARD = SystemCard("chemvae", "molecules", "VAE", "Tiny", "none", ("search",), "nothing", "MIT")


@lru_cache
def universe() -> dict[str, np.ndarray]:
    """All molecules there are, with their latent points; every third one is known."""
    links, ends = ("O", "S", "C(=O)O", "N(C)", "OC(=O)O"), ("", "F", "C#N", "OC")
    rng = np.random.default_rng(0)
    found = {canonical(s): None for s in ("O=C1OCCO1", "O=C1OCC(F)O1", "N#CCCCCC#N")}
    for i, link, j, end in product(range(1, 6), links, range(1, 6), ends):
        found.setdefault(canonical("C" * i + link + "C" * j + end), None)
    return {text: _point(text) + 0.05 * rng.standard_normal(LATENT) for text in found}


def _point(text: str) -> np.ndarray:
    counts = [text.count(a) for a in ("C", "O", "N", "F", "S", "=")]
    return np.array(counts, "f8") / (3.0, 1.0, 1.0, 1.0, 1.0, 1.0) - 1.0


def _heads(x: torch.Tensor) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    weights = torch.randn(LATENT, len(TARGETS), generator=generator) / 2
    spread = 0.02 * torch.arange(MEMBERS)[:, None, None]
    return (x @ weights)[None] * (1 + spread)


class TinySystem:
    """What the studio asks of chemvae, by looking up."""

    weights, card = "tiny-weights", CARD
    config = SimpleNamespace(latent=LATENT, mean=(0.0,) * len(TARGETS), scale=(1.0,) * len(TARGETS))
    network = SimpleNamespace(heads=_heads)

    def encode(self, objects):
        """Points of known texts; others by their letters."""
        texts = [check(t) for t in objects]
        rows = [universe().get(t, _point(t)) for t in texts]
        return np.array(rows, "f4").reshape(-1, LATENT)

    def decode(self, z, *, seed=0):
        """The nearest molecule of all."""
        points = np.atleast_2d(np.asarray(z, "f4"))
        texts, places = list(universe()), np.array(list(universe().values()))
        near = ((points[:, None] - places[None]) ** 2).sum(2).argmin(1)
        return [
            Candidate(
                texts[k],
                "molecules",
                Verdict(True),
                Provenance("chemvae", "decode", self.weights, seed, versions=versions()),
                latent=tuple(round(float(v), 5) for v in p),
            )
            for k, p in zip(near, points, strict=True)
        ]

    def predict(self, z):
        """Mean of the heads."""
        points = torch.as_tensor(np.atleast_2d(np.asarray(z, "f4")))
        table = _heads(points).mean(0).numpy()
        return [
            {
                k: Measurement(float(v), BY_KEY[k].unit, "tiny heads", "predicted", 0.3)
                for k, v in zip(TARGETS, row, strict=True)
            }
            for row in table
        ]


@lru_cache
def truth(text: str) -> dict[str, float]:
    """What the made-up physics says of any molecule: nearly what the heads say."""
    row = TinySystem().predict(TinySystem().encode([text]))[0]
    orbital = {k: row[k].value + 0.05 * (len(text) % 3) for k in COMPUTED}
    return {**orbital, **describe(Chem.MolFromSmiles(text))}


def physics(text: str) -> Evaluation:
    """The truth, as if computed."""
    values = {
        k: Measurement(v, BY_KEY[k].unit, "made up", "computed") for k, v in truth(text).items()
    }
    return Evaluation(text, "made up", values, "", now())


@lru_cache
def atlas() -> Atlas:
    """Every third molecule is known; nothing is generated yet."""
    texts = list(universe())
    texts = [*texts[:3], *texts[3::3]]
    ours = {s.smiles: s for s in named()}
    known = pd.DataFrame([{"smiles": t, **truth(t)} for t in texts])
    known["name"] = [ours[t].name if t in ours else t for t in texts]
    known["synonyms"] = ["|".join(ours[t].synonyms) if t in ours else "" for t in texts]
    known["role"] = [ours[t].role if t in ours else "" for t in texts]
    known["cas"] = ["96-49-1" if t == "O=C1OCCO1" else "" for t in texts]
    known["named"] = [t in ours for t in texts]
    known["reference"], known["split"], known["failed"] = "", "train", ""
    for key in MEASURED:
        known[key], known[f"{key}_spread"], known[f"{key}_method"] = np.nan, np.nan, ""
    known.loc[::4, "tflash_k"], known.loc[::4, "tflash_k_method"] = 350.0, "closed cup"
    latents = TinySystem().encode(texts)
    empty = pd.DataFrame(columns=["text", "latent"])
    return Atlas(Dataset(known), empty, LatentMap(latents, latents[:, :2], 0.5), TinySystem())
