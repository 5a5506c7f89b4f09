"""What a volume's card says: phases, what connects, correlations, the real electrode's band."""

import json

import numpy as np
import pytest

from genbat.domains.microstructures import band
from genbat.domains.microstructures.generator import Recipe, make
from genbat.domains.microstructures.statistics import two_point
from genbat.domains.microstructures.volume import Volume, to_text
from genbat.studio import volume_facts
from genbat.ui import volume_card, volume_charts

ELECTRODE = make(Recipe(size=40, radius=5.0, binder=0.08), 0)


def slab() -> Volume:
    labels = np.zeros((20, 20, 20), np.uint8)
    labels[5:10] = 1
    return Volume(labels, ("pore", "solid"), (0.5, 0.25, 0.25))


# ---------------------------------------------------------------------- facts
def test_a_slab_is_what_it_is():
    found = volume_facts.facts(to_text(slab()))
    pore, solid = found.phases
    assert (pore.share, solid.share) == (0.75, 0.25)
    assert pore.through == (0.0, 1.0, 1.0) and solid.through == (0.0, 1.0, 1.0)
    assert (found.shape, found.unit, found.electrode) == ((20, 20, 20), "μm", False)
    assert solid.correlation[0] == pytest.approx(0.25)
    # Every chord of the solid along z is 5 voxels of half a micrometre; none ends along y and x.
    assert solid.chord[solid.frequency > 0] == pytest.approx([2.5], abs=0.05)


def test_frequencies_are_densities():
    for phase in volume_facts.facts(to_text(ELECTRODE)).phases:
        width = phase.chord[1] - phase.chord[0]
        assert (phase.frequency * width).sum() == pytest.approx(1.0)


def test_a_phase_that_is_missing_has_no_chords():
    volume = Volume(np.zeros((12, 12, 12), np.uint8), ("pore", "solid"))
    empty = volume_facts.facts(to_text(volume)).phases[1]
    assert empty.share == 0 and not len(empty.chord)
    assert volume_card._through(empty) == "none of it"


def test_no_volume_is_told():
    with pytest.raises(ValueError, match="header"):
        volume_facts.facts("nothing")


# ---------------------------------------------------------------------- the band
def test_the_band_holds_its_crops_and_comes_back(tmp_path, monkeypatch):
    crops = [make(Recipe(size=40, radius=5.0, binder=0.08), k) for k in range(6)]
    found = band.measure(crops, "toys")
    assert found.low.shape == found.high.shape == (3, band.LAGS + 1)
    own = two_point(crops[2].mask(1), band.LAGS).mean(0)
    assert (own >= found.low[1] - 0.03).all() and (own <= found.high[1] + 0.03).all()
    (tmp_path / "data").mkdir()
    band.write(found, tmp_path / band.TABLE)
    monkeypatch.setattr(band, "ASSETS", tmp_path)
    band.load.cache_clear()
    again = band.load()
    band.load.cache_clear()
    assert (again.of, again.crops) == ("toys", 6)
    assert np.allclose(again.middle, found.middle, atol=1e-5)
    assert json.loads((tmp_path / band.TABLE).read_text())["crops"] == 6


def test_no_band_where_none_is_shipped(tmp_path, monkeypatch):
    monkeypatch.setattr(band, "ASSETS", tmp_path)
    band.load.cache_clear()
    assert band.load() is None
    band.load.cache_clear()


# ---------------------------------------------------------------------- charts
@pytest.mark.parametrize("real", [False, True])
def test_charts_have_axes_and_a_line_for_each_phase(real):
    known = volume_facts.facts(to_text(ELECTRODE))
    own = band.measure([ELECTRODE], "itself") if real else None
    figure = volume_charts.correlations(known, own)
    lines = [trace.name for trace in figure.data if trace.line.width]
    assert lines == ["pore", "active material", "carbon-binder"]
    assert len(figure.data) == (6 if real else 3)
    assert figure.layout.xaxis.title.text == "distance / voxel"
    assert len(volume_charts.chords(known).data) == 3


def test_the_band_is_not_drawn_where_it_cannot_be_compared():
    own = band.measure([ELECTRODE], "itself")
    assert len(volume_charts.correlations(volume_facts.facts(to_text(slab())), own).data) == 2
