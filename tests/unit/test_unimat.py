"""unimat on a toy: the periodic table's tensor, noise, training."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from pymatgen.core import Element
from tiny_crystals import SCHEDULE, corpus
from tiny_unimat import SIZES, known

from genbat.domains.crystals.symmetry import fractional
from genbat.families.gaussian import drift, expected, stepped
from genbat.systems import unimat_table as table
from genbat.systems import unimat_training
from genbat.systems.run import Run
from genbat.systems.unimat_network import (
    NULL,
    Guess,
    Network,
    Plan,
    chances,
    denoise,
    losses,
    stretched,
)


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
