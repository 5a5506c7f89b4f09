"""Generated volumes: what was asked for, seeded, periodic or cut."""

from dataclasses import replace

import numpy as np
import pytest

from genbat.domains.microstructures import volume as v
from genbat.domains.microstructures.generator import Recipe, make
from genbat.domains.microstructures.statistics import chords, face_mismatch, fractions, two_point

SMALL = Recipe(size=40, radius=6.0)


@pytest.mark.parametrize(
    ("porosity", "binder"), [(0.15, 0.0), (0.15, 0.2), (0.4, 0.1), (0.65, 0.2), (0.65, 0.0)]
)
def test_fractions_are_exact(porosity, binder):
    made = make(replace(SMALL, porosity=porosity, binder=binder), 1)
    wanted = [porosity, 1 - porosity - binder, binder]
    assert fractions(made) == pytest.approx(wanted, abs=2 / 40**3)


def test_the_seed_decides():
    assert (make(SMALL, 3).labels == make(SMALL, 3).labels).all()
    assert (make(SMALL, 3).labels != make(SMALL, 4).labels).mean() > 0.2


def test_only_periodic_volumes_go_on_through_their_faces():
    faces, inside = face_mismatch(make(replace(SMALL, periodic=True), 5))
    assert faces < 1.5 * inside
    faces, inside = face_mismatch(make(SMALL, 5))
    assert faces > 3 * inside


def test_larger_particles_correlate_further():
    far = [two_point(make(replace(SMALL, radius=r), 2).mask(1), 8).mean(0)[8] for r in (3.0, 10.0)]
    assert far[1] > far[0] + 0.05


def test_pressed_particles_are_flat():
    ratios = []
    for seed in range(4):
        mask = make(replace(SMALL, pressed=0.4, radius=4.0, porosity=0.6), seed).mask(1)
        ratios.append(chords(mask, 0).mean() / chords(mask, 2).mean())
    assert np.mean(ratios) == pytest.approx(0.6, abs=0.15)


def test_binder_bridges_particles():
    """Bridging puts the binder nearer to the active material than noise alone does."""

    def touching(bridging):
        labels = make(replace(SMALL, bridging=bridging, porosity=0.5), 7).labels
        near = np.zeros(labels.shape, bool)
        for axis in range(3):
            for step in (1, -1):
                near |= np.roll(labels == 1, step, axis)
        return near[labels == 2].mean()

    assert touching(1.0) > touching(0.0) + 0.1


@pytest.mark.parametrize(
    ("name", "value"), [("porosity", 0.1), ("binder", 0.3), ("radius", 1.0), ("size", 600)]
)
def test_what_is_out_of_range_is_named(name, value):
    with pytest.raises(ValueError, match=rf"^{name}: got .*; legal is"):
        replace(SMALL, **{name: value})


# ---------------------------------------------------------------------- text
def test_text_and_back():
    made = replace(make(SMALL, 0), voxel_um=(0.5, 0.25, 0.25))
    again = v.from_text(v.to_text(made))
    assert (again.labels == made.labels).all()
    assert (again.phases, again.voxel_um, again.periodic) == (made.phases, (0.5, 0.25, 0.25), False)
    assert len(v.to_text(made)) < 40**3 / 4


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda t: "", "no header"),
        (lambda t: "{}\nabc", "no header"),
        (lambda t: t.replace("[40, 40, 40]", "[40, 40]"), "three edges"),
        (lambda t: t.replace("[40, 40, 40]", "[40, 40, 41]"), "voxels or more"),
        (lambda t: t.replace("[40, 40, 40]", "[40, 40, 39]"), "voxels or more"),
        (lambda t: t.replace("[40, 40, 40]", "[9999, 9999, 9999]"), "512"),
        (lambda t: t[:-40], "unpacked|voxels or more"),
        (lambda t: t.replace('"active material", ', ""), "has no name"),
        (lambda t: t.replace("null", "[0, 1, 1]"), "lengths in μm"),
    ],
)
def test_a_spoilt_text_says_what_is_wrong(spoil, said):
    with pytest.raises(ValueError, match=said):
        v.from_text(spoil(v.to_text(make(SMALL, 0))))
