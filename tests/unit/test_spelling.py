"""Token by token: chances, what stays and what changes when a token is changed."""

import math

import pytest
import torch
from tiny_chemvae import table

from genbat.domains.molecules.codec import from_selfies
from genbat.families.transformer import Style
from genbat.studio import registry, spelling
from genbat.systems import moleculegpt, moleculegpt_training
from genbat.systems.molecule_making import TOLD
from genbat.systems.moleculegpt import END
from genbat.systems.run import Schedule

torch.set_num_threads(1)
FREE = [math.nan] * len(TOLD)
LOW = [math.nan, -2.0, math.nan, math.nan, math.nan]


@pytest.fixture(scope="module")
def system(tmp_path_factory):
    schedule = Schedule(steps=120, batch=32, rate=3e-3, warm_steps=5)
    sizes = {"width": 32, "layers": 2, "heads": 2}
    run = moleculegpt_training.train(
        table(), tmp_path_factory.mktemp("g"), schedule=schedule, **sizes
    )
    return moleculegpt.MoleculeGPT(run.config, run.mean, "toy")


@pytest.fixture
def told(system, monkeypatch):
    monkeypatch.setattr(registry, "load", lambda name: system)
    return system


def test_chances_are_the_networks_own(system):
    found = system.spell(FREE, [], 3, style=Style(guidance=1.0))
    words = torch.tensor([[*system.config.words(FREE), *found.numbers]])
    with torch.inference_mode():
        scores = system.network(words)[0, len(TOLD) - 1 : -1, : len(system.config.tokens)]
    scores = scores.clone()
    scores[:, :END] = -torch.inf
    scores[0, END] = -torch.inf  # no molecule is empty
    assert torch.allclose(found.chances, scores.softmax(1), atol=1e-5)
    assert found.chances.sum(1) == pytest.approx(1.0, abs=1e-5)


def test_guidance_follows_what_is_asked_further(system):
    plain, far = (system.spell(LOW, [], 3, style=Style(guidance=g)) for g in (1.0, 3.0))
    free = system.spell(FREE, [], 3, style=Style(guidance=1.0))
    one, two, none = (s.chances[0].clamp(min=1e-9).log() for s in (plain, far, free))
    legal = plain.chances[0] > 0
    ratio = (two - none - 3 * (one - none))[legal]
    assert ratio.std() == pytest.approx(0.0, abs=1e-3)  # but for the sum over all tokens


def test_written_as_sampled(system):
    (first, _), *_ = system.make(FREE, 5, 0)
    known = system.config.tokens
    found = system.spell(FREE, [], 5)
    assert from_selfies([known[k] for k in found.numbers if k != END]) == first


def test_what_is_given_stays_and_the_rest_keeps_its_numbers(system):
    whole = system.spell(FREE, [], 7).numbers
    for k in range(1, len(whole)):
        assert system.spell(FREE, whole[:k], 7).numbers == whole
    other = next(k for k in range(END + 1, len(system.config.tokens)) if k != whole[0])
    assert system.spell(FREE, [other], 7).numbers[0] == other


@pytest.mark.parametrize("given", [[END], [0], [10_000], [3] * 80])
def test_what_cannot_be_given(system, given):
    with pytest.raises(ValueError, match=r"given: .*legal are fewer than \d+ tokens"):
        system.spell(FREE, given, 0)


def test_places_and_the_molecule_so_far(told):
    places = spelling.written({"lumo_ev": -1.0}, [], 2)
    for place in places:
        chances = [c for _, c in place.likeliest]
        assert chances == sorted(chances, reverse=True) and len(chances) <= spelling.OTHERS
        assert 0 <= place.chance <= 1 and dict(place.likeliest).get(
            place.token, place.chance
        ) == pytest.approx(place.chance)
    tokens = [p.token for p in places]
    made = spelling.candidate(tokens, {"lumo_ev": -1.0}, 0, 2)
    assert made.text == spelling.molecule(tokens)
    story = made.provenance
    assert (story.system, story.action, story.seed) == ("moleculegpt", "spell", 2)
    assert story.condition["windows"]
    assert spelling.molecule([]) == "" and spelling.molecule([spelling.STOP]) == ""


def test_beginning_with_a_molecule(told):
    tokens = spelling.tokens_of("CCO")
    places = spelling.written({}, tokens, 0)
    assert [p.token for p in places[: len(tokens)]] == tokens == ["[C]", "[C]", "[O]"]
    assert spelling.candidate(tokens, {}, 2, 0).provenance.arguments == {"begin": "[C][C]"}
    with pytest.raises(ValueError, match="unknown \\[Xx\\]"):
        spelling.written({}, ["[Xx]"], 0)


def test_surprise_in_bits(told):
    half = spelling.Place("[C]", 0.5, ())
    sure = spelling.Place("[C]", 1.0, ())
    assert spelling.surprise([half, half]) == pytest.approx(1.0)
    assert spelling.surprise([half, sure]) == pytest.approx(0.5)
    assert spelling.surprise([]) == 0.0
