"""Polymers as the studio sees them: names, finding, files, the surrogate's verdict, drawings."""

import numpy as np
import pytest
from rdkit import Chem

from genbat.core.condition import Condition, Window
from genbat.domains.polymers import draw, named
from genbat.domains.polymers.data import COLUMNS, Polymers
from genbat.domains.polymers.reading import read_units
from genbat.domains.polymers.repeat_unit import normal
from genbat.studio import registry
from genbat.studio.rooms import rooms
from genbat.studio.store import Store
from genbat.systems import polymersurrogate

ROOM = rooms("polymers")


@pytest.fixture(scope="module")
def taught():
    """A surrogate that has learnt nonsense of the named polymers."""
    table = named.load().table[["text"]].assign(split="train")
    rng = np.random.default_rng(0)
    for name in COLUMNS:
        table[name] = rng.normal(size=len(table))
    system = polymersurrogate.train(Polymers(table), polymersurrogate.PRESETS["tiny"])
    system.weights = "0123456789abcdef"
    return system


@pytest.fixture
def surrogate(taught, monkeypatch):
    monkeypatch.setattr(registry, "load", lambda name: taught)
    return taught


# ---------------------------------------------------------------------- known ones
def test_named_polymers_are_in_their_normal_form_and_differ():
    table = named.load().table
    assert [normal(text).text for text in table["text"]] == table["text"].tolist()
    assert table["text"].is_unique and table["name"].is_unique
    assert len(table) > 25


def test_known_rows(surrogate):
    known = ROOM.known(ROOM.load())
    row = known.handles["PEO"]
    assert known.names[row] == "poly(ethylene oxide) (PEO)"
    assert known.called(row) == ["poly(ethylene oxide)", "PEO"]
    assert known.match(normal("[Cu]CCO[Au]").text) == row
    assert known.elements[row] == {"C", "O"}
    own = known.measurements(row)
    assert set(own) == {*COLUMNS, "sa_score"}
    values = known.values("log_conductivity")
    assert values[row] == pytest.approx(own["log_conductivity"].value)
    assert known.values("sa_score")[row] == own["sa_score"].value
    assert known.group("kind")[row] == "ether"


@pytest.mark.parametrize(
    ("text", "short"),
    [("PEO", "PEO"), ("poly(ethylene oxide)", "PEO"), ("polycapro", "PCL"), ("[Cu]CCO[Au]", "PEO"),
     ("[Cu]OCCOCC[Au]", "PEO"), ("dioxolane", "PDOL")],
)  # fmt: skip
def test_found_by_what_people_write(text, short):
    known = ROOM.known(ROOM.load())
    finder = ROOM.finder(known, known.texts, known.row_of)
    assert known.called(finder.find(text, 5)[0])[-1] == short


def test_nothing_is_found():
    known = ROOM.known(ROOM.load())
    finder = ROOM.finder(known, known.texts, known.row_of)
    assert finder.find("nylon", 5) == finder.find("", 5) == finder.find("[Cu]CCCCCC[Au]", 5) == []


def test_names_and_units_are_checked():
    assert ROOM.check("PEO") == ROOM.check("[Cu]CCO[Au]") == normal("[Cu]OCC[Au]").text
    with pytest.raises(ValueError, match="unit: "):
        ROOM.check("CCO")


# ---------------------------------------------------------------------- the judge
def test_the_surrogate_judges(surrogate, tmp_path):
    store = Store(tmp_path / "s.sqlite")
    texts = named.load().table["text"].tolist()[:3]
    found = list(ROOM.judge(store, texts))
    values, halves = surrogate.predict_table(texts)
    for k, one in enumerate(found):
        own = one.evaluation.values
        assert set(own) == {*COLUMNS, "sa_score"} == ROOM.judged()
        assert own["log_conductivity"].value == pytest.approx(values[k, 0], rel=1e-5)
        assert own["log_conductivity"].uncertainty == pytest.approx(halves[k, 0], rel=1e-5)
        assert own["log_conductivity"].method == polymersurrogate.METHOD
    assert "01234567" in ROOM.method()
    assert store.evaluation("polymers", texts[0], ROOM.method()) is not None


def test_what_is_no_unit_does_not_take_the_others_with_it(surrogate, tmp_path):
    good = named.load().table["text"][0]
    found = list(ROOM.judge(Store(tmp_path / "s.sqlite"), ["[Cu]CCOC", good]))
    assert [bool(one.evaluation.values) for one in found] == [False, True]
    assert "one each is legal" in found[0].evaluation.failed and not found[1].evaluation.failed


def test_wishes():
    assert (
        ROOM.read_wishes(Condition({"log_conductivity": Window(low=-4)}, {"begin": "[Cu]O"}))
        is None
    )
    with pytest.raises(ValueError, match="polymers know begin"):
        ROOM.read_wishes(Condition(wishes={"elements": "C"}))
    assert ROOM.wish_words(Condition(wishes={"begin": "[Cu]O"})) == ", beginning with [Cu]O"


# ---------------------------------------------------------------------- pictures and files
def test_drawings_show_open_ends():
    unit = normal("[Cu]OCC[Au]").text
    assert draw.open_ended(unit).count("*") == 2
    assert Chem.MolFromSmiles(draw.open_ended(unit)).GetNumAtoms() == 5
    assert ROOM.drawing(unit, 200, 120, True).startswith("<svg")
    assert ROOM.view(unit).format == "sdf"


def test_files_keep_good_rows_and_name_bad_ones():
    text = "# mine\n[Cu]OCC[Au] PEO\nCCO\n[Cu]CCO[Au] the same\n[Cu]SCC[Au]\n"
    rows, problems = read_units(text.encode(), "own.smi")
    assert [(row.name, row.line) for row in rows] == [("PEO", 2), ("", 5)]
    assert [problem.line for problem in problems] == [3, 4]
    table = b"name,SMILES\nPEO,[Cu]OCC[Au]\nbad,[Cu]C(\n"
    rows, problems = read_units(table, "own.csv")
    assert rows[0].name == "PEO" and problems[0].line == 3
    uploaded, _ = ROOM.read(table, "own.csv")
    assert uploaded[0].text == normal("[Cu]OCC[Au]").text


@pytest.mark.parametrize(
    ("data", "name", "told"),
    [(b"", "a.smi", "is empty"), (b"\xff\xfe\x00", "a.smi", "no text in UTF-8"),
     (b"x,y\n1,2\n", "a.csv", "no column smiles; it has x, y"),
     (b"CCO\n", "a.smi", "no good row in a.smi")],
)  # fmt: skip
def test_useless_files_are_told_by_name(data, name, told):
    with pytest.raises(ValueError, match=told):
        read_units(data, name)
