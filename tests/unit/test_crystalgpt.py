"""crystalgpt on a toy: prompts, training, what a condition guarantees, the command's ends."""

import json
import random
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import torch
from test_crystals_wyckoff import O3, ROCK_SALT
from tiny_crystals import corpus

from genbat.core.candidate import Verdict
from genbat.core.condition import Condition, Window
from genbat.domains.crystals.structure import formula_counts, from_text, reduced_formula, to_text
from genbat.domains.crystals.symmetric_grammar import Limits, read
from genbat.domains.crystals.symmetric_text import END, NUMBER, VOCABULARY, words_from
from genbat.domains.crystals.symmetry import space_group_number
from genbat.families.transformer import Style
from genbat.studio import evaluation, metrics_asked, metrics_crystal_texts, registry, training
from genbat.studio.metrics_crystals import ALONE, Subject
from genbat.systems import again, by_symmetry, crystalgpt, crystalgpt_training
from genbat.systems.crystalgpt import CrystalGPT, Guard, Plan
from genbat.systems.crystalgpt_training import Texts, batches_of, rows_of, told
from genbat.systems.run import Schedule

torch.set_num_threads(1)
SIZES = {"width": 48, "layers": 2, "heads": 2, "longest": 160}
RULES = Schedule(steps=4, batch=8, rate=1e-3, warm_steps=1)
ONCE = Plan(style=Style(temperature=0.7), tries=1)


@pytest.fixture(scope="module")
def crystals():
    return by_symmetry.symmetric(corpus(), corpus().training_rows())


@pytest.fixture(scope="module")
def system(crystals, tmp_path_factory):
    schedule = Schedule(steps=160, batch=16, rate=4e-3, warm_steps=5)
    folder = tmp_path_factory.mktemp("gpt")
    run = crystalgpt_training.train_on(crystals, folder, schedule=schedule, **SIZES)
    CrystalGPT(run.config, run.mean).save(folder / "finished")
    return CrystalGPT.load(folder / "finished")


def texts_of(candidates):
    return [c.text for c in candidates]


# ---------------------------------------------------------------------- training
def test_a_line_is_prompt_text_end():
    own = Texts.of([ROCK_SALT, O3], 100)
    assert own.groups == (166, 225)
    assert own.elements == ("Li", "Co", "O", "F")
    tokens, counted = rows_of(own, [1, 0], 5)
    for row, mine, crystal in zip(tokens, counted, (O3, ROCK_SALT), strict=True):
        words = [VOCABULARY[k] for k in row.tolist()]
        begin = words.index("is") + 1
        assert words[0] == "for"
        assert read(words[begin : words.index(END)]) == crystal
        wanted = [begin <= k <= words.index(END) for k in range(len(words))]
        assert mine.tolist() == wanted


def test_prompts_tell_what_is_true_and_often_nothing():
    rng, counts = random.Random(0), {"Li": 2, "O": 4}
    seen = [" ".join(told(counts, rng)) for _ in range(2000)]
    shares = {text: seen.count(text) / len(seen) for text in set(seen)}
    assert set(shares) == {
        f"for {what}atoms {n} is"
        for what in ("", "Li x1 O x2 ", "Li some O some ")
        for n in ("any", "x6")
    }
    assert shares["for Li x1 O x2 atoms any is"] == pytest.approx(0.4 * 0.75, abs=0.05)
    assert shares["for atoms x6 is"] == pytest.approx(0.45 * 0.25, abs=0.04)


def test_batches_are_of_like_length_and_show_all_alike():
    lengths = np.arange(100)
    rules = Schedule(steps=400, batch=5)
    made = list(batches_of(lengths, rules, 0))
    assert np.mean([np.ptp(lengths[rows]) for rows in made]) < 25
    often = np.bincount(np.concatenate(made), minlength=100)
    assert often.min() > 4 and often.max() < 45  # 20 each on average
    assert list(islice(batches_of(lengths, rules, 7), 2)) == made[7:9]


def test_loss_falls(crystals, system, tmp_path):
    own = Texts.of(crystals, SIZES["longest"])
    begun = crystalgpt_training.train_on(
        crystals, tmp_path, schedule=replace(RULES, steps=1), **SIZES
    )
    rows = list(range(16))
    with torch.no_grad():
        first, last = (float(net.eval().loss(*rows_of(own, rows, 0)))
                       for net in (begun.network, system.network))  # fmt: skip
    assert first > 6 and last < 0.4 * first


def test_a_stopped_run_ends_like_an_unstopped_one(crystals, tmp_path):
    whole = crystalgpt_training.train_on(crystals, tmp_path / "a", schedule=RULES, **SIZES)
    for turn in range(4):
        parts = crystalgpt_training.train_on(
            crystals, tmp_path / "b", schedule=RULES, resume=turn > 0, minutes=0, **SIZES
        )
    assert parts.step == whole.step == 4
    for name, value in whole.mean.state_dict().items():
        assert torch.equal(value, parts.mean.state_dict()[name]), name


def test_nothing_to_learn_from_is_said(tmp_path):
    with pytest.raises(ValueError, match="crystals: none"):
        crystalgpt_training.train_on([], tmp_path, schedule=RULES)
    big = replace(ROCK_SALT, cell=(150.0,))
    assert not Texts.of([big], 100).bodies
    assert not Texts.of([ROCK_SALT], 12).bodies


# ---------------------------------------------------------------------- sampling
def test_same_seed_same_crystals_and_a_longer_sample_starts_alike(system):
    few = texts_of(system.sample(3, seed=5))
    assert few == texts_of(system.sample(70, seed=5))[:3]
    assert few != texts_of(system.sample(3, seed=6))


def test_saved_and_loaded_is_the_same_system(system, tmp_path):
    system.save(tmp_path)
    again = CrystalGPT.load(tmp_path)
    assert again.config == system.config
    assert texts_of(again.sample(4)) == texts_of(system.sample(4))


def test_every_text_under_the_grammar_parses(system):
    rows = system.write(system.limits(Condition()), 0, 0, ONCE)
    assert len(rows) == crystalgpt.BLOCK
    for words in rows:
        assert read(words).group in system.config.groups


@pytest.mark.parametrize(
    ("wishes", "holds"),
    [
        ({"formula": "LiCoO2"}, lambda c: c == {"Li": c["Li"], "Co": c["Li"], "O": 2 * c["Li"]}),
        ({"formula": "Li2O", "atoms": [6, 6]}, lambda c: c == {"Li": 4, "O": 2}),
        ({"system": "Li-Mn-O", "atoms": [3, 8]}, lambda c: set(c) == {"Li", "Mn", "O"}),
        ({"forbid": ["O", "F"]}, lambda c: not {"O", "F"} & set(c)),
        ({"require": ["Li", "O"]}, lambda c: {"Li", "O"} <= set(c)),
        ({"atoms": [3, 4]}, lambda c: 3 <= sum(c.values()) <= 4),
    ],
)
def test_what_is_kept_exactly(system, wishes, holds):
    limits = system.limits(Condition(wishes=wishes))
    for words in system.write(limits, 1, 0, ONCE)[:24]:
        assert holds(read(words).counts())


def test_a_space_group_is_written(system):
    for group in system.config.groups[-2:]:
        asked = Condition(wishes={"space_group": group})
        rows = system.write(system.limits(asked), 0, 0, ONCE)
        assert {read(words).group for words in rows} == {group}
        good = [c for c in system.sample(16, condition=asked) if c.verdict.ok]
        assert all(space_group_number(from_text(c.text)) == group for c in good)


def test_what_cannot_be_used_is_written_anew(system):
    once = list(system.sample(64, plan=ONCE))
    more = list(system.sample(64, plan=replace(ONCE, tries=4)))
    kept = [a.text == b.text for a, b in zip(once, more, strict=True) if a.verdict.ok]
    assert kept and all(kept)
    assert sum(c.verdict.ok for c in more) >= sum(c.verdict.ok for c in once)


def test_without_grammar_a_text_may_be_none(system):
    wild = replace(system.bare_plan, style=Style(temperature=5.0))
    made = list(system.sample(8, plan=wild))
    assert not any(c.verdict.ok for c in made)
    assert all(c.verdict.reasons[0].startswith("is no crystal") for c in made)


def test_the_guard_lets_only_the_grammar_through():
    guard = Guard(Limits(groups=(166, 225)), 2)
    prompt = torch.zeros(3, 2, dtype=torch.long)
    words = [VOCABULARY[k] for k in guard(prompt)[0].nonzero()[:, 0].tolist()]
    assert words == ["sg166", "sg225"]
    said = torch.tensor([[NUMBER["sg225"]], [NUMBER["sg166"]], [NUMBER["sg225"]]])
    mask = guard(torch.cat([prompt, said], 1))
    assert torch.equal(mask[0], mask[2])
    assert not mask[0, NUMBER["x1"]] and mask[0, NUMBER["Li"]] and not mask[0, NUMBER[END]]


@pytest.mark.parametrize(
    ("condition", "named"),
    [
        (Condition({"formation_ev": Window(high=0)}), "formation_ev"),
        (Condition(wishes={"formula": "Li0.5O"}), "whole numbers"),
        (Condition(wishes={"space_group": 300}), "300"),
        (Condition(wishes={"space_group": 230}), "space_group"),
        (Condition(wishes={"system": "Li-Pm"}), "Pm"),
        (Condition(wishes={"colour": "red"}), "colour"),
    ],
)
def test_what_cannot_be_honoured_is_named(system, condition, named):
    with pytest.raises(ValueError, match=named):
        next(iter(system.sample(1, condition=condition)))


def test_a_formula_without_room_is_refused(system):
    bare = CrystalGPT(replace(system.config, groups=(225,)), system.network)
    asked = Condition(wishes={"space_group": 225, "formula": "Li3CoO", "atoms": [5, 5]})
    with pytest.raises(ValueError, match="has sites for these atoms"):
        next(iter(bare.sample(1, condition=asked)))


def test_at_least_one(system):
    with pytest.raises(ValueError, match="n: got 0"):
        next(iter(system.sample(0)))


def test_each_row_is_the_first_legal_one():
    rows = [[1, 2, 3, 5], [7, 4, 9, 6], [8, 8, 11, 2]]
    looked = []

    def make(turn, wanted):
        return [rows[turn][k] for k in wanted]

    def finish(number):
        looked.append(number)
        return by_symmetry.Tried(str(number), Verdict(number % 2 == 0))

    found = again.until_legal(make, finish, lambda one: one.verdict.ok, 3, 4)
    assert [one.text for one in found] == ["8", "2", "3", "6"]
    assert looked == [1, 2, 3, 5, 7, 9, 6, 8, 11]
    once = again.until_legal(make, finish, lambda one: False, 1, 4)
    assert [one.text for one in once] == ["1", "2", "3", "5"]


# ---------------------------------------------------------------------- the studio
def test_command_trains_and_goes_on(tmp_path, monkeypatch):
    monkeypatch.setenv("GENBAT_HOME", str(tmp_path))
    own = tmp_path / "mine.cif"
    own.write_text("".join(to_text(c) + "\n" for c in corpus().cells[:24]))
    folder = training.train("crystalgpt", "tiny", own)
    first = CrystalGPT.load(folder)
    assert first.config.steps_trained == 20
    assert "20 steps" in (folder / "card.md").read_text()
    training.train("crystalgpt", "tiny", own, minutes=0)
    again = CrystalGPT.load(training.train("crystalgpt", "tiny", own, start=folder.parent))
    for name, value in first.network.state_dict().items():
        assert torch.equal(value, again.network.state_dict()[name]), name


def test_measures(system, monkeypatch):
    monkeypatch.setattr(metrics_asked, "ASKS", 2)
    monkeypatch.setattr(metrics_crystal_texts, "PROMPTS", 2)
    system.card = registry.card("crystalgpt")
    found = evaluation.evaluate("crystalgpt", 6, 0, parts=["writing", "asked", "samples"],
                                system=system, examples=corpus())["metrics"]  # fmt: skip
    json.dumps(found, allow_nan=False)
    assert found["parses"]["value"] == 1 and found["parses"]["bar"] == 0.98
    assert found["text_keeps_structure"]["value"] >= 0.8
    assert (
        found["nats_per_word"]["value"]
        < found["nats_per_word"]["baselines"]["frequencies of words"]
    )
    assert found["valid_per_second"]["bar"] == 20
    assert ALONE in found["structural_validity"]["baselines"]
    assert 0 <= found["prompt_honoured"]["value"] <= 1
    cells = [from_text(c.text) for c in system.sample(6, seed=0)]
    assert found["structural_validity"]["value"] == np.mean([metrics_valid(c) for c in cells])


def metrics_valid(cell):
    """No two atoms within half an ångström, by all images of a small cell."""
    places = cell.positions @ np.linalg.inv(cell.lattice)
    shifts = np.stack(np.meshgrid(*[range(-2, 3)] * 3), -1).reshape(-1, 3)
    away = (places[:, None, None] - places[None, :, None] + shifts) @ cell.lattice
    lengths = np.linalg.norm(away, axis=-1)
    return bool((lengths[lengths > 1e-9].min()) >= 0.5)


def test_a_prompt_counts_as_honoured_only_with_both(system):
    cell = corpus().cells[0]
    group, formula = space_group_number(cell), reduced_formula(cell)
    count = metrics_crystal_texts._honoured([cell, None], formula, group)
    assert count == 0.5
    assert metrics_crystal_texts._honoured([cell], formula, group % 230 + 1) == 0
    assert metrics_crystal_texts._honoured([cell], "Li3Bi", group) == 0
    mine = Subject(system, corpus(), 4, 0, lambda fraction, text: None)
    assert metrics_crystal_texts._asked_for(mine, "PmPm2O5", 1, None) == [None]
    assert sum(formula_counts(cell).values()) == len(cell.numbers)
    assert words_from([NUMBER["is"], NUMBER[END]]) == ["is"]
