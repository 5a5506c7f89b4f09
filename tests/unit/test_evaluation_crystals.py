"""`genbat evaluate` of the crystal systems on tiny ones, recomputed where cheap."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from fake_judge import judged
from pymatgen.analysis.structure_matcher import StructureMatcher
from scipy.stats import wasserstein_distance
from tiny_crystals import cdvae, corpus, mattergen

from genbat.domains.crystals.catalogue import Catalogue
from genbat.domains.crystals.measures import smact_valid
from genbat.domains.crystals.structure import from_text, structure_of, to_text
from genbat.domains.crystals.symmetry import space_group_number
from genbat.studio import (
    evaluation,
    judging,
    metrics_asked,
    metrics_coverage,
    metrics_stability,
    registry,
)
from genbat.studio.metrics_coverage import wasserstein
from genbat.studio.metrics_crystals import FREELY, RESAMPLED, SUBSTITUTED, Subject, counts
from genbat.studio.metrics_reconstruction import dress

__all__ = ["judged"]
FIELDS = {"value", "unit", "baselines", "real", "bar"}


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GENBAT_HOME", str(tmp_path))
    return tmp_path


def system(name):
    found = {"cdvae": cdvae, "mattergen": mattergen}[name]()
    found.card = registry.card(name)
    return found


def run(name, *parts, n=6, **options):
    whole = evaluation.evaluate(
        name, n, 0, parts=parts, system=system(name), examples=corpus(), **options
    )
    json.dumps(whole, allow_nan=False)
    return whole["metrics"]


def subject(name="cdvae", n=6):
    return Subject(system(name), corpus(), n, 0, lambda fraction, text: None)


def test_reconstruction():
    found = run("cdvae", "reconstruction")
    entry = found["reconstruction_match"]
    assert set(entry) == FIELDS
    assert entry["bar"] == 0.40
    mine = subject()
    held = mine.some(mine.test, 6, 1).cells
    back = system("cdvae").decode_cells(system("cdvae").encode_cells(held), seed=0)
    matcher = StructureMatcher(stol=0.5, angle_tol=10, ltol=0.3)
    pairs = [(structure_of(a), structure_of(b)) for a, b in zip(held, back, strict=True)]
    assert entry["value"] == np.mean([matcher.fit(a, b) for a, b in pairs])
    same = [a.composition.reduced_formula == b.composition.reduced_formula for a, b in pairs]
    assert found["reconstruction_composition"]["value"] <= np.mean(same)
    assert found["reconstruction_atoms"]["value"] == np.mean([len(a) == len(b) for a, b in pairs])


def test_dressed_patterns_have_the_right_elements():
    mine = subject()
    held = mine.test.cells
    made = dress(held, mine.train.cells, np.random.default_rng(0))
    assert any(cell is not None for cell in made)
    for cell, one in zip(held, made, strict=True):
        if one is not None:
            assert sorted(one.numbers) == sorted(cell.numbers)


def test_samples():
    found = run("mattergen", "samples")
    cells = [from_text(c.text) for c in system("mattergen").sample(6, seed=0)]
    shortest = [min(structure_of(c).get_neighbor_list(0.5)[3], default=9.0) >= 0.5 for c in cells]
    assert found["structural_validity"]["value"] == np.mean(shortest)
    assert found["structural_validity"]["bar"] == 0.98
    assert found["p1_share"]["bar"] == 0.5
    assert found["structural_validity"]["real"] == 1
    assert set(found["novel"]["baselines"]) == {RESAMPLED, SUBSTITUTED, FREELY}
    assert found["novel"]["baselines"][RESAMPLED] == 0
    assert found["novel"]["real"] == 1


def test_counts_of_known_crystals():
    known = [cell for cell in corpus().cells if smact_valid(cell)][:6]
    found = counts([*known, known[0], None], Catalogue(known[1:]))
    assert found["structural_validity"] == 7 / 8
    assert found["smact_validity"] == 7 / 8
    assert found["unique"] == 6 / 7
    assert found["novel"] == pytest.approx(1 / 6)
    groups = [space_group_number(c) for c in [*known, known[0]]]
    assert found["p1_share"] == np.mean([g == 1 for g in groups])


def test_nothing_valid_gives_no_division_by_zero():
    found = counts([None, None], Catalogue())
    assert found["structural_validity"] == found["unique"] == found["novel"] == 0
    assert np.isnan(wasserstein([], corpus().cells)["density_distance"])


def test_distributions():
    one, two = corpus().cells[:10], corpus().cells[10:24]
    found = wasserstein(one, two)
    densities = [[structure_of(c).density for c in cells] for cells in (one, two)]
    assert found["density_distance"] == pytest.approx(wasserstein_distance(*densities))
    elements = [[len(set(c.numbers.tolist())) for c in cells] for cells in (one, two)]
    assert found["elements_distance"] == pytest.approx(wasserstein_distance(*elements))


def test_coverage_of_the_resampled_training_set():
    found = run("cdvae", "coverage", n=4)
    names = {"cov_recall", "cov_precision", "cov_recall_wide", "cov_precision_wide"}
    assert set(found) == names | {"density_distance", "elements_distance"}
    for ending in ("", "_wide"):
        assert 0 <= found[f"cov_recall{ending}"]["value"] <= 1
    for kind in ("cov_recall", "cov_precision"):
        narrow, wide = found[kind], found[f"{kind}_wide"]
        assert narrow["value"] <= wide["value"]
        assert narrow["baselines"][RESAMPLED] <= wide["baselines"][RESAMPLED]
    assert found["cov_recall"]["bar"] is None  # the bar is Perov-5's


def test_perov_has_its_own_bars():
    small = corpus()
    five = [k for k, cell in enumerate(small.cells) if len(cell.numbers) == 5]
    assert not subject().perov
    assert subject().bars["reconstruction_match"] == 0.40
    other = replace(subject(), corpus=small.part(five or [0]))
    assert other.perov == bool(five)
    fake = replace(subject(), corpus=SimpleNamespace(sizes=np.array([5, 5])))
    assert fake.bars["reconstruction_match"] == 0.60
    assert fake.bars["cov_recall"] == 0.9


def test_heads():
    found = run("cdvae", "heads")
    held = subject().test
    values, halves = system("cdvae").predict_table(system("cdvae").encode_cells(held.cells))
    truth = held.values[:, 0]
    error = np.abs(values[:, 0] - truth)
    assert found["formation_ev_mae"]["value"] == pytest.approx(error.mean())
    assert found["formation_ev_coverage"]["value"] == np.mean(error <= halves[:, 0])
    r2 = 1 - ((values[:, 0] - truth) ** 2).sum() / ((truth - truth.mean()) ** 2).sum()
    assert found["formation_ev_r2"]["value"] == pytest.approx(r2)


def test_stability(judged, monkeypatch):
    monkeypatch.setattr(metrics_stability, "REAL", 3)
    found = run("mattergen", "stability")
    sizes = [len(c.numbers) for c in subject("mattergen").drawn()]
    assert found["relaxed"]["value"] == np.mean([n % 2 == 0 for n in sizes])
    assert found["displacement_a"]["bar"] == 0.15
    assert found["sun"]["bar"] == 0.30
    assert set(found["sun"]["baselines"]) == {SUBSTITUTED, RESAMPLED, FREELY}
    assert found["sun"]["baselines"][RESAMPLED] == 0  # all known


# ---------------------------------------------------------------------- asked and achieved
@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(metrics_asked, "ASKS", 2)
    monkeypatch.setattr(metrics_asked, "QUANTILES", (0.2, 0.8))


def test_wishes(few):
    found = run("mattergen", "wishes")
    assert found["formula_honoured"]["value"] == 1  # exact by construction
    assert found["atoms_honoured"]["value"] == 1
    assert found["system_honoured"]["bar"] == 0.98
    assert found["formula_honoured"]["baselines"]["unconditional"] < 1


def test_symmetry(few, judged):
    found = run("mattergen", "symmetry")
    assert set(found) == {"space_group_generated", "space_group_relaxed", "space_group_gain"}
    assert found["space_group_relaxed"]["bar"] == 0.5
    assert found["space_group_gain"]["bar"] == 5.0
    assert found["space_group_gain"]["value"] >= 0


def test_the_gain_counts_no_sample_as_half_a_one():
    assert metrics_asked._ratio([0.5, 0.7], [0.1, 0.0], 10) == pytest.approx(1.2 / 0.15)
    assert metrics_asked._group_share([judging.Ruling("no")], 3) == 0


def test_targets(few, judged):
    found = run("mattergen", "targets")
    asked = np.nanquantile(subject().train.values[:, 0], (0.2, 0.8))
    for value in asked:
        entry = found[f"formation_ev_asked_{value:.2f}"]
        assert entry["bar"] == [pytest.approx(value - 0.1), pytest.approx(value + 0.1)]
    medians = [found[f"formation_ev_asked_{v:.2f}"]["value"] for v in asked]
    worst = max(abs(a - b) for a, b in zip(asked, medians, strict=True))
    assert found["formation_ev_worst_miss"]["value"] == pytest.approx(worst)
    assert found["voltage_v_r2"]["bar"] == 0.8
    assert 0 <= found["voltage_v_judged"]["value"] <= 1


def test_r_squared():
    asked = np.array([1.0, 2.0, 3.0])
    assert metrics_asked.r_squared(asked, asked) == 1
    assert metrics_asked.r_squared(asked, np.full(3, 2.0)) == 0
    assert metrics_asked.r_squared(asked, np.array([1.0, 2.0, 2.0])) == pytest.approx(0.5)
    assert np.isnan(metrics_asked.r_squared(np.ones(2), np.ones(2)))


# ---------------------------------------------------------------------- the command's other ends
def test_parts_are_kept_side_by_side(tmp_path):
    out = tmp_path / "metrics.json"
    first = evaluation.evaluate("cdvae", 4, 0, parts=["heads"], system=system("cdvae"),
                                examples=corpus())  # fmt: skip
    evaluation.keep(first, out)
    second = first | {"metrics": {"other": {"value": 1.0}}}
    both = evaluation.keep(second, out)
    assert set(both["metrics"]) == {*first["metrics"], "other"}
    assert json.loads(out.read_text()) == both
    third = evaluation.keep(second | {"seed": 5}, out)
    assert set(third["metrics"]) == {"other"}
    out.write_text("[]")
    assert set(evaluation.keep(second, out)["metrics"]) == {"other"}


def test_own_weights_and_data(tmp_path):
    folder = tmp_path / "weights"
    system("cdvae").save(folder)
    path = tmp_path / "mine.cif"
    path.write_text("".join(to_text(c) + "\n" for c in corpus().cells))
    result = evaluation.evaluate("cdvae", 4, 0, parts=["reconstruction"], weights=folder, data=path)
    assert result["versions"]["weights"] == system("cdvae").weights
    assert set(result["versions"]) >= {"chgnet", "pymatgen", "smact"}


@pytest.mark.parametrize(
    ("options", "named"),
    [({"parts": ["prior"]}, "legal are reconstruction, samples"), ({"n": 1}, "n: got 1")],
)
def test_refusals(options, named):
    with pytest.raises(ValueError, match=named):
        evaluation.evaluate(**{"name": "cdvae", **options})


def test_fingerprints_are_made_once(tmp_path, monkeypatch):
    cells, log, made = list(corpus().cells[:3]), tmp_path / "rulings.jsonl", []

    def fake(cell):
        made.append(cell)
        return None if len(cell.numbers) % 2 else np.full(61, float(len(cell.numbers)))

    monkeypatch.setattr(metrics_coverage, "structure_print", fake)
    first = metrics_coverage.prints([*cells, cells[0]], log)
    again = metrics_coverage.prints(cells, log)
    assert len(made) == 3
    assert first[1].shape == (4, 132)
    for cell, one, two in zip(cells, first[0], again[0], strict=False):
        assert (one is None) == (two is None) == bool(len(cell.numbers) % 2)
        assert one is None or one[0] == two[0] == len(cell.numbers)
    assert metrics_coverage.covered([None, None], first)["cov_precision"] == 0
