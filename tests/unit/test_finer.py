"""Finer voxels for a scan: what is cut, who can, the job, the comparison."""

import io

import numpy as np
import pytest
import tifffile
import torch

from genbat.domains.microstructures.generator import Recipe, make
from genbat.domains.microstructures.volume import Volume, from_text, to_text
from genbat.studio import finer, registry
from genbat.systems.superres import FACTOR, Config, Generator, SuperRes, upsampled

torch.set_num_threads(1)
SCAN = make(Recipe(size=24, radius=5.0), 0)


@pytest.fixture
def system(monkeypatch):
    """Random weights of three phases, as if they were installed."""
    torch.manual_seed(0)
    config = Config(width=8, noise=1)
    found = SuperRes(config, Generator(config), "abc")
    monkeypatch.setattr(registry, "trained", lambda name: name in ("superres", "dcgan3d"))
    monkeypatch.setattr(registry, "load", lambda name: found)
    return found


class Report:
    def __init__(self):
        self.told, self.results = [], []

    def __call__(self, fraction, message=""):
        self.told.append((fraction, message))

    def emit(self, payload):
        self.results.append(payload)


def test_the_middle_of_a_large_scan():
    labels = np.zeros((16, 70, 64), np.uint8)
    labels[:, 3:67] = 1
    found = finer.middle(Volume(labels, ("a", "b"), (1.0, 2.0, 3.0)))
    assert found.shape == (16, 64, 64) and found.labels.all()
    assert found.voxel_um == (1.0, 2.0, 3.0)


def test_a_thin_scan_is_told_by_name():
    file = io.BytesIO()
    tifffile.imwrite(file, np.zeros((9, 20, 20), "u1"))
    with pytest.raises(ValueError, match=r"scan\.tif: 9 x 20 x 20 voxels; legal .* 16"):
        finer.stack_of(file.getvalue(), "scan.tif")


def test_only_who_knows_as_many_phases(system):
    assert finer.able(3) == {"superres": "SuperRes"}
    assert finer.able(2) == {}
    with pytest.raises(ValueError, match="'dcgan3d' cannot; legal are superres"):
        finer.arguments(SCAN, "dcgan3d", "mine", 0)


def test_the_job_hands_over_a_candidate(system):
    told, report = finer.arguments(SCAN, "superres", "mine", 3), Report()
    finer.enhance(told, report)
    made = finer.result(report.results[0])
    assert from_text(made.text).shape == (96, 96, 96)
    assert made.name == "mine, finer" and made.provenance.action == "enhance"
    again = system.finer(SCAN, seed=3)
    assert again.text == made.text and again.provenance.arguments["coarse"]
    shares = [share for share, _ in report.told]
    assert shares == sorted(shares) and len(shares) == 8


def test_repeated_voxels_keep_their_shares_and_faces():
    fine = upsampled(SCAN, "nearest")
    rows = finer.compared(to_text(SCAN), to_text(fine))
    for k, row in enumerate(rows):
        share = float((SCAN.labels == k).mean())
        assert row.share == pytest.approx((share, share))
        # A face of a coarse voxel is FACTOR^2 of the fine ones, in FACTOR^3 as many voxels.
        assert row.surface[1] == pytest.approx(row.surface[0])
        assert row.unit == "per fine voxel"
    assert len(rows) == 3 and fine.shape == (FACTOR * 24,) * 3
