"""A chemvae small enough to be trained within a test, on a made-up but learnable table."""

from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pandas as pd
import torch
from rdkit import Chem

from genbat.domains.molecules import sources
from genbat.domains.molecules.codec import MAX_TOKENS, survives, to_selfies
from genbat.domains.molecules.descriptors import describe
from genbat.domains.molecules.structure import judge, normal_form
from genbat.latent.density import Manifold
from genbat.systems import chemvae_training as training
from genbat.systems.chemvae import ChemVAE
from genbat.systems.chemvae_targets import TARGETS

torch.set_num_threads(1)
LONGEST = 12  # tokens: short texts are learnt in few steps
SCHEDULE = training.Schedule(
    steps=200,
    batch=32,
    rate=3e-2,
    beta=0.01,
    warm_steps=20,
    forms=2,
    mutants=30,
    canonical_share=0.5,
    head_steps=100,
)


@lru_cache
def molecules(count: int) -> list[str]:
    """Normal forms of small organics: the named compounds, then the first ones of `chemicals`."""
    found = dict.fromkeys(s.smiles for s in sources.named() if fits(s.smiles))
    folder = Path(sources.resources.files("chemicals")) / "Identifiers"
    with (folder / "chemical identifiers pubchem small.tsv").open(encoding="utf-8") as lines:
        for line in lines:
            mol = Chem.MolFromSmiles(line.split("\t")[4])
            if len(found) < count and mol is not None and judge(mol, 12).ok:
                smiles = normal_form(mol)
                if survives(smiles):
                    found[smiles] = None
    return list(found)[:count]


def fits(smiles):
    return len(to_selfies(smiles)) <= MAX_TOKENS - 8


@lru_cache
def table(count: int = 180) -> pd.DataFrame:
    """Molecules with targets that follow from their structure; rare ones mostly unknown."""
    rng = np.random.default_rng(0)
    texts = [s for s in molecules(3 * count) if len(to_selfies(s)) <= LONGEST][:count]
    base = pd.DataFrame([describe(Chem.MolFromSmiles(s)) for s in texts])
    size = base["mass_g_mol"] / 100
    values = {key: size * (k + 1) + base["logp"] for k, key in enumerate(TARGETS)}
    frame = pd.DataFrame({"smiles": texts, **values, **base})
    for key in ("permittivity", "viscosity_mpas"):
        frame[key] = 10 ** (frame["logp"] / 3)
    for key in TARGETS[5:]:
        frame.loc[rng.random(len(frame)) < 0.7, key] = np.nan
    frame["cas"], frame["failed"] = "", ""
    places = rng.permutation(len(frame)) / len(frame)
    frame["split"] = np.select([places < 0.6, places < 0.8], ["train", "calibration"], "test")
    return frame


@lru_cache
def trained() -> tuple[ChemVAE, Path]:
    """The tiny system and the folder that holds its weights."""
    folder = Path(mkdtemp(prefix="genbat-tiny-"))
    system = training.train(table(), folder, schedule=SCHEDULE, sizes=training.SIZES["tiny"])
    system.save(folder / "finished")
    return ChemVAE.load(folder / "finished"), folder / "finished"


@lru_cache
def manifold() -> Manifold:
    """The training molecules' place in the tiny system's latent space."""
    known = table()
    return Manifold(trained()[0].encode(known[known["split"] == "train"]["smiles"].tolist()))
