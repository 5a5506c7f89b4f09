"""One's own micrograph: images of all kinds, a training watched, stopped and gone on with."""

import base64
import io

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image

from genbat.core.errors import JobCancelled
from genbat.domains.microstructures.generator import Recipe, make
from genbat.domains.microstructures.volume import Volume, from_text
from genbat.studio import micrograph

torch.set_num_threads(1)
SECTION = make(Recipe(size=80, radius=7.0), 0).labels[40]
NAMES = ("pore", "active material", "carbon-binder")


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GENBAT_HOME", str(tmp_path))
    return tmp_path


def tiff(values):
    file = io.BytesIO()
    tifffile.imwrite(file, values)
    return file.getvalue()


def png(values, mode=None):
    file = io.BytesIO()
    Image.fromarray(values, mode).save(file, "PNG")
    return file.getvalue()


def grey():
    rng = np.random.default_rng(0)
    return (40 + 80 * SECTION + rng.normal(0, 4, SECTION.shape)).astype(np.uint8)


class Report:
    """Counts and stops after so many steps."""

    def __init__(self, stop=3):
        self.stop, self.told, self.results = stop, [], []

    def __call__(self, fraction, message=""):
        self.told.append(message)
        if len(self.told) == self.stop:
            raise JobCancelled

    def emit(self, payload):
        self.results.append(payload)


# ---------------------------------------------------------------------- images
def test_labelled_images_are_taken_as_they_are():
    stack = micrograph.stack_of(tiff(np.array([7, 90, 200], "u1")[SECTION]), "a.tif")
    found = micrograph.phases_of(stack, NAMES, [], 0.3)
    assert np.array_equal(found.labels[0], SECTION)
    assert found.voxel_um == (0.3, 0.3, 0.3) and found.phases == NAMES
    assert micrograph.phases_of(stack, NAMES, [], None).voxel_um is None


@pytest.mark.parametrize("kind", ["tif", "png", "jpg", "png16", "colour"])
def test_grey_images_are_cut_at_thresholds(kind):
    own = grey()
    data = {
        "tif": lambda: tiff(own),
        "png": lambda: png(own),
        "png16": lambda: png(own.astype(np.uint16) * 100),
        "colour": lambda: png(np.repeat(own[..., None], 3, 2)),
        "jpg": lambda: _jpeg(own),
    }[kind]()
    stack = micrograph.stack_of(data, f"a.{'png' if 'png' in kind or kind == 'colour' else kind}")
    found = micrograph.phases_of(stack, NAMES, micrograph.thresholds_of(stack, 3), None)
    assert (found.labels[0] == SECTION).mean() > 0.98


def _jpeg(values):
    file = io.BytesIO()
    Image.fromarray(values).save(file, "JPEG", quality=98)
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "name", "named"),
    [
        (b"", "a.tif", r"a\.tif: is empty"),
        (b"rubbish", "a.png", r"a\.png: cannot be read"),
        (b"rubbish", "a.tif", r"a\.tif: cannot be read"),
        (tiff(np.zeros((30, 90), "u1")), "a.tif", r"a\.tif: 30 x 90 pixels; legal are edges of 64"),
        (tiff(np.zeros((3, 90, 90), "u1")), "a.tif", "is a stack"),
        (png(np.zeros((70, 2100), "u1")), "a.png", "legal"),
    ],
)
def test_what_is_no_image_is_told(data, name, named):
    with pytest.raises(ValueError, match=named):
        micrograph.stack_of(data, name)


def test_phases_that_do_not_fit_are_told():
    stack = micrograph.stack_of(tiff(grey()), "a.tif")
    for names, cuts, pixel, named in (
        (("a", ""), [100.0], None, "empty"),
        (("a", "a"), [100.0], None, "name of their own"),
        (("a", "b"), [255.0], None, "no pixel is b"),
        (("a", "b", "c"), [150.0, 100.0], None, "rising"),
        (("a", "b"), [100.0], -1.0, "above 0"),
    ):
        with pytest.raises(ValueError, match=named):
            micrograph.phases_of(stack, names, cuts, pixel)


# ---------------------------------------------------------------------- trainings
def told(**more):
    volume = Volume(SECTION[None].copy(), NAMES, (0.3,) * 3)
    given = micrograph.arguments(volume, "My cathode", "me", 5.0, preset="tiny")
    return {**given, **more}


def test_a_stopped_training_is_kept_and_goes_on():
    asked, report = told(), Report(stop=3)
    with pytest.raises(JobCancelled):
        micrograph.train(asked, report)
    (own,) = micrograph.owned("me")
    assert (own.name, own.steps, own.phases) == ("My cathode", 3, NAMES)
    assert own.shares == pytest.approx([(k == SECTION).mean() for k in range(3)])
    assert micrograph.owned("you") == []
    (look,) = report.results
    assert look["step"] == 1 and sum(look["shares"]) == pytest.approx(1.0, abs=1e-3)
    seen = Image.open(io.BytesIO(base64.b64decode(look["slices"][0])))
    assert seen.size == (64, 64)
    again = Report(stop=2)
    with pytest.raises(JobCancelled):
        micrograph.train(asked, again)
    assert micrograph.owned("me")[0].steps == 5
    assert again.told[0] == "step 4"


def test_volumes_of_ones_own_system():
    asked = told()
    with pytest.raises(JobCancelled):
        micrograph.train(asked, Report(stop=2))
    one, two, other = (micrograph.made(asked["ident"], 64, seed) for seed in (1, 1, 2))
    assert one == two != other
    volume = from_text(one)
    assert volume.shape == (64, 64, 64) and volume.phases == NAMES
    assert volume.voxel_um == pytest.approx((0.3, 0.3, 0.3))
    made = micrograph.candidate(asked["ident"], 64, 1)
    assert made.text == one and made.provenance.system == "own SliceGAN My cathode"
    assert made.provenance.seed == 1 and made.provenance.weights


def test_folders_are_names_only():
    for ident in ("../../etc", "", "A b", "x" * 50):
        with pytest.raises(ValueError, match="is no name"):
            micrograph.folder(ident)
    with pytest.raises(ValueError, match="not here"):
        micrograph.made("nothing-123456", 64, 0)


def test_a_broken_note_hides_no_other_system(home):
    with pytest.raises(JobCancelled):
        micrograph.train(told(), Report(stop=2))
    (home / "own" / "broken").mkdir()
    (home / "own" / "broken" / "note.json").write_text("{")
    assert len(micrograph.owned("me")) == 1


@pytest.mark.parametrize(
    ("name", "minutes", "named"),
    [("  ", 5.0, "name"), ("a", 0.1, "minutes"), ("a", 900, "minutes")],
)
def test_arguments_that_are_none(name, minutes, named):
    volume = Volume(SECTION[None].copy(), NAMES)
    with pytest.raises(ValueError, match=named):
        micrograph.arguments(volume, name, "me", minutes)
