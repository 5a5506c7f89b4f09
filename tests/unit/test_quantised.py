"""The grid of codes: round trips, all codes in reach, the gradient through the rounding."""

import math

import pytest
import torch

from genbat.families.quantised import Grid

LEVELS = (8, 5, 4)


def test_codes_are_numbered_and_come_back():
    grid = Grid(LEVELS)
    assert grid.size == math.prod(LEVELS)
    tokens = torch.arange(grid.size).view(4, 5, 8)
    points = grid.points(tokens)
    assert points.shape == (4, 3, 5, 8)
    assert torch.equal(grid.tokens(points), tokens)
    assert float(points.min()) == -1.0 and float(points.max()) <= 1.0


def test_every_code_is_reached():
    grid = Grid(LEVELS)
    x = 3 * torch.randn(60_000, 3, generator=torch.Generator().manual_seed(0))
    assert len(grid.tokens(grid(x)).unique()) == grid.size


def test_a_point_of_the_grid_is_what_it_says():
    grid = Grid((5,))
    levels = grid(torch.tensor([[-9.0], [-0.5], [0.0], [0.5], [9.0]]))[:, 0]
    assert levels.tolist() == [-1.0, -0.5, 0.0, 0.5, 1.0]


def test_the_gradient_passes_the_rounding():
    x = torch.tensor([[0.1, 0.2, 0.3]], requires_grad=True)
    Grid(LEVELS)(x).sum().backward()
    assert bool((x.grad > 0).all())


@pytest.mark.parametrize("levels", [(), (1, 5)])
def test_levels_that_are_none(levels):
    with pytest.raises(ValueError, match="two or more"):
        Grid(levels)
