"""How one value is written."""

import json
from dataclasses import asdict

import pytest

from genbat.core.properties import Measurement


@pytest.mark.parametrize(
    ("value", "half", "interval", "shown"),
    [
        (-6.7412, 0.2, None, "−6.7 ± 0.2"),
        (-6.7412, 0.14, None, "−6.74 ± 0.14"),
        (373.15, None, None, "373.150"),
        (10.2, 13.1, (3.4, 29.6), "10 (3 to 30)"),
        (0.62, 0.9, (0.2, 2.0), "0.6 (0.2 to 2.0)"),
    ],
)
def test_digits_follow_the_uncertainty(value, half, interval, shown):
    assert Measurement(value, "eV", "m", "predicted", half, interval=interval).number() == shown


def test_ends():
    assert Measurement(2.0, "D", "m", "computed").ends == (2.0, 2.0)
    assert Measurement(2.0, "D", "m", "predicted", 0.5).ends == (1.5, 2.5)
    assert Measurement(2.0, "", "m", "predicted", 1.5, interval=(1, 4)).ends == (1, 4)


def test_a_lopsided_interval_survives_json():
    one = Measurement(10.0, "", "chemvae heads", "predicted", 13.0, interval=(3.4, 29.6))
    assert Measurement(**json.loads(json.dumps(asdict(one)))) == one
