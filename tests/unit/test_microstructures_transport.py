"""TauFactor through our door, against closed forms and its own published value."""

import math

import numpy as np
import pytest

from genbat.domains.microstructures.transport import transport
from genbat.domains.microstructures.volume import Volume

N = 20


def volume(mask, **more):
    return Volume(mask.astype(np.uint8), ("a", "b"), **more)


def test_a_straight_channel_has_no_tortuosity():
    mask = np.zeros((N, N, N), bool)
    mask[:, 5:9, 3:13] = True
    found = transport(volume(mask), (1,), 0)
    assert found.percolates and found.converged
    assert found.fraction == pytest.approx(0.1)
    assert found.relative == pytest.approx(0.1, rel=2e-3)
    assert found.tortuosity == pytest.approx(1.0, rel=2e-3)


def test_slabs_conduct_along_and_not_across():
    mask = np.zeros((N, N, N), bool)
    mask[::4] = mask[1::4] = True
    across = transport(volume(mask), (1,), 0)
    assert not across.percolates and across.tortuosity == math.inf
    along = transport(volume(mask), (1,), 2)
    assert along.relative == pytest.approx(0.5, rel=2e-3)


def test_islands_count_in_the_fraction_alone():
    mask = np.zeros((N, N, N), bool)
    mask[:, :, :5] = True
    alone = transport(volume(mask), (1,), 0)
    mask[5:9, 5:9, 10:14] = True
    both = transport(volume(mask), (1,), 0)
    assert both.relative == pytest.approx(alone.relative, rel=1e-6)
    assert both.fraction > alone.fraction
    assert both.tortuosity == pytest.approx(both.fraction / alone.relative, rel=1e-6)


def test_two_phases_taken_as_one():
    labels = np.zeros((N, N, N), np.uint8)
    labels[:10, :, :5], labels[10:, :, :5] = 1, 2
    found = transport(Volume(labels), (1, 2), 0)
    assert found.relative == pytest.approx(0.25, rel=2e-3)
    assert not transport(Volume(labels), (1,), 0).percolates


def bent(tall):
    """A channel of one voxel's width: down, across, down."""
    mask = np.zeros((2 * tall, N, N), bool)
    mask[:tall, :, :4] = mask[tall:, :, -4:] = mask[tall - 2 : tall + 2, :, :] = True
    return mask


def test_flat_voxels_change_what_a_detour_costs():
    cubes = transport(volume(bent(10)), (1,), 0)
    flat = transport(volume(bent(10), voxel_um=(1.0, 3.0, 3.0)), (1,), 0)
    long = transport(volume(bent(10), voxel_um=(3.0, 1.0, 1.0)), (1,), 0)
    assert flat.relative < cubes.relative < long.relative


def test_a_wrong_axis_or_phase_is_refused():
    block = volume(np.ones((4, 4, 4), bool))
    with pytest.raises(ValueError, match="legal are 0"):
        transport(block, (1,), 3)
    with pytest.raises(ValueError, match="legal are labels of a, b"):
        transport(block, (2,), 0)
