"""The table of generated electrodes: recipes, splits, log, and every volume back from its row."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from genbat.core.designs import split_of
from genbat.domains.microstructures import build, data
from genbat.domains.microstructures.generator import make
from genbat.domains.microstructures.labelling import label


@pytest.fixture
def small(monkeypatch):
    few = tuple(replace(r, size=24, radius=4.0) for r in build.recipes()[:6])
    monkeypatch.setattr(build, "recipes", lambda: few)
    monkeypatch.setattr(build, "COUNT", 6)


def test_recipes_fill_the_ranges():
    recipes = build.recipes()
    assert len(recipes) == build.COUNT
    for name, (low, high) in build.VARIED.items():
        values = np.array([getattr(r, name) for r in recipes[:500]])
        assert np.histogram(values, 5, (low, high))[0].min() > 80
    assert len(set(recipes)) == build.COUNT


def test_a_fifth_is_held_out():
    shares = Counter(split_of(seed) for seed in range(1000))
    assert shares == {"train": 800, "calibration": 100, "test": 100}


def test_neither_what_calibrates_nor_what_tests_is_all_even():
    """Even and odd points of a Sobol sequence differ in their joint distribution: intervals that
    were calibrated on even ones covered 75 to 98 % of odd ones."""
    for split in ("calibration", "test"):
        even = [seed % 2 == 0 for seed in range(build.COUNT) if split_of(seed) == split]
        assert 0.4 < np.mean(even) < 0.6


def test_a_stopped_build_goes_on_and_volumes_come_back(small, tmp_path):
    log = tmp_path / "log.jsonl"
    build.label_missing(log, workers=1)
    lines = log.read_text().splitlines()
    log.write_text("\n".join(lines[:2]) + '\n{"seed": 3, "poro')  # torn in the middle of a line
    build.label_missing(log, workers=1)
    table = data.Dataset(pd.read_parquet(build.make_table(log, tmp_path / "t.parquet")))
    assert sorted(table.table["seed"]) == list(range(6))
    for row in (0, 5):
        volume = table.volume(row)
        assert (volume.labels == make(build.recipes()[row], row).labels).all()
        found = label(volume)
        stored = table.table.iloc[row]
        assert all(found[k] == pytest.approx(stored[k], rel=1e-4, nan_ok=True) for k in found)


def test_a_missing_table_says_how_to_make_it(monkeypatch, tmp_path):
    monkeypatch.setattr(data, "ASSETS", tmp_path)
    data.load.cache_clear()
    with pytest.raises(ValueError, match="genbat build microstructures"):
        data.load()
    data.load.cache_clear()
