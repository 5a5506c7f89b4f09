"""Shortlists: many editors, nobody overwritten, nothing lost."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from genbat.core.candidate import Candidate, Verdict
from genbat.core.properties import Measurement
from genbat.core.provenance import Provenance
from genbat.studio.shortlist import Shortlists, pareto, table
from genbat.studio.store import Conflict, Store

ME, YOU = "browser-1", "browser-2"


def candidate(text="CO", **values):
    found = {k: Measurement(v, "eV", "GFN2-xTB", "computed", 0.1) for k, v in values.items()}
    return Candidate(text, "molecules", Verdict(True), Provenance("user", "typed"), found)


@pytest.fixture
def lists(tmp_path):
    store = Store(tmp_path / "genbat.sqlite")
    yield Shortlists(store)
    store.close()


@pytest.fixture
def ours(lists):
    return lists.create(ME, "SEI ideas", "molecules").id


def test_lists_belong_to_their_owner_and_open_by_link(lists, ours):
    lists.create(ME, "polymer ideas", "polymers")
    lists.create(YOU, "SEI ideas", "molecules")
    assert [x.name for x in lists.lists(ME)] == ["SEI ideas", "polymer ideas"]
    assert [x.name for x in lists.lists(ME, "molecules")] == ["SEI ideas"]
    lists.add(ours, candidate())
    assert lists.open(ours).owner == ME
    assert lists.open(ours).count == lists.lists(ME)[0].count == 1
    assert len(ours) >= 16  # not to be guessed


def test_rename_and_delete(lists, ours):
    lists.add(ours, candidate())
    lists.rename(ours, "  cathode \n side ")
    assert lists.open(ours).name == "cathode side"
    with pytest.raises(ValueError, match="somebody else"):
        lists.delete(ours, YOU)
    lists.delete(ours, ME)
    with pytest.raises(ValueError, match="does not exist"):
        lists.entries(ours)
    assert lists.lists(ME) == []


@pytest.mark.parametrize("name", ["", "   ", "x" * 81, "bell\x07", "right\u202eleft"])
def test_illegal_names_say_what_is_legal(lists, ours, name):
    with pytest.raises(ValueError, match=r"name: got .*legal are 1 to 80"):
        lists.create(ME, name, "molecules")
    with pytest.raises(ValueError, match="name: got"):
        lists.rename(ours, name)
    assert lists.open(ours).name == "SEI ideas"


def test_names_are_unique_for_an_owner(lists, ours):
    with pytest.raises(ValueError, match="already"):
        lists.create(ME, "SEI ideas", "molecules")
    other = lists.create(ME, "x" * 80, "molecules")
    with pytest.raises(ValueError, match="already"):
        lists.rename(other.id, "SEI ideas")


def test_adding_twice_keeps_the_note_and_learns(lists, ours):
    entry = lists.add(ours, candidate(lumo_ev=-6))
    lists.annotate(entry, note="promising")
    again = lists.add(ours, candidate(vip_ev=15))
    assert again.id == entry.id
    assert again.note == "promising"
    assert set(again.candidate.properties) == {"lumo_ev", "vip_ev"}
    assert lists.entries(ours) == [again]


def test_entries_learn_from_stored_evaluations(lists, ours):
    predicted = Measurement(-5.0, "eV", "ensemble", "predicted")
    measured = Measurement(375, "K", "literature", "measured")
    known = replace(candidate(), properties={"lumo_ev": predicted, "tflash_k": measured})
    lists.add(ours, known)
    lists.add(ours, candidate("CC"))
    computed = Measurement(-6.0, "eV", "GFN2-xTB", "computed")
    values = {"lumo_ev": computed, "tflash_k": computed, "vip_ev": computed}
    lists._store.save_evaluation("molecules", "CO", "xtb", values)
    assert lists.learn(ours) == 1
    found = lists.entries(ours)[0].candidate.properties
    assert found == {"lumo_ev": computed, "tflash_k": measured, "vip_ev": computed}
    assert lists.learn(ours) == 0


def test_a_candidate_comes_back_as_it_was(lists, ours):
    made = replace(candidate(lumo_ev=-6.5), latent=(0.1, -2.5), name="methanol", novel=True)
    lists.add(ours, made)
    assert lists.entries(ours)[0].candidate == made


def test_only_the_domain_of_the_list(lists, ours):
    with pytest.raises(ValueError, match="this list takes molecules"):
        lists.add(ours, replace(candidate(), domain="crystals"))


def test_removed_ids_never_come_back(lists, ours):
    old = lists.add(ours, candidate())
    lists.remove(old.id)
    lists.remove(old.id)
    new = lists.add(ours, candidate("CC"))
    assert new.id != old.id
    with pytest.raises(ValueError, match="taken off"):
        lists.annotate(old, note="from a stale tab")
    assert lists.entries(ours)[0].note == ""


def test_two_notes_conflict(lists, ours):
    seen = lists.add(ours, candidate())
    mine = lists.annotate(seen, note="mine")
    with pytest.raises(Conflict) as conflict:
        lists.annotate(seen, note="yours", tags=["lost"])
    assert conflict.value.theirs == "mine"
    assert conflict.value.stamp == mine.stamp
    assert lists.entries(ours)[0].tags == ()
    lists.set_note(seen.id, "mine and yours", expected=conflict.value.stamp)
    assert lists.entries(ours)[0].note == "mine and yours"
    lists.set_note(seen.id, "mine and yours", expected=seen.stamp)  # the same words: no conflict


def test_a_rank_does_not_make_a_note_conflict(lists, ours):
    seen = lists.add(ours, candidate())
    lists.annotate(seen, rank=2, tags=["additive"])
    assert lists.annotate(seen, note="still fine").note == "still fine"


def test_tags_of_two_tabs_merge(lists, ours):
    seen = lists.annotate(lists.add(ours, candidate()), tags=["a", "b"])
    lists.annotate(seen, tags=["a", "b", "mine"])
    merged = lists.annotate(seen, tags=["b", "yours"])
    assert merged.tags == ("b", "mine", "yours")


def test_ranks_order_entries(lists, ours):
    first, second, third = (lists.add(ours, candidate(t)) for t in ("C", "CC", "CCC"))
    lists.annotate(third, rank=1)
    lists.annotate(second, rank=2)
    assert [e.id for e in lists.entries(ours)] == [third.id, second.id, first.id]
    lists.annotate(third, unrank=True)
    assert [e.id for e in lists.entries(ours)] == [second.id, first.id, third.id]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"note": "x" * 4001}, "note: got 4001"),
        ({"tags": ["x" * 41]}, "tag: got"),
        ({"tags": [str(k) for k in range(13)]}, "tags: got 13"),
        ({"rank": 0}, "rank: got 0"),
        ({"rank": 1.5}, "rank: got 1.5"),
    ],
)
def test_illegal_annotations(lists, ours, change, words):
    entry = lists.add(ours, candidate())
    with pytest.raises(ValueError, match=words):
        lists.annotate(entry, **change)
    assert lists.entries(ours) == [entry]


def test_table(lists, ours):
    lists.annotate(lists.add(ours, candidate("CO", lumo_ev=-6.0)), tags=["a", "b"], rank=1)
    lists.add(ours, candidate("CC"))
    rows = table(lists.entries(ours), ["lumo_ev"])
    assert rows["text"].tolist() == ["CO", "CC"]
    assert rows["tags"].tolist() == ["a, b", ""]
    np.testing.assert_array_equal(rows["lumo_ev"], [-6.0, np.nan])
    np.testing.assert_array_equal(rows["lumo_ev_uncertainty"], [0.1, np.nan])
    assert rows["lumo_ev_unit"].tolist() == ["eV", ""]
    assert rows["lumo_ev_method"].tolist() == ["GFN2-xTB", ""]
    assert rows["lumo_ev_kind"].tolist() == ["computed", ""]
    assert len(table([], ["lumo_ev"])) == 0


def dominated(scores, k):
    return any(np.all(s >= scores[k]) and np.any(s > scores[k]) for s in scores)


def test_pareto_against_its_definition(lists, ours):
    rng = np.random.default_rng(0)
    points = rng.integers(0, 6, (40, 2)).astype(float)
    for k, (a, b) in enumerate(points):
        lists.add(ours, candidate("C" * (k + 1), a=a, b=b))
    expected = [not dominated(points * [1, -1], k) for k in range(len(points))]
    assert pareto(lists.entries(ours), {"a": 1, "b": -1}) == expected


def test_pareto_leaves_out_what_lacks_a_value(lists, ours):
    lists.add(ours, candidate("C", a=1.0, b=1.0))
    lists.add(ours, candidate("CC", a=9.0))
    lists.add(ours, candidate("CCC", a=9.0, b=float("nan")))
    assert pareto(lists.entries(ours), {"a": 1, "b": 1}) == [True, None, None]
    assert pareto(lists.entries(ours), {"missing": 1}) == [None, None, None]
    assert pareto([], {"a": 1}) == []


@pytest.mark.parametrize("goals", [{}, {"a": 0}, {"a": 2}])
def test_illegal_goals(goals):
    with pytest.raises(ValueError, match="goals: got"):
        pareto([], goals)


ADDER = """
import sys
from pathlib import Path
from genbat.core.candidate import Candidate, Verdict
from genbat.core.provenance import Provenance
from genbat.studio.shortlist import Shortlists
from genbat.studio.store import Store
lists, ours, who = Shortlists(Store(Path(sys.argv[1]))), sys.argv[2], sys.argv[3]
for k in range(50):
    made = Candidate(f"{who}-{k}", "molecules", Verdict(True), Provenance("user", "typed"))
    lists.add(ours, made)
"""


def test_four_processes_lose_nothing(lists, ours, tmp_path):
    where = [str(tmp_path / "genbat.sqlite"), ours]
    command = [sys.executable, "-c", ADDER, *where]
    adders = [subprocess.Popen([*command, str(k)]) for k in range(4)]
    assert [adder.wait(120) for adder in adders] == [0, 0, 0, 0]
    found = [e.candidate.text for e in lists.entries(ours)]
    assert sorted(found) == sorted(f"{who}-{k}" for who in range(4) for k in range(50))
