"""Crystals' rooms: texts, links, finding, novelty, the judge, and design by sampling."""

import numpy as np
import pandas as pd
import pytest
from tiny_crystal_atlas import (
    KNOWN,
    TinySampler,
    TinySystem,
    absurd,
    atlas,
    looked_up,
    texts,
    universe,
)

from genbat.core.condition import Condition
from genbat.domains.crystals.codec import turned
from genbat.domains.crystals.relax import perturbed
from genbat.domains.crystals.structure import cell_of, from_text, structure_of, to_text
from genbat.studio import exports, own_list, path
from genbat.studio.rooms import Uploaded, rooms
from genbat.studio.rooms_crystals_text import pack, unpack
from genbat.studio.store import Store
from genbat.studio.work import label


@pytest.fixture
def room():
    return rooms("crystals")


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "test.sqlite")


def licoo2():
    return atlas().texts[atlas().search("LiCoO2")[0]]


# ---------------------------------------------------------------------- texts
def test_texts_stay_what_they_are(room):
    for text in texts()[:40]:
        assert room.check(text) == text
        assert room.check(room.handle(text)) == text


def test_another_cell_of_it_becomes_the_primitive_one(room):
    big = structure_of(from_text(licoo2())).make_supercell((2, 1, 1), in_place=False)
    text = room.check(big.to(fmt="cif"))
    assert len(from_text(text).numbers) == len(from_text(licoo2()).numbers)
    assert room.same(text, licoo2())


@pytest.mark.parametrize("text", ["", "LiCoO2", "z.", "z.abc", "data_\n", "data_x\nloop_\n_cell",
                                  "<img>\n", "z." + "A" * 30_000, absurd(texts()[0])])  # fmt: skip
def test_no_crystal_says_why(room, text):
    with pytest.raises(ValueError, match=r"CIF|crystal"):
        room.check(text)


def test_a_link_cannot_swell():
    assert unpack(pack("x" * 1_000_000)) == "x" * 400_000


# ---------------------------------------------------------------------- known ones
def test_rows_are_found_by_text_and_handle():
    place = atlas()
    for row in (0, 7, KNOWN - 1):
        assert place.row_of[place.texts[row]] == row
        assert place.typed(place.handle(place.texts[row])).text == place.texts[row]
    assert place.row_of.get("nothing") is None
    assert len(place.texts) == KNOWN + 1


def test_a_moved_known_crystal_is_not_new():
    place = atlas()
    moved = to_text(turned(from_text(place.texts[3]), 1))
    assert moved != place.texts[3]
    assert place.names[place.known.match(moved)].split(" ")[0] == place.names[3].split(" ")[0]
    assert place.typed(moved).novel is False
    assert place.known.match(texts()[KNOWN + 5]) is None


def test_known_rows_that_fulfil_wishes(room):
    place = atlas()
    asked = Condition({}, {"require": ["Li"], "forbid": ["O"], "atoms": [1, 8], "not_p1": True})
    wishes = room.read_wishes(asked)
    legal = place.known.fulfil(wishes)
    assert 0 < legal.sum() < KNOWN
    for row in range(KNOWN):
        cell, group = universe().cell(row), int(universe().table["group"][row])
        names = place.elements[row]
        slow = "Li" in names and "O" not in names and len(cell.numbers) <= 8 and group != 1
        assert legal[row] == slow
    only = place.known.fulfil(room.read_wishes(Condition({}, {"formula": "CoLiO2"})))
    assert {place.names[k].split(" ")[0] for k in np.flatnonzero(only)} == {"LiCoO2"}


def test_values_and_groups_are_the_tables():
    place, table = atlas(), universe().table[:KNOWN]
    assert np.array_equal(place.values("group")[:KNOWN], table["group"])
    assert np.array_equal(place.values("atoms")[:KNOWN], table["numbers"].map(len))
    cubic = place.group("crystal_system")[:KNOWN] == "cubic"
    assert np.array_equal(cubic, table["group"] >= 195)
    anions = list(zip(place.elements, place.group("anion"), strict=True))
    assert all(a in e or a in ("metal", "") for e, a in anions)


def test_no_number_where_a_gate_said_no():
    place, table = atlas(), universe().table
    failed = [k for k in range(KNOWN) if table["host_failed"][k]]
    assert failed
    for row in failed:
        made = place.candidate(row)
        assert "voltage_v" not in made.properties
        assert table["host_failed"][row] in made.properties["formation_ev"].note


def test_a_predicted_voltage_is_for_hosts_only(room):
    place = atlas()
    guess = place.system.predict(place.latents[0])[0]
    salt = next(t for t in texts() if room.title(t) == "NaCl")
    assert "voltage_v" in room.sensible(licoo2(), guess)
    assert "voltage_v" not in room.sensible(salt, guess)


# ---------------------------------------------------------------------- the judge
@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """What CHGNet says of a known host, somewhat moved, and of an absurd crystal."""
    store = Store(tmp_path_factory.mktemp("judge") / "test.sqlite")
    start = to_text(turned(from_text(licoo2()), 5))
    found = {
        one.evaluation.text: one for one in rooms("crystals").judge(store, [start, absurd(start)])
    }
    return store, start, found


def test_the_judge_relaxes_and_keeps(judged, room):
    store, start, found = judged
    one, row = found[start], atlas().search("LiCoO2")[0]
    known = atlas().known.measurements(row)
    assert one.evaluation.values["formation_ev"].value == pytest.approx(
        known["formation_ev"].value, abs=0.01
    )
    assert one.evaluation.values["hull_ev"].value == pytest.approx(known["hull_ev"].value, abs=0.01)
    relaxed = one.more["relaxed"]
    assert room.same(relaxed, licoo2())
    assert float(one.more["told"]["moved"].split()[0]) < 0.2
    for text in (start, relaxed):
        kept = store.evaluation("crystals", text, room.method())
        assert kept.values["volume_a3"] == one.evaluation.values["volume_a3"]


def test_an_absurd_crystal_gets_a_reason_and_no_number(judged):
    _, start, found = judged
    one = found[absurd(start)]
    assert one.evaluation.values == {}
    assert one.evaluation.failed
    assert "relaxed" not in one.more


def test_a_settled_candidate_keeps_its_story(judged, room):
    _, start, found = judged
    (made,) = TinySampler().decode(np.zeros((1, 5)))
    made = type(made)(**{**made.__dict__, "text": start})
    settled = room.settled(made, found[start])
    story = settled.provenance.arguments
    assert settled.text == found[start].more["relaxed"]
    assert story["relaxed_from"] == start
    again = room.made_again(settled, made)
    assert room.same(again.text, settled.text)


def test_what_was_met_around_is_made_again(monkeypatch):
    monkeypatch.setattr(path, "atlas", lambda domain: atlas())
    place = atlas()
    found = place.around(place.latents[0], 2.0, n=12)
    assert found
    for candidate in found:
        made, same = path.make_again(candidate)
        assert same and made.text == candidate.text


def test_a_judged_decoded_crystal_moves_to_its_relaxed_self(judged):
    _, start, found = judged
    made = atlas().settled(TinySystem().decode(np.zeros((1, 5)))[0], found[start])
    assert made.text == found[start].more["relaxed"]
    assert made.novel is False and made.name.startswith("LiCoO2")
    assert made.properties["formation_ev"].kind == "computed"
    assert np.allclose(made.latent, TinySystem().encode([made.text])[0])


# ---------------------------------------------------------------------- jobs, walks, files
class Heard:
    """A report that remembers."""

    def __init__(self, store):
        self.store, self.emitted = store, []

    def __call__(self, fraction, message=""):
        assert 0 <= fraction <= 1

    def emit(self, payload):
        self.emitted.append(payload)


def test_the_label_job_judges_each_text_once(monkeypatch, store, room):
    monkeypatch.setattr(type(room), "judge", lambda self, s, t, say=None: looked_up(s, t))
    report = Heard(store)
    asked = [texts()[0], "no crystal", texts()[1], texts()[0]]
    label({"domain": "crystals", "texts": asked}, report)
    assert sorted(p["asked"] for p in report.emitted) == sorted(asked)
    bad = next(p for p in report.emitted if p["asked"] == "no crystal")
    assert bad["text"] == "" and "CIF" in bad["failed"]
    assert all(p["more"]["relaxed"] == p["text"] for p in report.emitted if p["text"])


def test_a_walk_decodes_one_crystal_a_step():
    place = atlas()
    a, b = (place.texts[place.search(f)[0]] for f in ("LiTiS2", "NaTiS2"))
    walk = path.walk_in(place, a, b, steps=5)
    assert [c.text for c in walk.candidates][:: len(walk.candidates) - 1] == [a, b]
    assert len(walk.candidates) == 5
    assert all(c.name for c in walk.candidates)


@pytest.mark.parametrize("fmt", exports.formats("crystals"))
def test_every_export(fmt, tmp_path):
    made = [atlas().candidate(k) for k in (0, 1)]
    out = tmp_path / f"some.{fmt}"
    exports.write(made, out)
    assert out.stat().st_size > 100


def test_a_users_file_is_labelled(judged, monkeypatch, tmp_path, room):
    from genbat.studio import labelling_crystals

    store, start, found = judged
    monkeypatch.setattr(type(room), "judge", lambda self, s, t, say=None: iter(found.values()))
    monkeypatch.setattr(type(room), "read", lambda self, *_: (
        [Uploaded(start, "mine <b>", 1, "ordered"), Uploaded(absurd(start), "bad", 2)], []
    ))  # fmt: skip
    file = tmp_path / "mine.cif"
    file.write_text("data_")
    assert labelling_crystals.label_file(file, tmp_path / "out", store=store) == []
    table = pd.read_csv(tmp_path / "out" / "candidates.csv")
    assert list(table["valid"]) == ["yes", "no"]
    assert table["formation_ev"].notna().tolist() == [True, False]
    assert table["reasons"][1]
    assert len(list((tmp_path / "out").glob("*.cif"))) == 1
    with pytest.raises(ValueError, match="input file"):
        labelling_crystals.label_file(file, file)


@pytest.fixture(scope="module")
def large():
    """A crystal of 32 atoms without any order in it."""
    big = structure_of(from_text(licoo2())).make_supercell((2, 2, 2), in_place=False)
    return to_text(perturbed(cell_of(big), 1, 0.01, 0.1))


def test_a_crystal_too_large_for_the_model_is_kept_without_a_place(large):
    place = atlas()
    found = own_list.read(place, large.encode() + b"\n" + texts()[0].encode(), "two.cif")
    assert len(found) == 2 and len(found.xy) == 1
    assert "has no place on the map" in found.problems[0]
    made = place.typed(large)
    assert made.latent is None and made.novel and made.name == "LiCoO2"
    with pytest.raises(ValueError, match="end A: LiCoO2 is too large"):
        path.walk_in(place, large, texts()[0])


def test_a_relaxed_sample_is_made_again(judged, room, monkeypatch):
    _, start, found = judged
    monkeypatch.setattr(path, "atlas", lambda domain: atlas())
    monkeypatch.setattr(path, "load", lambda name: Repeating())

    class Repeating(TinySampler):
        def sample(self, n, *, condition=None, seed=0, progress=None):
            for k in range(n):
                yield self._made(start, "sample", seed=seed, arguments={"index": k})

    made = list(Repeating().sample(3))[2]
    settled = room.settled(made, found[start])
    again, same = path.make_again(settled)
    assert same
    assert again.text != start


def test_ends_of_a_walk_may_be_files_or_names(tmp_path):
    place = atlas()
    file = tmp_path / "A.cif"
    file.write_text(licoo2())
    assert place.rooms.same(path._given(place, str(file)), licoo2())
    assert path._given(place, "LiCoO2") == licoo2()
    assert path._given(place, licoo2()) == licoo2()
    (tmp_path / "bad.cif").write_text("data_x")
    with pytest.raises(ValueError, match=r"bad\.cif"):
        path._given(place, str(tmp_path / "bad.cif"))


def test_a_folder_holds_one_cif_each(tmp_path):
    made = [atlas().candidate(k) for k in (0, 1)]
    exports.write(made, tmp_path / "out")
    files = sorted(f.name for f in (tmp_path / "out").iterdir())
    assert files[-1] == "candidates.csv" and all(f.endswith(".cif") for f in files[:2])
    back = structure_of(from_text((tmp_path / "out" / files[0]).read_text("utf-8")))
    assert back.composition.reduced_formula == made[0].name.split(" ")[0]
