"""Search in latent space: budgets, wishes and memory are honoured; the objective is as told."""

import numpy as np
import pytest
import torch
from rdkit import Chem
from tiny_chemvae import manifold, table, trained

from genbat.core.condition import Condition, Window
from genbat.domains.molecules.descriptors import describe
from genbat.systems.chemvae_targets import TARGETS
from genbat.systems.latent_bayes import achieved_miss, bayes_search
from genbat.systems.latent_search import (
    CAUTION,
    Objective,
    Search,
    gradient_search,
    prior_draws,
    random_walk,
    search_prior,
)

LOW = Condition({"lumo_ev": Window(high=-50.0)})  # nothing reaches it


def system():
    return trained()[0]


def search(condition=LOW, **options):
    return Search(system(), condition, manifold(), **options)


def start():
    return system().encode(["O=C1OCCO1"])


def methods(run, budget):
    def judge(candidates):
        return [{key: m.value for key, m in c.properties.items()} for c in candidates]

    known = table()[lambda t: t["split"] == "train"].iloc[:30]
    points = system().encode(known["smiles"].tolist())
    labels = [{"lumo_ev": float(v)} for v in known["lumo_ev"]]
    return {
        "gradient": lambda: gradient_search(run, start(), budget=budget),
        "bayes": lambda: bayes_search(run, points, labels, judge, budget=budget, a_round=10),
        "walk": lambda: random_walk(run, start(), budget=budget),
        "prior": lambda: prior_draws(run, budget=budget),
    }


@pytest.mark.parametrize("name", ["gradient", "bayes", "walk", "prior"])
def test_budget_and_memory(name):
    run = search()
    decode, points = system().decode, []

    class Counting:
        """The system, counting what it decodes."""

        def __getattr__(self, attribute):
            return getattr(system(), attribute)

        def decode(self, z, **options):
            points.append(len(z))
            return decode(z, **options)

    run.system = Counting()
    met = [c for fresh in methods(run, 40)[name]() for c in fresh]
    assert sum(points) == run.decoded == 40
    assert len({c.text for c in met}) == len(met) > 0
    assert all(c.verdict.ok and "lumo_ev" in c.properties for c in met)
    assert {c.provenance.condition["windows"]["lumo_ev"][1] for c in met} == {-50.0}


@pytest.mark.parametrize("name", ["gradient", "bayes", "walk", "prior"])
def test_known_texts_are_not_proposed(name):
    first = [c.text for fresh in methods(search(), 30)[name]() for c in fresh]
    again = [c.text for f in methods(search(seen=set(first)), 30)[name]() for c in f]
    assert not set(first) & set(again)


@pytest.mark.parametrize("name", ["gradient", "walk", "prior"])
def test_the_same_seed_finds_the_same(name):
    runs = [[c.text for f in methods(search(seed=3), 30)[name]() for c in f] for _ in range(2)]
    assert runs[0] == runs[1]


def test_the_start_is_no_proposal():
    condition = Condition(LOW.windows, {"start": "C1COC(=O)O1"})
    assert search(condition).seen == {"O=C1OCCO1"}


def test_wishes_are_honoured():
    windows = {**LOW.windows, "mass_g_mol": Window(high=110.0)}
    wishes = {"elements": ["C", "O"], "forbid": "[OX2H]", "keep": "O"}
    run = search(Condition(windows, wishes))
    met = [c for fresh in gradient_search(run, start(), budget=200) for c in fresh]
    assert met
    for candidate in met:
        mol = Chem.MolFromSmiles(candidate.text)
        assert {a.GetSymbol() for a in mol.GetAtoms()} <= {"C", "O"}
        assert not mol.HasSubstructMatch(Chem.MolFromSmarts("[OX2H]"))
        assert mol.HasSubstructMatch(Chem.MolFromSmarts("O"))
        assert describe(mol)["mass_g_mol"] <= 110


def test_objective_is_the_cautious_miss():
    windows = {
        "lumo_ev": Window(high=1.0),
        "tm_k": Window(low=2.0, high=3.0, weight=4.0),
        "viscosity_mpas": Window(low=10.0),
    }
    objective = Objective.of(system(), Condition(windows))
    members = torch.randn(5, 8, len(TARGETS), generator=torch.Generator().manual_seed(0))
    config, wanted = system().config, np.zeros(8)
    for key, window in windows.items():
        k = TARGETS.index(key)
        said = members[:, :, k].numpy().astype("f8")
        ends = np.array([window.low, window.high])
        ends = np.log10(ends) if key == "viscosity_mpas" else ends
        low, high = (ends - config.mean[k]) / config.scale[k]
        middle, spread = said.mean(0), said.std(0)
        under, over = low - (middle - CAUTION * spread), middle + CAUTION * spread - high
        wanted += window.weight * np.maximum(0, np.maximum(under, over))
    np.testing.assert_allclose(objective.miss(members).numpy(), wanted, rtol=1e-4)


def test_achieved_miss_counts_what_is_known():
    condition = Condition({"lumo_ev": Window(high=1.0), "tm_k": Window(low=2.0)})
    run = search(condition)
    k, j = TARGETS.index("lumo_ev"), TARGETS.index("tm_k")
    config = system().config
    rows = [{"lumo_ev": 3.0}, {"lumo_ev": 0.0, "tm_k": 1.0}, {"dipole_d": 1.0}, None]
    miss = achieved_miss(run, rows)
    assert miss[0] == pytest.approx(2.0 / config.scale[k], rel=1e-4)
    assert miss[1] == pytest.approx(1.0 / config.scale[j], rel=1e-4)
    assert np.isnan(miss[2:]).all()


def test_walkers_go_down_and_stay_with_the_data():
    run = search()
    z = run.scatter(start(), 16, 0.5)
    down = run.descend(z, steps=10)
    assert run.score(down).mean() < run.score(z).mean()
    assert manifold().percentile(down).max() <= run.limit


def test_gradient_search_beats_a_blind_walk():
    best = {}
    for name in ("gradient", "walk"):
        run = search(seed=1)
        met = [c for fresh in methods(run, 120)[name]() for c in fresh]
        best[name] = min(c.properties["lumo_ev"].value for c in met)
    assert best["gradient"] < best["walk"]


def test_a_process_needs_something_to_learn_from():
    with pytest.raises(ValueError, match="Gaussian process"):
        next(bayes_search(search(), start(), [None], lambda c: [], budget=10))


def test_conditional_sampling():
    condition = Condition({"lumo_ev": Window(high=3.0)}, {"start": "O=C1OCCO1"})
    told = []
    found = list(search_prior(system(), 5, condition, progress=lambda f, t: told.append(f)))
    assert len({c.text for c in found}) == 5
    assert told[-1] == 1.0
    assert all(c.provenance.parents == ("O=C1OCCO1",) for c in found)
    again = [c.text for c in system().sample(5, condition=condition)]
    assert again == [c.text for c in found]


def test_unknown_properties_are_named():
    with pytest.raises(ValueError, match="cannot aim at taste"):
        search(Condition({"taste": Window(low=0)}))
