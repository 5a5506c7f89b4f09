"""Volumes of any size: who makes them, the same seed, what periodic borders do."""

import json

import pytest
import torch

from genbat.domains.microstructures.texts import read
from genbat.studio import free_volumes, registry
from genbat.systems import dcgan3d, slicegan, slicegan_network

torch.set_num_threads(1)


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Tiny weights of both kinds in a folder of assets."""
    monkeypatch.setattr(registry, "ASSETS", tmp_path)
    registry.load.cache_clear()
    torch.manual_seed(0)
    one = slicegan_network.Config(channels=(8, 8, 8), noise=4)
    slicegan.SliceGAN(one, slicegan_network.Generator(one)).save(registry.folder("slicegan"))
    two = dcgan3d.Config(channels=(8, 8, 4, 4), noise=8)
    dcgan3d.DCGAN3D(two, dcgan3d.Generator(two)).save(registry.folder("dcgan3d"))
    yield tmp_path
    registry.load.cache_clear()


def test_who_is_here(installed):
    found = free_volumes.makers()
    assert {name: maker.periodic for name, maker in found.items()} == {
        "slicegan": False, "dcgan3d": True,
    }  # fmt: skip
    assert found["dcgan3d"].shift is None


def test_the_same_seed_gives_the_same_volume(installed):
    one, two = (free_volumes.made("dcgan3d", 64, 3, periodic=True) for _ in range(2))
    assert one.text == two.text and read(one.text).periodic
    assert one.provenance.arguments["periodic"] is True
    other = free_volumes.made("slicegan", 128, 3)
    assert read(other.text).shape == (128, 128, 128)


def test_what_cannot_be_made_is_told(installed):
    with pytest.raises(ValueError, match="'superres' is not here; legal are slicegan, dcgan3d"):
        free_volumes.made("superres", 64, 0)
    with pytest.raises(ValueError, match="size: got 96"):
        free_volumes.made("slicegan", 96, 0)
    with pytest.raises(ValueError, match="slicegan makes no periodic volumes"):
        free_volumes.made("slicegan", 64, 0, periodic=True)


def test_the_shift_is_what_was_measured(installed):
    row = {"value": 0.12, "unit": "of bulk", "baselines": {"not periodic": 0.15}}
    metrics = {"metrics": {"periodic_diffusivity": row}}
    (registry.folder("dcgan3d") / "metrics.json").write_text(json.dumps(metrics))
    assert free_volumes.makers()["dcgan3d"].shift == free_volumes.Shift(0.12, 0.15)
