"""The networks of cdvae, their noise, loss and annealed Langevin dynamics.

See `genbat.systems.cdvae` for what is the paper's and what was changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor, nn
from torch.nn import functional as F

from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.chgnet_graph import find_bonds
from genbat.families.blocks import HeadEnsemble
from genbat.families.crystal_graph import (
    CUTOFF,
    FACTS,
    SHELLS,
    GraphEncoder,
    Graphs,
    cell_facts,
    shells,
)
from genbat.families.crystal_net import CrystalNet, Crystals, centred
from genbat.families.vae import Posterior
from genbat.families.wrapped import (
    langevin_step,
    reverse_step,
    score_norm,
    sigma_at,
    training_time,
    wrap,
    wrapped_score,
)
from genbat.systems.base import Settings
from genbat.systems.crystal_corpus import MASK, MAX_ATOMS, LatticeScale
from genbat.systems.heads import known_error

KINDS = 84
TARGETS = ("formation_ev", "voltage_v")
GIVEN = 0.5  # share of the training with true types
DOUBT_TIME, LOOKS = 0.4, 4
SHARP = 0.25  # atoms: shares this near to whole numbers are a composition
# As in the paper's published settings: atoms, composition, lattice, coordinates, types, KL, heads.
WEIGHTS = {
    "atoms": 1.0,
    "composition": 4.0,
    "lattices": 10.0,
    "fractions": 10.0,
    "kinds": 1.0,
    "divergence": 0.01,
    "heads": 1.0,
}


@dataclass(frozen=True)
class Config(Settings):
    """Sizes and scales: all that the weights need to be used."""

    latent: int = 64
    encoder_width: int = 128
    encoder_layers: int = 3
    width: int = 160
    layers: int = 4
    frequencies: int = 10
    members: int = 5
    head_hidden: int = 96
    scale: LatticeScale = field(default_factory=LatticeScale)
    mean: tuple[float, ...] = (0.0,) * len(TARGETS)
    spread: tuple[float, ...] = (1.0,) * len(TARGETS)
    quantile: tuple[float, ...] = (1.645,) * len(TARGETS)
    floor: tuple[float, ...] = (0.3,) * len(TARGETS)
    steps_trained: int = 0


class Network(nn.Module):
    """Encoder, heads for what a crystal consists of, score network, property heads."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        c, z = config, config.latent
        self.encoder = GraphEncoder(KINDS, c.encoder_width, c.encoder_layers, 2 * z)
        self.atoms = _perceptron(z, c.width, MAX_ATOMS + 1)
        self.composition = _perceptron(z, c.width, KINDS)
        self.elements = nn.Linear(z, KINDS)
        self.lattice = _perceptron(z, c.width, 6)
        self.score = CrystalNet(KINDS, c.width, c.layers, c.frequencies, context=z)
        self.heads = HeadEnsemble(c.members, z, c.head_hidden, len(TARGETS))

    def posterior(self, graph: Graphs) -> Posterior:
        """q(z|crystal)."""
        mean, log_variance = self.encoder(graph).chunk(2, dim=1)
        return Posterior(mean, log_variance.clamp(-12.0, 4.0))

    def says(self, z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits of the number of atoms (B, MAX_ATOMS + 1) and of the share of each element (B,
        KINDS), and the standardised lattice (B, 6)."""
        composition = self.composition(z) + self.elements(z)
        composition = torch.cat([torch.full_like(composition[:, :1], -1e9), composition[:, 1:]], 1)
        return self.atoms(z), composition, self.lattice(z)


def _perceptron(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(inputs, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(),
        nn.Linear(hidden, outputs),
    )  # fmt: skip


Shells = tuple[Tensor, Tensor, Tensor]


def shells_of(cell: Cell) -> Shells:
    """`shells` and `cell_facts` of a reduced primitive cell: all that the encoder sees of its
    geometry."""
    found = find_bonds(cell.positions, cell.lattice, CUTOFF)
    center, other = torch.as_tensor(found.center), torch.as_tensor(found.other)
    seen = shells(center, other, torch.as_tensor(found.distance), len(cell.numbers))
    return *seen, cell_facts(torch.as_tensor(cell.lattice), len(cell.numbers))


def graphs_of(cells: Sequence[Cell], known: Sequence[Shells] | None = None) -> Graphs:
    """Graphs of crystals (reduced primitive cells) side by side; `known` are `shells_of` each where
    they were made before."""
    most = max(len(cell.numbers) for cell in cells)
    kinds = torch.zeros(len(cells), most, dtype=torch.long)
    sums = torch.zeros(len(cells), most, most, SHELLS)
    weight = torch.zeros(len(cells), most)
    facts = torch.zeros(len(cells), FACTS)
    for k, (cell, (own, total, told)) in enumerate(
        zip(cells, known or map(shells_of, cells), strict=True)
    ):
        n = len(cell.numbers)
        kinds[k, :n] = torch.as_tensor(cell.numbers)
        sums[k, :n, :n] = own
        weight[k, :n] = total
        facts[k] = told
    return Graphs(kinds, kinds > 0, sums, weight, facts)


# ---------------------------------------------------------------------- training
def losses(
    network: Network, x: Crystals, graph: Graphs, values: Tensor, generator: torch.Generator
) -> dict[str, Tensor]:
    """Parts of the loss; `values` (B, TARGETS) standardised, NaN unknown."""
    posterior = network.posterior(graph)
    z = posterior.sample(generator)
    atoms, composition, lattice = network.says(z)
    here = x.here.float()
    share = F.one_hot(x.kinds, KINDS) * here[..., None]
    share = share.sum(1) / here.sum(1, keepdim=True)
    time = training_time(torch.rand(len(x), generator=generator))
    sigma = sigma_at(time)
    shift = sigma[:, None, None] * torch.randn(x.fractions.shape, generator=generator)
    known = torch.rand(len(x), generator=generator) < GIVEN
    spoiled = torch.where(known, 0.0, time)
    kinds = spoil(x.kinds, composition.detach(), spoiled, generator)
    noisy = replace(x, kinds=kinds * x.here, fractions=wrap(x.fractions + shift))
    guess = network.score(noisy, time, z)
    away = ((guess.fractions - _score_of(shift, time, x.here)) ** 2).mean(-1)
    each = F.cross_entropy(guess.kinds.flatten(0, 1), x.kinds.flatten(), reduction="none")
    return {
        "atoms": F.cross_entropy(atoms, x.counts),
        "composition": -(share * F.log_softmax(composition, 1)).sum(1).mean(),
        "lattices": F.mse_loss(lattice, x.lattices),
        "fractions": (away * here).sum() / here.sum(),
        "kinds": (each.view_as(here) * here).sum() / here.sum(),
        "divergence": posterior.divergence().mean(),
        "heads": known_error(network.heads(z), values),
    }


def _score_of(shift: Tensor, time: Tensor, here: Tensor) -> Tensor:
    """What the network should say of coordinates shifted by noise (B, N, 3)."""
    sigma = sigma_at(time)
    wanted = wrapped_score(shift, sigma[:, None, None]) / score_norm(sigma)[:, None, None]
    return centred(wanted, here)


@torch.inference_mode()
def doubt(
    network: Network, x: Crystals, z: Tensor, generator: torch.Generator, types: float = 0.0
) -> Tensor:
    """How badly the network finds the way back to crystals of latent points (B,): the part of its
    loss that concerns coordinates, and so many times that of the types, at DOUBT_TIME, mean of
    LOOKS."""
    time = torch.full((len(x),), DOUBT_TIME)
    total, here = torch.zeros(len(x)), x.here.float()
    for _ in range(LOOKS):
        shift = sigma_at(time)[:, None, None] * torch.randn(x.fractions.shape, generator=generator)
        guess = network.score(replace(x, fractions=wrap(x.fractions + shift)), time, z)
        away = ((guess.fractions - _score_of(shift, time, x.here)) ** 2).mean(-1)
        unlikely = -torch.log_softmax(guess.kinds, -1).gather(-1, x.kinds[..., None])[..., 0]
        total += ((away + types * unlikely) * here).sum(1) / here.sum(1)
    return total / LOOKS


def spoil(kinds: Tensor, composition: Tensor, share: Tensor, generator: torch.Generator) -> Tensor:
    """Types replaced, with probability `share` (B,), by draws from the crystal's composition."""
    chances = torch.softmax(composition, 1)
    drawn = torch.multinomial(chances, kinds.shape[1], replacement=True, generator=generator)
    lost = torch.rand(kinds.shape, generator=generator) < share[:, None]
    return torch.where(lost, drawn, kinds)


# ---------------------------------------------------------------------- decoding
@dataclass(frozen=True)
class Plan:
    """Annealed Langevin dynamics: levels of noise, steps at each, signal to noise; `tries` crystals
    are made of each point, of which the one of least `doubt` is taken, to which types count `types`
    times. In the last `free` tries an unsure composition may change on the way."""

    levels: int = 40
    steps: int = 1
    snr: float = 0.4
    tries: int = 4
    free: int = 0
    types: float = 0.0


@torch.inference_mode()
def decode(
    network: Network, z: Tensor, plan: Plan, generator: torch.Generator, *, free: bool = False
) -> Crystals:
    """Latent points (B, latent) -> crystals with standardised lattices.

    Number of atoms, composition and lattice are read from z; coordinates move by annealed Langevin
    dynamics (Song and Ermon 2019), as in Algorithm 1 of the paper, with an ancestral step from
    each level of noise to the next (the predictor of Song et al., arXiv 2011.13456), which needs a
    twentieth of the steps. The composition is kept, and only dealt out anew after each step; with
    `free`, each atom takes its likeliest type after each step, as there, except where z says
    sharply what the crystal consists of (`is_sharp`).
    """
    atoms, composition, lattice = network.says(z)
    atoms[:, 0] = -torch.inf
    counts = atoms.argmax(1)
    here = torch.arange(int(counts.max()))[None] < counts[:, None]
    fractions = torch.rand(*here.shape, 3, generator=generator)
    share = torch.softmax(composition, 1)
    kinds = amounts(share, counts, here.shape[1])
    fixed = kinds * is_sharp(share, counts)[:, None] if free else kinds
    x = Crystals(kinds, fractions, lattice, here)
    times = torch.linspace(1.0, 0.0, plan.levels + 1)
    widths, norms = sigma_at(times), score_norm(sigma_at(times))
    for k in range(plan.levels):
        for _ in range(plan.steps):
            score, dealt = _look(network, x, z, fixed, times[k], norms[k])
            step = (plan.snr * widths[k]) ** 2 / 2
            noise = torch.randn(fractions.shape, generator=generator)
            x = replace(x, fractions=langevin_step(x.fractions, score, step, noise), kinds=dealt)
        score, dealt = _look(network, x, z, fixed, times[k], norms[k])
        noise = torch.randn(fractions.shape, generator=generator)
        moved = reverse_step(x.fractions, score, widths[k], widths[k + 1], noise)
        x = replace(x, fractions=moved, kinds=dealt)
    score, dealt = _look(network, x, z, fixed, times[-1], norms[-1])
    return replace(x, fractions=wrap(x.fractions + widths[-1] ** 2 * score), kinds=dealt)


def _look(
    network: Network, x: Crystals, z: Tensor, fixed: Tensor, time: Tensor, norm: Tensor
) -> tuple[Tensor, Tensor]:
    """Score of the coordinates (B, N, 3), and new types (B, N): those of `fixed` dealt out, where
    it has any, else each atom's likeliest."""
    guess = network.score(x, time.expand(len(x)), z)
    free = (guess.kinds[..., 1:].argmax(-1) + 1) * x.here
    kinds = torch.where((fixed > 0).any(1)[:, None], assigned(guess.kinds, fixed), free)
    return guess.fractions * norm, kinds


def is_sharp(share: Tensor, counts: Tensor) -> Tensor:
    """Whether the shares of the elements (B, KINDS) of so many atoms (B,) are a composition: all
    within SHARP of whole numbers of atoms."""
    ideal = share * counts[:, None]
    return ((ideal - ideal.round()).abs() < SHARP).all(1)


def assigned(logits: Tensor, kinds: Tensor) -> Tensor:
    """The types of `kinds` (B, N), dealt out among the atoms of each crystal so that they are the
    likeliest under `logits` (B, N, KINDS); 0 stays where there is no atom."""
    chances = torch.log_softmax(logits, -1)
    out = kinds.clone()
    for k, own in enumerate(kinds):
        n = int((own > 0).sum())
        gain = chances[k, :n][:, own[:n]].numpy()
        atoms, types = linear_sum_assignment(gain, maximize=True)
        out[k, torch.as_tensor(atoms)] = own[torch.as_tensor(types)]
    return out


def amounts(share: Tensor, counts: Tensor, room: int) -> Tensor:
    """Types (B, room) whose numbers come nearest to the shares (B, KINDS): largest remainders."""
    kinds = torch.full((len(share), room), MASK)
    for k, (own, n) in enumerate(zip(share, counts.tolist(), strict=True)):
        ideal = own * n
        whole = ideal.floor().long()
        rest = n - int(whole.sum())
        whole[torch.topk(ideal - whole, rest).indices] += 1
        kinds[k, :n] = torch.repeat_interleave(torch.arange(len(own)), whole)
    return kinds
