"""What images say of distances: how many neighbours an atom has, and how far they are.

The correlation of two images at a lag counts the pairs of bumps that lie so far apart, and the cell
says how many ångströms a lag is. The sums over spherical shells are the radial distributions of the
crystal, smeared, and differentiable by the images; they do not change with origin, order of the
axes or choice of view.
"""

from __future__ import annotations

import torch
from torch import Tensor

from genbat.domains.crystals.codec import SIDES
from genbat.domains.crystals.images import Raster
from genbat.systems.crystal_corpus import LatticeScale

PAIRS = ((0, 0), (0, 1), (1, 1))  # of the elements
FIRST, STEP, PLACES = 1.2, 0.2, 17  # Å, distances at which neighbours are counted
BLUR = 0.4  # Å, standard deviation of a shell
NEAREST = 0.8  # Å; below lies an atom's own bump
EVERY = 2  # voxels between two lags: a correlation is smoother than the image
TRAITS = len(PAIRS) * PLACES + 2


class Shells:
    """Radial distributions of images drawn with one raster."""

    def __init__(self, raster: Raster) -> None:
        self.raster = raster
        steps = torch.arange(0, raster.side, EVERY)
        voxels = torch.stack(torch.meshgrid(steps, steps, steps, indexing="ij"), -1).view(-1, 3)
        lags = (voxels + raster.side // 2) % raster.side - raster.side // 2
        own = (-(lags.float() ** 2).sum(1) / (4 * raster.width**2)).exp()
        self.own = (torch.pi**0.5 * raster.width) ** 3 * own  # a bump's correlation with itself
        moves = torch.cartesian_prod(*[torch.arange(-1, 2)] * 3)
        self.ways = (lags[:, None] / raster.side + moves).view(-1, 3)  # lags in cells, and images
        self.lag = torch.arange(len(lags)).repeat_interleave(len(moves))
        self.here = (moves == 0).all(1).repeat(len(lags))  # not to an image of the cell
        self.places = FIRST + STEP * torch.arange(PLACES)

    def __call__(self, images: Tensor, lattices: Tensor) -> Tensor:
        """How many neighbours of the second element an atom of the first has in each shell, over
        the distance squared, for each of PAIRS; (B, PAIRS * PLACES).

        Parameters
        ----------
        images : (B, 2, side, side, side).
        lattices : rows (B, 3, 3) in Å; no gradient goes through them.
        """
        counts = self.counts(images)
        waves = torch.fft.fftn(images, dim=(2, 3, 4))
        shells = [self._weights(lattice) for lattice in lattices.detach()]
        weights, alone = (torch.stack(part) for part in zip(*shells, strict=True))
        out = []
        for one, two in PAIRS:
            whole = torch.fft.ifftn(waves[:, one].conj() * waves[:, two], dim=(1, 2, 3)).real
            pairs = whole[:, ::EVERY, ::EVERY, ::EVERY].flatten(1)
            found = torch.einsum("bl,blp->bp", pairs, weights)
            if one == two:
                found = found - counts[:, one, None] * alone
            out.append(found / counts[:, one, None].clamp(min=0.5))
        return torch.cat(out, 1) * EVERY**3 / self.raster.mass**2

    def counts(self, images: Tensor) -> Tensor:
        """Atoms in each image (B, 2), by its sum."""
        return images.sum((2, 3, 4)) / self.raster.mass

    def _weights(self, lattice: Tensor) -> tuple[Tensor, Tensor]:
        """How much each lag counts in each shell (lags, PLACES), and what an atom's bump would
        count there as its own neighbour (PLACES,)."""
        lengths = (self.ways @ lattice).norm(dim=1)
        near = (lengths > NEAREST) & (lengths < self.places[-1] + 2 * BLUR)
        far = lengths[near, None]
        each = (-(((far - self.places) / BLUR) ** 2) / 2).exp() / far**2
        lag, here = self.lag[near], self.here[near]
        weights = torch.zeros(len(self.own), PLACES).index_add_(0, lag, each)
        return weights, self.own[lag[here]] @ each[here]


def lattices_at(standard: Tensor, counts: Tensor, scale: LatticeScale) -> Tensor:
    """Lattices (B, 3, 3) in Å of standardised ones (B, 6) with so many atoms (B,)."""
    values = scale.back(standard, counts.clamp(min=1.0))
    stretch = torch.zeros(len(values), 3, 3)
    for k, (row, column) in enumerate(SIDES):
        stretch[:, row, column] = stretch[:, column, row] = values[:, k]
    return torch.linalg.matrix_exp(stretch.clamp(-5.0, 5.0))
