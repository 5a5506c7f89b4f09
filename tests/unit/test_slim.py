"""Slim drawings hold the same lines and letters."""

import re

import pytest

from genbat.studio import views
from genbat.ui.slim import slim

NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def numbers(svg):
    return sorted(float(n) for d in re.findall(r" d='([^']*)'", svg) for n in NUMBER.findall(d))


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("text", ["O=C1OCC(F)O1", "N#CCCCCC#N", "C[Si](C)(C)OP(=O)(F)F", "CC"])
def test_nothing_is_lost(text, dark):
    whole = views.drawing("molecules", text, 150, 100, dark)
    small = slim(whole)
    assert numbers(small) == numbers(whole)
    assert len(small) < 0.8 * len(whole)
    assert set(re.findall(r"#\w{6}", small)) == set(re.findall(r"#\w{6}", whole))


def test_what_is_no_drawing_stays():
    assert slim("<svg/>") == "<svg/>"
