"""Design for crystals: sampled or found near known ones, judged, told against the wishes."""

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from tiny_crystal_atlas import TinySampler, TinySystem, atlas, looked_up, texts

from genbat.core.condition import Condition, Window
from genbat.core.errors import JobCancelled
from genbat.studio import design_near, design_sampling, question, registry
from genbat.studio.question import WISHES, Question
from genbat.studio.rooms import rooms
from genbat.studio.store import Store


@pytest.fixture
def room():
    return rooms("crystals")


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "test.sqlite")


@pytest.fixture
def asking(monkeypatch):
    monkeypatch.setattr(registry, "trained", lambda name: True)
    monkeypatch.setattr(design_sampling, "load", lambda name: TinySampler())
    return lambda **more: Question(
        **{
            "condition": Condition({"formation_ev": Window(high=-0.5)}, {"require": ["Li"]}),
            "system": "mattergen",
            "domain": "crystals",
            "method": "sample",
            "count": 30,
            **more,
        }
    )


def test_design_samples_judges_and_tells(asking, monkeypatch, store, room):
    monkeypatch.setattr(type(room), "judge", lambda self, s, t, say=None: looked_up(s, t))
    found, said = [], []
    asked = asking()
    design_sampling.sampled(asked, atlas(), store, found.append, lambda f, t: said.append((f, t)))
    assert len(found) == 30
    failed = [o for o in found if o.failed]
    assert failed and all(not o.candidate.properties and not o.hit for o in failed)
    for one in found:
        if not one.failed:
            energy = one.candidate.properties["formation_ev"].value
            assert one.held["formation_ev"] == (energy <= -0.5)
            assert one.held[WISHES] and one.hit == (energy <= -0.5)
            assert one.candidate.latent is not None
            assert one.candidate.provenance.arguments["relaxed_from"] == one.candidate.text
            again = question.Outcome.from_json(one.to_json())
            assert (again.held, again.told) == (one.held, one.told)
    assert said[-1][0] == 1 and "30 of 30 judged by CHGNet" in said[-1][1]
    assert all(a <= b + 1e-9 for (a, _), (b, _) in pairwise(said))


@pytest.mark.parametrize("most", [1, 4, 96])
def test_no_more_are_judged_at_once_than_the_domain_allows(asking, monkeypatch, store, room, most):
    """Where a candidate takes seconds, each is told before the next is judged."""
    sizes, found = [], []

    def judge(self, s, texts, say=None):
        sizes.append((len(texts), len(found)))
        return looked_up(s, texts)

    monkeypatch.setattr(type(room), "judge", judge)
    monkeypatch.setattr(type(room), "batch", most)
    design_sampling.sampled(asking(), atlas(), store, found.append, lambda f, t: None)
    assert max(size for size, _ in sizes) == min(most, design_sampling.FIRST_BATCH)
    if most == 1:
        assert [told for _, told in sizes] == sorted({told for _, told in sizes})


def test_a_judge_that_breaks_down_costs_a_batch_not_the_run(asking, monkeypatch, store, room):
    def broken(self, s, t, say=None):
        yield from looked_up(s, t[:3])
        raise np.linalg.LinAlgError("Eigenvalues did not converge")

    monkeypatch.setattr(type(room), "judge", broken)
    found = []
    design_sampling.sampled(asking(), atlas(), store, found.append, lambda *_: None)
    lost = [o for o in found if o.failed == "Eigenvalues did not converge"]
    assert len(found) == 30 and lost
    assert store.evaluation("crystals", lost[0].candidate.text) is None


def test_cancelling_ends_it(asking, monkeypatch, store, room):
    monkeypatch.setattr(type(room), "judge", lambda self, s, t, say=None: looked_up(s, t))

    def stop(fraction, text):
        raise JobCancelled

    with pytest.raises(JobCancelled):
        design_sampling.sampled(asking(), atlas(), store, print, stop)


def test_a_system_without_conditions_looks_near_known_ones(asking):
    asked = asking(
        system="cdvae",
        condition=Condition({"voltage_v": Window(3, 4)}, {"require": ["Li"]}),
    )
    place = atlas()
    rows = design_near.starts(asked, place)
    assert all("Li" in place.elements[k] for k in rows)
    voltage = place.values("voltage_v")[rows]
    inside = (voltage >= 3) & (voltage <= 4)
    assert inside[: inside.sum()].all()
    made = list(design_near.near(asked, place, TinySystem()))
    again = list(design_near.near(asked, place, TinySystem()))
    assert [c.text for c in made] == [c.text for c in again]
    assert len(made) == 30
    block = design_near.near_block(asked, place, TinySystem(), 24)
    assert [c.text for c in block[:6]] == [c.text for c in made[24:]]


def test_only_what_a_system_has_learnt_steers_it():
    asked = Condition(
        {"voltage_v": Window(3, 4), "capacity_mah_g": Window(low=100)},
        {"require": ["Li"], "space_group": 166, "not_p1": True},
    )
    steer = design_sampling.steering(TinySampler(), asked)
    assert set(steer.windows) == {"voltage_v"}
    assert steer.wishes == {"require": ["Li"]}


def test_without_adapters_a_system_honours_what_it_lists():
    from genbat.studio import registry

    asked = Condition({"lumo_ev": Window(high=-7), "tm_k": Window(high=250)}, {"elements": "C, H"})
    for name, wishes in (("moleculegpt", asked.wishes), ("npvae", {})):
        kind = registry.kind(name)
        card = registry.card(name)
        system = SimpleNamespace(
            config=SimpleNamespace(),
            card=card,
            honoured=lambda wishes, kind=kind: dict(wishes) if kind.honours_wishes else {},
        )
        steer = design_sampling.steering(system, asked)
        assert set(steer.windows) == ({"lumo_ev"} if name == "moleculegpt" else set())
        assert steer.wishes == wishes


def test_a_system_with_the_adapter_is_asked_for_symmetry(asking):
    heard = []

    class Listening(TinySampler):
        config = SimpleNamespace(adapters=("space_group",))

        def sample(self, n, *, condition=None, seed=0, progress=None):
            heard.append((n, dict(condition.wishes)))
            yield from super().sample(n, seed=seed)

    asked = asking(condition=Condition({}, {"crystal_system": "cubic"}), count=150)
    assert len(list(design_sampling._sampled(asked, Listening()))) == 150
    assert heard == [(150, {"crystal_system": "cubic"})]


def test_a_value_the_physics_refuses_is_a_miss(asking, store):
    salt = next(t for t in texts() if rooms("crystals").title(t) == "NaCl")
    ((judgement),) = looked_up(store, [salt])
    made = TinySampler()._made(salt, "sample")
    asked = asking(condition=Condition({"voltage_v": Window(low=1)}))
    found = design_sampling.outcome(asked, atlas(), made, judgement)
    assert found.held["voltage_v"] is False and found.standing == "miss"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"count": 3000}, "count: got 3000; legal are 1 to 2000"),
        ({"method": "both"}, "method: got 'both'; legal are sample"),
        ({"condition": Condition({"lumo_ev": Window()})}, "lumo_ev cannot be asked for"),
        ({"condition": Condition({}, {"formula": "Li?"})}, "formula"),
        ({"condition": Condition({}, {"keep": "C"})}, "wish: unknown keep"),
        ({"system": "chemvae"}, "system: got 'chemvae'"),
    ],
)
def test_bad_questions_say_what_is_legal(asking, options, told):
    with pytest.raises(ValueError, match=told):
        asking(**options)


def test_a_question_without_windows_reads_well(asking):
    wishes = {"system": "Li-Mn-O", "atoms": [1, 14], "not_p1": True}
    asked = asking(condition=Condition({}, wishes))
    assert asked.sentence() == "crystals, of Li-Mn-O alone, at most 14 atoms, not P1"
    assert Question.from_json(asked.to_json()) == asked
