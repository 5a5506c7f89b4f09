"""Design without a browser: the sentence, its mistakes, the job, its results and its link."""

import pytest
from tiny_pages import fresh_page, linked

from genbat.studio import design
from genbat.studio.question import Question

EC = "O=C1OCCO1"
WANT = "lumo_ev:below:0.5;vip_ev:above:-5"


@pytest.fixture
def page(monkeypatch):
    return fresh_page(monkeypatch, "design")


def written(page, **more):
    page.query_params.update({"want": WANT, **more})
    return page.run()


def words(page):
    return " ".join(e.proto.body for e in page.get("html"))


def queue():
    from genbat.ui import shared

    return shared.jobs()


def gap(page, kind, name):
    return next(w for w in page.get(kind) if w.key and w.key.endswith(f":{name}"))


def search(page):
    page.button(key="design:search").click().run()
    return queue().submitted[-1]


def finish(job="job0", count=3):
    """Put real outcomes of a real search into the queue."""
    from tiny_atlas import atlas, physics

    found = []
    question = Question.from_json({**queue().submitted[0][2], "count": count})
    design.design(question, atlas(), physics, lambda o: found.append(o.to_json()), lambda *_: None)
    queue().results_of[job] = found
    queue().states[job] = "done"
    return found


def test_the_link_fills_the_sentence_and_the_button_asks_it(page):
    written(page, of="C,O", no="pfas", keep="C=O", start="EC")
    assert not page.exception
    kind, title, arguments, owner = search(page)
    assert kind == "design"
    assert title == (
        "molecules with LUMO below 0.5 eV and Vertical IP above −5 eV, made of H C O, "
        "without PFAS, keeping C=O, starting from O=C1OCCO1"
    )
    assert Question.from_json(arguments).condition.windows["pfas"].high == 0
    assert owner
    assert linked(page, "job") == "job0"


def test_gaps_change_the_question(page):
    written(page)
    gap(page, "number_input", "wish0:first").set_value(-1.5).run()
    gap(page, "selectbox", "wish1:sense").set_value("between").run()
    gap(page, "number_input", "wish1:second").set_value(4.0).run()
    gap(page, "number_input", "count").set_value(5).run()
    gap(page, "selectbox", "method").set_value("gradient").run()
    question = Question.from_json(search(page)[2])
    windows = question.condition.windows
    assert windows["lumo_ev"].high == -1.5
    assert (windows["vip_ev"].low, windows["vip_ev"].high) == (-5, 4)
    assert (question.count, question.method) == (5, "gradient")


def test_wishes_come_and_go(page):
    written(page)
    gap(page, "button", "more").click().run()
    assert len([s for s in page.selectbox if s.key.endswith(":key")]) == 3
    gap(page, "button", "drop0").click().run()
    keys = [s.value for s in page.selectbox if s.key.endswith(":key")]
    assert keys[0] == "vip_ev"
    gap(page, "selectbox", "wish0:key").set_value("sa_score").run()
    assert not page.exception
    assert gap(page, "number_input", "wish0:first").value != -5
    assert linked(page, "want").startswith("sa_score:below:")


@pytest.mark.parametrize(
    ("link", "told"),
    [
        ({"want": "lumo_ev:below:-3;lumo_ev:above:2"}, "no value is above 2 and below"),
        ({"want": "lumo_ev:between:3:1"}, "no value is above 3 and below 1"),
        ({"keep": "C("}, "write SMARTS or SMILES"),
        ({"start": "C1CC"}, "cannot be read as a molecule"),
        ({"start": "<img src=x onerror=alert(1)>"}, "is nothing that finds"),
    ],
)
def test_a_mistake_is_told_and_nothing_starts(page, link, told):
    written(page, **link)
    assert not page.exception
    told_now = [e.value.replace("\\", "") for e in page.error]
    assert any(told in e for e in told_now)
    assert len(told_now) == 1
    assert not queue().submitted


def test_no_element_left(page):
    written(page)
    gap(page, "button_group", "elements").set_value([]).run()
    assert len(page.error) == 1
    assert "at least one element" in page.error[0].value


@pytest.mark.parametrize("want", ["rubbish", "lumo_ev:below:nan", ";;;", "beauty:above:3", "a:b"])
def test_a_broken_link_gives_the_usual_question(page, want):
    written(page, want=want)
    assert not page.exception
    assert "LUMO below −7 eV" in search(page)[1]


def test_wishes_nobody_trained_for_say_so_before_and_after(page):
    written(page, want="lumo_ev:below:-900;tflash_k:above:300")
    before = " ".join(w.value for w in page.warning)
    assert "beyond everything the model was trained on" in before.replace("\\", "")
    assert "only predicted" in before
    search(page)
    after = " ".join(w.value for w in page.warning)
    assert "beyond everything" in after


def test_results_of_a_finished_search(page):
    written(page)
    search(page)
    assert "The first candidates appear here" in words(page)
    found = finish()
    page.run()
    assert not page.exception
    board = words(page)
    assert "hits by xTB" in board
    assert f"<td>{len(found)}</td>" in board
    assert "Find molecules with LUMO below 0.5 eV" in board
    page.button(key="design:addhits").click().run()
    hits = sum(all(v for v in f["held"].values() if v is not None) for f in found)
    from genbat.ui import shared, state

    owner = page.session_state[state.OWNER]
    lists = shared.shortlists().lists(owner, "molecules")
    assert sum(one.count for one in lists) == hits


def test_the_link_reopens_a_search_and_its_question(page, monkeypatch):
    written(page)
    search(page)
    finish()
    queue_then = queue()
    later = fresh_page(monkeypatch, "design")
    from genbat.ui import shared

    monkeypatch.setattr(shared, "jobs", lambda: queue_then)
    later.query_params["job"] = "job0"
    later.run()
    assert not later.exception
    assert "Find molecules with LUMO below 0.5 eV" in words(later)
    later.button(key="design:change").click().run()
    assert gap(later, "number_input", "wish0:first").value == 0.5


def test_cancel_keeps_what_was_found(page):
    written(page)
    search(page)
    finish(count=2)
    queue().states["job0"] = "running"
    page.run()
    page.button(key="design:job:job0:cancel").click().run()
    assert queue().states["job0"] == "cancelled"
    assert any("kept" in i.value for i in page.info)
    assert "<td>2</td>" in words(page)


def test_earlier_searches_are_offered(page):
    written(page)
    search(page)
    page.button(key="design:change").click().run()
    box = next(s for s in page.selectbox if s.label == "Earlier searches")
    assert "molecules with LUMO below" in box.options[0]


@pytest.mark.parametrize("job", ["nobody", "job7,job8", "<script>", "x" * 500])
def test_a_link_to_no_search(page, job):
    page.query_params["job"] = job
    page.run()
    assert not page.exception
    assert "cannot be opened" in page.error[0].value
