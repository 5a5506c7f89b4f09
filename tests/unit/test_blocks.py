"""Sequence coders and heads, against the same thing done one step and one member at a time."""

from itertools import pairwise

import pytest
import torch
from torch.nn import functional as F

from genbat.families.blocks import (
    GRUDecoder,
    GRUEncoder,
    HeadEnsemble,
    flip,
    last_state,
    mean_state,
    pick,
)

WORDS, LATENT = 9, 4


@pytest.fixture
def encoder():
    torch.manual_seed(0)
    return GRUEncoder(WORDS, 5, 6, LATENT).eval()


@pytest.fixture
def decoder():
    torch.manual_seed(1)
    return GRUDecoder(WORDS, 5, 6, LATENT, dropout=0.4).eval()


@pytest.fixture
def z():
    return torch.randn(3, LATENT, generator=torch.Generator().manual_seed(2))


TOKENS = torch.tensor([[3, 4, 5, 0], [6, 7, 8, 3], [4, 0, 0, 0]])
LENGTHS = torch.tensor([3, 4, 1])


def test_flip_turns_each_row_within_its_length():
    assert flip(TOKENS, LENGTHS).tolist() == [[5, 4, 3, 0], [3, 8, 7, 6], [4, 0, 0, 0]]


def test_states_ignore_the_padding():
    states = torch.arange(24.0).view(3, 4, 2)
    assert last_state(states, LENGTHS).tolist() == [states[i, n - 1].tolist() for i, n in rows()]
    wanted = torch.stack([states[i, :n].mean(0) for i, n in rows()])
    torch.testing.assert_close(mean_state(states, LENGTHS), wanted)


def rows():
    return enumerate(LENGTHS.tolist())


def test_more_padding_changes_nothing(encoder):
    wide = F.pad(TOKENS, (0, 5))
    for short, long in zip(encoder(TOKENS, LENGTHS), encoder(wide, LENGTHS), strict=True):
        torch.testing.assert_close(short, long)


def test_encoder_treats_each_row_alone(encoder):
    together, _ = encoder(TOKENS, LENGTHS)
    for i, n in rows():
        alone, _ = encoder(TOKENS[i : i + 1, :n], LENGTHS[i : i + 1])
        torch.testing.assert_close(alone[0], together[i])


def test_encoder_reads_from_both_ends(encoder):
    _, width = (m.shape for m in encoder(TOKENS, LENGTHS))
    assert width == (3, LATENT)
    mirrored = encoder(flip(TOKENS, LENGTHS), LENGTHS)[0]
    assert not torch.allclose(encoder(TOKENS, LENGTHS)[0], mirrored)


def test_log_variance_is_bounded(encoder):
    with torch.no_grad():
        encoder.out.bias += 100
    assert encoder(TOKENS, LENGTHS)[1].max() == 4


def test_nll_is_the_likelihood_step_by_step(decoder, z):
    text = torch.tensor([[1, 3, 4, 2, 0], [1, 5, 6, 7, 2], [1, 2, 0, 0, 0]])
    wanted = []
    for i, row in enumerate(text):
        state, total = torch.tanh(decoder.start(z[i : i + 1]))[None], 0.0
        for given, asked in pairwise(row):
            if asked == 0:
                break
            x = torch.cat([decoder.embedding(given[None]), z[i : i + 1]], 1)[:, None]
            output, state = decoder.gru(x, state)
            total -= torch.log_softmax(decoder.out(output[:, 0]), 1)[0, asked]
        wanted.append(total)
    torch.testing.assert_close(decoder.nll(z, text), torch.stack(wanted))


def test_nll_blanks_inputs_in_training_only(decoder, z):
    text = torch.tensor([[1, 3, 4, 5, 6, 7, 2]] * 3)
    assert torch.equal(decoder.nll(z, text), decoder.nll(z, text))
    decoder.train()
    assert not torch.equal(decoder.nll(z, text), decoder.nll(z, text))


def test_generate_takes_the_likeliest(decoder, z):
    made = decoder.generate(z, start=1, end=2, steps=6)
    again = decoder.generate(z, start=1, end=2, steps=6)
    assert torch.equal(made, again)
    assert made.shape[1] <= 6
    for i, row in enumerate(made.tolist()):
        state, token = torch.tanh(decoder.start(z[i : i + 1]))[None], torch.tensor([1])
        for asked in row:
            if token == 2:
                assert asked == 0
                continue
            x = torch.cat([decoder.embedding(token), z[i : i + 1]], 1)[:, None]
            output, state = decoder.gru(x, state)
            token = decoder.out(output[:, 0])[:, 2:].argmax(1) + 2
            assert token == asked


def test_generate_with_a_temperature_follows_its_generator(decoder, z):
    def draw(seed):
        generator = torch.Generator().manual_seed(seed)
        options = {"start": 1, "end": 2, "steps": 8, "temperature": 2.0}
        return F.pad(decoder.generate(z, generator=generator, **options), (0, 8))[:, :8]

    assert torch.equal(draw(1), draw(1))
    assert any(not torch.equal(draw(1), draw(seed)) for seed in range(2, 6))


def test_padding_and_start_are_never_picked():
    logits = torch.zeros(1000, 4)
    logits[:, :2] = 50.0
    assert set(pick(logits, 0.0, None).tolist()) == {2}
    assert set(pick(logits, 1.0, torch.Generator().manual_seed(0)).tolist()) == {2, 3}


def test_ensemble_is_its_members_one_by_one():
    torch.manual_seed(3)
    heads = HeadEnsemble(4, LATENT, 7, 3)
    with torch.no_grad():
        for bias in heads.biases:
            bias.normal_()
    z = torch.randn(5, LATENT)
    together = heads(z)
    assert together.shape == (4, 5, 3)
    for m in range(4):
        x = z
        for k in range(3):
            x = x @ heads.weights[k][m] + heads.biases[k][m]
            x = F.silu(x) if k < 2 else x
        torch.testing.assert_close(together[m], x)


def test_members_differ_from_the_start():
    torch.manual_seed(4)
    said = HeadEnsemble(5, LATENT, 7, 1)(torch.ones(1, LATENT))
    assert said.std() > 0


def test_exact_is_what_generate_writes(decoder, z):
    written = decoder.generate(z, start=1, end=2, steps=6)
    whole = torch.cat([torch.ones(3, 1, dtype=torch.long), written], 1)
    ended = (written == 2).any(1)
    wrong = whole.clone()
    wrong[:, 1] = wrong[:, 1] % (WORDS - 3) + 3  # another first token, still a legal one
    assert decoder.exact(z, whole).tolist() == [True] * 3 or not ended.all()
    assert decoder.exact(z, whole)[ended].all()
    assert not decoder.exact(z, wrong)[wrong[:, 1] != whole[:, 1]].any()
