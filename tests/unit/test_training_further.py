"""Trainings that go on from finished weights, as every model card says."""

from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file
from test_evaluation_polymers import polymers
from tiny_oxides import imatgen, oxides

from genbat.domains.crystals.swaps import replaced
from genbat.studio import model_card, registry, training, training_images, training_polymers
from genbat.systems.run import Schedule

torch.set_num_threads(1)
RULES = Schedule(steps=7, batch=4)


@pytest.mark.parametrize("name", ["polymergpt", "polymerdiffusion", "polymermasking", "polymervae"])
def test_polymers_go_on_from_finished_weights(name, tmp_path):
    material = training.Material(polymers(), ["train"])
    first = training_polymers.learn(name, material, tmp_path / "a", preset="tiny").system
    first.save(tmp_path / "weights")
    further = training_polymers.learn(
        name, material, tmp_path / "b", preset="tiny", start=tmp_path / "weights"
    ).system
    assert further.config.steps_trained == 2 * first.config.steps_trained > 0
    assert further.config.tokens == first.config.tokens


def test_images_go_on_with_the_same_two_elements_alone(tmp_path):
    imatgen().save(tmp_path / "weights")
    learn = lambda crystals: training_images.learn(  # noqa: E731
        "imatgen", training.Material(crystals, list(crystals.splits)), tmp_path / "b",
        preset="tiny", start=tmp_path / "weights",
    )  # fmt: skip
    titanium = [replaced(cell, {"V": "Ti", "O": "O"}) for cell in oxides().cells]
    other = replace(oxides(), cells=titanium)
    with pytest.raises(ValueError, match=r"data: crystals of Ti-O; .* has learnt V-O alone"):
        learn(other)
    assert learn(oxides()).system.config.elements == (23, 8)


def test_the_first_step_is_taken_from_the_weights(tmp_path):
    material = training.Material(polymers(), ["train"])
    known = training_polymers.learn("polymergpt", material, tmp_path / "a", preset="tiny").system
    known.save(tmp_path / "weights")
    training.begin_from(tmp_path / "weights", tmp_path / "b", type(known), RULES)
    kept = load_file(tmp_path / "b" / "checkpoint.safetensors")
    for key, value in load_file(tmp_path / "weights" / "weights.safetensors").items():
        for network in ("net", "mean"):
            assert torch.equal(kept[f"{network}.{key}"], value.float())
    assert not any(key.startswith("opt.") for key in kept)


def test_what_needs_more_than_weights_says_so(tmp_path):
    with pytest.raises(ValueError, match="finished weights are not enough"):
        training.begin_from(tmp_path, tmp_path / "b")
    with pytest.raises(ValueError, match=r"has no weights\.safetensors"):
        training.begin_from(tmp_path, tmp_path / "b", training_polymers._KIND["polymergpt"], RULES)


@pytest.mark.parametrize("name", list(registry.SYSTEMS))
def test_cards_promise_no_more(name):
    told = model_card._again(registry.card(name))
    assert ("--from" in told) == (name not in model_card.NEEDS_CHECKPOINT)
