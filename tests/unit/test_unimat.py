"""unimat on a toy: the periodic table's tensor, noise, training, what a condition guarantees."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from pymatgen.core import Element
from tiny_crystals import SCHEDULE, corpus
from tiny_unimat import SIZES, known, unimat

from genbat.core.condition import Condition, Window
from genbat.domains.crystals.structure import formula_counts, from_text, structure_of
from genbat.domains.crystals.symmetry import fractional
from genbat.families.gaussian import drift, expected, stepped
from genbat.studio import evaluation
from genbat.systems import unimat_table as table
from genbat.systems import unimat_training
from genbat.systems.run import Run
from genbat.systems.unimat import BLOCK, Made, UniMat
from genbat.systems.unimat_network import (
    NULL,
    STRETCH,
    Guess,
    Network,
    Plan,
    chances,
    denoise,
    losses,
    stretched,
)

QUICK = Plan(steps=5)


def texts(candidates):
    return [c.text for c in candidates]


# ---------------------------------------------------------------------- the tensor
@pytest.mark.parametrize("symbol", ["H", "Li", "Fe", "Br", "Bi", "Zr", "F"])
def test_elements_stand_where_they_do_in_the_table(symbol):
    element = Element(symbol)
    mark = torch.zeros(1, table.PLACES)
    mark[0, table.PLACE_OF[element.Z]] = 1.0
    (place,) = torch.nonzero(table.on_grid(mark)[0]).tolist()
    assert place == [element.row - 1, element.group - 1]


def test_lanthanides_have_the_last_row():
    mark = torch.zeros(1, table.PLACES)
    mark[0, [table.PLACE_OF[z] for z in range(57, 72)]] = 1.0
    assert table.on_grid(mark)[0, -1].tolist() == [0.0] * 2 + [1.0] * 15 + [0.0]
    assert int(table.on_grid(mark).sum()) == 15


def test_off_grid_is_the_way_back():
    values = torch.randn(2, table.PLACES, 5)
    assert torch.equal(table.off_grid(table.on_grid(values)), values)


def test_tables_come_back():
    cells = known().cells[:20]
    found = table.tables_of(cells)
    for cell, counts, points in zip(cells, found.counts, found.points, strict=True):
        assert counts.sum() == len(cell.numbers)
        numbers, fractions = table.numbers_and_fractions(points)
        order = np.argsort(cell.numbers, kind="stable")
        assert (numbers == cell.numbers[order]).all()
        away = fractions - fractional(cell)[order]
        assert np.abs(away - np.round(away)).max() < 1e-5
        absent = points[~table.present(points)]
        assert (absent == NULL).all() and len(absent) == points[..., 0].numel() - len(cell.numbers)


def test_the_atoms_of_an_element_keep_to_its_place():
    """Another order of the elements among the atoms changes nothing."""
    cell = known().cells[3]
    order = np.argsort(-cell.numbers, kind="stable")
    other = replace(cell, numbers=cell.numbers[order], positions=cell.positions[order])
    one, two = table.tables_of([cell]), table.tables_of([other])
    assert torch.equal(one.points, two.points)


def test_a_crystal_that_does_not_fit_is_named():
    cell = known().cells[0]
    strange = replace(cell, numbers=np.full_like(cell.numbers, 92))
    assert not table.fits(strange)
    with pytest.raises(ValueError, match=r"cells\[1\]"):
        table.tables_of([cell, strange])
    with pytest.raises(ValueError, match="no crystal"):
        unimat_training.laid_out(replace(corpus().part([0]), cells=[strange]))


# ---------------------------------------------------------------------- noise
def test_expected_value_of_a_normal_number():
    """Against the average of many draws that were seen alike."""
    middle, width, time = 2.0, 0.5, torch.tensor([0.4])
    draws = middle + width * torch.randn(400_000, generator=torch.Generator().manual_seed(0))
    keep, blur = math.cos(0.4 * math.pi / 2), math.sin(0.4 * math.pi / 2)
    noisy = keep * draws + blur * torch.randn(400_000, generator=torch.Generator().manual_seed(1))
    like = draws[(noisy - 1.3).abs() < 0.03]
    mean, open_ = expected(torch.tensor([[1.3]]), time, middle, width)
    assert float(mean) == pytest.approx(float(like.mean()), abs=0.02)
    assert float(open_) == pytest.approx(float(like.std()), abs=0.02)


@pytest.mark.parametrize("eta", [0.0, 0.4, 1.0])
def test_a_step_keeps_the_noise_that_belongs_to_its_time(eta):
    generator, clean = torch.Generator().manual_seed(0), torch.full((200_000,), 1.7)
    now, later = torch.tensor(0.6), torch.tensor(0.35)
    draw = lambda: torch.randn(clean.shape, generator=generator)  # noqa: E731
    keep, blur = drift(now)
    x = stepped(keep * clean + blur * draw(), clean, now, later, draw(), eta)
    keep2, blur2 = drift(later)
    assert float(x.mean()) == pytest.approx(1.7 * float(keep2), abs=0.01)
    assert float(x.std()) == pytest.approx(float(blur2), abs=0.01)


def test_chance_of_a_slot_is_that_of_more_atoms_than_slots_before():
    logits = torch.randn(2, table.PLACES, table.SLOTS + 1)
    share = logits.softmax(-1)
    found = chances(logits)
    for slot in (0, 3, table.SLOTS - 1):
        assert torch.allclose(found[..., slot], share[..., slot + 1 :].sum(-1), atol=1e-6)


class Knowing(torch.nn.Module):
    """A network that knows what the tables were."""

    def __init__(self, tables, lattices):
        super().__init__()
        self.tables, self.lattices = tables, lattices

    def forward(self, noisy):
        counts = torch.nn.functional.one_hot(self.tables.counts, table.SLOTS + 1) * 50.0
        return Guess(counts, stretched(self.tables.points), self.lattices)


@pytest.mark.parametrize("plan", [Plan(steps=4), Plan(steps=4, eta=1.0)])
def test_who_knows_the_crystals_denoises_to_them(plan):
    tables = table.tables_of(known().cells[:3])
    generators = [torch.Generator().manual_seed(k) for k in range(3)]
    every = torch.ones(3, table.PLACES, table.SLOTS + 1, dtype=torch.bool)
    states = list(denoise(Knowing(tables, torch.ones(3, 6)), generators, plan, every))
    assert [round(float(s.noisy.time[0]), 2) for s in states] == [1.0, 0.75, 0.5, 0.25, 0.0]
    assert torch.allclose(states[-1].told(), tables.points, atol=1e-5)
    error = [float((s.noisy.points - stretched(tables.points)).square().mean()) for s in states]
    assert error == sorted(error, reverse=True)


def test_loss_of_one_who_knows_is_nothing():
    tables = table.tables_of(known().cells[:3])
    found = losses(
        Knowing(tables, torch.ones(3, 6)), tables, torch.ones(3, 6), torch.tensor([0.1, 0.5, 0.9]),
        torch.Generator(),
    )  # fmt: skip
    assert max(float(part) for part in found.values()) < 1e-6


def test_an_untrained_network_says_the_linear_guess_of_the_lattice():
    """Its steps are then small: an error of about what the noise leaves open."""
    network = Network(unimat_training.make_config(known(), **SIZES))
    tables = table.tables_of(known().cells[:40])
    time = torch.linspace(0.05, 0.95, 40)
    lattices = torch.randn(40, 6, generator=torch.Generator().manual_seed(1))
    found = losses(network, tables, lattices, time, torch.Generator().manual_seed(0))
    assert float(found["lattices"].detach()) == pytest.approx(1.0, abs=0.4)


# ---------------------------------------------------------------------- training
def test_loss_falls(tmp_path):
    config = unimat_training.make_config(known(), **SIZES)
    torch.manual_seed(0)
    network = Network(config)
    run = Run(network, config, SCHEDULE, tmp_path)
    rows = known().rows("train")

    def look():
        return sum(
            float(unimat_training.batch_loss(network, known(), config, rows, s)[0].detach())
            for s in (0, 1)
        )

    first = look()
    for step in range(40):
        run.advance(unimat_training.batch_loss(network, known(), config, rows, step)[0])
    assert look() < 0.8 * first


def test_a_stopped_run_ends_like_an_unstopped_one(tmp_path):
    plan = replace(SCHEDULE, steps=4)
    whole = unimat_training.train(corpus(), tmp_path / "a", schedule=plan, **SIZES)
    folder = tmp_path / "b"
    for turn in range(2):
        unimat_training.train(corpus(), folder, schedule=plan, resume=turn > 0, minutes=0, **SIZES)
    parts = unimat_training.train(corpus(), folder, schedule=plan, resume=True)
    assert parts.step == whole.step == 4
    for name, value in whole.mean.state_dict().items():
        assert torch.equal(value, parts.mean.state_dict()[name])


def test_base_weights_are_small_enough():
    config = unimat_training.make_config(known())
    assert sum(p.numel() for p in Network(config).parameters()) * 4 < 5e6


# ---------------------------------------------------------------------- sampling
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
