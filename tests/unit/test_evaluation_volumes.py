"""Measures of volumes: trained and evaluated on toys, formulas counted again."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch

from genbat.core import paths
from genbat.domains.microstructures import tomography
from genbat.domains.microstructures.generator import Recipe, make
from genbat.domains.microstructures.statistics import fractions, triple_line
from genbat.domains.microstructures.volume import Volume
from genbat.studio import evaluation, metrics_volumes, training, training_volumes
from genbat.studio.training_volumes import Source
from genbat.systems.slicegan import SliceGAN

torch.set_num_threads(1)
BESIDE = paths.beside()  # before the fixture hides it


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GENBAT_HOME", str(tmp_path))
    monkeypatch.delenv("GENBAT_DATA", raising=False)
    return tmp_path


def source() -> Source:
    whole = make(Recipe(porosity=0.4, binder=0.1, size=160, radius=7.0), 0)
    parts = tomography.split(whole, 64, 96)
    return Source(parts.train, parts.test)


def trained(name: str, tmp_path: Path, examples: Source):
    material = training.Material(examples, ["train"])
    return training_volumes.learn(name, material, tmp_path / name, preset="tiny").system


class Echo:
    """A system that gives back what it was trained on."""

    stride = 8
    weights = ""

    def __init__(self, volumes):
        self.volumes = volumes

    def sample(self, n, *, seed=0, progress=None):
        from types import SimpleNamespace

        from genbat.domains.microstructures.volume import to_text

        return [SimpleNamespace(text=to_text(v)) for v in self.volumes[:n]]


def subject_with(volumes, n=6):
    return metrics_volumes.subject_of(Echo(volumes), source(), n, 0)


# ---------------------------------------------------------------------- whole evaluations
@pytest.mark.parametrize("name", ["slicegan", "dcgan3d"])
def test_a_whole_evaluation(name, tmp_path):
    examples = source()
    system = trained(name, tmp_path, examples)
    result = evaluation.evaluate(name, n=2, seed=0, system=system, examples=examples)
    found = result["metrics"]
    assert result["versions"]["taufactor"] == "1.2.1"
    share = [found[f"share of {phase}"]["value"] for phase in examples.train.phases]
    assert sum(share) == pytest.approx(1.0)
    assert all(row["value"] is not None for row in found.values())
    again = evaluation.evaluate(name, n=2, seed=0, system=system, examples=examples)
    assert again["metrics"] == found


def test_what_it_was_trained_on_is_within_all_bars_and_a_copy():
    subject = subject_with(tomography.crops(source().train))
    found = metrics_volumes.morphology(subject) | metrics_volumes.flow(subject)
    for name, row in found.items():
        low, high = row["bar"] if isinstance(row["bar"], list) else (row["bar"], row["bar"])
        if "share of" in name:
            assert row["value"] == pytest.approx((low + high) / 2, abs=0.06)
        elif "lags" in name:
            assert row["value"] == 0
    copied = metrics_volumes.copies(subject)["nearest training crop"]
    assert copied["value"] == pytest.approx(0.0, abs=1e-6)
    assert copied["real"] > 0.1


def test_noise_is_outside():
    rng = np.random.default_rng(0)
    noise = [Volume(rng.choice(3, size=(64, 64, 64), p=[0.4, 0.5, 0.1]).astype("u1"))
             for _ in range(3)]  # fmt: skip
    found = metrics_volumes.morphology(subject_with(noise, 3))
    assert found["two-point of active material, lags outside"]["value"] > 0.2
    low, high = found["triple line"]["bar"]
    assert not low <= found["triple line"]["value"] <= high
    assert found["share of pore"]["value"] == pytest.approx(0.4, abs=0.01)


# ---------------------------------------------------------------------- single measures
def test_means_are_those_of_the_volumes():
    volumes = tomography.crops(source().train)[:3]
    found = metrics_volumes.morphology(subject_with(volumes, 3))
    lines = [triple_line(v) for v in volumes]
    assert found["triple line"]["value"] == pytest.approx(np.mean(lines))
    shares = np.mean([fractions(v) for v in volumes], axis=0)
    assert found["share of carbon-binder"]["value"] == pytest.approx(shares[2])


def test_the_nearest_crop_is_found_at_any_offset():
    rng = np.random.default_rng(0)
    whole = Volume(rng.integers(3, size=(20, 18, 16)).astype("u1"))
    part = whole.labels[3:11, 5:13, 2:10].copy()
    part.flat[:51] = (part.flat[:51] + 1) % 3
    fields = metrics_volumes.spectrum(whole)
    assert metrics_volumes.nearest(Volume(part), whole, fields) == pytest.approx(51 / 512, abs=1e-5)


def test_stripes_rise_at_their_period():
    stripes = np.zeros((64, 64, 64), "u1")
    stripes[:, :, ::8] = 1
    stripes[:, ::8] = 1
    stripes[::8] = 1
    grid = [Volume(stripes)] * 2
    real = metrics_volumes._rise([make(Recipe(), k) for k in range(3)], 8)
    assert metrics_volumes._rise(grid, 8).min() > 3 * np.abs(real).max()


# ---------------------------------------------------------------------- data
def test_parts_are_apart():
    labels = np.zeros((64, 301, 64), "u1")
    labels[:, np.arange(301), :] = (np.arange(301) % 3)[:, None].astype("u1")
    parts = tomography.split(Volume(labels), tomography.TRAIN_END, tomography.TEST_BEGIN)
    assert parts.train.shape[1] == 170 and parts.test.shape[1] == 99
    assert tomography.TEST_BEGIN - tomography.TRAIN_END >= 32


def test_a_missing_tomogram_is_named():
    with pytest.raises(ValueError, match=r"GENBAT_DATA.*nmc_ct_matbox"):
        training_volumes.gather(None)


def test_own_files(tmp_path):
    rng = np.random.default_rng(0)
    image = rng.choice([10, 90], size=(80, 90)).astype("u1")
    tifffile.imwrite(tmp_path / "mine.tif", image)
    found = training_volumes.gather(tmp_path / "mine.tif").examples
    assert found.flat and found.train.phases == ("phase 10", "phase 90")
    with pytest.raises(ValueError, match="no held-out part"):
        metrics_volumes.subject_of(None, found, 4, 0)
    tifffile.imwrite(tmp_path / "grey.tif", rng.integers(200, size=(80, 90)).astype("u1"))
    with pytest.raises(ValueError, match=r"grey\.tif: is grey"):
        training_volumes.gather(tmp_path / "grey.tif")


def test_training_from_the_command_line_and_on(tmp_path):
    image = make(Recipe(size=72), 1).labels[0]
    tifffile.imwrite(tmp_path / "mine.tif", image)
    folder = training.train("slicegan", "tiny", tmp_path / "mine.tif")
    assert (folder / "weights.safetensors").exists()
    assert "your own" in (folder / "card.md").read_text()
    on = training.own_folder("slicegan", "tiny", tmp_path / "mine.tif")
    training.train("slicegan", "tiny", tmp_path / "mine.tif", start=on)
    before = SliceGAN.load(folder).config.steps_trained
    again = training.train("slicegan", "tiny", tmp_path / "mine.tif", start=folder)
    assert SliceGAN.load(again).config.steps_trained == 2 * before > 0


@pytest.mark.parametrize("name", ["slicegan", "dcgan3d"])
def test_finished_weights_go_on_where_there_are_as_many_phases(name, tmp_path):
    system = trained(name, tmp_path, source())
    system.save(tmp_path / "finished")
    learn = partial(
        training_volumes.learn, name, folder=tmp_path / "on", preset="tiny",
        start=tmp_path / "finished",
    )  # fmt: skip
    other = source()
    other = replace(other, train=replace(other.train, phases=("pore", "nickel", "zirconia")))
    config = learn(training.Material(other, ["train"])).system.config
    assert config.phases == other.train.phases
    assert config.steps_trained == 2 * system.config.steps_trained
    labels = other.train.labels.clip(0, 1)
    fewer = replace(other, train=replace(other.train, labels=labels, phases=("pore", "nickel")))
    with pytest.raises(ValueError, match="legal are 3"):
        learn(training.Material(fewer, ["train"]))


@pytest.mark.skipif(BESIDE is None, reason="the tomogram does not ship")
def test_the_tomogram(monkeypatch):
    monkeypatch.setenv("GENBAT_DATA", str(BESIDE))
    whole = tomography.load()
    assert fractions(whole.train) == pytest.approx([0.404, 0.498, 0.098], abs=0.02)


# ---------------------------------------------------------------------- images alone
def images_of(volume, tmp_path):
    for k, name in enumerate(training_volumes.SIDES):
        tifffile.imwrite(tmp_path / name, volume.labels.take(5, axis=k))


def test_three_images_for_three_axes(tmp_path):
    whole = make(Recipe(porosity=0.4, binder=0.1, size=72, radius=7.0), 0)
    images_of(whole, tmp_path)
    found = training_volumes.gather(tmp_path).examples
    assert [v.shape for v in (found.train, *found.sides)] == [(1, 72, 72)] * 3
    learnt = trained("slicegan", tmp_path, found)
    assert learnt.config.judged_by == (0, 1, 2)
    (tmp_path / "y.tif").unlink()
    with pytest.raises(ValueError, match=r"y\.tif: cannot be read"):
        training_volumes.gather(tmp_path)


def test_an_image_is_parted_with_a_gap():
    rows = np.arange(200)[None, :, None].repeat(80, 2)
    image = Volume((rows // 25).astype("u1"), tuple("abcdefgh"))
    learnt, held = training_volumes.parted(image)
    assert learnt.shape == (1, 118, 80) and held.shape == (1, 50, 80)
    assert np.array_equal(learnt.labels, image.labels[:, :118])
    assert np.array_equal(held.labels, image.labels[:, 150:])


def test_slices_of_the_images_themselves_are_inside():
    from genbat.studio import metrics_slices

    recipe = Recipe(porosity=0.4, binder=0.1, size=128, radius=4.0, pressed=0.0, periodic=True)
    whole = make(recipe, 0)
    image, held = (Volume(whole.labels[k : k + 1], whole.phases) for k in (20, 90))
    crops = [Volume(np.ascontiguousarray(whole.labels[:64, :64, k : k + 64]), whole.phases)
             for k in range(0, 64, 2)]  # fmt: skip
    examples = Source(image, held=(held,))
    found = metrics_slices.slices(metrics_slices.subject_of(Echo(crops), examples, 32, 0))
    for phase, p in zip(whole.phases, fractions(image), strict=True):
        assert found[f"two-point of {phase}, lags outside"]["value"] < 0.35
        line = found[f"outline of {phase}"]
        assert abs(line["value"] - line["real"]) < 0.3 * line["real"]
        neighbours = 2 * 63 / 64  # along both edges of a square of 64
        thrown = line["baselines"]["pixels at random"]
        assert thrown == pytest.approx(neighbours * 2 * p * (1 - p), rel=0.01)
        assert thrown > 1.5 * line["real"]
    with pytest.raises(ValueError, match="no image is held out"):
        metrics_slices.subject_of(None, Source(image), 8, 0)
