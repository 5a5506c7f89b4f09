"""Volumes as files, read back by others or by hand."""

import base64
import io
import re
import zipfile

import numpy as np
import pytest

from genbat.core.candidate import Candidate, Verdict
from genbat.core.provenance import Provenance
from genbat.domains.microstructures import export
from genbat.domains.microstructures.generator import Recipe, make
from genbat.domains.microstructures.reading import read_tiff, relabelled
from genbat.domains.microstructures.texts import recipe_text
from genbat.domains.microstructures.volume import ELECTRODE, Volume, to_text

VOLUME = Volume(make(Recipe(size=32, radius=5.0), 0).labels[:, :24, :28].copy(),
                voxel_um=(0.5, 0.4, 0.25))  # fmt: skip


def candidate(text, name=""):
    return Candidate(text, "microstructures", Verdict(True), Provenance("data", "known"), name=name)


def test_tiff_comes_back_with_its_voxels():
    stack = read_tiff(export.tiff(VOLUME), "x.tif")
    again = relabelled(stack, ELECTRODE)
    assert np.array_equal(again.labels, VOLUME.labels)
    assert again.voxel_um == pytest.approx(VOLUME.voxel_um, rel=1e-4)
    plain = read_tiff(export.tiff(Volume(VOLUME.labels)), "x.tif")
    assert plain.voxel_um is None


def test_vtk_holds_every_voxel_in_its_order():
    text = export.vti(VOLUME).decode()
    assert 'WholeExtent="0 28 0 24 0 32"' in text and 'Spacing="0.25 0.4 0.5"' in text
    coded = re.search(r'format="binary">([^<]+)<', text)[1]
    size, raw = base64.b64decode(coded[:8]), base64.b64decode(coded[8:])
    assert int.from_bytes(size, "little") == len(raw) == VOLUME.labels.size
    x, y, z = 5, 7, 11  # x runs fastest
    assert raw[x + 28 * (y + 24 * z)] == VOLUME.labels[z, y, x]


def triangles(data):
    count = int.from_bytes(data[80:84], "little")
    assert len(data) == 84 + 50 * count
    return np.frombuffer(data[84:], export._FACET)


def test_stl_is_closed_and_holds_the_phase():
    """The volume inside a closed surface, by the divergence theorem, is that of a ball."""
    z, y, x = np.indices((40, 40, 40)) + 0.5
    ball = ((z - 20) ** 2 + (y - 18) ** 2 + (x - 22) ** 2 < 14**2).astype("u1")
    found = triangles(export.stl(Volume(ball, ("pore", "solid"), (0.5, 0.5, 0.5)), 1))
    a, b, c = (found["corners"][:, k].astype(float) for k in range(3))
    inside = np.einsum("ni,ni->n", a, np.cross(b, c)).sum() / 6
    assert inside == pytest.approx(ball.sum() * 0.5**3, rel=0.02)
    middle = found["corners"].reshape(-1, 3).mean(0)
    assert middle == pytest.approx([11, 9, 10], abs=0.05)
    flat = np.linalg.norm(np.einsum("ni->i", np.cross(b - a, c - a)))
    assert flat < 1e-2 * np.abs(np.cross(b - a, c - a)).sum()
    with pytest.raises(ValueError, match="no solid"):
        export.stl(Volume(np.zeros((9, 9, 9), "u1"), ("pore", "solid")), 1)


def test_several_at_once():
    recipe = Recipe(size=32, radius=5.0)
    both = [candidate(to_text(VOLUME), "one/../two"), candidate(recipe_text(recipe, 3))]
    packed = np.load(io.BytesIO(export.npz(both)))
    assert np.array_equal(packed["0001_one_two"], VOLUME.labels)
    assert np.array_equal(packed["0002"], make(recipe, 3).labels)
    assert packed["0001_one_two_voxel_um"] == pytest.approx(VOLUME.voxel_um)
    for fmt, count in (("tif.zip", 2), ("vti.zip", 2), ("stl.zip", 4)):
        archive = zipfile.ZipFile(io.BytesIO(export.FORMATS[fmt](both, ())))
        assert len(archive.namelist()) == count
        assert all(re.fullmatch(r"[\w.-]+", name) for name in archive.namelist())
    with pytest.raises(ValueError, match="2 volumes; one is legal"):
        export.FORMATS["tif"](both, ())
    assert export.FORMATS["tif"](both[:1], ()) == export.tiff(VOLUME)
