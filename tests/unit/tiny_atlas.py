"""The tiny chemvae's molecules on a map of their own, and physics that knows their truth."""

from functools import lru_cache

import numpy as np
import pandas as pd
from rdkit import Chem
from tiny_chemvae import table, trained

from genbat.core.properties import Measurement
from genbat.domains.molecules.data import Dataset
from genbat.domains.molecules.descriptors import describe
from genbat.domains.molecules.measured import MEASURED
from genbat.domains.molecules.sources import named
from genbat.latent.maps import LatentMap
from genbat.studio.explore import Atlas
from genbat.studio.store import Evaluation
from genbat.studio.tables import now
from genbat.systems.chemvae_targets import TARGETS

COUNT = 240
_KEYS = ("homo_ev", "lumo_ev", "gap_ev", "dipole_d", "vip_ev")


@lru_cache
def atlas() -> Atlas:
    """Up to 240 known molecules, nothing generated."""
    system = trained()[0]
    known = table(COUNT)
    known = known[[_writes(system, s) for s in known["smiles"]]].reset_index(drop=True)
    ours = {s.smiles: s for s in named()}
    known["name"] = [ours[s].name if s in ours else s for s in known["smiles"]]
    known["synonyms"] = ["|".join(ours[s].synonyms) if s in ours else "" for s in known["smiles"]]
    known["role"] = [ours[s].role if s in ours else "" for s in known["smiles"]]
    known["reference"], known["named"] = "", [s in ours for s in known["smiles"]]
    for key in MEASURED:
        known[f"{key}_spread"], known[f"{key}_method"] = np.nan, "made up"
    latents = system.encode(known["smiles"].tolist())
    empty = pd.DataFrame(columns=["text", "latent"])
    return Atlas(Dataset(known), empty, LatentMap(latents, latents[:, :2], 0.5), system)


def _writes(system, text):
    try:
        return bool(system.vocabulary.encode(text))
    except ValueError:  # a token that only held-out molecules need
        return False


def truth(text: str) -> dict[str, float]:
    """What the made-up table would say of any molecule."""
    base = describe(Chem.MolFromSmiles(text))
    size = base["mass_g_mol"] / 100
    orbital = {k: size * (TARGETS.index(k) + 1) + base["logp"] for k in _KEYS}
    return {**orbital, **base}


def physics(text: str) -> Evaluation:
    """The truth, as if computed."""
    values = {k: Measurement(v, "", "made up", "computed") for k, v in truth(text).items()}
    return Evaluation(text, "made up", values, "", now())
