"""Variational autoencoder: Kingma and Welling, arXiv 1312.6114 (2013).

Maximises the evidence lower bound, Eq. 3 there:

    L = E_q(z|x)[log p(x|z)] - beta * KL(q(z|x) || N(0, I))

with q a diagonal Gaussian. `beta` < 1 favours reconstruction (Higgins et al., ICLR 2017) and rises
from zero at the start of the training, so that the decoder does not learn to ignore z
(Bowman et al., arXiv 1511.06349).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Posterior:
    """q(z|x): mean and log variance, each (batch, d)."""

    mean: Tensor
    log_variance: Tensor

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        """One z per row by the reparameterisation trick, z = mean + std * noise; (batch, d)."""
        noise = torch.randn(self.mean.shape, generator=generator)
        return self.mean + (0.5 * self.log_variance).exp() * noise

    def divergence(self) -> Tensor:
        """KL(q || N(0, I)) in nats, summed over dimensions (Appendix B there); (batch,)."""
        variance = self.log_variance.exp()
        return 0.5 * (variance + self.mean**2 - 1.0 - self.log_variance).sum(dim=1)


@dataclass(frozen=True)
class Bound:
    """The two terms of the bound, each a mean over the batch in nats, and the z they used."""

    reconstruction: Tensor
    divergence: Tensor
    z: Tensor

    def loss(self, beta: float) -> Tensor:
        """Negative lower bound."""
        return self.reconstruction + beta * self.divergence


class VAE(nn.Module):
    """An encoder and a decoder under one objective.

    Parameters
    ----------
    encoder : module, `encoder(*inputs) -> (mean, log_variance)`, each (batch, d).
    decoder : module with `nll(z, *targets) -> (batch,)`, the negative log likelihood in nats.
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder

    def posterior(self, *inputs: Tensor) -> Posterior:
        """q(z|x) of a batch."""
        return Posterior(*self.encoder(*inputs))

    def bound(
        self,
        inputs: tuple[Tensor, ...],
        targets: tuple[Tensor, ...],
        generator: torch.Generator | None = None,
    ) -> Bound:
        """One-sample estimate of the lower bound's terms."""
        posterior = self.posterior(*inputs)
        z = posterior.sample(generator)
        nll = self.decoder.nll(z, *targets)  # type: ignore[operator]
        return Bound(nll.mean(), posterior.divergence().mean(), z)


def warm_up(step: int, steps: int, beta: float) -> float:
    """beta rising linearly from 0 over `steps` steps."""
    return beta * min(1.0, step / max(1, steps))


def refine(
    decoder: nn.Module,
    z: Tensor,
    targets: Tensor,
    *,
    beta: float,
    steps: int = 60,
    rate: float = 0.05,
) -> Tensor:
    """Encoded points moved to where the decoder writes their targets; (batch, d).

    Semi-amortised inference (Kim et al., arXiv 1802.02550, 2018): gradient steps on z itself of
    -log p(x|z) + beta * |z|^2 / 2, starting from the encoder's guess. A row stops as soon as
    every target token is the likeliest one; a row that never gets there keeps its guess.

    Parameters
    ----------
    decoder : module with `nll(z, targets) -> (batch,)` and `exact(z, targets) -> (batch,)` bool.
    """
    decoder.eval()
    found, done = z.clone(), torch.zeros(len(z), dtype=torch.bool)
    x = z.clone().requires_grad_()
    optimiser = torch.optim.Adam([x], lr=rate)
    for _ in range(steps):
        with torch.no_grad():
            now = decoder.exact(x, targets) & ~done  # type: ignore[operator]
        found[now] = x.detach()[now]
        done |= now
        if done.all():
            break
        optimiser.zero_grad()
        nll = decoder.nll(x, targets)  # type: ignore[operator]
        (nll + beta * 0.5 * x.square().sum(1))[~done].sum().backward()
        optimiser.step()
    return found
