"""additivevae on a toy: who is of the family, what further teaching changes, how it is measured."""

import numpy as np
import pandas as pd
import pytest
import torch
from rdkit import Chem
from rdkit.Chem import rdFingerprintGenerator
from rdkit.DataStructs import TanimotoSimilarity
from tiny_chemvae import table

from genbat.domains.molecules.descriptors import sa_score
from genbat.studio import evaluation, metrics_npvae, registry, training_additives
from genbat.studio.training import Material
from genbat.systems import npvae_training
from genbat.systems.additivevae import AdditiveVAE
from genbat.systems.npvae import NPVAE
from genbat.systems.run import Schedule

torch.set_num_threads(1)
SIZES = {"latent": 16, "width": 32, "hidden": 64, "members": 3, "head_hidden": 16}


def own_table():
    """The tiny table with roles: every tenth a solvent, three additives of a low LUMO."""
    own = table().reset_index(drop=True)
    own["role"] = ""
    own.loc[::10, "role"] = "solvent"
    low = own.sort_values("lumo_ev").query("split == 'train' and role == ''").index
    own.loc[low[:3], "role"] = "additive"
    own.loc[low[-1], "role"] = "additive"  # one that is reduced late, and does not count
    return own


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    schedule = Schedule(steps=300, batch=32, rate=5e-3, warm_steps=5)
    run = npvae_training.train(table(), tmp_path_factory.mktemp("n"), schedule=schedule, **SIZES)
    system = npvae_training.finished(run, table())
    place = tmp_path_factory.mktemp("w")
    system.save(place)
    return NPVAE.load(place)


@pytest.fixture
def shipped(base, monkeypatch):
    monkeypatch.setattr(registry, "load", lambda name: base)
    monkeypatch.setattr(registry, "trained", lambda name: name == "npvae")


def taught(folder, preset="tiny"):
    own = own_table()
    material = Material(own, own["split"].tolist())
    return training_additives.learn("additivevae", material, folder, preset=preset).system


def test_families_are_near_and_reduced_early():
    own = own_table()
    found = training_additives.families(own)
    border = np.nanpercentile(own.loc[own["role"] == "solvent", "lumo_ev"], 5)
    named = own[own["role"] == "additive"]
    assert set(named["smiles"]) <= set(found["smiles"])
    morgan = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
    prints = {s: morgan.GetFingerprint(Chem.MolFromSmiles(s)) for s in own["smiles"]}
    for row in own.itertuples():
        near = max(TanimotoSimilarity(prints[row.smiles], prints[s]) for s in named["smiles"])
        wanted = row.role == "additive" or (near >= 0.25 and row.lumo_ev <= border)
        assert wanted == (row.smiles in set(found["smiles"]))


def test_molecules_without_roles_are_refused():
    with pytest.raises(ValueError, match="no additives among them"):
        training_additives.families(table())
    with pytest.raises(ValueError, match="no additives among them"):
        training_additives.families(table().assign(role=""))


def test_it_begins_where_npvae_ended(base, shipped, tmp_path):
    system = taught(tmp_path)
    assert isinstance(system, AdditiveVAE) and system.card.name == "additivevae"
    assert system.vocabulary == base.vocabulary and system.config.steps_trained == 3
    for name, value in base.network.state_dict().items():
        new = system.network.state_dict()[name]
        if not name.startswith("heads"):
            assert torch.allclose(new, value, atol=0.02)  # three small steps away
    (candidate,) = system.sample(1, seed=0)
    assert candidate.provenance.system == "additivevae"


def test_it_comes_to_write_the_family_more_readily(base, tmp_path):
    own = training_additives.families(own_table())
    schedule = Schedule(steps=60, batch=8, rate=1e-3, warm_steps=1)
    run = npvae_training.taught_further(base, own, tmp_path, schedule=schedule)
    corpus = npvae_training.corpus_of(own[own["split"] == "train"], base.config)
    rows = list(range(len(corpus.steps)))
    loss = lambda net: float(npvae_training.batch_loss(net, corpus, rows, 5)[1]["trees"])  # noqa: E731
    with torch.no_grad():
        assert loss(run.network) < loss(base.network)


def test_a_stopped_teaching_goes_on(base, tmp_path):
    own, rules = own_table(), training_additives.PRESETS["additivevae"]["tiny"]
    whole = npvae_training.taught_further(base, own, tmp_path / "a", schedule=rules)
    for turn in range(3):
        parts = npvae_training.taught_further(
            base, own, tmp_path / "b", schedule=rules, resume=turn > 0, minutes=0
        )
    for key, value in whole.mean.state_dict().items():
        assert torch.equal(value, parts.mean.state_dict()[key])


def test_measured_beside_npvae(base, shipped, monkeypatch, tmp_path):
    system = taught(tmp_path)
    monkeypatch.setattr(
        metrics_npvae, "judged",
        lambda texts, subject: {t: {"lumo_ev": -float(len(t))} for t in texts},
    )  # fmt: skip
    own = own_table()
    found = evaluation.evaluate(
        "additivevae", n=30, system=system, examples=own, parts=["additives"]
    )["metrics"]
    trained = set(own[own["split"] == "train"]["smiles"])
    draws = {c.text for c in system.sample(30, seed=0) if c.verdict.ok} - trained
    scores = [sa_score(Chem.MolFromSmiles(t)) for t in draws]
    assert found["sa_median"]["value"] == pytest.approx(np.median(scores))
    named = own[own["role"] == "additive"]
    usual = np.median([sa_score(Chem.MolFromSmiles(t)) for t in named["smiles"]])
    assert found["sa_median"]["bar"] == pytest.approx(usual + 0.5)
    assert found["lumo_median"]["value"] == pytest.approx(-np.median([len(t) for t in draws]))
    before = {c.text for c in base.sample(30, seed=0) if c.verdict.ok} - trained
    assert found["lumo_median"]["bar"] == pytest.approx(-np.median([len(t) for t in before]))


def test_the_shipped_additives():
    from genbat.domains.molecules import data

    own = data.load().table
    found = training_additives.families(own)
    assert isinstance(found, pd.DataFrame) and 50 < len(found) < 3000
    assert found["lumo_ev"].median() < own["lumo_ev"].median() + 0.5
    assert {"C=C1COC(=O)O1", "O=C1C=CC(=O)O1"} & set(found["smiles"])
