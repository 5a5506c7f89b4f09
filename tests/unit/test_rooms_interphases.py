"""Interphases in the studio: rows, search, links, judging, pictures, cards, libraries."""

import base64
import io
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from test_seivae import slab, system

from genbat.core.candidate import Verdict
from genbat.core.condition import Condition
from genbat.domains.interphases import build, data
from genbat.domains.interphases.measures import label
from genbat.domains.interphases.picture import COLOURS, GROUND, png, svg
from genbat.domains.interphases.texts import from_text, grown_text, to_text
from genbat.studio import interphase_facts, library_interphases
from genbat.studio.rooms import rooms
from genbat.studio.store import Store
from genbat.ui import interphase_card

ONE = slab(12, 0.2, 1)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GENBAT_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def room():
    return rooms("interphases")


@pytest.fixture
def known():
    rows = [{"seed": k, **vars(build.designs()[k]), "thickness": 3.0 + 2 * k, "porosity": 0.2,
             "organic": 0.3, "inorganic": 0.5, "roughness": np.nan if k == 2 else 1.0}
            for k in range(8)]  # fmt: skip
    return rooms("interphases").known(data.Dataset(pd.DataFrame(rows)))


# ---------------------------------------------------------------------- rows and search
def test_rows_are_barriers_that_grow_their_interphase(known, room):
    assert known.texts[5] == grown_text(build.designs()[5], 5)
    assert known.names[5] == "Interphase 5, 13.0 nm thick"
    assert known.handles["s5"] == 5 == known.match(known.texts[5])
    assert set(known.group("tunnelling")) <= {f"{w} tunnelling" for w in ("short", "usual", "long")}
    assert "roughness" not in known.measurements(2) and "roughness" in known.measurements(3)


def test_found_by_number_and_by_thickness(known, room):
    finder = room.finder(known, known.texts, known.row_of)
    assert finder.find("interphase 7", 3) == [7] == finder.find("s7", 3) == finder.find("7", 3)
    assert finder.find("thickness 8", 2) == [2, 3] == finder.find("thick 8.0 nm", 2)
    assert finder.find("LiF", 3) == [] == finder.find("12", 3)


# ---------------------------------------------------------------------- one interphase
def test_links_titles_and_numbers(room):
    text = to_text(ONE)
    assert room.check(room.handle(text)) == text
    with pytest.raises(ValueError, match="another computer"):
        room.check("v.0123456789abcdef0123")
    with pytest.raises(ValueError, match="header"):
        room.check("LiF")
    wanted = label(ONE)
    assert room.title(text).startswith(f"{wanted['thickness']:.1f} nm thick")
    assert room.read_off(text)["thickness"].value == pytest.approx(wanted["thickness"])
    assert room.read_off(text)["thickness"].unit == "nm"
    assert room.same(text, text) and not room.same(text, to_text(slab(9, 0.1, 2)))
    assert room.flags(text) == []
    assert "end of the lattice" in room.flags(to_text(slab(64, 0.1, 2)))[0]
    loose = ONE.copy()
    loose[-1, 5] = 3
    assert room.flags(to_text(loose)) == []


def test_files_are_refused_with_a_word(room):
    with pytest.raises(ValueError, match=r"mine\.json: .*no format"):
        room.read(b"{}", "mine.json")
    with pytest.raises(ValueError, match="windows only"):
        room.read_wishes(Condition(wishes={"formula": "LiF"}))


def test_judged_values_are_counted_and_kept(room, tmp_path):
    store, heard = Store(tmp_path / "s.db"), []
    good, bad = room.judge(store, [to_text(ONE), "nothing"], lambda s, text: heard.append(s))
    assert good.evaluation.values["porosity"].value == pytest.approx(label(ONE)["porosity"])
    assert "header" in bad.evaluation.failed and heard == [0.5, 1.0]
    assert store.evaluation("interphases", to_text(ONE)).values.keys() == (
        good.evaluation.values.keys()
    )


# ---------------------------------------------------------------------- pictures and cards
def test_the_electrode_lies_below(room):
    picture = Image.open(io.BytesIO(base64.b64decode(png(ONE)))).convert("RGB")
    seen = np.asarray(picture)
    assert seen.shape == (64 + GROUND, 64, 3)
    inorganic = tuple(int(COLOURS[3][k : k + 2], 16) for k in (1, 3, 5))
    assert (seen[-GROUND - 1] == inorganic).all()  # the slab's first row is full of it
    free = tuple(int(COLOURS[0][k : k + 2], 16) for k in (1, 3, 5))
    assert (seen[0] == free).all()
    assert room.drawing(to_text(ONE), 90, 60, False) == svg(ONE, 90, 60)


def test_layers_add_up_to_one():
    found = interphase_facts.facts(to_text(ONE))
    assert found.shares.sum(0) == pytest.approx(np.ones(64))
    assert found.shares[3, 0] == 1.0 and found.barriers is None
    figure = interphase_card.layers(found)
    assert figure.layout.xaxis.title.text == "distance from the electrode / nm"
    assert len(figure.data) == 4
    grown = interphase_facts.facts(grown_text(build.designs()[1], 1))
    assert grown.barriers == build.designs()[1]


# ---------------------------------------------------------------------- libraries
class Maker:
    """Every second interphase of it has no solid."""

    card = SimpleNamespace(name="toy")
    weights = "w"

    def sample(self, n, *, seed=0, progress=None):
        for k in range(n):
            yield SimpleNamespace(text=to_text(slab(8 + k, 0.1, k)), verdict=Verdict(k % 2 == 1))


def test_a_library_is_counted_and_placed(tmp_path):
    table = library_interphases.make_library(
        Maker(), log=tmp_path / "l", size=3, reference=system()
    )
    assert table["index"].tolist() == [1, 3, 5]
    wanted = label(from_text(table["text"][2]))
    assert table["thickness"][2] == pytest.approx(wanted["thickness"])
    assert np.stack(table["latent"]).shape == (3, system().config.latent)


def test_known_ones_are_placed_in_their_order(monkeypatch):
    sites = np.stack([slab(10 + k, 0.1, k) for k in range(5)])
    monkeypatch.setattr(library_interphases.data, "all_sites", lambda folder: sites)
    table = SimpleNamespace(table={"seed": np.array([4, 1])})
    monkeypatch.setattr(library_interphases.data, "load", lambda: table)
    found = library_interphases.known_latents(system())
    assert np.allclose(found, system().encode_sites([sites[4], sites[1]]), atol=1e-6)
