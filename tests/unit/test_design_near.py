"""Proposals around known objects, in domains that know no wishes besides windows."""

from types import SimpleNamespace

import numpy as np
import pytest

from genbat.core.condition import Condition, Window
from genbat.studio import design_near
from genbat.studio.rooms import rooms


class Known:
    def fulfil(self, wishes):
        assert wishes is None
        return np.ones(4, bool)


@pytest.mark.parametrize(
    ("domain", "key"), [("polymers", "log_conductivity"), ("microstructures", "porosity")]
)
def test_starts_are_those_that_miss_least(domain, key):
    values = np.array([0.1, np.nan, 0.4, 0.3])
    place = SimpleNamespace(
        rooms=rooms(domain),
        known=Known(),
        n_known=4,
        values=lambda name: values if name == key else None,
    )
    question = SimpleNamespace(condition=Condition({key: Window(low=0.35)}))
    assert design_near.starts(question, place).tolist() == [2, 3, 0, 1]
