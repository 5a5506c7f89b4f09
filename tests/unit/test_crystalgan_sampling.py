"""crystalgan on a toy: samples, the two binaries, POSCAR, and what the studio does with it."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from fake_judge import judged
from pymatgen.core import Composition, Element
from tiny_crystalgan import corpus, system

from genbat.core.condition import Condition, Window
from genbat.domains.crystals.export import poscar_text
from genbat.domains.crystals.reading_poscar import read_poscar
from genbat.domains.crystals.structure import (
    formula_counts,
    from_text,
    structure_of,
    to_text,
)
from genbat.studio import evaluation, joining, metrics_crystalgan, path, registry, training
from genbat.studio.judging import Ruling
from genbat.studio.metrics_crystalgan import FIRST, NAIVE
from genbat.systems import crystalgan_training
from genbat.systems.crystalgan import STAGES, CrystalGAN
from genbat.systems.crystalgan_pairs import ANIONS_OF, pairs_of

__all__ = ["judged"]


def texts(candidates):
    return [c.text for c in candidates]


# ---------------------------------------------------------------------- sampling
def two_metals():
    """Two metals whose binaries with one anion are known, and the anion."""
    anion = next(a for a in ANIONS_OF.values() if len(system().metals(a)) > 1)
    return (*system().metals(anion)[:2], anion)


def test_same_seed_same_crystals_and_a_longer_sample_starts_alike():
    few = texts(system().sample(3, seed=5))
    assert few == texts(system().sample(35, seed=5))[:3]
    assert few != texts(system().sample(3, seed=6))


def test_saved_and_loaded_is_the_same_system(tmp_path):
    system().save(tmp_path)
    again = CrystalGAN.load(tmp_path)
    assert again.config == system().config
    assert texts(again.sample(2)) == texts(system().sample(2))


def test_without_a_wish_any_two_metals_and_one_anion():
    for candidate in system().sample(8):
        counts = formula_counts(from_text(candidate.text))
        assert len(counts) == 3 and len({"H", "O"} & set(counts)) == 1
        assert len(candidate.provenance.arguments["binaries"]) == 2


@pytest.mark.parametrize("stage", STAGES)
def test_the_binaries_asked_for(stage):
    one, two, anion = two_metals()
    for wishes in ({"binaries": f"{one}-{anion}, {two}-{anion}"}, {"system": [one, two, anion]}):
        made = system().sample(3, condition=Condition(wishes=wishes), stage=stage)
        for candidate in made:
            assert set(formula_counts(from_text(candidate.text))) == {one, two, anion}


def test_a_candidate_is_valid_only_where_it_keeps_the_constraint():
    for candidate in system().sample(20, stage="union"):
        if candidate.verdict.ok:
            assert system().keeps(from_text(candidate.text))
    known = next(c for c in crystalgan_training.binaries(corpus()) if system().keeps(c))
    near = replace(known, positions=known.positions * 0.5, lattice=known.lattice * 0.5)
    assert not system().keeps(near)


def joinable_two():
    """A known binary of each of `two_metals`."""
    one, two, anion = two_metals()
    number = next(z for z, name in ANIONS_OF.items() if name == anion)
    rows = [system().known[number][z][0] for z in (Element(one).Z, Element(two).Z)]
    return [system().network.stock.cell(row) for row in rows]


def test_poscar_in_poscar_out():
    cells = joinable_two()
    found = system().join_poscars(*map(poscar_text, cells), 2, seed=3)
    wanted = sum((structure_of(cell).composition for cell in cells), start=Composition())
    for text in found:
        assert read_poscar(text).composition.reduced_formula == wanted.reduced_formula
    assert found == system().join_poscars(*map(poscar_text, cells), 2, seed=3)


def test_what_was_joined_is_made_again(monkeypatch):
    one, two = (to_text(cell) for cell in joinable_two())
    found = system().join_texts(one, two, 3, seed=3)[2]
    assert found.provenance.action == "join" and found.provenance.parents == (one, two)
    monkeypatch.setattr(path, "load", lambda name: system())
    monkeypatch.setattr(path, "atlas", lambda name: SimpleNamespace(describe=lambda c: c))
    assert path.again("crystals", found.provenance) == found
    assert found.text == system().join(from_text(one), from_text(two), 3, seed=3)[2].text


def test_elements_that_must_and_must_not_be_there():
    one, two, anion = two_metals()
    wishes = {"require": [one, anion], "forbid": [two]}
    for candidate in system().sample(6, condition=Condition(wishes=wishes)):
        own = set(formula_counts(from_text(candidate.text)))
        assert {one, anion} <= own and two not in own
    with pytest.raises(ValueError, match="no two known binaries"):
        next(iter(system().sample(1, condition=Condition(wishes={"require": ["Cl"]}))))
    asked = {"require": [one], "space_group": 2, "formula": f"{one}{two}{anion}2"}
    assert system().honoured(asked) == {"require": [one], "system": sorted([one, two, anion])}


def test_naive_mixing_leaves_atoms_where_they_are():
    """In a union both binaries' atoms stand as in their own cells, the second ones shifted."""
    stock, scale = system().network.stock, system().config.scale
    rows = [torch.tensor([0]), torch.tensor([len(stock) - 1])]
    ends = [stock.crystals(row, scale) for row in rows]
    found = pairs_of(*ends, [torch.Generator().manual_seed(0)], 0.0)
    away = found.union.fractions - found.homes
    away = away - away.round()
    here = found.union.here[0]
    for part in (here & ~found.second[0], here & found.second[0]):
        own = away[0][part]
        turned = (own - own[:1]) - (own - own[:1]).round()
        assert turned.abs().max() < 1e-5
    assert away[0][here & ~found.second[0]].abs().max() < 1e-5


def test_binaries_that_cannot_be_joined():
    cells = crystalgan_training.binaries(corpus())
    with pytest.raises(ValueError, match="both of one metal"):
        system().join(cells[0], cells[0], 1)
    ternary = corpus().cells[-1]
    with pytest.raises(ValueError, match="second binary: legal are"):
        system().join(cells[0], ternary, 1)


@pytest.mark.parametrize(
    ("condition", "named"),
    [
        (Condition({"hull_ev": Window(high=0.1)}), "hull_ev"),
        (Condition(wishes={"space_group": 225}), "space_group"),
        (Condition(wishes={"binaries": "Li-O, Co-H"}), "binaries: got 'Li-O, Co-H'"),
        (Condition(wishes={"binaries": "Li-O, Li-O"}), "binaries: got"),
        (Condition(wishes={"binaries": "Xx-O, Li-O"}), "'Xx' is no element"),
        (Condition(wishes={"binaries": "He-O, Li-O"}), "no known He-O"),
        (Condition(wishes={"system": "Li-O"}), "system: got 'Li-O'"),
        (Condition(wishes={"system": "Li-Co-O", "binaries": "Na-O, Co-O"}), "system: is not"),
    ],
)
def test_what_cannot_be_honoured_is_named(condition, named):
    with pytest.raises(ValueError, match=named):
        next(iter(system().sample(1, condition=condition)))


@pytest.mark.parametrize(
    ("n", "stage", "named"), [(0, "ternary", "n: got 0"), (1, "third", "stage: got 'third'")]
)
def test_what_is_no_sample(n, stage, named):
    with pytest.raises(ValueError, match=named):
        next(iter(system().sample(n, stage=stage)))


# ---------------------------------------------------------------------- studio
@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GENBAT_HOME", str(tmp_path))
    return tmp_path


def run(*parts, n=6):
    own = system()
    own.card = registry.card("crystalgan")
    whole = evaluation.evaluate("crystalgan", n, 0, parts=parts, system=own, examples=corpus())
    json.dumps(whole, allow_nan=False)
    return whole["metrics"]


def test_constraint(home):
    found = run("constraint", n=20)
    made = [from_text(c.text) for c in system().sample(20, seed=0)]
    entry = found["constraint_kept"]
    assert entry["value"] == np.mean([system().keeps(cell) for cell in made])
    assert entry["bar"] == 0.6
    assert set(entry["baselines"]) == {FIRST, NAIVE}
    assert 0 <= entry["real"] <= 1
    fresh = found["constraint_kept_unseen"]
    assert set(fresh["baselines"]) == {FIRST, NAIVE} and 0 <= fresh["value"] <= 1
    for key, name, bar in (("gain_over_naive", NAIVE, 5), ("gain_over_first_step", FIRST, 3)):
        wanted = entry["value"] / max(entry["baselines"][name], 0.5 / 20)
        assert found[key]["value"] == pytest.approx(wanted)
        assert found[key]["bar"] == bar


def test_relaxation(home, judged):
    found = run("relaxation", n=4)
    assert found["relaxed_same"]["bar"] == 0.30
    assert set(found["relaxed_same"]["baselines"]) == {FIRST, NAIVE}
    assert 0 <= found["relaxed_same"]["value"] <= 1


def test_same_structure_after_relaxation():
    cells = crystalgan_training.binaries(corpus())[:2]
    spoilt = replace(cells[1], positions=cells[1].positions + np.array([[1.1, 0, 0]])
                     * (np.arange(len(cells[1].numbers)) == 0)[:, None])  # fmt: skip
    found = metrics_crystalgan.same_share(
        [cells[0], spoilt, cells[0], None],
        [Ruling("", cells[0]), Ruling("", cells[1]), Ruling("not relaxed"), Ruling("lost")],
    )
    assert found == 0.25


def test_training_on_own_data(home, tmp_path):
    path = tmp_path / "mine.cif"
    path.write_text("".join(to_text(cell) + "\n" for cell in corpus().cells))
    folder = training.train("crystalgan", "tiny", path)
    again = CrystalGAN.load(folder)
    assert again.config.steps_trained == 6
    assert "mine.cif" in (folder / "card.md").read_text()
    more = training.train("crystalgan", "tiny", path, start=folder.parent)
    assert CrystalGAN.load(more).config.steps_trained == 6


def test_what_relaxation_makes_of_ternaries_is_told_as_measured(monkeypatch):
    entry = {"relaxed_same": {"value": 0.25}, "displacement_a": {"value": 0.4}}
    card = replace(registry.card("crystalgan"), metrics=entry)
    monkeypatch.setattr(joining.registry, "card", lambda name: card)
    assert joining.stays() == (0.25, 0.4)
    monkeypatch.setattr(joining.registry, "card", lambda name: replace(card, metrics={}))
    assert joining.stays() is None
