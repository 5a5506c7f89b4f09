"""Volumes as text, whole or as a recipe."""

import numpy as np
import pytest

from genbat.domains.microstructures import texts
from genbat.domains.microstructures.generator import Recipe, make
from genbat.domains.microstructures.volume import to_text


def test_a_recipe_is_a_volume():
    recipe = Recipe(size=32, radius=5.0, binder=0.07)
    text = texts.recipe_text(recipe, 3)
    assert "\n" not in text
    assert np.array_equal(texts.read(text).labels, make(recipe, 3).labels)
    assert text == texts.recipe_text(Recipe(size=32, radius=5.0, binder=0.07), np.int64(3))


def test_a_whole_volume_is_read_too():
    volume = make(Recipe(size=32, radius=5.0), 1)
    assert np.array_equal(texts.read(to_text(volume)).labels, volume.labels)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('{"recipe": {"porosity": 2}, "seed": 1}', "porosity"),
        ('{"recipe": {"colour": 2}, "seed": 1}', "colour"),
        ('{"recipe": {}}', "seed"),
        ('{"recipe": ', "recipe cannot be read"),
        ("nothing", "header"),
    ],
)
def test_broken_texts_are_named(text, named):
    with pytest.raises(ValueError, match=named):
        texts.read(text)
