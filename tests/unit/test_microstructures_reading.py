"""Users' TIFFs: labelled, grey, broken, huge, of a wrong depth."""

import io

import numpy as np
import pytest
import tifffile

from genbat.domains.microstructures.reading import (
    Stack,
    read_tiff,
    relabelled,
    segmented,
    suggested,
)

RNG = np.random.default_rng(0)


def tiff(values, **options):
    out = io.BytesIO()
    tifffile.imwrite(out, values, **options)
    return out.getvalue()


@pytest.mark.parametrize("dtype", ["u1", "u2", "i2", "i1"])
def test_a_labelled_stack(dtype):
    values = RNG.integers(0, 3, (9, 10, 11)).astype(dtype) * 40
    stack = read_tiff(tiff(values), "a.tif")
    assert stack.labelled
    volume = relabelled(stack, ("pore", "solid", "binder"))
    assert (volume.labels == values // 40).all()
    assert volume.voxel_um is None


def test_a_grey_stack_is_cut_at_thresholds():
    truth = RNG.integers(0, 3, (12, 12, 12))
    grey = np.clip(RNG.normal(60 + 70 * truth, 8), 0, 255).astype("u1")
    stack = read_tiff(tiff(grey), "grey.tif")
    assert not stack.labelled
    cuts = suggested(stack, 3)
    assert 60 < cuts[0] < 130 < cuts[1] < 200
    assert np.mean(segmented(stack, cuts, ("a", "b", "c")).labels == truth) > 0.99


def test_the_size_of_a_voxel_is_read():
    data = tiff(np.zeros((8, 9, 10), "u1"), imagej=True, resolution=(2.0, 4.0),
                metadata={"unit": "um", "spacing": 0.7})  # fmt: skip
    assert read_tiff(data, "a.tif").voxel_um == pytest.approx((0.7, 0.25, 0.5))


def test_a_single_phase_is_a_volume():
    volume = relabelled(read_tiff(tiff(np.full((8, 8, 8), 7, "u1")), "a.tif"), ("solid",))
    assert volume.labels.max() == 0


def test_an_image_for_training():
    stack = read_tiff(tiff(RNG.integers(0, 2, (40, 50)).astype("u1")), "a.tif", flat=True)
    assert stack.values.shape == (1, 40, 50)


def test_a_few_images_larger_than_a_volume_may_be():
    stack = read_tiff(tiff(RNG.integers(0, 2, (2, 600, 50)).astype("u1")), "a.tif", flat=True)
    assert stack.values.shape == (2, 600, 50)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty"),
        (b"not a tiff at all", "cannot be read as TIFF"),
        (tiff(np.zeros((9, 9, 9), "u1"))[:300], "cannot be read as TIFF"),
        (tiff(np.zeros((9, 9, 9), "f4")), "8 and 16 bit"),
        (tiff(np.zeros((9, 9, 9), "u4")), "8 and 16 bit"),
        (tiff(np.zeros((9, 9, 9, 3), "u1"), photometric="rgb"), "colours are not read"),
        (tiff(np.zeros((4, 9, 9), "u1")), "edges of 8 to 512"),
        (tiff(np.zeros((9, 9, 600), "u1")), "edges of 8 to 512"),
        (tiff(np.zeros((40, 50), "u1")), "edges of 8 to 512"),
    ],
)
def test_what_is_wrong_is_said(data, said):
    with pytest.raises(ValueError, match=r"^mine\.tif: ") as caught:
        read_tiff(data, "mine.tif")
    assert said in str(caught.value)


def test_a_huge_one_is_not_unpacked():
    data = tiff(np.zeros((3, 9000, 9000), "u1"), compression="zlib")
    with pytest.raises(ValueError, match=r"million voxels; legal are 512\^3"):
        read_tiff(data, "bomb.tif")


def test_wrong_thresholds_and_names():
    stack = Stack(RNG.integers(0, 255, (8, 8, 8)).astype("u1"))
    with pytest.raises(ValueError, match="rising"):
        segmented(stack, [100.0, 50.0], ("a", "b", "c"))
    with pytest.raises(ValueError, match="2 phases need a name"):
        segmented(stack, [100.0], ("a", "a"))
    with pytest.raises(ValueError, match="needs thresholds"):
        relabelled(stack, ("a",))
    with pytest.raises(ValueError, match="2 to 4"):
        suggested(stack, 7)
