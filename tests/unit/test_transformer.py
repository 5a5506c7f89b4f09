"""The transformer: what came before, the cache, drawing, guidance, rows that end."""

import pytest
import torch

from genbat.families.transformer import GPT, Style, drawn

torch.set_num_threads(1)
V, LONGEST = 11, 24


@pytest.fixture
def gpt():
    torch.manual_seed(0)
    net = GPT(V, LONGEST, width=16, layers=2, heads=4).eval()
    with torch.no_grad():  # scores that differ enough to tell tokens apart
        net.out.weight.mul_(60)
    return net


def rows(n, length, seed=0):
    return torch.randint(V, (n, length), generator=torch.Generator().manual_seed(seed))


def draws(n, length, seed=1):
    return torch.rand(n, length, generator=torch.Generator().manual_seed(seed))


def slowly(gpt, prefix, numbers, style):
    """Without a cache, token by token."""
    tokens = prefix
    for step in range(numbers.shape[1]):
        token = drawn(gpt(tokens)[:, -1], numbers[:, step], style)
        tokens = torch.cat([tokens, token[:, None]], 1)
    return tokens[:, prefix.shape[1] :]


# ---------------------------------------------------------------------- what is seen
def test_nothing_is_seen_of_what_comes_later(gpt):
    tokens = rows(2, 10)
    other = tokens.clone()
    other[:, 6:] = (other[:, 6:] + 1) % V
    one, two = gpt(tokens), gpt(other)
    assert torch.allclose(one[:, :6], two[:, :6], atol=1e-6)
    assert not torch.allclose(one[:, 6:], two[:, 6:])


def test_the_cache_changes_nothing(gpt):
    tokens = rows(3, 12)
    memory = gpt.memory(3, 12)
    parts = [gpt(tokens[:, :5], memory)] + [gpt(tokens[:, k : k + 1], memory) for k in range(5, 12)]
    assert torch.allclose(torch.cat(parts, 1), gpt(tokens), atol=1e-5)


@pytest.mark.parametrize("style", [Style(), Style(0.0), Style(0.7, 0.8)])
def test_written_as_without_a_cache(gpt, style):
    prefix, numbers = rows(4, 3), draws(4, 9)
    assert torch.equal(gpt.write(prefix, numbers, style), slowly(gpt, prefix, numbers, style))


def test_a_row_does_not_depend_on_its_neighbours(gpt):
    prefix, numbers = rows(5, 2), draws(5, 12)
    whole = gpt.write(prefix, numbers, end=0)
    assert torch.equal(gpt.write(prefix[2:3], numbers[2:3], end=0), whole[2:3])


def test_a_finished_row_stays_finished(gpt):
    out = gpt.write(rows(40, 2), draws(40, 15), end=3)
    ended = 0
    for row in out.tolist():
        if 3 in row:
            ended += 1
            assert set(row[row.index(3) :]) == {3}
    assert ended > 20


def test_what_is_not_allowed_is_not_written(gpt):
    def rising(tokens):
        return torch.arange(V)[None] >= tokens[:, -1:]

    out = gpt.write(torch.zeros(9, 1, dtype=torch.long), draws(9, 12), allowed=rising)
    assert bool((out.diff(dim=1) >= 0).all())


def test_too_long_is_told(gpt):
    with pytest.raises(ValueError, match="up to 24"):
        gpt(rows(1, LONGEST + 1))
    memory = gpt.memory(1, 9)
    gpt(rows(1, 3), memory)
    with pytest.raises(ValueError, match="one by one"):
        gpt(rows(1, 2), memory)


# ---------------------------------------------------------------------- guidance
def test_guidance_of_one_is_the_told_row_and_of_none_the_untold(gpt):
    told, untold, numbers = rows(4, 2), rows(4, 2, seed=5), draws(4, 8)
    write = lambda weight: gpt.write(told, numbers, Style(guidance=weight), untold=untold)  # noqa: E731
    assert torch.equal(write(1.0), gpt.write(told, numbers))
    assert torch.equal(write(0.0), gpt.write(untold, numbers))
    assert not torch.equal(write(3.0), write(1.0))


# ---------------------------------------------------------------------- drawing
def test_tokens_are_drawn_as_often_as_their_probability_says():
    scores = torch.log(torch.tensor([0.1, 0.6, 0.3])).expand(100_000, 3)
    numbers = draws(100_000, 1)[:, 0]
    share = torch.bincount(drawn(scores, numbers, Style()), minlength=3) / 100_000
    assert torch.allclose(share, torch.tensor([0.1, 0.6, 0.3]), atol=0.006)
    share = torch.bincount(drawn(scores, numbers, Style(nucleus=0.7)), minlength=3) / 100_000
    assert torch.allclose(share, torch.tensor([0.0, 2 / 3, 1 / 3]), atol=0.006)
    share = torch.bincount(drawn(scores, numbers, Style(temperature=0.5)), minlength=3) / 100_000
    assert torch.allclose(share, torch.tensor([0.01, 0.36, 0.09]) / 0.46, atol=0.006)
    assert bool((drawn(scores, numbers, Style(temperature=0.0)) == 1).all())


def test_what_is_impossible_is_never_drawn():
    scores = torch.tensor([[0.0, -torch.inf, 0.0]]).expand(5000, 3)
    assert not bool((drawn(scores, draws(5000, 1)[:, 0], Style()) == 1).any())
    edge = torch.full((1,), 1 - 1e-7)
    assert int(drawn(torch.tensor([[0.0, -torch.inf]]), edge, Style())) == 0


# ---------------------------------------------------------------------- learning
def test_the_loss_counts_what_counts(gpt):
    tokens, counted = rows(2, 6), torch.ones(2, 6)
    counted[0, 4:] = 0
    chances = gpt(tokens).log_softmax(2)
    picked = [chances[b, t - 1, tokens[b, t]] for b, t in
              [(0, 1), (0, 2), (0, 3), (1, 1), (1, 2), (1, 3), (1, 4), (1, 5)]]  # fmt: skip
    assert torch.allclose(gpt.loss(tokens, counted), -torch.stack(picked).mean(), atol=1e-6)


def test_it_learns_to_count():
    torch.manual_seed(0)
    net = GPT(V, LONGEST, width=32, layers=2, heads=4)
    optimiser = torch.optim.Adam(net.parameters(), lr=3e-3)
    tokens = (torch.arange(12)[None] + torch.arange(V)[:, None]) % V
    for _ in range(80):
        optimiser.zero_grad()
        net.loss(tokens, torch.ones(tokens.shape)).backward()
        optimiser.step()
    out = net.eval().write(torch.tensor([[4]]), draws(1, 8), Style(0.0))
    assert out[0].tolist() == [5, 6, 7, 8, 9, 10, 0, 1]
