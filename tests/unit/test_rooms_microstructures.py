"""Electrodes in the studio: rows, search, links, uploads, judging, pictures."""

import base64
import io
import re

import numpy as np
import pandas as pd
import pytest
import tifffile
from PIL import Image

from genbat.core.condition import Condition
from genbat.domains.microstructures import build, data
from genbat.domains.microstructures.generator import Recipe, make
from genbat.domains.microstructures.labelling import label
from genbat.domains.microstructures.texts import read, recipe_text
from genbat.domains.microstructures.thumbnail import png, svg
from genbat.domains.microstructures.volume import Volume, to_text
from genbat.studio.rooms import rooms
from genbat.studio.store import Store

SMALL = make(Recipe(size=24, radius=4.0, binder=0.08), 2)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GENBAT_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def room():
    return rooms("microstructures")


@pytest.fixture(scope="module")
def known():
    """Rows without the solver: what is solved is made up."""
    rows = []
    for seed in range(12):
        recipe = build.recipes()[seed]
        solved = dict.fromkeys(("tau_z", "tau_y", "tau_x", "diffusivity_z"), 2.0 + seed)
        counted = {"porosity": recipe.porosity + 2e-6, "binder": 0.200001,
                   "active": 1 - recipe.porosity - recipe.binder,
                   "surface": 0.1, "triple_line": 0.01, "reached": 1.0, "chord": 8.0,
                   "grain": 9.0, "conductivity_z": 0.2, "anisotropy": 1.1}  # fmt: skip
        rows.append({"seed": seed, **vars(recipe), **counted, **solved})
    rows[3]["tau_z"] = np.inf
    return rooms("microstructures").known(data.Dataset(pd.DataFrame(rows)))


# ---------------------------------------------------------------------- rows and search
def test_rows_are_recipes_that_make_their_volume(known, room):
    text = known.texts[5]
    assert text == recipe_text(build.recipes()[5], 5)
    assert known.match(text) == 5 and known.row_of[text] == 5
    assert room.check(text) == text
    assert known.names[5].startswith("Electrode 5, porosity 0.")
    assert set(known.group("particles")) <= {"fine", "medium", "coarse"}


def test_every_shipped_row_has_a_text_that_can_be_read(room):
    """Counted shares are not quite the asked ones, and may lie outside what is legal to ask."""
    shipped = room.known(room.load())
    seeds = shipped.table["seed"].tolist()
    assert shipped.texts == [recipe_text(build.recipes()[seed], seed) for seed in seeds]
    row = int(shipped.table["binder"].argmax())
    assert shipped.table["binder"].iat[row] > 0.2
    assert read(shipped.texts[row]).mask(2).mean() == pytest.approx(
        shipped.table["binder"].iat[row], abs=1e-7
    )


def test_what_does_not_percolate_has_no_tortuosity(known):
    assert np.isnan(known.values("tau_z")[3])
    assert "tau_z" not in known.measurements(3) and "tau_y" in known.measurements(3)
    told = known.measurements(4)
    assert told["tau_z"].method == "TauFactor 1.2.1"
    assert told["porosity"].method == "counting voxels"


def test_found_by_number_and_by_porosity(known, room):
    finder = room.finder(known, known.texts, known.row_of)
    assert finder.find("electrode 7", 5) == [7] == finder.find("#7", 5) == finder.find(" 7 ", 5)
    assert finder.find("99", 5) == [] == finder.find("LiCoO2", 5)
    near = finder.find("porosity 0.4", 3)
    away = np.abs(known.values("porosity") - 0.4)
    assert near == np.argsort(away, kind="stable")[:3].tolist()
    assert finder.find(known.texts[2], 5) == [2]


# ---------------------------------------------------------------------- one volume
def test_links_of_volumes_of_ones_own(room):
    text = to_text(SMALL)
    handle = room.handle(text)
    assert len(handle) < 40 and room.check(handle) == text
    with pytest.raises(ValueError, match="another computer"):
        room.check("v.0123456789abcdef0123")
    with pytest.raises(ValueError, match="header"):
        room.check("v.../../etc/passwd")


def test_titles_labels_flags(room):
    text = to_text(Volume(SMALL.labels, voxel_um=(0.5, 0.4, 0.4)))
    assert room.title(text).startswith("24 x 24 x 24 voxels, porosity 0.")
    assert room.labels(text) == ["voxels of 0.5 x 0.4 x 0.4 μm"]
    bare = to_text(Volume(np.minimum(SMALL.labels, 1)))
    assert room.flags(bare) == ["⚠ no carbon-binder"] and room.flags(text) == []


def test_what_is_read_off_is_counted(room):
    found = room.read_off(to_text(SMALL))
    assert found["porosity"].value == pytest.approx((SMALL.labels == 0).mean())
    assert "tau_z" not in found


def test_uploads(room):
    file = io.BytesIO()
    tifffile.imwrite(file, np.array([10, 90, 200], "u1")[SMALL.labels])
    (row,), problems = room.read(file.getvalue(), "mine.tif")
    assert problems == [] and row.name == "mine"
    assert "values 10, 90, 200 taken as pore, active material, carbon-binder" in row.note
    assert room.same(row.text, to_text(SMALL))
    rng = np.random.default_rng(0)
    for values, named in ((rng.integers(256, size=(16, 16, 16)), "grey"),
                          (np.zeros((16, 16, 16)), "1 phases"),
                          (np.arange(16**3).reshape(16, 16, 16) % 4, "4 phases")):  # fmt: skip
        file = io.BytesIO()
        tifffile.imwrite(file, values.astype("u1"))
        with pytest.raises(ValueError, match=rf"mine\.tif: .*{named}"):
            room.read(file.getvalue(), "mine.tif")


def test_judged_values_are_the_labels_and_are_kept(room, tmp_path):
    store, heard = Store(tmp_path / "s.db"), []
    strange = to_text(Volume(SMALL.labels % 2, tuple("abcd")))
    texts = [to_text(SMALL), strange]
    good, bad = room.judge(store, texts, lambda share, text: heard.append(text))
    wanted = label(SMALL)
    assert good.evaluation.values["porosity"].value == pytest.approx(wanted["porosity"])
    assert good.evaluation.values["conductivity_z"].value == pytest.approx(
        wanted["conductivity_z"], rel=1e-3
    )
    assert "phases a, b, c, d" in bad.evaluation.failed
    assert store.evaluation("microstructures", texts[0]).values.keys() == (
        good.evaluation.values.keys()
    )
    assert heard


def test_discrete_wishes_are_refused(room):
    room.read_wishes(Condition())
    with pytest.raises(ValueError, match="formula"):
        room.read_wishes(Condition(wishes={"formula": "LiF"}))


# ---------------------------------------------------------------------- pictures
def test_a_slice_is_drawn_in_the_colours_of_its_phases():
    picture = Image.open(io.BytesIO(base64.b64decode(png(SMALL.labels[3])))).convert("RGB")
    seen = np.asarray(picture)
    assert seen.shape == (24, 24, 3)
    for phase, colour in ((0, (0xDF, 0xE6, 0xEE)), (2, (0xF2, 0x8E, 0x2B))):
        where = SMALL.labels[3] == phase
        assert (seen[where] == colour).all() and not (seen[~where] == colour).all(-1).any()


def test_the_three_faces_join():
    """Corners that two faces share have the same place in the picture."""
    text = svg(Volume(SMALL.labels[:12], voxel_um=(1.0, 1.0, 0.5)), 200, 150)
    found = re.findall(r"matrix\(([^)]*)\)", text)
    top, left, right = (np.array(list(map(float, m.split()))) for m in found)
    at = lambda m, u, v: m[4:] + u * m[:2] + v * m[2:4]  # noqa: E731
    assert at(top, 0, 1) == pytest.approx(at(left, 0, 0), abs=0.01)  # x = 0, y = end
    assert at(top, 1, 1) == pytest.approx(at(left, 1, 0), abs=0.01)  # the nearest corner
    assert at(top, 1, 1) == pytest.approx(at(right, 0, 0), abs=0.01)
    assert at(top, 1, 0) == pytest.approx(at(right, 1, 0), abs=0.01)
    assert at(left, 1, 1) == pytest.approx(at(right, 0, 1), abs=0.01)
    corners = [at(m, u, v) for m in (top, left, right) for u in (0, 1) for v in (0, 1)]
    assert np.min(corners) >= 0 and (np.max(corners, 0) <= (200, 150)).all()
