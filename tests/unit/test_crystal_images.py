"""What imatgen sees of a crystal, and the map's colour by its classifier, on a toy."""

import base64
import io

import numpy as np
import pytest
from PIL import Image
from tiny_crystal_atlas import atlas
from tiny_oxides import imatgen, oxides

from genbat.domains.crystals.structure import to_text
from genbat.studio import crystal_images, map_colours, registry


@pytest.fixture(autouse=True)
def trained(monkeypatch):
    monkeypatch.setattr(registry, "trained", lambda name: name == "imatgen")
    monkeypatch.setattr(registry, "load", {"imatgen": imatgen()}.__getitem__)
    crystal_images.seen.cache_clear()


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(png))))


def test_slabs_of_each_element():
    cell = oxides().cells[0]
    found = crystal_images.seen(to_text(cell))
    assert [one.element for one in found.pictures] == ["V", "O"]
    assert len(found.depths) == crystal_images.SLABS
    for one in found.pictures:
        own = [pixels(png) for png in one.own]
        assert own[0].shape == (16, 16, 4)
        assert max(image[..., 3].max() for image in own) > 200  # an atom lies in some slab
        assert len(one.decoded) == crystal_images.SLABS
    z = imatgen().encode_cells([cell])
    assert found.stable == pytest.approx(float(imatgen().stability(z)[0]), abs=0.02)


def test_other_crystals_are_not_seen(monkeypatch):
    place = atlas()
    assert crystal_images.seen(place.texts[place.search("LiCoO2")[0]]) is None
    monkeypatch.setattr(registry, "trained", lambda name: False)
    crystal_images.seen.cache_clear()
    assert crystal_images.seen(to_text(oxides().cells[0])) is None
    assert map_colours.added("crystals") == {}


def test_the_map_is_coloured_where_it_can_be():
    place = atlas()
    assert list(map_colours.added("crystals")) == ["stable"]
    assert map_colours.added("molecules") == {}
    found = map_colours.values(place, "stable")
    oxide = np.array([e == {"V", "O"} for e in place.elements])
    assert len(found) == len(place) and oxide.any()
    assert np.array_equal(np.isfinite(found), oxide)
    assert ((found[oxide] >= 0) & (found[oxide] <= 1)).all()
