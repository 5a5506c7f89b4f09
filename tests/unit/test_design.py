"""Design runs on a tiny atlas: budgets, order, cancel, failures, provenance, honest verdicts."""

import math

import pytest
from tiny_atlas import atlas, physics, truth

from genbat.core.condition import Condition, Window
from genbat.core.errors import JobCancelled
from genbat.studio import design, path, question
from genbat.studio.design import run
from genbat.studio.question import Outcome, Question, judge, known_share, usual_range, warnings_for
from genbat.studio.store import Evaluation
from genbat.studio.tables import now

MIDDLE = 0.5 * sum(usual_range(atlas(), "lumo_ev")[:2])
BELOW = {"lumo_ev": Window(high=MIDDLE)}


def ask(windows=None, wishes=None, **options):
    condition = Condition(BELOW if windows is None else windows, wishes or {})
    return Question(condition, **{"count": 4, **options})


class Log:
    """What a search does, in order."""

    def __init__(self, judged=physics, stop_after=math.inf):
        self.events, self.outcomes, self.messages = [], [], []
        self.judged, self.stop_after = judged, stop_after

    def physics(self, text):
        self.events.append(("physics", text))
        return self.judged(text)

    def result(self, outcome):
        self.events.append(("result", outcome.candidate.text))
        self.outcomes.append(outcome)

    def report(self, fraction, message=""):
        assert 0 <= fraction <= 1
        self.messages.append(message)
        if len(self.outcomes) >= self.stop_after:
            raise JobCancelled


def search(asked, **options):
    log = Log(**options)
    design.design(asked, atlas(), log.physics, log.result, log.report)
    return log


@pytest.mark.parametrize("method", ["gradient", "bayes", "both"])
def test_every_method_hands_over_each_candidate_at_once(method):
    log = search(ask(method=method, count=9))
    kinds = [kind for kind, _ in log.events]
    assert kinds == ["physics", "result"] * 9
    texts = [o.candidate.text for o in log.outcomes]
    assert len(set(texts)) == 9
    assert not set(texts) & set(atlas().dataset.row_of)
    assert all(o.candidate.novel for o in log.outcomes)
    phases = [o.candidate.provenance.arguments["phase"] for o in log.outcomes]
    wanted = {"gradient": {"gradient"}, "bayes": {"bayes"}, "both": {"gradient", "bayes"}}
    assert set(phases) == wanted[method]
    assert log.messages[-1].startswith("9 of 9 judged by xTB")


def test_same_seed_same_search():
    first, again = (search(ask(seed=5)) for _ in range(2))
    other = search(ask(seed=6))
    texts = [[o.candidate.text for o in log.outcomes] for log in (first, again, other)]
    assert texts[0] == texts[1] != texts[2]


def test_candidates_can_be_made_again(monkeypatch):
    monkeypatch.setattr(path, "atlas", lambda _: atlas())
    for outcome in search(ask(method="both", count=6)).outcomes:
        story = outcome.candidate.provenance
        assert (story.action, story.system) == ("design", "chemvae")
        assert Condition.from_json(story.condition).windows == BELOW
        assert {"method", "count", "minutes", "phase", "number"} <= set(story.arguments)
        assert path.make_again(outcome.candidate)[1]


@pytest.mark.parametrize("method", ["gradient", "bayes"])
def test_time_is_looked_at_between_single_calculations(monkeypatch, method):
    clock = [0.0]
    monkeypatch.setattr(design.time, "monotonic", lambda: clock[0])

    def slow(text):
        clock[0] += 20
        return physics(text)

    log = search(ask(count=50, minutes=1, method=method), judged=slow)
    assert len(log.outcomes) == 3
    assert "time used up" in log.messages[-1]


@pytest.mark.parametrize("method", ["gradient", "bayes"])
def test_cancel_stops_before_the_next_calculation(method):
    log = Log(stop_after=2)
    with pytest.raises(JobCancelled):
        design.design(ask(count=20, method=method), atlas(), log.physics, log.result, log.report)
    assert [kind for kind, _ in log.events] == ["physics", "result"] * 2


def test_failed_physics_is_told_and_the_search_goes_on():
    def broken(text):
        if len(text) % 2:
            raise RuntimeError("tblite gave up")
        return Evaluation(text, "made up", {}, "no convergence", now())

    log = search(ask(count=6), judged=broken)
    assert len(log.outcomes) == 6
    assert {o.failed for o in log.outcomes} <= {"tblite gave up", "no convergence"}
    assert {o.standing for o in log.outcomes} == {"failed"}
    assert not any(o.hit for o in log.outcomes)


def test_wishes_are_honoured():
    wishes = {"elements": ["C", "O"], "keep": ["O"], "start": "O=C1OCCO1"}
    for outcome in search(ask(wishes=wishes)).outcomes:
        assert set(outcome.candidate.text.upper()) & {"N", "F", "S", "P", "B"} == set()
        assert "O" in outcome.candidate.text.upper()
        assert outcome.candidate.provenance.parents == ("O=C1OCCO1",)


def test_only_measured_properties_leave_the_process_untaught():
    log = search(ask({"viscosity_mpas": Window(high=0.5)}, method="bayes", count=3))
    assert len(log.outcomes) == 3
    assert all(o.held == {"viscosity_mpas": None} for o in log.outcomes)
    assert not any(o.hit for o in log.outcomes)


def test_impossible_wish_ends_with_a_reason():
    log = search(ask(wishes={"keep": ["[Si][Si]"]}, count=1, minutes=0.2))
    assert log.outcomes == []
    assert "nothing new" in log.messages[-1] or "time used up" in log.messages[-1]


def test_the_job_emits_json(monkeypatch):
    monkeypatch.setattr(design, "atlas", lambda _: atlas())
    monkeypatch.setattr(design, "physics_of", lambda _, domain, text: physics(text))
    emitted = []

    class Report:
        store = None

        def __call__(self, fraction, message=""):
            pass

        def emit(self, payload):
            emitted.append(payload)

    run(ask(count=2).to_json(), Report())
    outcomes = [Outcome.from_json(e) for e in emitted]
    assert len(outcomes) == 2
    assert [o.to_json() for o in outcomes] == emitted


# ---------------------------------------------------------------------- verdicts
def candidate(text="CCO"):
    return atlas().typed(text)


def test_physics_decides_and_the_prediction_is_kept_beside_it():
    made = search(ask(count=1)).outcomes[0].candidate
    outcome = judge(made, physics(made.text), Condition(BELOW))
    assert outcome.held["lumo_ev"] == (truth(made.text)["lumo_ev"] <= MIDDLE)
    assert outcome.candidate.properties["lumo_ev"].kind == "computed"
    assert outcome.candidate.properties["lumo_ev:predicted"].kind == "predicted"


@pytest.mark.parametrize(
    ("held", "likely", "failed", "standing", "hit"),
    [
        ({"lumo_ev": True}, {}, "", "hit", True),
        ({"lumo_ev": True, "tflash_k": None}, {"tflash_k": True}, "", "likely", True),
        ({"lumo_ev": True, "tflash_k": None}, {"tflash_k": False}, "", "miss", True),
        ({"lumo_ev": True, "pfas": False}, {}, "", "miss", False),
        ({"tflash_k": None, "pfas": True}, {"tflash_k": True}, "", "likely", False),
        ({"lumo_ev": None}, {"lumo_ev": True}, "no convergence", "failed", False),
    ],
)
def test_standing(held, likely, failed, standing, hit):
    outcome = Outcome(candidate(), held, failed, likely)
    assert (outcome.standing, outcome.hit) == (standing, hit)


def test_known_share_counts_what_physics_can_judge():
    table = atlas().dataset.table
    share = known_share(ask({**BELOW, "tflash_k": Window(low=0)}), atlas())
    assert share == pytest.approx((table["lumo_ev"] <= MIDDLE).mean())
    assert known_share(ask({"tflash_k": Window(low=0)}), atlas()) is None


def test_warnings_name_what_training_never_saw():
    far = warnings_for(ask({"lumo_ev": Window(high=-1e3)}), atlas())
    assert "beyond everything the model was trained on" in far[0]
    only = warnings_for(ask({"tflash_k": Window(low=0)}), atlas())
    assert "only predicted" in only[0]
    assert warnings_for(ask(), atlas()) == []


def test_sentence():
    windows = {"lumo_ev": Window(high=-7), "pfas": Window(high=0)}
    asked = ask(windows, {"elements": ["C", "O"], "keep": ["C=O"], "start": "CCO"})
    assert asked.sentence() == (
        "molecules with LUMO below −7 eV, made of H C O, without PFAS, keeping C=O, "
        "starting from CCO"
    )
    assert Question.from_json(asked.to_json()) == asked


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"count": 0}, "count: got 0"),
        ({"minutes": 1000}, "minutes: got 1000"),
        ({"method": "luck"}, "method: got 'luck'"),
        ({"system": "nobody"}, "system: got 'nobody'"),
        ({"windows": {}}, "at least one property window"),
        ({"windows": {"pfas": Window(high=0)}}, "at least one property window"),
        ({"windows": {"beauty": Window(high=0)}}, "beauty cannot be asked for"),
        ({"wishes": {"keep": ["C("]}}, "substructure: got 'C\\('"),
        ({"wishes": {"start": "C1CC"}}, "SMILES: 'C1CC'"),
        ({"wishes": {"elements": ["Xx"]}}, "elements: got Xx"),
    ],
)
def test_bad_questions_say_what_is_legal(options, told):
    with pytest.raises(ValueError, match=told):
        ask(**options)


def test_wishable_leaves_out_what_only_forbids():
    keys = question.wishable("molecules")
    assert {"lumo_ev", "tflash_k", "sa_score"} <= set(keys)
    assert not {"pfas", "hazards"} & set(keys)
