"""The system end to end on a toy: training, checkpoints, weights, sampling, calibration."""

import math
from dataclasses import asdict, replace
from itertools import chain

import numpy as np
import pytest
import torch
from tiny_chemvae import SCHEDULE, table, trained

from genbat.core.condition import Condition, Window
from genbat.domains.molecules.codec import Vocabulary
from genbat.systems import chemvae_training as training
from genbat.systems.chemvae import ChemVAE, Config, Network, make_card, pad, with_ends
from genbat.systems.chemvae_targets import LOGARITHMIC, TARGETS, scales, standardise

TINY = training.SIZES["tiny"]
SHORT = replace(SCHEDULE, steps=12, batch=32)


@pytest.fixture(scope="module")
def system():
    return trained()[0]


def texts(candidates):
    return [c.text for c in candidates]


# ---------------------------------------------------------------------- training
def test_loss_falls(tmp_path):
    known = table()[lambda t: t["split"] == "train"]
    config = training.make_config(table(), TINY)
    torch.manual_seed(0)
    run = training.Run(Network(config), config, SCHEDULE, tmp_path)
    corpus = training.make_corpus(known, config, SCHEDULE)
    rows = list(range(32))
    parts = [run.advance(corpus, rows) for _ in range(30)]
    first, last = parts[0], parts[-1]
    assert last["reconstruction"] < 0.8 * first["reconstruction"]
    assert last["heads"] < first["heads"]


@pytest.mark.parametrize("stops", [3])
def test_a_stopped_run_ends_like_an_unstopped_one(tmp_path, stops):
    whole = training.train(table(), tmp_path / "whole", schedule=SHORT, sizes=TINY)
    folder, start = tmp_path / "parts", None
    for _ in range(stops):  # each of these ends after one step
        training.train(table(), folder, schedule=SHORT, sizes=TINY, start=start, minutes=0)
        start = folder
    parts = training.train(table(), folder, schedule=SHORT, start=start)
    ours, theirs = parts.network.state_dict(), whole.network.state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    assert parts.config == whole.config
    assert parts.config.steps_trained == SHORT.steps


def test_an_epoch_shows_every_molecule_once():
    known = table()[lambda t: t["split"] == "train"]
    config = training.make_config(table(), TINY)
    schedule = replace(SHORT, mutants=0)
    corpus = training.make_corpus(known, config, schedule)
    epochs = [list(training.batches(corpus, schedule, e)) for e in (0, 1, 0)]
    assert [sorted(chain(*e)) for e in epochs] == [list(range(len(known)))] * 3
    assert epochs[0] == epochs[2] != epochs[1]
    assert {len(rows) for rows in epochs[0][:-1]} <= {schedule.batch, len(known) % schedule.batch}


def test_no_mutant_is_a_known_molecule():
    known = table()[lambda t: t["split"] == "train"]
    config = training.make_config(table(), TINY)
    corpus = training.make_corpus(known, config, SCHEDULE, set(table()["smiles"]))
    vocabulary = Vocabulary(config.tokens)
    mutants = {vocabulary.decode(row) for row in corpus.outputs[corpus.real :]}
    assert len(mutants) == SCHEDULE.mutants
    assert not mutants & set(table()["smiles"])
    assert corpus.targets[corpus.real :].isnan().all()


def test_unknown_targets_teach_nothing():
    wanted = torch.tensor([[1.0, math.nan], [math.nan, math.nan]])
    said = torch.tensor([[[1.5, 7.0], [3.0, 4.0]]], requires_grad=True)
    error = training.head_error(said, wanted)
    error.backward()
    assert error > 0
    assert (said.grad != 0).tolist() == [[[True, False], [False, False]]]


def test_finished_weights_may_start_a_training(tmp_path):
    _, folder = trained()
    again = training.train(table(), tmp_path, schedule=SHORT, start=folder, minutes=0)
    assert again.config.steps_trained == 1
    assert again.config.tokens == trained()[0].config.tokens


def test_other_molecules_start_anew_from_the_same_networks(tmp_path):
    training.train(table(), tmp_path / "a", schedule=SHORT, sizes=TINY, minutes=0)
    fewer = table().iloc[:150]
    again = training.train(fewer, tmp_path / "b", schedule=SHORT, start=tmp_path / "a", minutes=0)
    assert again.config.steps_trained == 1
    assert len(again.config.tokens) == len(training.checkpoint_config(tmp_path / "a").tokens)


def test_nothing_to_learn_from_is_said(tmp_path):
    rows = table()[lambda t: t["split"] == "test"]
    with pytest.raises(ValueError, match="no training molecule"):
        training.train(rows, tmp_path, schedule=SHORT, sizes=TINY)


# ---------------------------------------------------------------------- weights
def test_saved_and_loaded_is_the_same_system(system, tmp_path):
    system.save(tmp_path)
    again = ChemVAE.load(tmp_path)
    z = np.random.default_rng(0).standard_normal((40, system.config.latent))
    assert again.config == system.config
    assert again.weights == system.weights
    assert again.decode_texts(z) == system.decode_texts(z)
    for ours, theirs in zip(again.predict_table(z), system.predict_table(z), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_config_survives_json():
    config = Config(tokens=("a", "b"), latent=3)
    assert Config.from_json(asdict(config)) == config


def test_missing_weights_are_named(tmp_path):
    with pytest.raises(ValueError, match=r"weights\.safetensors"):
        ChemVAE.load(tmp_path)


def test_padding_and_ends():
    tokens, lengths = pad([[3, 4], [5]])
    assert tokens.tolist() == [[3, 4], [5, 0]]
    assert lengths.tolist() == [2, 1]
    assert with_ends([[3, 4], [5]]).tolist() == [[1, 3, 4, 2], [1, 5, 2, 0]]


# ---------------------------------------------------------------------- sampling
def test_same_seed_same_candidates(system):
    first, again, other = (list(system.sample(12, seed=s)) for s in (5, 5, 6))
    assert first == again
    assert texts(first) != texts(other)
    assert all(c.provenance.weights == system.weights for c in first)


def test_a_longer_sample_starts_with_the_shorter(system):
    long = list(system.sample(260, seed=1))
    assert texts(system.sample(3, seed=1)) == texts(long[:3])
    assert list(system.sample(258, seed=1)) == long[:258]
    assert [c.provenance.arguments["index"] for c in long] == list(range(260))


def test_prior_draws_are_normal(system):
    z = np.array([c.latent for c in system.sample(512, seed=2)])
    assert abs(z.mean()) < 0.05
    assert abs(z.std() - 1) < 0.05


def test_candidates_are_judged(system):
    for candidate in system.sample(30, seed=3):
        assert candidate.verdict.ok == (not candidate.verdict.reasons)
        assert candidate.domain == "molecules"


def test_encoding_ignores_the_company(system):
    known = table()["smiles"].tolist()[:5]
    together = system.encode(known)
    assert together.shape == (5, system.config.latent)
    alone = np.concatenate([system.encode([s]) for s in known])
    np.testing.assert_allclose(alone, together, atol=1e-5)
    assert system.encode([]).shape == (0, system.config.latent)


@pytest.mark.parametrize("n", [0, -3])
def test_a_sample_has_members(system, n):
    with pytest.raises(ValueError, match=f"n: got {n}"):
        list(system.sample(n))


@pytest.mark.parametrize(
    ("condition", "named"),
    [
        (Condition({"taste": Window(low=1)}), "taste"),
        (Condition(wishes={"colour": "blue"}), "colour"),
        (Condition(wishes={"elements": "C,Xx"}), "Xx"),
        (Condition(wishes={"keep": "C(("}), "C(("),
        (Condition(wishes={"start": "no molecule"}), "no molecule"),
    ],
)
def test_what_cannot_be_honoured_is_named(system, condition, named):
    with pytest.raises(ValueError) as refusal:
        list(system.sample(1, condition=condition))
    assert named in str(refusal.value)


def test_progress_ends_at_one(system):
    told = []
    list(system.sample(4, progress=lambda fraction, text: told.append(fraction)))
    assert told == [0.25, 0.5, 0.75, 1.0]


# ---------------------------------------------------------------------- heads and calibration
def test_scales_and_units():
    values = table()[list(TARGETS)].to_numpy("f8")
    mean, scale = scales(values)
    config = Config(tokens=(), mean=mean, scale=scale)
    unit = standardise(values, config)
    np.testing.assert_allclose(np.nanmean(unit, 0), 0, atol=1e-9)
    np.testing.assert_allclose(np.nanstd(unit, 0), 1, atol=1e-9)
    k = TARGETS.index("viscosity_mpas")
    assert mean[k] == pytest.approx(np.nanmean(np.log10(values[:, k])))


def test_a_column_nobody_knows_has_a_scale():
    mean, scale = scales(np.full((4, len(TARGETS)), np.nan))
    assert set(mean) == {0.0}
    assert set(scale) == {1.0}


def test_prediction_in_units(system):
    z = np.random.default_rng(1).standard_normal((6, system.config.latent)).astype("f4")
    members = system.network.heads(torch.as_tensor(z)).detach().numpy()
    values, halves = system.predict_table(z)
    calibration = system.config.calibration
    for k, key in enumerate(TARGETS):
        mean, scale = system.config.mean[k], system.config.scale[k]
        centre = members[:, :, k].mean(0) * scale + mean
        spread = np.sqrt(members[:, :, k].var(0) + calibration.floor[k] ** 2)
        reach = calibration.quantile[k] * spread * scale
        if key in LOGARITHMIC:
            reach = (10 ** (centre + reach) - 10 ** (centre - reach)) / 2
            centre = 10**centre
        np.testing.assert_allclose(values[:, k], centre, rtol=1e-4)
        np.testing.assert_allclose(halves[:, k], reach, rtol=1e-4)
        low, high = system.predict(z[:1])[0][key].ends
        if key in LOGARITHMIC:
            assert low * high == pytest.approx(centre[0] ** 2, rel=1e-4)
        assert (high - low) / 2 == pytest.approx(reach[0], rel=1e-4)
    told = system.predict(z[:1])[0]["lumo_ev"]
    assert told.value == pytest.approx(values[0, TARGETS.index("lumo_ev")])
    assert (told.kind, told.unit) == ("predicted", "eV")


def test_training_range_holds_the_training_mean(system):
    for key, (low, high) in system.training_range.items():
        assert low < table()[key].median() < high


def test_card_tells_what_it_can():
    card = make_card(7)
    assert card.parameters == 7
    assert {"sample", "encode", "decode", "predict", "search"} == set(card.capabilities)
