"""The feedback loop on a toy: what a round keeps, that the next one is better, its refusals."""

import numpy as np
import pytest
import torch

from genbat.domains.polymers.repeat_unit import normal
from genbat.studio import polymer_loop, registry
from genbat.systems import polymergpt_training
from genbat.systems.polymer_corpus import Texts
from genbat.systems.polymergpt import PolymerGPT
from genbat.systems.run import Schedule

torch.set_num_threads(1)
SIZES = {"width": 32, "layers": 2, "heads": 2}
UNITS = [f"[Cu]{'C' * n}{end}[Au]" for n in range(1, 9) for end in ("O", "S", "N(C)", "C(=O)O")]


class Judge:
    """Longer is better."""

    def predict_table(self, texts):
        values = np.array([[0.2 * text.count("C") - 6.0] * 5 for text in texts])
        return values, np.full_like(values, 0.1)


@pytest.fixture(scope="module")
def begin(tmp_path_factory):
    texts = [normal(text).text for text in UNITS]
    judge = Judge()
    values = polymer_loop.values_of(judge, texts)[0].tolist()
    schedule = Schedule(steps=250, batch=32, rate=3e-3, warm_steps=5)
    own = Texts.of(texts, values)
    run = polymergpt_training.train(own, tmp_path_factory.mktemp("g"), schedule=schedule, **SIZES)
    return polymer_loop.Start(PolymerGPT(run.config, run.mean, "toy"), judge, texts, values)


def test_rounds_get_better(begin, tmp_path, monkeypatch):
    monkeypatch.setattr(polymer_loop, "RATE", 3e-3)
    before = {k: v.clone() for k, v in begin.system.network.state_dict().items()}
    said = []
    found = list(polymer_loop.rounds(begin, tmp_path, count=3, many=250,
                                     report=lambda share, text: said.append(share)))  # fmt: skip
    assert [one.number for one in found] == [1, 2, 3]
    assert said == sorted(said)
    assert found[-1].mean > found[0].mean
    for one in found:
        texts = [text for text, _, _ in one.best]
        assert len(set(texts)) == len(texts) and not set(texts) & set(begin.texts)
        assert all(normal(text).text == text for text in texts)
        values = [value for _, value, _ in one.best]
        assert values == sorted(values, reverse=True)
        assert values == [pytest.approx(0.2 * text.count("C") - 6.0) for text in texts]
    assert not {t for t, *_ in found[1].best} & {t for t, *_ in found[0].best[:6]}
    for key, value in begin.system.network.state_dict().items():
        assert torch.equal(value, before[key])  # the shipped system stays as it is


def test_what_the_vocabulary_cannot_write_is_not_learnt(begin):
    assert polymer_loop._can_be_learnt(begin.system, normal(UNITS[0]).text)
    strange = normal("[Cu]CC[SH](C)[Au]").text
    assert "[SH]" in strange and not polymer_loop._can_be_learnt(begin.system, strange)
    assert not polymer_loop._can_be_learnt(begin.system, f"[Cu]{'CCO' * 40}C[Au]")


def test_the_same_seed_gives_the_same_rounds(begin, tmp_path):
    one, two = (
        list(polymer_loop.rounds(begin, tmp_path, count=2, many=60, seed=4,
                                 report=lambda share, text: None))
        for _ in range(2)
    )  # fmt: skip
    assert one == two


def test_the_job_rehearses_where_nothing_is_here(begin, tmp_path, monkeypatch):
    monkeypatch.setenv("GENBAT_HOME", str(tmp_path))
    monkeypatch.delenv("GENBAT_DATA", raising=False)
    monkeypatch.setattr(polymer_loop, "REHEARSED", 60)
    systems = {"polymergpt": begin.system, "polymersurrogate": begin.judge}
    monkeypatch.setattr(registry, "load", systems.__getitem__)

    class Report:
        results, told = [], []

        def __call__(self, share, text=""):
            self.told.append(text)

        def emit(self, payload):
            self.results.append(payload)

    report = Report()
    polymer_loop.run({"rounds": 1, "many": 50, "seed": 0}, report)
    assert report.told[0] == "rehearsing 60 polymers"
    assert report.results[0]["written"] == 50 and report.results[0]["number"] == 1


@pytest.mark.parametrize(("count", "many", "named"), [(0, 50, "rounds: got 0"),
                                                      (2, 5, "polymers: got 5")])  # fmt: skip
def test_what_is_out_of_range_is_told(begin, tmp_path, count, many, named):
    with pytest.raises(ValueError, match=named):
        next(polymer_loop.rounds(begin, tmp_path, count=count, many=many, report=print))
