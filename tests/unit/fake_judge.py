"""A judge of crystals that costs nothing, in CHGNet's place."""

import pytest

from genbat.core.candidate import Verdict
from genbat.core.properties import Measurement
from genbat.domains.crystals import physics
from genbat.domains.crystals.physics import Judged
from genbat.domains.crystals.structure import to_text


def fake_judge(cells, **options):
    """Relaxed at once; a crystal's energy and voltage follow from its size, odd ones fail."""
    for k, cell in enumerate(cells):
        n = len(cell.numbers)
        if n % 2:
            yield k, Judged(Verdict(False, ("odd",)))
            continue
        values = {"formation_ev": -0.1 * n, "voltage_v": 0.5 * n}
        found = {key: Measurement(v, "", "fake", "computed") for key, v in values.items()}
        yield k, Judged(Verdict(True), cell, None, found, 1 if n > 4 else 225, 0.01 * n)


@pytest.fixture
def judged(monkeypatch):
    asked = []

    def remember(cells, **options):
        asked.append([to_text(c) for c in cells])
        return fake_judge(cells)

    monkeypatch.setattr(physics, "judge_many", remember)
    return asked
