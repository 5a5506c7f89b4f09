"""superres trained and evaluated on toys: what it learns from, errors counted again."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import tifffile
import torch

from genbat.domains.microstructures.generator import Recipe, make
from genbat.domains.microstructures.statistics import fractions
from genbat.domains.microstructures.tomography import crops, split
from genbat.studio import evaluation, metrics_superres, training, training_superres
from genbat.studio.training_superres import coarse_of
from genbat.systems.superres import FACTOR

torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GENBAT_HOME", str(tmp_path))
    monkeypatch.delenv("GENBAT_DATA", raising=False)
    return tmp_path


def pair():
    whole = make(Recipe(porosity=0.4, binder=0.1, size=160, radius=7.0), 0)
    parts = split(whole, 64, 90)
    return training_superres._from_fine(parts.train, parts.test, (0, 1, 1))


class Oracle:
    """A system that knows the truth, or spoils it."""

    weights = ""

    def __init__(self, fine):
        self.fine = fine

    def enhance(self, coarse, *, seed=0):
        shape = tuple(FACTOR * n for n in coarse.shape)
        return metrics_superres._cut(self.fine, shape)


# ---------------------------------------------------------------------- measures
def test_a_whole_evaluation(tmp_path):
    examples = pair()
    material = training.Material(examples, ["train"])
    lesson = training_superres.learn("superres", material, tmp_path / "s", preset="tiny")
    assert lesson.system.config.judged_by == (0, 1, 1)
    result = evaluation.evaluate("superres", n=4, system=lesson.system, examples=examples)
    found = result["metrics"]
    assert len(found) == 7
    assert all(row["value"] >= 0 and row["real"] >= 0 for row in found.values())
    again = evaluation.evaluate("superres", n=4, system=lesson.system, examples=examples)
    assert again["metrics"] == found


def test_the_truth_has_no_error_and_plain_ways_lose_the_binder():
    examples = pair()
    subject = metrics_superres.subject_of(Oracle(examples.test), examples, 64, 0)
    found = metrics_superres.fidelity(subject)
    assert all(row["value"] == 0 for row in found.values())
    binder = found["error of the share of carbon-binder"]
    coarse = coarse_of(examples.test)
    fine = np.kron(coarse.labels, np.ones((FACTOR,) * 3, np.uint8))
    cubes = subject.groups
    wanted = np.mean([fractions(v)[2] for v in cubes["true"]])
    near = np.mean([fractions(v)[2] for v in cubes["nearest"]])
    assert np.array_equal(cubes["nearest"][0].labels, crops(type(coarse)(fine))[0].labels)
    assert binder["baselines"]["nearest"] == pytest.approx(abs(near - wanted) / wanted)
    assert binder["bar"] == pytest.approx(min(0.05, *(b / 2 for b in binder["baselines"].values())))


def test_nothing_withheld_is_told():
    examples = pair()
    alone = training_superres.Pair(examples.coarse, examples.fine, (0, 0, 0))
    with pytest.raises(ValueError, match="withheld"):
        metrics_superres.subject_of(None, alone, 4, 0)


# ---------------------------------------------------------------------- the user's own
def tiff(path, labels):
    tifffile.imwrite(path, labels)


def test_a_fine_tiff_is_its_own_coarse_one(tmp_path):
    fine = make(Recipe(size=72), 1)
    tiff(tmp_path / "own.tif", fine.labels)
    found = training_superres.gather(tmp_path / "own.tif").examples
    assert found.coarse.shape == (18, 18, 18) and found.test is None
    assert np.array_equal(found.fine[0].labels, fine.labels)


def test_a_folder_of_a_coarse_volume_and_fine_images(tmp_path):
    fine = make(Recipe(size=72), 1)
    tiff(tmp_path / "coarse.tif", coarse_of(fine).labels)
    tiff(tmp_path / "fine.tif", fine.labels[0])
    found = training_superres.gather(tmp_path).examples
    assert found.fine[0].shape == (1, 72, 72)
    assert found.judged_by == (0, 0, 0)
    (tmp_path / "fine.tif").unlink()
    for k, name in enumerate(training_superres.SIDES):
        tiff(tmp_path / name, fine.labels.take(3, axis=k))
    found = training_superres.gather(tmp_path).examples
    assert [v.shape for v in found.fine] == [(1, 72, 72)] * 3
    assert found.judged_by == (0, 1, 2)
    material = training.Material(found, ["train"])
    training_superres.learn("superres", material, tmp_path / "s", preset="tiny")


def test_what_is_missing_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"coarse\.tif"):
        training_superres.gather(tmp_path)
    tiff(tmp_path / "flat.tif", make(Recipe(size=72), 1).labels[0])
    with pytest.raises(ValueError, match="a coarse copy needs a volume"):
        training_superres.gather(tmp_path / "flat.tif")


# ---------------------------------------------------------------------- another material
def variant(tmp_path, monkeypatch):
    """The separator's files, made of particles, three images across z and y."""
    from genbat.studio import registry

    monkeypatch.setenv("GENBAT_DATA", str(tmp_path))
    (tmp_path / "microstructures").mkdir()
    fine = make(Recipe(size=96, binder=0.0), 1)
    tiff(tmp_path / "microstructures" / "separator_lr.tif", coarse_of(fine).labels)
    for name in ("separator_hr_rods", "separator_hr_speckles"):
        tiff(tmp_path / "microstructures" / f"{name}.tif", fine.labels[:8])
    return registry.VARIANTS["superres-separator"]


def test_a_variant_learns_from_its_own_files(tmp_path, monkeypatch):
    variant(tmp_path, monkeypatch)
    found = training.gather("superres-separator", None)
    pair_ = found.examples
    assert pair_.coarse.shape == (24, 24, 24)
    assert [len(v.labels) for v in pair_.fine] == [6, 6, 6]
    assert [len(v.labels) for v in pair_.held] == [2, 2, 2]
    assert pair_.judged_by == (0, 0, 1)
    folder = training.train("superres-separator", "tiny")
    card = (folder / "card.md").read_text()
    assert "superres-separator: SuperRes, separator" in card and "lamellae" in card
    result = evaluation.evaluate("superres-separator", n=3, weights=folder)
    assert set(result["metrics"]) == {
        f"{what} phase {k}{more}"
        for k in (0, 1)
        for what, more in (("share of", ""), ("outline of", ""))
    } | {f"two-point of phase {k}, lags outside" for k in (0, 1)}
    rows = result["metrics"].values()
    assert all({"voxels repeated"} <= set(row["baselines"]) for row in rows)


def test_no_folder_of_data_is_told():
    with pytest.raises(ValueError, match=r"GENBAT_DATA.*superres-sofc.*sofc_lr"):
        training.gather("superres-sofc", None)


# ---------------------------------------------------------------------- going on
def test_finished_weights_go_on_with_new_critics_and_checkpoints_as_they_were(tmp_path):
    material = training.Material(pair(), ["train"])
    learn = partial(training_superres.learn, "superres", material, preset="tiny")
    first = learn(tmp_path / "a").system
    first.save(tmp_path / "finished")
    further = learn(tmp_path / "b", start=tmp_path / "finished").system
    assert (first.config.steps_trained, further.config.steps_trained) == (2, 4)
    whole = learn(tmp_path / "c", start=tmp_path / "a").system
    assert whole.config.steps_trained == 2
    for name, value in first.network.state_dict().items():
        assert torch.equal(value, whole.network.state_dict()[name])


def test_weights_of_another_material_go_on_where_it_has_as_many_phases(tmp_path):
    training_superres.learn(
        "superres", training.Material(pair(), ["train"]), tmp_path / "a", preset="tiny"
    ).system.save(tmp_path / "finished")
    learn = partial(training_superres.learn, "superres", preset="tiny", start=tmp_path / "finished")
    names = ("pore", "nickel", "zirconia")
    other = replace(pair(), coarse=replace(pair().coarse, phases=names), judged_by=(0, 0, 0))
    config = learn(training.Material(other, ["train"]), tmp_path / "b").system.config
    assert (config.coarse, config.judged_by, config.steps_trained) == (names, (0, 0, 0), 4)
    own = pair().coarse
    fewer = replace(pair(), coarse=replace(own, labels=own.labels.clip(0, 1), phases=names[:2]))
    with pytest.raises(ValueError, match="legal are 3 phases"):
        learn(training.Material(fewer, ["train"]), tmp_path / "c")
