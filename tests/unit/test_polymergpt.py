"""polymergpt on a toy: classes, all texts of a polymer, beginnings, what is written."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from genbat.core.condition import Condition, Window
from genbat.domains.polymers.repeat_unit import normal
from genbat.domains.polymers.tokens import Vocabulary, split
from genbat.families.transformer import Style
from genbat.systems import polymer_corpus, polymergpt_training
from genbat.systems.polymer_corpus import Texts
from genbat.systems.polymer_words import BORDERS, SAID, UNTOLD
from genbat.systems.polymergpt import Plan, PolymerGPT, network_of
from genbat.systems.run import Schedule

torch.set_num_threads(1)
SIZES = {"width": 32, "layers": 2, "heads": 2}
RULES = Schedule(steps=4, batch=8, rate=1e-3, warm_steps=1)
UNITS = [f"[Cu]{'C' * n}{end}[Au]" for n in range(1, 9) for end in ("O", "S", "N(C)", "C(=O)O")]


def texts():
    units = [normal(text).text for text in UNITS]
    return Texts.of(units, np.linspace(-6, -4, len(units)))


@pytest.fixture(scope="module")
def system(tmp_path_factory):
    schedule = Schedule(steps=150, batch=32, rate=3e-3, warm_steps=5)
    run = polymergpt_training.train(
        texts(), tmp_path_factory.mktemp("p"), schedule=schedule, **SIZES
    )
    return PolymerGPT(run.config, run.mean, "toy")


# ---------------------------------------------------------------------- classes
def test_classes_lie_between_quantiles():
    own = texts()
    config = polymer_corpus.make_config(own, **SIZES)
    found = [config.class_of(v) - UNTOLD - 1 for v in own.values]
    wanted = [sum(v >= np.percentile(own.values, b) for b in BORDERS) for v in own.values]
    assert found == wanted and max(found) == len(BORDERS)
    assert config.class_of(float("nan")) == UNTOLD
    assert config.tokens[UNTOLD : UNTOLD + len(SAID)] == SAID


def test_windows_say_their_class(system):
    top = system.config.borders[-1]
    best = UNTOLD + len(BORDERS) + 1
    assert system.said(Window(low=top)) == best
    assert system.said(Window(high=top)) == best - 1
    assert system.said(Window(top, top + 1)) == best
    assert system.said(None) == system.said(Window()) == UNTOLD


# ---------------------------------------------------------------------- training
def test_a_line_is_class_text_end():
    own = texts()
    config = polymer_corpus.make_config(own, **SIZES)
    tokens, counted = polymer_corpus.written(config, own, [5, 9], np.random.default_rng(0))
    known = Vocabulary(config.tokens)
    for row, k in zip(tokens, (5, 9), strict=True):
        assert int(row[0]) in (UNTOLD, config.class_of(own.values[k]))
        assert known.text(row[1:].tolist()) in own.ways[k]
    assert not counted[:, 0].any()
    ends = (tokens == 1).nonzero()
    assert len(ends) == 2 and all(counted[r, c] and not counted[r, c + 1 :].any() for r, c in ends)


def test_a_stopped_run_ends_like_an_unstopped_one(tmp_path):
    own = texts()
    whole = polymergpt_training.train(own, tmp_path / "a", schedule=RULES, **SIZES)
    for turn in range(4):
        parts = polymergpt_training.train(
            own, tmp_path / "b", schedule=RULES, resume=turn > 0, minutes=0, **SIZES
        )
    assert parts.step == whole.step == 4
    for name, value in whole.mean.state_dict().items():
        assert torch.equal(value, parts.mean.state_dict()[name])


# ---------------------------------------------------------------------- writing
def test_what_is_written_are_polymers_in_their_normal_form(system):
    made = list(system.sample(200, seed=1))
    good = [c for c in made if c.verdict.ok]
    assert len(good) > 120
    assert all(normal(c.text).text == c.text for c in good)
    assert all(c.text.count("[Cu]") == c.text.count("[Au]") == 1 for c in good)
    alone = system.sample(200, seed=1, plan=Plan(Style(temperature=2.0), tries=1))
    bad = next(c for c in alone if not c.verdict.ok)
    assert "unit" in bad.verdict.reasons[0]


def test_same_seed_same_polymers(system):
    few, more = ([c.text for c in system.sample(n, seed=3)] for n in (5, 300))
    assert few == more[:5]
    assert [c.text for c in system.sample(5, seed=4)] != few


def test_texts_go_on_from_a_beginning(system):
    asked = Condition(wishes={"begin": "[Cu]CCC"})
    given = system.vocabulary.numbers("[Cu]CCC")
    rows = system.write(UNTOLD, given, 0, 0, plan=Plan(style=Style()))
    assert all(row.startswith("[Cu]CCC") for row in rows)
    assert any(c.verdict.ok for c in system.sample(30, condition=asked))


def test_what_ends_has_its_markers_once_and_brackets_in_pairs():
    """Whatever the network says: here it knows nothing."""
    torch.manual_seed(0)
    config = polymer_corpus.make_config(texts(), longest=40, **SIZES)
    fresh = PolymerGPT(config, network_of(config), "toy")
    rows = fresh.write(UNTOLD, [], 0, 0, plan=Plan(style=Style()))
    ended = [row for row in rows if len(split(row)) < 38]
    assert len(ended) > 20
    for row in ended:
        assert row.count("[Cu]") == row.count("[Au]") == 1
        assert "()" not in row
        depths = np.cumsum([(c == "(") - (c == ")") for c in row])
        assert min(depths) >= 0 and depths[-1] == 0


def test_the_class_changes_what_is_written(system):
    high = Condition({"log_conductivity": Window(low=system.config.borders[-1])})
    free, told = ([c.text for c in system.sample(20, condition=c)] for c in (None, high))
    assert free != told


def test_saved_and_loaded(system, tmp_path):
    system.save(tmp_path)
    one, two = (PolymerGPT.load(tmp_path) for _ in range(2))
    assert [c.text for c in one.sample(5)] == [c.text for c in two.sample(5)]
    assert one.config == system.config


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"n": 0}, "at least 1"),
        ({"n": 1, "condition": Condition({"transference": Window(0, 1)})}, "transference"),
        ({"n": 1, "condition": Condition(wishes={"formula": "LiF"})}, "formula"),
        ({"n": 1, "condition": Condition(wishes={"begin": "[Cu]?"})}, "no part of one"),
        ({"n": 1, "condition": Condition(wishes={"begin": "[Cu]P"})}, "not known here"),
        ({"n": 1, "condition": Condition(wishes={"begin": "[Cu]" + "C" * 90})}, "begin: 91"),
    ],
)
def test_what_cannot_be_written_is_told(system, options, named):
    with pytest.raises(ValueError, match=named):
        next(iter(system.sample(**options)))


def test_no_polymers_are_told(tmp_path):
    none = Texts([], np.empty(0))
    with pytest.raises(ValueError, match="none to train on"):
        polymergpt_training.train(none, tmp_path, schedule=replace(RULES, steps=1))


def test_what_is_no_repeat_unit_is_written_again(system):
    warm = Style(temperature=1.5)
    once = system.units(UNTOLD, [], 0, 0, plan=Plan(warm, tries=1))
    again = system.units(UNTOLD, [], 0, 0, plan=Plan(warm))
    legal = [k for k, (_, verdict) in enumerate(once) if verdict.ok]
    assert [again[k] for k in legal] == [once[k] for k in legal]
    assert sum(v.ok for _, v in again) > len(legal)
