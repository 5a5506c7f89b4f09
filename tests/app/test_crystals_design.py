"""Design and Shortlist for crystals: the sentence, the job, its outcomes, exports."""

import pytest
import tiny_crystal_atlas
from tiny_pages import fresh_page, linked

from genbat.studio import question
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


def test_systems_of_a_part_of_the_domain_say_so(page, monkeypatch):
    monkeypatch.setattr(question, "systems_for", lambda domain: ["mattergen", "imatgen"])
    run(page)
    assert not any("a part of the domain" in c.value for c in page.caption)
    gap(page, "button_group", "systems").set_value(["mattergen", "imatgen"])
    run(page)
    assert any("iMatGen vanadium oxides" in c.value for c in page.caption)


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


def test_a_link_to_a_run_of_the_other_domain_follows_it(monkeypatch):
    page = fresh_page(monkeypatch, "design")
    asked = {"domain": "crystals", "system": "mattergen", "method": "sample", "count": 5,
             "minutes": 1.0, "seed": 0, "condition": {"wishes": {"atoms": [1, 8]}}}  # fmt: skip
    queue().submit("design", "crystals, at most 8 atoms", asked, "e" * 32)
    page.query_params["job"] = "job0"
    run(page)
    assert linked(page, "domain") == "crystals"
    assert linked(page, "job") == "job0"
    assert "Find crystals, at most 8 atoms" in words(page)


# ---------------------------------------------------------------------- shortlist and jobs
OWNER = "c" * 32
FILE = tiny_crystal_atlas.texts()[0].encode()


@pytest.fixture
def filled(monkeypatch):
    """Shortlist of three known crystals and one that failed a gate."""
    at = fresh_page(monkeypatch, "shortlist", "crystals")
    from genbat.ui import shared

    place, lists = tiny_crystal_atlas.atlas(), shared.shortlists()
    old = lists.lists(OWNER, "crystals")
    for one in old:
        lists.delete(one.id, OWNER)
    mine = lists.create(OWNER, "Cathodes", "crystals")
    for row in place.search("Li-Ti-S")[:1] + place.search("Na-Ti-S")[:2]:
        lists.add(mine.id, place.candidate(row))
    at.query_params["me"] = OWNER
    at.query_params["list"] = mine.id
    return at, mine, lists


def test_shortlist_shows_compares_and_writes(filled):
    at, mine, lists = filled
    run(at)
    table = at.dataframe[0].value
    assert len(table) == 3
    assert all(a.startswith("data:image/svg+xml;base64,") for a in table["drawing"])
    assert "★" in list(table["front"])
    from genbat.studio import exports
    from genbat.ui import shortlist_parts

    entries = lists.entries(mine.id)
    for fmt in tiny_crystal_atlas.atlas().rooms.files:
        assert fmt in exports.formats("crystals")
        assert shortlist_parts.writer(entries, fmt)()
    page = shortlist_parts.page_of(mine, entries, {"hull_ev": -1, "voltage_v": 1}, "me")
    assert page.count('<details class="view3d"') == 3
    assert "addUnitCell" in page
    assert "CHGNet" in page


def test_compute_all_queues_every_crystal(filled):
    at, mine, lists = filled
    run(at)
    next(b for b in at.button if b.label == "Compute all with CHGNet").click()
    run(at)
    kind, title, arguments, _ = queue().submitted[-1]
    assert (kind, arguments["domain"], arguments["list"]) == ("label", "crystals", mine.id)
    assert title == "CHGNet of 3 crystals of Cathodes"
    assert arguments["texts"] == [e.candidate.text for e in lists.entries(mine.id)]


def test_import_into_the_shortlist(filled):
    at, mine, lists = filled
    run(at)
    at.file_uploader[0].set_value(("mine.cif", FILE, "text/plain"))
    next(b for b in at.button if b.label == "Add its crystals").click()
    run(at)
    assert len(lists.entries(mine.id)) == 4


def test_make_again(filled):
    at, _, _ = filled
    run(at)
    next(b for b in at.button if b.label == "Make this exact candidate again").click()
    run(at)
    assert any("The same" in s.value for s in at.success)


def test_a_list_of_the_other_domain_does_not_open_here(monkeypatch):
    at = fresh_page(monkeypatch, "app", "crystals")
    from genbat.ui import shared

    other = shared.shortlists().create("d" * 32, "Solvents", "molecules")
    at.query_params["list"] = other.id
    run(at)
    assert not any("Solvents" in option for option in at.selectbox(key="basket:choice").options)
    shared.shortlists().delete(other.id, "d" * 32)


def test_jobs_show_relaxed_crystals(monkeypatch):
    at = fresh_page(monkeypatch, "jobs", "crystals")
    from genbat.ui import jobs_parts, shared

    text, other = tiny_crystal_atlas.texts()[:2]
    jobs = shared.jobs()
    jobs.submit("label", "CHGNet", {"domain": "crystals", "texts": [text], "names": ["x"]}, OWNER)
    value = {"value": -1.0, "unit": "eV/atom", "method": "CHGNet 0.3.0", "kind": "computed"}
    payload = {"asked": text, "text": text, "values": {"formation_ev": value}, "failed": "",
               "more": {"relaxed": other, "told": {}}}  # fmt: skip
    jobs.results_of["job0"] = [payload]
    jobs.states["job0"] = "done"
    (made,), _ = jobs_parts.candidates(jobs.get("job0"), jobs.results("job0"))
    assert made.text == other and made.domain == "crystals"
    at.query_params["me"] = OWNER
    at.query_params["job"] = "job0"
    run(at)
    assert any("CHGNet calculation" in m.value for m in at.markdown)
