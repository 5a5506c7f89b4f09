"""Labels of volumes whose numbers are known beforehand, and that all properties have one."""

import math

import numpy as np
import pytest

from genbat.domains.microstructures.generator import Recipe, make
from genbat.domains.microstructures.labelling import in_turn, label
from genbat.domains.microstructures.properties import BY_KEY, PROPERTIES
from genbat.domains.microstructures.volume import Volume

N = 16


def channels():
    """Straight pores along z through active material."""
    labels = np.ones((N, N, N), np.uint8)
    labels[:, 4:8, 4:12] = 0
    return Volume(labels, voxel_um=(0.5, 0.5, 0.5))


def test_straight_channels():
    found = label(channels())
    assert found["porosity"] == pytest.approx(1 / 8)
    assert found["active"] == pytest.approx(7 / 8)
    assert found["binder"] == 0
    assert found["tau_z"] == pytest.approx(1, rel=0.01)
    assert found["diffusivity_z"] == pytest.approx(1 / 8, rel=0.01)
    assert found["reached"] == 1
    assert math.isinf(found["tau_x"]) and math.isinf(found["tau_y"])
    assert math.isnan(found["anisotropy"])
    assert found["surface"] == pytest.approx(24 * N / (N**3 * 0.5))  # 24 faces a slice
    assert found["triple_line"] == 0
    chords = [4] * 8 + [8] * 4  # across; along z every line meets the border
    assert found["chord"] == pytest.approx(0.5 * np.mean(chords))


def test_every_property_has_a_number():
    found = label(make(Recipe(size=32, radius=5.0), 0))
    assert set(found) == set(BY_KEY)
    assert len(PROPERTIES) == len(BY_KEY)
    assert all(np.isfinite(v) for v in found.values())
    assert 1 < found["tau_z"] < 10
    assert 0 < found["conductivity_z"] < found["active"] + found["binder"]


def test_the_quick_numbers_come_first():
    first = next(in_turn(make(Recipe(size=32, radius=5.0), 0)))
    assert {"porosity", "surface"} <= set(first)
    assert "tau_z" not in first


def test_one_phase_is_refused():
    with pytest.raises(ValueError, match="a solid are needed"):
        label(Volume(np.zeros((8, 8, 8), np.uint8), ("pore",)))
