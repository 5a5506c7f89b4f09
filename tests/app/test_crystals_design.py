"""Design and Shortlist for crystals: the sentence, the job, its outcomes, exports."""

import pytest
import tiny_crystal_atlas
from tiny_pages import fresh_page, linked

from genbat.studio.question import Question


@pytest.fixture
def page(monkeypatch):
    return fresh_page(monkeypatch, "design", "crystals")


def run(at):
    at.run()
    assert not at.exception, at.exception[0].message
    return at


def gap(at, kind, name):
    return next(w for w in at.get(kind) if w.key and w.key.endswith(f":{name}"))


def words(at):
    return " ".join(e.proto.body for e in at.get("html"))


def queue():
    from genbat.ui import shared

    return shared.jobs()


def search(at):
    at.button(key="design:search").click()
    run(at)
    return queue().submitted[-1]


def test_the_usual_question_is_a_cathode(page):
    run(page)
    kind, title, arguments, _ = search(page)
    assert kind == "design"
    assert title == (
        "crystals with Above hull below 0.1 eV/atom and Average voltage 3.5 to 4.5 V, "
        "at most 14 atoms, not P1"
    ) or title.startswith("crystals with Average voltage 3.5 to 4.5 V and Above hull below 0.1")
    question = Question.from_json(arguments)
    assert question.method == "sample"
    assert question.condition.wishes == {"atoms": [1, 14], "not_p1": True}


def test_the_link_fills_the_sentence(page):
    page.query_params.update({"want": "voltage_v:between:3:4", "el": "Li:require,Co:forbid",
                              "atoms": "4-12", "sym": "cubic"})  # fmt: skip
    run(page)
    question = Question.from_json(search(page)[2])
    assert question.condition.wishes == {
        "atoms": [4, 12], "require": ["Li"], "forbid": ["Co"], "crystal_system": "cubic",
    }  # fmt: skip
    page.button(key="design:change").click()
    run(page)
    assert linked(page, "el") == "Li:require,Co:forbid"
    assert linked(page, "sym") == "cubic"


def test_formula_system_and_space_group(page):
    run(page)
    gap(page, "selectbox", "kind").set_value("formula")
    run(page)
    assert any("Write the formula" in e.value for e in page.error)
    gap(page, "text_input", "formula").set_value("LiCoO2")
    run(page)
    gap(page, "selectbox", "symmetry").set_value("group")
    run(page)
    question = Question.from_json(search(page)[2])
    assert question.condition.wishes["formula"] == "LiCoO2"
    assert question.condition.wishes["space_group"] == 166


@pytest.mark.parametrize(
    ("link", "told"),
    [
        ({"formula": "LiXx2"}, "formula:"),
        ({"of": "Li-Q"}, "is no element"),
        ({"want": "voltage_v:above:4;voltage_v:below:3"}, "no value is above 4 and below 3"),
    ],
)
def test_a_mistake_is_told_and_nothing_starts(page, link, told):
    page.query_params.update(link)
    run(page)
    assert any(told in e.value.replace("\\", "") for e in page.error)
    assert not queue().submitted


def test_no_window_at_all(page):
    page.query_params.update({"of": "Li-Co-O"})
    run(page)
    _, title, arguments, _ = search(page)
    assert title == "crystals, of Li-Co-O alone, at most 14 atoms"
    assert not Question.from_json(arguments).condition.windows


def outcomes(question):
    """What CHGNet would say, by looking up: the first sample fails, the others are known."""
    from genbat.core.candidate import Candidate
    from genbat.studio import design_sampling
    from genbat.studio.rooms import Judgement
    from genbat.studio.store import Evaluation
    from genbat.studio.tables import now

    place = tiny_crystal_atlas.atlas()
    table = tiny_crystal_atlas.universe()
    made = tiny_crystal_atlas.TinySampler().sample(4, condition=None, seed=0)
    for k, candidate in enumerate(made):
        assert isinstance(candidate, Candidate)
        failed = "" if candidate.verdict.ok else candidate.verdict.reasons[0]
        values = {} if failed else table.measurements(k)
        found = Evaluation(candidate.text, "made up", values, failed, now())
        more = {} if failed else {"told": {"space group": "R-3m (166)", "moved": "0.05 Å"}}
        yield design_sampling.outcome(question, place, candidate, Judgement(found, more))


def test_results(page):
    page.query_params.update({"want": "formation_ev:below:0", "sym": "any"})
    run(page)
    question = Question.from_json(search(page)[2])
    found = list(outcomes(question))
    queue().results_of["job0"] = [o.to_json() for o in found]
    queue().states["job0"] = "done"
    run(page)
    board = words(page)
    assert "hits by CHGNet" in board
    assert "known crystals that hit" in board
    assert f"<b>{sum(o.hit for o in found)}</b>" in board
    page.button(key="design:addhits").click()
    run(page)
    from genbat.ui import shared, state

    lists = shared.shortlists().lists(page.session_state[state.OWNER], "crystals")
    assert sum(one.count for one in lists) == sum(o.hit for o in found) > 0
