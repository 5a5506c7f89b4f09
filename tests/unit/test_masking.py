"""Masking and revealing of categories."""

import itertools
import math

import pytest
import torch
from torch.nn import functional as F

from genbat.families.masking import hide, masked_loss, reveal

MASK = 0


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("time", [0.0, 0.3, 1.0])
def test_hidden_share_is_the_time(time):
    x = torch.full((100, 200), 3)
    hidden = hide(x, torch.tensor(time), MASK, generator()) == MASK
    assert float(hidden.float().mean()) == pytest.approx(time, abs=0.01)


def test_loss_counts_hidden_entries_only():
    logits = torch.randn(4, 5, 7, generator=generator())
    x = torch.randint(1, 7, (4, 5), generator=generator(1))
    hidden = torch.rand(4, 5, generator=generator(2)) < 0.5
    found = masked_loss(logits, x, hidden)
    for k in range(4):
        for j in range(5):
            wanted = -F.log_softmax(logits[k, j], 0)[x[k, j]] if hidden[k, j] else 0.0
            assert float(found[k, j]) == pytest.approx(float(wanted), abs=1e-5)


def test_a_barred_class_outside_does_not_poison_the_loss():
    logits = torch.randn(2, 3, 4, generator=generator()).requires_grad_()
    barred = logits.masked_fill(torch.arange(4) == 0, -torch.inf)
    x = torch.tensor([[1, 2, 0], [3, 0, 0]])
    hidden = x > 0
    masked_loss(barred, x, hidden).sum().backward()
    assert torch.isfinite(logits.grad).all()
    assert not logits.grad[~hidden].any()


def test_revealing_draws_from_the_logits_and_ends_complete():
    chances = torch.tensor([0.0, 0.1, 0.2, 0.7])
    logits = chances.clamp(min=1e-30).log().expand(1, 20_000, 4)
    x, g = torch.full((1, 20_000), MASK), generator()
    times = torch.linspace(1, 0, 11).tolist()
    for k, (time, lower) in enumerate(itertools.pairwise(times), 1):
        before = x.clone()
        x = reveal(x, logits, time, lower, MASK, g)
        assert bool((x[before != MASK] == before[before != MASK]).all())  # nothing changes twice
        share = float((x != MASK).float().mean())
        assert share == pytest.approx(k / 10, abs=0.02)
    counts = torch.bincount(x.flatten(), minlength=4) / 20_000
    assert all(math.isclose(a, b, abs_tol=0.015) for a, b in zip(counts, chances, strict=True))
