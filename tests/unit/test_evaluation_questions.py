"""Ten questions to systems that make molecules: windows, rates, bars."""

import pandas as pd
import pytest

from genbat.core.candidate import Candidate, Verdict
from genbat.core.provenance import Provenance
from genbat.studio import metrics_questions, registry
from genbat.studio.metrics_molecules import subject_of
from genbat.studio.metrics_questions import QUESTIONS, UNASKED


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GENBAT_HOME", str(tmp_path))


def table():
    rows = range(200)
    frame = pd.DataFrame({"smiles": ["C" * (k + 1) for k in rows], "split": "train"})
    for key in ("homo_ev", "lumo_ev", "gap_ev", "dipole_d", "vip_ev"):
        frame[key] = [float(k) for k in rows]
    return frame


class Asked:
    """Makes molecules "N" + a number of carbons: 400 and more where something is asked."""

    def __init__(self):
        self.card = registry.card("latentgan")

    def sample(self, n, *, condition=None, seed=0, progress=None):
        story = Provenance("toy", "sample")
        for k in range(n):
            text = "N" + "C" * (k % 90 + 400 * (condition is not None))
            yield Candidate(text, "molecules", Verdict(True), story)


def test_rates_are_counted(monkeypatch):
    seen = []

    def label_many(texts, **options):
        seen.extend(texts)
        return {t: {"smiles": t, **dict.fromkeys(
            ("homo_ev", "lumo_ev", "gap_ev", "dipole_d", "vip_ev"), float(len(t) - 1))}
            for t in texts}  # fmt: skip

    monkeypatch.setattr(metrics_questions, "label_many", label_many)
    found = metrics_questions.asked(subject_of(Asked(), table(), 100, 0))
    assert len(found) == 1 + len(QUESTIONS) == 11
    high = found["hits, high IP"]
    assert high["value"] == 1.0  # all have more than 400 atoms
    assert high["baselines"]["nothing asked"] == 0.0  # at most 90
    assert found["hits, low LUMO"]["value"] == 0.0
    low = [k for k in range(90) if k <= 0.05 * 199]  # there are 90 different ones
    assert found["hits, low LUMO"]["baselines"] == {
        "nothing asked": pytest.approx(len(low) / UNASKED),
        "known molecules": pytest.approx(len(low) / 200),
    }
    mean = found["hit rate"]
    plain, known = mean["baselines"]["nothing asked"], mean["baselines"]["known molecules"]
    assert mean["bar"] == pytest.approx(max(2 * plain, 2 * known))
    again = len(seen)
    metrics_questions.asked(subject_of(Asked(), table(), 100, 0))
    assert len(seen) == again  # the log holds them


def test_windows_are_the_rare_ends():
    own = table()
    for parts in QUESTIONS.values():
        for part in parts:
            held = [part.window(own).holds(v) for v in own[part.key]]
            share = min(part.per_cent, 100 - part.per_cent) / 100
            assert sum(held) / len(held) == pytest.approx(share, abs=0.011)
