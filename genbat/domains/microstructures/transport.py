"""Effective diffusivity of a phase by TauFactor (Kench et al., JOSS 2023, 8, 5358).

Steady diffusion through the phase between two opposite faces held at different concentrations, no
flux through the four others. Conductivity and diffusivity scale alike, so that one number serves
both. What does not reach both faces carries nothing, so that only the connected part is solved.
"""

from __future__ import annotations

import contextlib
import io
import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch

from genbat.domains.microstructures.statistics import Mask, percolating
from genbat.domains.microstructures.volume import Volume

METHOD = "TauFactor 1.2.1"
MOST_STEPS = 20_000
CONVERGED = 1e-2  # largest difference of the flux between two slices, of the largest flux


@dataclass(frozen=True)
class Transport:
    """Diffusion through a phase along one axis.

    Attributes
    ----------
    fraction : of the volume that the phase takes, its dead ends and islands included.
    relative : effective over bulk diffusivity, D_eff / D_0; 0 where nothing percolates.
    converged : whether TauFactor met its criterion.
    """

    fraction: float
    relative: float
    converged: bool = True

    @property
    def percolates(self) -> bool:
        """Whether the phase connects both faces."""
        return self.relative > 0

    @property
    def tortuosity(self) -> float:
        """Tortuosity factor, fraction / relative diffusivity (not its square root); infinite
        where nothing percolates, which is a result and not a failure."""
        return self.fraction / self.relative if self.percolates else math.inf


def transport(volume: Volume, phases: tuple[int, ...], axis: int) -> Transport:
    """Diffusion through some phases, taken as one, along an axis (0 z, 1 y, 2 x).

    Raises
    ------
    ValueError : no such axis or phase.
    """
    if axis not in range(3):
        raise ValueError(f"axis: got {axis}; legal are 0 (z), 1 (y) and 2 (x)")
    if not phases or not set(phases) <= set(range(len(volume.phases))):
        raise ValueError(f"phases: got {phases}; legal are labels of {', '.join(volume.phases)}")
    mask = np.isin(volume.labels, phases)
    through = percolating(mask, axis)
    if not through.any():
        return Transport(float(mask.mean()), 0.0)
    order = [axis, *(a for a in range(3) if a != axis)]
    edges = [volume.edges[a] for a in order]
    relative, converged = _solve(np.moveaxis(through, axis, 0), edges)
    return Transport(float(mask.mean()), relative, converged)


def _solve(mask: Mask, edges: list[float]) -> tuple[float, bool]:
    """D_eff / D_0 along the first axis of a mask that percolates."""
    image = np.ascontiguousarray(mask, np.float32)
    device = torch.device("cpu")
    with contextlib.redirect_stdout(io.StringIO()):  # it prints its memory
        if max(edges) - min(edges) < 1e-9:
            solver = _taufactor().Solver(image, device=device)
        else:
            solver = _anisotropic()(image, tuple(edges), device=device)
        solver.solve(iter_limit=MOST_STEPS, verbose=False, conv_crit=CONVERGED)
    return float(solver.D_rel[0]), bool(solver.converged)


def _taufactor() -> Any:
    import taufactor  # slow to import: it brings a plotting library

    return taufactor


@lru_cache
def _anisotropic() -> Any:
    """TauFactor's solver for voxels that are no cubes, which takes every voxel whose weights sum to
    more than 8 for a wall when it sums the flux: walls are those of infinite weight."""

    class Anisotropic(_taufactor().AnisotropicSolver):  # type: ignore[misc]
        def vertical_flux(self) -> torch.Tensor:
            inner = self.field[:, 1:-1, 1:-1, 1:-1]
            wall = torch.isinf(self.factor)
            return (inner[:, 1:] - inner[:, :-1]).masked_fill(wall[:, 1:] | wall[:, :-1], 0.0)

    return Anisotropic
