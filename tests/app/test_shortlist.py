"""Shortlist as a script: table, words, conflicts, lists, import, downloads, jobs, links."""

import html
import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from genbat.core.properties import Measurement
from genbat.studio import explore
from genbat.studio.shortlist import Shortlists
from genbat.studio.store import Store
from genbat.ui import shared, shortlist_parts, shortlist_plot, tables
from genbat.ui.components import html_view
from genbat.ui.words import plain

ROOT = Path(__file__).parents[2]
EVIL = "<img src=x onerror=alert(1)>"
TEXTS = ("O=C1OCCO1", "COC(=O)OC", "N#CCCCCC#N", "O=S1(=O)CCCC1")


@pytest.fixture(scope="module")
def place():
    return explore.atlas("molecules")


@pytest.fixture(scope="module")
def lists():
    return Shortlists(Store())


@pytest.fixture
def mine(place, lists, request):
    """A list of four, of an owner of its own."""
    owner = f"{abs(hash(request.node.name)):032x}"[-32:]
    made = lists.create(owner, "SEI ideas", "molecules")
    for text in TEXTS:
        lists.add(made.id, place.typed(text))
    return made


def opened(owner, **link):
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=300)
    at.switch_page("pages/shortlist.py")
    for key, value in {"me": owner, **link}.items():
        at.query_params[key] = value
    return run(at)


def run(at):
    at.run()
    assert not at.exception, at.exception[0].message
    return at


def press(at, label):
    (button,) = [b for b in at.button if b.label == label]
    button.click()
    return run(at)


def widget(at, kind, start):
    (found,) = [w for w in getattr(at, kind) if w.key and w.key.startswith(start)]
    return found


def words(at):
    kinds = ("caption", "markdown", "info", "warning", "success", "error", "title")
    return " ".join(e.value for kind in kinds for e in getattr(at, kind))


def test_empty_list_says_what_to_do(place):
    at = opened("e" * 32)
    assert "Add to shortlist" in words(at)
    assert [b for b in at.button if b.label.startswith("Compute all")] == []
    assert not at.dataframe


def test_table_shows_values_with_units(mine):
    at = opened(mine.owner)
    table = at.dataframe[0].value
    assert list(table["name"]) == ["ethylene carbonate", "dimethyl carbonate", "adiponitrile",
                                   "sulfolane"]  # fmt: skip
    assert all(a.startswith("data:image/svg+xml;base64,") for a in table["drawing"])
    assert "LUMO / eV" in at.dataframe[0].proto.columns
    assert "★" in list(table["front"])
    assert at.query_params["entry"]


def test_cells_have_value_uncertainty_and_kind():
    found = Measurement(-6.742, "eV", "ensemble", "predicted", 0.21)
    assert tables.cell(found, 0.01) == "−6.7 ± 0.2 ○"


def test_words_are_saved_at_once(mine, lists):
    at = opened(mine.owner)
    widget(at, "text_area", "note:").set_value("viscous, mix it").run()
    widget(at, "multiselect", "tags:").set_value(["solvent"]).run()
    widget(at, "number_input", "rank:").set_value(3).run()
    first = lists.entries(mine.id)[0]
    assert (first.note, first.tags, first.rank) == ("viscous, mix it", ("solvent",), 3)
    again = opened(mine.owner)
    assert widget(again, "text_area", "note:").value == "viscous, mix it"
    assert again.dataframe[0].value["rank"][0] == "3"
    widget(again, "number_input", "rank:").set_value(None)
    run(again)
    assert [e.rank for e in lists.entries(mine.id)] == [None] * 4


def test_conflict_shows_both_texts_and_a_choice(mine, lists):
    at = opened(mine.owner)
    first = lists.entries(mine.id)[0]
    lists.set_note(first.id, "theirs")
    widget(at, "text_area", "note:").set_value("mine")
    run(at)
    assert {"mine", "theirs"} <= {c.value for c in at.code}
    assert lists.entries(mine.id)[0].note == "theirs"
    press(at, "Keep both")
    assert lists.entries(mine.id)[0].note == "theirs\n\nmine"
    assert widget(at, "text_area", "note:").value == "theirs\n\nmine"
    assert "Yours" not in words(at)


def test_someone_elses_change_arrives(mine, lists):
    at = opened(mine.owner)
    lists.set_note(lists.entries(mine.id)[0].id, "from another tab")
    run(at)
    assert widget(at, "text_area", "note:").value == "from another tab"


def test_selection_is_linked_both_ways(mine, lists):
    entries = lists.entries(mine.id)
    at = opened(mine.owner, entry=str(entries[2].id))
    assert at.session_state["shortlist:table"]["selection"]["rows"] == [2]
    at.session_state["shortlist:entry"] = entries[1].id
    run(at)
    assert str(entries[1].id) in at.query_params["entry"]
    assert at.session_state["shortlist:table"]["selection"]["rows"] == [1]


def test_remove_can_be_undone(mine, lists):
    entry = lists.entries(mine.id)[0]
    lists.annotate(entry, note="keep me", tags=["a"], rank=1)
    at = press(opened(mine.owner), "Remove")
    assert len(lists.entries(mine.id)) == 3
    press(at, "Put it back")
    back = next(e for e in lists.entries(mine.id) if e.candidate.text == entry.candidate.text)
    assert (back.note, back.tags, back.rank) == ("keep me", ("a",), 1)


def test_lists_are_made_renamed_and_deleted(mine, lists):
    at = opened(mine.owner)
    widget(at, "text_input", "new").set_value("Diluents")
    run(at)
    press(at, "Make it")
    assert at.title[0].value == "Diluents"
    (fresh,) = [one for one in lists.lists(mine.owner) if one.name == "Diluents"]
    assert fresh.id in at.query_params["list"]
    widget(at, "text_input", "rename:").set_value("HFE <b>")
    run(at)
    press(at, "Rename")
    assert lists.open(fresh.id).name == "HFE <b>"
    press(at, "Delete this list …")
    press(at, "Delete it")
    assert [one.name for one in lists.lists(mine.owner)] == ["SEI ideas"]
    assert at.title[0].value == "SEI ideas"


def test_a_name_twice_is_refused(mine):
    at = opened(mine.owner)
    widget(at, "text_input", "new").set_value("SEI ideas")
    run(at)
    press(at, "Make it")
    assert "already" in words(at)


def test_a_shared_list_opens_by_link_but_is_not_deleted(mine):
    at = opened("f" * 32, list=mine.id)
    assert at.title[0].value == "SEI ideas"
    assert "shared with you" in words(at)
    assert "Delete this list …" not in [b.label for b in at.button]


def test_the_link_to_share_does_not_say_who_i_am(mine):
    at = opened(mine.owner)
    (link,) = [c.value for c in at.code if "list=" in c.value]
    assert mine.id in link
    assert mine.owner not in link


def test_import_keeps_good_rows_and_names_bad_ones(mine, lists):
    at = opened(mine.owner)
    data = b"smiles,name\nC1COCO1,my DOL\nC(,broken\nCCOCC," + EVIL.encode() + b"\n"
    at.file_uploader[0].set_value(("mine.csv", data, "text/csv"))
    press(at, "Add its molecules")
    names = [e.candidate.name for e in lists.entries(mine.id)]
    assert names[-2:] == ["my DOL", EVIL]
    assert any("mine.csv, line 3" in str(v) for v in at.dataframe[0].value.iloc[:, 0])
    assert "2 molecules added" in words(at)
    press(at, "Put away")
    assert "2 molecules added" not in words(at)


def test_compute_queues_a_job_and_its_values_arrive(mine, lists, place):
    unlabelled = place.typed("N#COCC(F)(F)COC")
    lists.add(mine.id, unlabelled)
    at = press(opened(mine.owner), "Compute all with xTB")
    (job,) = shared.jobs().list(mine.owner)
    assert job.kind == "label"
    assert job.arguments["texts"] == [*TEXTS, unlabelled.text]
    values = {"lumo_ev": Measurement(-1.234, "eV", "GFN2-xTB", "computed")}
    Store().save_evaluation("molecules", unlabelled.text, "GFN2-xTB", values)
    shared.jobs().cancel(job.id)
    run(at)
    found = lists.entries(mine.id)[-1].candidate.properties["lumo_ev"]
    assert (found.value, found.kind) == (-1.234, "computed")


def test_make_again_says_same_or_why_not(mine, lists, place):
    at = press(opened(mine.owner), "Make this exact candidate again")
    assert "The same" in words(at)
    made = place.candidate(place.n_known)
    entry = lists.add(mine.id, made)
    at = press(opened(mine.owner, entry=str(entry.id)), "Make this exact candidate again")
    assert re.search(r"The same\\?: chemvae|Not the same|cannot be made again", words(at))


def test_downloads_hold_notes_and_provenance(mine, lists):
    entry = lists.entries(mine.id)[0]
    lists.annotate(entry, note=EVIL, tags=["t1"], rank=2)
    entries = lists.entries(mine.id)
    table = shortlist_parts.writer(entries, "csv")().decode()
    assert "provenance" in table.splitlines()[0]
    assert EVIL in table
    for fmt in ("sdf", "smi", "json"):
        assert shortlist_parts.writer(entries, fmt)()
    goals = {"lumo_ev": -1, "vip_ev": 1}
    page = shortlist_parts.page_of(mine, entries, goals, "A. Chemist & <b>")
    assert EVIL not in page
    assert html.escape(EVIL) in page
    assert "A. Chemist &amp; &lt;b&gt;" in page
    assert page.count('<details class="view3d"') == 4
    assert not re.search(r"""(?:src|href)\s*=\s*["']?(?:https?:)?//""", page)


def test_report_view_escapes_what_it_carries():
    view = html_view.report_view('"><script>alert(1)</script>', "sdf")
    assert "<script" not in view


def test_figure_marks_front_and_chosen(mine, lists):
    entries = lists.entries(mine.id)
    known = tables.known("molecules")
    goals = {"lumo_ev": 1, "vip_ev": 1}
    front = [True, False, None, False]
    drawn = shortlist_plot.figure(entries, goals, known, front, entries[1].id, dark=False)
    _, rest, best, ring = drawn.data
    assert list(best.customdata) == [entries[0].id]
    assert list(rest.customdata) == [entries[1].id, entries[3].id]
    assert len(ring.x) == 1
    assert drawn.layout.dragmode == "pan"
    assert "eV" in drawn.layout.xaxis.title.text


def test_figure_escapes_names(place, lists, mine):
    entry = lists.entries(mine.id)[0]
    named = type(entry)(**{**entry.__dict__, "candidate": replaced(entry.candidate, EVIL)})
    known = tables.known("molecules")
    drawn = shortlist_plot.figure(
        [named], {"lumo_ev": 1, "vip_ev": 1}, known, [True], named.id, dark=True
    )
    assert "<img" not in drawn.to_json().replace("\\u003c", "<")


def replaced(candidate, name):
    return type(candidate)(**{**candidate.__dict__, "name": name})


@pytest.mark.parametrize("text", [EVIL, "![x](http://a.invalid/x.png)", "[a](b)", ":red[x]", "$x$"])
def test_plain_leaves_no_markdown(text):
    shown = plain(text)
    for sign in "![](:$<":
        assert not re.search(rf"(?<!\\){re.escape(sign)}", shown)
