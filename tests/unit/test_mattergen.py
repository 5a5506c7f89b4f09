"""mattergen on a toy: corpus, training, adapters, what a condition guarantees."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny_crystals import MATTERGEN, SCHEDULE, corpus, mattergen

from genbat.core.candidate import Verdict
from genbat.core.condition import Condition, Window
from genbat.domains.crystals.structure import formula_counts, from_text
from genbat.domains.crystals.symmetry import space_group_number
from genbat.systems import crystal_corpus, mattergen_diffusion, mattergen_training
from genbat.systems.mattergen import MatterGen
from genbat.systems.mattergen_diffusion import Plan
from genbat.systems.run import Run

QUICK = Plan(steps=6, correctors=1)


def texts(candidates):
    return [c.text for c in candidates]


# ---------------------------------------------------------------------- corpus
def test_tensors_come_back():
    scale = mattergen_training.make_config(corpus()).scale
    rows = [0, 5, 9]
    x = crystal_corpus.tensors(corpus(), rows, scale)
    for row, cell in zip(rows, crystal_corpus.cells_of(x, scale), strict=True):
        old = corpus().cells[row]
        assert (cell.numbers == old.numbers).all()
        metric, wanted = cell.lattice @ cell.lattice.T, old.lattice @ old.lattice.T
        np.testing.assert_allclose(metric, wanted, rtol=1e-4, atol=1e-3)
        ours, theirs = (np.linalg.solve(c.lattice.T, c.positions.T).T for c in (cell, old))
        away = ours - theirs
        assert np.abs(away - np.round(away)).max() < 1e-5


def test_standard_lattices_have_mean_zero_and_width_one():
    rows = corpus().rows("train")
    scale = mattergen_training.make_config(corpus()).scale
    x = crystal_corpus.tensors(corpus(), rows, scale).lattices
    assert float(x[:, :3].mean()) == pytest.approx(0, abs=1e-3)
    assert float(x[:, :3].std()) == pytest.approx(1, abs=0.05)


def test_an_epoch_shows_every_crystal_once():
    rows = corpus().rows("train")
    epochs = [list(crystal_corpus.batches(corpus(), rows, 10, str(e))) for e in (0, 1, 0)]
    for epoch in epochs:
        assert sorted(k for batch in epoch for k in batch) == rows
    assert epochs[0] == epochs[2] != epochs[1]


# ---------------------------------------------------------------------- training
def test_loss_falls(tmp_path):
    config = mattergen_training.make_config(corpus(), **MATTERGEN)
    torch.manual_seed(0)
    network = mattergen_diffusion.Network(config)
    run = Run(network, config, SCHEDULE, tmp_path)
    rows = corpus().rows("train")

    def look():
        losses = [
            mattergen_training.batch_loss(network, corpus(), config, rows, s)[0] for s in (0, 1)
        ]
        return sum(float(x.detach()) for x in losses)

    first = look()
    for step in range(40):
        run.advance(mattergen_training.batch_loss(network, corpus(), config, rows, step)[0])
    assert look() < 0.8 * first


def test_a_stopped_run_ends_like_an_unstopped_one(tmp_path):
    plan = replace(SCHEDULE, steps=6)
    whole = mattergen_training.train(corpus(), tmp_path / "a", schedule=plan, **MATTERGEN)
    folder = tmp_path / "b"
    for turn in range(3):
        parts = mattergen_training.train(
            corpus(), folder, schedule=plan, resume=turn > 0, minutes=0, **MATTERGEN
        )
    parts = mattergen_training.train(corpus(), folder, schedule=plan, resume=True)
    assert parts.step == whole.step == 6
    for name, value in whole.mean.state_dict().items():
        assert torch.equal(value, parts.mean.state_dict()[name])


def test_the_rate_has_fallen_when_the_minutes_are_over(tmp_path):
    config = mattergen_training.make_config(corpus(), **MATTERGEN)
    run = Run(
        mattergen_diffusion.Network(config), config, replace(SCHEDULE, warm_steps=1), tmp_path
    )
    assert run.rate() == pytest.approx(SCHEDULE.rate)
    run.elapsed = 0.5
    assert run.rate() == pytest.approx(SCHEDULE.rate * (0.01 + 0.99 * 0.5))
    run.elapsed = 1.7
    assert run.rate() == pytest.approx(0.01 * SCHEDULE.rate)


def test_an_untrained_adapter_changes_nothing():
    config = replace(mattergen_training.make_config(corpus(), **MATTERGEN), adapters=("hull_ev",))
    network = mattergen_diffusion.Network(config)
    hints = network.adapters["hull_ev"](mattergen_diffusion.number_waves(torch.tensor([0.3, 1.0])))
    assert hints.shape == (MATTERGEN["layers"], 2, MATTERGEN["width"])
    assert not hints.any()


def test_adapters_leave_the_network_alone(tmp_path):
    run = mattergen_training.train(
        corpus(), tmp_path, schedule=replace(SCHEDULE, steps=3), **MATTERGEN
    )
    before = {k: v.clone() for k, v in run.mean.net.state_dict().items()}
    mattergen_training.train_adapters(
        run, corpus(), tmp_path, schedule=replace(SCHEDULE, steps=3), names=("formation_ev",)
    )
    assert all(torch.equal(v, before[k]) for k, v in run.mean.net.state_dict().items())
    assert any(p.any() for p in run.mean.adapters["formation_ev"].out.parameters())


def test_noise_at_the_ends_of_time():
    scale = mattergen_training.make_config(corpus()).scale
    x = crystal_corpus.tensors(corpus(), list(range(40)), scale)
    generator = torch.Generator().manual_seed(0)
    clean = mattergen_diffusion.add_noise(x, torch.zeros(40), generator)
    assert torch.equal(clean.x.kinds * x.here, x.kinds)
    assert torch.allclose(clean.x.lattices, x.lattices, atol=1e-5)
    noisy = mattergen_diffusion.add_noise(x, torch.ones(40), generator)
    hidden = (noisy.x.kinds == 0) | ~x.here
    assert float(hidden.all(1).float().mean()) == pytest.approx(0.75, abs=0.2)
    assert abs(float(noisy.x.lattices.mean())) < 0.3


# ---------------------------------------------------------------------- sampling
def test_same_seed_same_crystals_and_a_longer_sample_starts_alike():
    system = mattergen()
    few = texts(system.sample(3, seed=5, plan=QUICK))
    assert few == texts(system.sample(5, seed=5, plan=QUICK))[:3]
    assert few != texts(system.sample(3, seed=6, plan=QUICK))


def test_saved_and_loaded_is_the_same_system(tmp_path):
    system = mattergen()
    system.save(tmp_path)
    again = MatterGen.load(tmp_path)
    assert again.config == system.config
    assert texts(again.sample(2, plan=QUICK)) == texts(system.sample(2, plan=QUICK))


@pytest.mark.parametrize(
    ("wishes", "holds"),
    [
        ({"formula": "LiCoO2"}, lambda c: c == {"Li": c["Li"], "Co": c["Li"], "O": 2 * c["Li"]}),
        ({"formula": "Li2O", "atoms": [6, 6]}, lambda c: c == {"Li": 4, "O": 2}),
        ({"allow": ["Na", "Cl"]}, lambda c: set(c) <= {"Na", "Cl"}),
        ({"system": "Li-Mn-O", "atoms": [3, 8]}, lambda c: set(c) == {"Li", "Mn", "O"}),
        ({"require": ["Li", "S"], "atoms": [2, 2]}, lambda c: c == {"Li": 1, "S": 1}),
        ({"forbid": ["O", "F"]}, lambda c: not {"O", "F"} & set(c)),
        ({"atoms": [3, 4]}, lambda c: 3 <= sum(c.values()) <= 4),
    ],
)
def test_what_is_kept_exactly(wishes, holds):
    for candidate in mattergen().sample(6, condition=Condition(wishes=wishes), plan=QUICK):
        assert holds(formula_counts(from_text(candidate.text)))


def test_a_space_group_is_kept_though_the_network_knows_nothing_of_it():
    seen = {int(g) for g in corpus().groups[corpus().rows("train")] if g > 1}
    for group in sorted(seen)[:3]:
        asked = Condition(wishes={"space_group": group})
        made = [from_text(c.text) for c in mattergen().sample(6, condition=asked, plan=QUICK)]
        assert sum(space_group_number(c) == group for c in made) >= 5  # chance may add to it


def test_a_crystal_system_is_kept():
    asked = Condition(wishes={"crystal_system": "cubic", "atoms": [2, 6]})
    made = [from_text(c.text) for c in mattergen().sample(12, condition=asked, plan=QUICK)]
    groups = [space_group_number(c) for c in made]
    assert np.mean([g >= 195 for g in groups]) > 0.9


def test_a_symmetry_without_sites_is_refused():
    seen = {int(g) for g in corpus().groups}
    unseen = next(g for g in range(230, 1, -1) if g not in seen)
    asked = Condition(wishes={"space_group": unseen})
    with pytest.raises(ValueError, match="space_group, atoms, formula: no training crystal"):
        next(iter(mattergen().sample(1, condition=asked, plan=QUICK)))


@pytest.mark.parametrize(
    ("condition", "named"),
    [
        (Condition({"volume_a3": Window(1, 2)}), "volume_a3"),
        (Condition(wishes={"formula": "Li0.5O"}), "whole numbers"),
        (Condition(wishes={"formula": "He2"}), "He"),
        (Condition(wishes={"atoms": [5, 3]}), "atoms"),
        (Condition(wishes={"atoms": 2, "formula": "LiCoO2"}), "LiCoO2"),
        (Condition(wishes={"require": ["Li"], "forbid": ["Li"]}), "Li"),
        (Condition(wishes={"space_group": 300}), "300"),
        (Condition(wishes={"space_group": 225, "crystal_system": "trigonal"}), "symmetry"),
        (Condition(wishes={"colour": "red"}), "colour"),
    ],
)
def test_what_cannot_be_honoured_is_named(condition, named):
    with pytest.raises(ValueError, match=named):
        next(iter(mattergen().sample(1, condition=condition, plan=QUICK)))


def test_an_untrained_wish_is_refused(tmp_path):
    system = mattergen()
    bare = MatterGen(replace(system.config, adapters=()), system.network)
    with pytest.raises(ValueError, match="adapter"):
        next(iter(bare.sample(1, condition=Condition({"hull_ev": Window(high=0.1)}))))


def test_nothing_to_learn_from_is_said(tmp_path):
    run = mattergen_training.train(
        corpus(), tmp_path, schedule=replace(SCHEDULE, steps=2), **MATTERGEN
    )
    blind = replace(corpus(), values=np.full_like(corpus().values, np.nan))
    with pytest.raises(ValueError, match="voltage_v"):
        mattergen_training.train_adapters(
            run, blind, tmp_path, schedule=SCHEDULE, names=("voltage_v",)
        )
    with pytest.raises(ValueError, match="no crystal"):
        mattergen_training.train(corpus().part([]), tmp_path / "b", schedule=SCHEDULE, resume=False)


# ---------------------------------------------------------------------- what is kept
def test_what_is_doubted_least_is_kept(monkeypatch):
    """Of several crystals in a mould the least doubted one, and of the moulds the least doubted."""
    seen = []

    def by_volume(network, x, generator):
        edge = x.lattices[:, :3].sum(1)
        seen.append(edge)
        return edge

    monkeypatch.setattr("genbat.systems.mattergen.doubt", by_volume)
    monkeypatch.setattr("genbat.systems.mattergen.judge", lambda cell: Verdict(True))
    plan = replace(QUICK, tries=3, kept=0.5)
    order = mattergen()._order(Condition(wishes={"atoms": 3}), plan)
    made = mattergen()._block(order, 0, 0)
    assert len(made) == 64
    doubts = torch.cat([part.view(3, -1).min(0).values for part in seen])
    assert len(doubts) == 128
    scale = mattergen().config.scale  # back from the volume: ln V = width * edges + 3 mean + ln n
    volumes = np.array([np.linalg.det(cell.lattice) for cell in made])
    kept = (np.log(volumes / 3) - 3 * scale.mean[0]) / scale.width[0]
    np.testing.assert_allclose(np.sort(kept), np.sort(doubts)[:64], atol=1e-3)


def test_the_same_structure_is_doubted_less_than_its_noise():
    system, random = mattergen(), torch.Generator()
    x = crystal_corpus.tensors(corpus(), corpus().rows("train")[:24], system.config.scale)
    noise = replace(x, fractions=torch.rand(x.fractions.shape) * x.here[..., None])
    own, spoilt = (
        mattergen_diffusion.doubt(system.network, y, random.manual_seed(0)) for y in (x, noise)
    )
    assert own.shape == (24,)
    assert torch.equal(own, mattergen_diffusion.doubt(system.network, x, random.manual_seed(0)))
    assert (own >= 0).all() and float(own.median()) < float(spoilt.median())
