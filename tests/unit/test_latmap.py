"""The server's side of the map: packing, odd columns, and which rows a lasso holds."""

import base64

import numpy as np
import pytest

from genbat.ui.components import latmap
from genbat.ui.components import latmap_columns as columns

STEP = 1 / columns.FULL


@pytest.fixture
def rng():
    return np.random.default_rng(3)


def unpack_positions(column):
    """(n, 2) as the browser understands it."""
    a, b, c, d = column.head["range"]
    q = np.frombuffer(column.raw, "<u2").reshape(-1, 2) * STEP
    return q * [b - a, d - c] + [a, c]


def unpack_numbers(column):
    low, high = column.head["range"]
    q = np.frombuffer(column.raw, "<u2")
    return np.where(q == columns.FULL, np.nan, low + q / 65534 * (high - low))


def test_positions_come_back_within_half_a_step(rng):
    xy = rng.normal(size=(5000, 2)) * [40, 0.01] + [1e3, -5]
    back = unpack_positions(latmap.positions(xy))
    assert np.all(np.abs(back - xy) <= 0.51 * STEP * np.ptp(xy, axis=0))


@pytest.mark.parametrize("xy", [np.empty((0, 2)), [[3.0, 4.0]], [[1, 5], [1, 9]], [[2, 2]] * 4])
def test_positions_without_extent(xy):
    column = latmap.positions(xy)
    a, b, c, d = column.head["range"]
    assert b > a and d > c
    assert np.allclose(unpack_positions(column), np.reshape(xy, (-1, 2)), atol=1e-3)


def test_missing_positions_are_refused():
    with pytest.raises(ValueError, match="missing or infinite"):
        latmap.positions([[0, 1], [np.nan, 2]])


def test_numbers_come_back_and_gaps_stay_gaps(rng):
    values = rng.normal(-6, 2, 4000)
    values[::7], values[1] = np.nan, np.inf
    column = latmap.numeric(values, "LUMO", "eV")
    back, good = unpack_numbers(column), np.isfinite(values)
    assert np.array_equal(np.isfinite(back), good)
    assert np.all(np.abs(back[good] - values[good]) <= 0.51 / 65534 * np.ptp(values[good]))
    assert column.head["limits"] == pytest.approx(np.percentile(values[good], [1, 99]))
    assert (column.head["name"], column.head["unit"]) == ("LUMO", "eV")


@pytest.mark.parametrize("values", [[], [np.nan] * 5, [3.0] * 5, [0.0] * 99 + [1.0], [-2.0]])
def test_odd_columns_have_two_ends(values):
    head = latmap.numeric(values, "x").head
    low, high = head["limits"]
    assert np.isfinite([low, high, *head["range"]]).all()
    assert high > low


@pytest.mark.parametrize("centre", [-6.0, 0.0, 50.0])
def test_centred_colours_reach_equally_far(rng, centre):
    low, high = latmap.numeric(rng.normal(-6, 2, 500), "x", centre=centre).head["limits"]
    assert (low + high) / 2 == pytest.approx(centre)
    assert high > low


def test_categories_and_unknown_codes():
    column = latmap.category([0, 1, 2, -1, 255, np.nan], ["VAE", "GAN"], "Family")
    assert list(column.raw) == [0, 1, 255, 255, 255, 255]
    with pytest.raises(ValueError, match="300 categories"):
        latmap.category([0], ["x"] * 300, "Family")


def test_mask_takes_one_bit_a_point(rng):
    keep = rng.random(1001) < 0.3
    column = latmap.mask(keep, "known")
    assert len(column.raw) == 126
    bits = np.unpackbits(np.frombuffer(column.raw, "u1"), count=1001)
    assert np.array_equal(bits.astype(bool), keep)
    assert column.head["name"] == "known"


def test_labels_are_one_line_each():
    names = ["ethylene\ncarbonate", "Å", ""]
    assert latmap.labels(names).raw.decode() == "ethylene carbonate\nÅ\n"
    assert latmap.labels(["x"] * 50_001).raw == b""


def test_a_column_is_known_by_its_content(rng):
    values = rng.normal(size=50)
    same, other = latmap.numeric(values, "x"), latmap.numeric(values, "y")
    assert latmap.numeric(values, "x").id == same.id != other.id


def lasso(xy, corners, hits):
    """The event a browser would send, corners in data units."""
    a, b, c, d = xy.head["range"]
    unit = (np.asarray(corners) - [a, c]) / [b - a, d - c]
    rows = None if hits is None else base64.b64encode(np.asarray(hits, "<u4").tobytes()).decode()
    polygon = np.round(unit * columns.FULL).astype(int).ravel().tolist()
    return {"kind": "lasso", "indices": rows, "polygon": polygon, "off": []}


def winding(points, corners):
    """How often a polygon runs round each point (n,), from the angles its corners are seen at."""
    rays = corners[None] - points[:, None]
    angles = np.arctan2(rays[..., 1], rays[..., 0])
    turns = np.diff(angles, axis=1, append=angles[:, :1])
    return np.rint(((turns + np.pi) % (2 * np.pi) - np.pi).sum(axis=1) / (2 * np.pi)).astype(int)


SHAPES = {
    "box": [[-1, -0.5], [1.5, -0.5], [1.5, 1], [-1, 1]],
    "star": [[0, 2], [0.4, 0.4], [2, 0], [0.4, -0.4], [0, -2], [-0.4, -0.4], [-2, 0], [-0.4, 0.4]],
    "eight": [[-2, -1], [2, 1], [2, -1], [-2, 1]],
}


@pytest.mark.parametrize("shape", SHAPES)
def test_lassoed_agrees_with_another_point_in_polygon(rng, shape):
    points = rng.normal(size=(20_000, 2))
    xy = latmap.positions(points)
    event = lasso(xy, SHAPES[shape], None)
    q = np.frombuffer(xy.raw, "<u2").reshape(-1, 2).astype(float)
    expected = winding(q, np.reshape(event["polygon"], (-1, 2))) % 2 == 1
    got = np.isin(np.arange(len(q)), latmap.lassoed(event, xy))
    # The two may differ only for points that lie on an edge.
    assert np.count_nonzero(got != expected) <= 3
    assert 500 < got.sum() < 19_500


def test_lassoed_takes_rows_as_sent(rng):
    xy = latmap.positions(rng.normal(size=(100, 2)))
    assert latmap.lassoed(lasso(xy, SHAPES["box"], [4, 7, 99]), xy).tolist() == [4, 7, 99]


def test_lassoed_leaves_out_what_was_not_shown(rng):
    points = rng.normal(size=(3000, 2))
    xy, live, hidden = latmap.positions(points), points[:, 0] > 0, points[:, 1] > 0.2
    event = lasso(xy, SHAPES["star"], None)
    everything = latmap.lassoed(event, xy)
    rows = latmap.lassoed(event, xy, live, hidden)
    assert rows.tolist() == [i for i in everything if live[i] and not hidden[i]]
    few = lasso(xy, SHAPES["star"], everything)
    assert latmap.lassoed(few, xy, live, hidden).tolist() == rows.tolist()


def test_a_cleared_selection_holds_nothing(rng):
    xy = latmap.positions(rng.normal(size=(100, 2)))
    cleared = {"kind": "lasso", "count": 0, "indices": None, "polygon": [], "off": []}
    assert latmap.lassoed(cleared, xy).tolist() == []


def test_unseen_are_missing_values_and_switched_off_categories():
    codes, known = latmap.category([0, 1, 2, 9, 9], ["a", "b", "c"], "Family"), [0, 0, 0, 0, 1]
    event = {"off": [1]}
    assert latmap.unseen(event, codes).tolist() == [False, True, False, True, True]
    back = latmap.mask(known)
    assert latmap.unseen(event, codes, back).tolist() == [False, True, False, True, False]
    numbers = latmap.numeric([1.0, np.nan, 2.0], "x")
    assert latmap.unseen({"off": []}, numbers).tolist() == [False, True, False]


def test_script_is_cached_by_streamlit_and_stays_small():
    size = sum(len((latmap._HERE / name).read_bytes()) for name in latmap._SCRIPTS)
    assert 10_000 < size < 40_000
