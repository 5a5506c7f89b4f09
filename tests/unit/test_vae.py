"""The VAE's objective, recomputed from torch's own distributions."""

import pytest
import torch
from torch import nn
from torch.distributions import Independent, Normal, kl_divergence

from genbat.families.vae import VAE, Bound, Posterior, refine, warm_up


@pytest.fixture
def posterior():
    generator = torch.Generator().manual_seed(0)
    mean = torch.randn(5, 7, generator=generator)
    return Posterior(mean, torch.randn(5, 7, generator=generator))


def test_divergence_is_that_of_torch(posterior):
    q = Independent(Normal(posterior.mean, (0.5 * posterior.log_variance).exp()), 1)
    p = Independent(Normal(torch.zeros(5, 7), torch.ones(5, 7)), 1)
    torch.testing.assert_close(posterior.divergence(), kl_divergence(q, p))


def test_divergence_of_the_prior_is_zero():
    zero = torch.zeros(3, 4)
    assert Posterior(zero, zero).divergence().abs().max() == 0


def test_samples_have_the_posterior_s_moments():
    mean, log_variance = torch.tensor([[1.0, -2.0]]), torch.tensor([[0.5, -3.0]])
    many = Posterior(mean.expand(40_000, 2), log_variance.expand(40_000, 2))
    z = many.sample(torch.Generator().manual_seed(1))
    torch.testing.assert_close(z.mean(0), mean[0], atol=0.02, rtol=0)
    torch.testing.assert_close(z.std(0), (0.5 * log_variance[0]).exp(), atol=0, rtol=0.02)


def test_samples_follow_their_generator(posterior):
    draws = [posterior.sample(torch.Generator().manual_seed(s)) for s in (3, 3, 4)]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


def test_samples_carry_gradients():
    mean, log_variance = (torch.zeros(2, 3, requires_grad=True) for _ in range(2))
    noise = torch.randn(2, 3, generator=torch.Generator().manual_seed(5))
    Posterior(mean, log_variance).sample(torch.Generator().manual_seed(5)).sum().backward()
    torch.testing.assert_close(mean.grad, torch.ones(2, 3))
    torch.testing.assert_close(log_variance.grad, 0.5 * noise)  # d std / d log variance at 0


class Split(nn.Module):
    """An encoder whose input is the mean and the log variance side by side."""

    def forward(self, x):
        return x.chunk(2, 1)


class Gaussian(nn.Module):
    """A decoder that says x given z is normal around z."""

    def nll(self, z, x):
        return -Normal(z, 1.0).log_prob(x).sum(1)


def test_bound_is_the_mean_of_both_terms():
    x = torch.randn(6, 8, generator=torch.Generator().manual_seed(2))
    target = torch.ones(6, 4)
    bound = VAE(Split(), Gaussian()).bound((x,), (target,), torch.Generator().manual_seed(9))
    posterior = Posterior(*x.chunk(2, 1))
    z = posterior.sample(torch.Generator().manual_seed(9))
    torch.testing.assert_close(bound.z, z)
    torch.testing.assert_close(bound.reconstruction, Gaussian().nll(z, target).mean())
    torch.testing.assert_close(bound.divergence, posterior.divergence().mean())
    torch.testing.assert_close(bound.loss(0.3), bound.reconstruction + 0.3 * bound.divergence)


def test_loss_weighs_the_divergence():
    bound = Bound(torch.tensor(2.0), torch.tensor(10.0), torch.zeros(1))
    assert bound.loss(0.0) == 2
    assert bound.loss(0.5) == 7


@pytest.mark.parametrize(("step", "wanted"), [(0, 0.0), (5, 0.2), (10, 0.4), (999, 0.4)])
def test_warm_up(step, wanted):
    assert warm_up(step, 10, 0.4) == pytest.approx(wanted)


def test_warm_up_without_steps():
    assert warm_up(1, 0, 0.4) == 0.4


class Bowl(nn.Module):
    """A decoder whose likelihood is a Gaussian about each target; exact within 0.1 of it."""

    def nll(self, z, targets):
        return 5.0 * (z - targets).square().sum(1)

    def exact(self, z, targets):
        return (z - targets).norm(dim=1) < 0.1


def test_refinement_reaches_the_target_and_leaves_what_is_right():
    targets = torch.tensor([[1.0, -1.0], [0.5, 0.5], [90.0, 0.0]])
    z = torch.tensor([[0.0, 0.0], [0.45, 0.5], [0.0, 0.0]])
    found = refine(Bowl(), z, targets, beta=0.01, steps=80)
    assert (found[0] - targets[0]).norm() < 0.1
    assert torch.equal(found[1], z[1])  # it was exact already
    assert torch.equal(found[2], z[2])  # out of reach: the encoder's guess stays
