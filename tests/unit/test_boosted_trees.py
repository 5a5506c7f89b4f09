"""Boosted trees as tensors: the same numbers as scikit-learn's own."""

import numpy as np
import pytest
import torch
from sklearn.ensemble import GradientBoostingRegressor

from genbat.systems.boosted_trees import Trees, in_half, planted


def grown(seed, depth=4, many=12):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(300, 6)).astype("f4") * [1, 10, 100, 1e-2, 1, 1]
    x = in_half(torch.as_tensor(x).float()).numpy()
    y = np.sin(x[:, 0]) + x[:, 1] / 10 + rng.normal(size=300) * 0.1
    model = GradientBoostingRegressor(
        init="zero", n_estimators=many, max_depth=depth, subsample=0.5, random_state=seed
    )
    return model.fit(x, y), x


def test_the_same_numbers_as_scikit_learns():
    models = [[grown(0)[0], grown(1)[0]], [grown(2)[0], grown(3)[0]], [grown(4)[0], grown(5)[0]]]
    trees = planted(models)
    x = grown(9)[1]
    found = trees(torch.as_tensor(x)).numpy()
    assert found.shape == (2, 300, 3)
    for k, row in enumerate(models):
        for member, model in enumerate(row):
            assert np.allclose(found[member, :, k], model.predict(x), atol=1e-5)


def test_borders_hold_in_sixteen_bits():
    """A feature that lies on a border, or next to it, goes the same way."""
    model, x = grown(0)
    trees = planted([[model]])
    borders = np.unique([b for t in model.estimators_[:, 0] for b in t.tree_.threshold if b != -2])
    probe = np.repeat(x[:1], len(borders), 0)
    probe[:, 0] = in_half(torch.as_tensor(borders).float()).numpy()
    found = trees(torch.as_tensor(probe)).numpy()[0, :, 0]
    assert np.allclose(found, model.predict(probe), atol=1e-5)


@pytest.mark.parametrize("depth", [1, 7])
def test_kept_and_loaded(depth):
    trees = planted([[grown(0, depth)[0]]])
    again = Trees(len(trees.value), tuple(trees.roots.shape), trees.depth)
    kept = {k: v.half() if v.is_floating_point() else v for k, v in trees.state_dict().items()}
    again.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in kept.items()})
    x = torch.as_tensor(grown(9)[1])
    assert torch.allclose(trees(x), again(x), atol=0.02)
    assert torch.equal(trees.border, again.border)  # of 16 bits already
