"""unimat on a toy: samples, what a condition guarantees, second tries, frames, evaluation."""

from dataclasses import replace

import numpy as np
import pytest
from tiny_crystals import corpus
from tiny_unimat import known, unimat

from genbat.core.condition import Condition, Window
from genbat.domains.crystals.structure import formula_counts, from_text, structure_of
from genbat.studio import evaluation
from genbat.systems import unimat_table as table
from genbat.systems.unimat import BLOCK, Made, UniMat
from genbat.systems.unimat_network import NULL, STRETCH, Plan

QUICK = Plan(steps=5)


def texts(candidates):
    return [c.text for c in candidates]


def test_same_seed_same_crystals_and_a_longer_sample_starts_alike():
    few = texts(unimat().sample(3, seed=5, plan=QUICK))
    assert few == texts(unimat().sample(BLOCK + 2, seed=5, plan=QUICK))[:3]
    assert few != texts(unimat().sample(3, seed=6, plan=QUICK))


def test_saved_and_loaded_is_the_same_system(tmp_path):
    unimat().save(tmp_path)
    again = UniMat.load(tmp_path)
    assert again.config == unimat().config
    assert texts(again.sample(2, plan=QUICK)) == texts(unimat().sample(2, plan=QUICK))


@pytest.mark.parametrize(
    ("wishes", "holds"),
    [
        ({"formula": "LiCoO2"}, lambda c: c == {"Li": c["Li"], "Co": c["Li"], "O": 2 * c["Li"]}),
        ({"formula": "Li2O", "atoms": [3, 3]}, lambda c: c == {"Li": 2, "O": 1}),
        ({"allow": ["Na", "Cl"]}, lambda c: set(c) <= {"Na", "Cl"}),
        ({"system": "Li-Mn-O"}, lambda c: set(c) == {"Li", "Mn", "O"}),
        ({"forbid": ["O", "F"], "require": ["S"]}, lambda c: "S" in c and not {"O", "F"} & set(c)),
    ],
)
def test_what_is_kept_exactly(wishes, holds):
    for candidate in unimat().sample(6, condition=Condition(wishes=wishes), plan=QUICK):
        assert holds(formula_counts(from_text(candidate.text)))


@pytest.mark.parametrize(
    ("condition", "named"),
    [
        (Condition({"hull_ev": Window(high=0.1)}), "hull_ev"),
        (Condition(wishes={"space_group": 225}), "space_group"),
        (Condition(wishes={"crystal_system": "cubic"}), "crystal_system"),
        (Condition(wishes={"atoms": [3, 4]}), "atoms without a formula"),
        (Condition(wishes={"formula": "LiO11"}), "formula: has over 10"),
        (Condition(wishes={"formula": "He2"}), "He"),
        (Condition(wishes={"colour": "red"}), "colour"),
    ],
)
def test_what_cannot_be_honoured_is_named(condition, named):
    with pytest.raises(ValueError, match=named):
        next(iter(unimat().sample(1, condition=condition, plan=QUICK)))


# ---------------------------------------------------------------------- made anew
def with_kinds(*kinds):
    """The toy with other frequencies of numbers of elements."""
    return UniMat(replace(unimat().config, kinds=kinds), unimat().network)


def test_the_number_of_elements_is_as_often_as_in_training():
    corpus_has = [len(formula_counts(cell)) for cell in known().part(known().training_rows()).cells]
    assert unimat().config.kinds == tuple(np.bincount(corpus_has))
    wishes = unimat()._wishes(Condition())
    drawn = [with_kinds(0, 1, 0, 3)._kinds(wishes, 0, k) for k in range(400)]
    assert set(drawn) == {1, 3} and 0.68 < np.mean(np.array(drawn) == 3) < 0.82
    required = unimat()._wishes(Condition(wishes={"require": ["Li", "O"]}))
    assert {with_kinds(0, 5, 1, 1)._kinds(required, 0, k) for k in range(40)} == {2, 3}
    formula = unimat()._wishes(Condition(wishes={"formula": "Li2O"}))
    assert with_kinds(0, 1)._kinds(formula, 0, 0) == 0


def test_what_counts_as_legal():
    cell = next(c for c in corpus().cells if len(formula_counts(c)) == 3)
    assert Made(cell, 0, 3).legal and Made(cell, 0, 0).legal and not Made(cell, 0, 2).legal
    assert not Made(replace(cell, positions=0 * cell.positions), 0, 3).legal


OXIDE = Condition(wishes={"formula": "Li2O"})


def test_what_is_not_legal_is_made_anew_and_the_rest_is_left():
    once, more = (
        list(unimat().sample(BLOCK, condition=OXIDE, plan=replace(QUICK, tries=tries)))
        for tries in (1, 4)
    )
    for a, b in zip(once, more, strict=True):
        assert a.text == b.text if a.verdict.ok else (b.verdict.ok or a.text == b.text)
    assert sum(c.verdict.ok for c in more) > sum(c.verdict.ok for c in once)


def test_frames_of_a_crystal_that_was_made_anew():
    plan = replace(QUICK, tries=4)
    made = unimat()._block(unimat()._wishes(OXIDE), 0, 0, plan)
    row = next(k for k, one in enumerate(made) if one.turn)
    last = unimat().frames(3, index=row, condition=OXIDE, plan=plan)[-1].cell
    np.testing.assert_allclose(last.positions, made[row].cell.positions, atol=1e-6)
    assert last.numbers.tolist() == made[row].cell.numbers.tolist()


def test_nothing_is_no_sample():
    with pytest.raises(ValueError, match="n: got 0"):
        next(iter(unimat().sample(0)))


# ---------------------------------------------------------------------- frames
def test_frames_end_with_the_sampled_crystal():
    asked = Condition(wishes={"formula": "LiCoO2"})
    made = list(unimat().sample(3, seed=2, condition=asked, plan=QUICK))
    found = unimat().frames(4, index=2, seed=2, condition=asked, plan=QUICK)
    assert [f.time for f in found] == sorted((f.time for f in found), reverse=True)
    assert len(found) == 4 and found[0].time == 1.0 and found[-1].time == 0.0
    last = found[-1].cell
    wanted = from_text(made[2].text)
    assert sorted(last.numbers) == sorted(wanted.numbers)
    np.testing.assert_allclose(
        np.linalg.det(last.lattice), np.linalg.det(wanted.lattice), rtol=1e-3
    )
    atoms = {n: float(a) for n, a in zip(table.NUMBERS, found[0].atoms, strict=True)}
    assert atoms[3] == atoms[27] == pytest.approx(atoms[8] / 2)  # known from the start
    assert sum(atoms.values()) == pytest.approx(len(wanted.numbers))
    assert (found[-1].tensor > NULL).all(-1).sum() == len(wanted.numbers)
    assert found[0].tensor.shape == (table.PLACES, table.SLOTS, 3)
    assert abs(found[0].tensor.std() - 1 / STRETCH) < 0.05


@pytest.mark.parametrize(
    ("options", "named"), [({"count": 1}, "count: got 1"), ({"index": -1}, "index: got -1")]
)
def test_frames_that_cannot_be(options, named):
    with pytest.raises(ValueError, match=named):
        unimat().frames(**{"count": 3, "plan": QUICK, **options})


# ---------------------------------------------------------------------- evaluation
def test_samples_are_measured_with_their_bars(tmp_path, monkeypatch):
    monkeypatch.setenv("GENBAT_HOME", str(tmp_path))
    found = evaluation.evaluate(
        "unimat", 4, 0, parts=["samples"], system=unimat(), examples=corpus()
    )["metrics"]
    cells = [from_text(c.text) for c in unimat().sample(4, seed=0)]
    shortest = [min(structure_of(c).get_neighbor_list(0.5)[3], default=9.0) >= 0.5 for c in cells]
    assert found["structural_validity"]["value"] == np.mean(shortest)
    assert found["structural_validity"]["bar"] == 0.95
    assert found["smact_validity"]["bar"] == 0.80
    assert evaluation.parts_of("unimat") == (
        "samples",
        "coverage",
        "distribution",
        "stability",
        "phonons",
    )
