"""Whatever anybody uploads or types: clear words about what is wrong, good rows kept, no crash."""

import csv
import io
import re
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from malformed import BROKEN, CANARY, CASES, FINE, LONG, LOOK_ALIKE, NAMES, OUTSIDE

from genbat.core.candidate import Candidate, Verdict
from genbat.core.condition import Condition, Window, parse_targets
from genbat.core.provenance import Provenance
from genbat.domains.molecules import data as molecules
from genbat.domains.molecules.reading import read_molecules
from genbat.domains.molecules.structure import check
from genbat.domains.molecules.wishes import read_wishes
from genbat.studio import own_list
from genbat.studio.explore import Atlas
from genbat.studio.exports import export
from genbat.studio.report import report
from genbat.studio.shortlist import Shortlists
from genbat.studio.store import Store

PATIENCE_S = 5.0  # of computing time for one file
OWNER = "a" * 32
LEGAL = {"lumo_ev", "vip_ev"}
PLACE = re.compile(r"^(?P<file>.*?)(, line (?P<line>\d+))?: .{8,}$", re.DOTALL)
TEXTS = [*NAMES, *BROKEN, *LOOK_ALIKE, *LONG.values(), "\x00", "", " ", "\n\n", "a\nb", "\ud800"]


class Stub:
    """Encodes anything; the map it stands for is a point."""

    card = SimpleNamespace(domain="molecules")

    def encode(self, texts):
        return np.zeros((len(texts), 4), "f4")


@pytest.fixture(scope="module")
def place():
    """The atlas with real data, without a model."""
    atlas = Atlas(molecules.load(), pd.DataFrame(columns=["text", "latent"]), None, Stub())
    atlas.place = lambda z: np.zeros((len(z), 2), "f4")
    return atlas


def test_there_are_enough():
    assert len(CASES) >= 300
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_file(case, place, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    begin = time.process_time()
    found = own_list.read(place, case.data, case.filename)
    assert time.process_time() - begin < PATIENCE_S
    rows, problems = counted(case)
    if case.good is not None:
        assert rows == case.good, problems
    for problem in found.problems:
        assert PLACE.match(problem), problem
        assert len(problem) < 1000
        assert not re.search(r"Traceback|object at 0x|Error:", problem)
    if case.bad is not None:
        assert tuple(problems) == case.bad, found.problems
    assert rows or problems, "nothing read and nothing said"
    assert not Path(CANARY).exists()
    assert list(tmp_path.iterdir()) == []


def counted(case):
    """Rows kept and lines complained of, straight from the reader."""
    try:
        rows, problems = read_molecules(case.data, case.filename)
    except ValueError as refused:
        found = PLACE.match(str(refused))
        assert found, refused
        return 0, [int(found["line"] or 0)]
    for problem in problems:
        assert problem.message.strip()
        assert len(str(problem)) < 1000
    for row in rows:
        assert len(row.name) <= 200
        assert row.name.isprintable()
        assert row.line >= 1
    return len(rows), [p.line for p in problems]


def test_messages_name_the_file(place):
    for name in ("../../etc/passwd.smi", "<script>.smi", "a\nb.smi", "\u202ex.smi"):
        (problem,) = own_list.read(place, b"C(\nCCO\n", name).problems
        assert ", line 1: " in problem
        assert problem.isprintable()


def candidate(name):
    return Candidate("CCO", "molecules", Verdict(True), Provenance("user", "typed"), name=name)


def test_names_stay_text_in_what_goes_out():
    made = [candidate(name[:200]) for name in NAMES]
    table = export(made, "csv", [{"note": name[:200]} for name in NAMES]).decode()
    for row in csv.DictReader(io.StringIO(table, newline="")):
        for cell in row.values():
            assert cell.lstrip()[:1] not in set("=+-@") or re.fullmatch(r"-?[\d.e+-]+", cell)


def test_names_stay_text_in_the_report(tmp_path):
    lists = Shortlists(Store(tmp_path / "x.sqlite"))
    mine = lists.create(OWNER, "<script>alert(1)</script>", "molecules")
    for k, name in enumerate(n for n in NAMES if len(n) < 200):
        one = Candidate("C" * (k + 2), "molecules", Verdict(True), Provenance("user", "typed"))
        entry = lists.add(mine.id, one)
        lists.annotate(entry, note=name)
    page = report(mine.name, lists.entries(mine.id))
    for tag in ("<script", "<img", "<svg/"):
        assert tag not in page


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: f"{text[:24]!a}")
def test_typed_texts(text, place):
    begin = time.process_time()
    for call in (place.search, place.typed, check):
        try:
            call(text)
        except ValueError as reason:
            assert 10 < len(str(reason)) < 500
    for wish in ("start", "keep", "forbid", "elements", text):
        try:
            read_wishes(Condition({"lumo_ev": Window(high=-7)}, {wish: text}))
        except ValueError as reason:
            assert str(reason)
    for target in (text, f"lumo_ev<={text}", f"{text}>=3"):
        try:
            parse_targets([target], LEGAL)
        except ValueError as reason:
            assert "target" in str(reason)
    assert time.process_time() - begin < PATIENCE_S


@pytest.mark.parametrize("text", [*BROKEN, *OUTSIDE, *LOOK_ALIKE, *LONG.values()])
def test_no_bad_smiles_passes(text):
    with pytest.raises(ValueError, match="SMILES"):
        check(text)


@pytest.mark.parametrize("text", FINE)
def test_good_smiles_pass(text):
    assert check(check(text)) == check(text)


@pytest.mark.parametrize(
    "target",
    ["lumo_ev<=1.2.3", "lumo_ev<=", "<=3", "lumo_ev", "lumo_ev=<3", "lumo_ev<=nan", "lumo_ev<=٣",
     "lumo_ev<=1e999", "lumo_ev>=1e999", "lumo_ev<=" + "9" * 400, "os.system('x')<=1", "x<=1"],
)  # fmt: skip
def test_odd_targets(target):
    with pytest.raises(ValueError, match="target"):
        parse_targets([target], LEGAL)


def test_shortlists_keep_any_text_or_say_why_not(tmp_path):
    lists = Shortlists(Store(tmp_path / "x.sqlite"))
    entry = lists.add(lists.create(OWNER, "one", "molecules").id, candidate("x"))
    refused = 0
    for k, text in enumerate([*NAMES, *TEXTS[-6:]]):
        for write in (
            lambda text=text, k=k: lists.create(f"{k:032x}", text, "molecules").name,
            lambda text=text: lists.set_note(entry.id, text).note,
            lambda text=text: lists.annotate(entry, tags=[text]).tags,
        ):
            try:
                write()
            except ValueError as reason:
                refused += 1
                assert 10 < len(str(reason)) < 300
    assert refused
    assert lists.entries(lists.lists(OWNER)[0].id)[0].candidate.name == "x"
