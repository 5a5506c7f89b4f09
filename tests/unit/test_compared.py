"""The shipped comparison and what becomes of the review's ranking, on made-up numbers."""

import math

import pytest
from tiny_compared import SYSTEMS, comparison, written

from genbat.studio import compared, manifest
from genbat.studio import comparison as comparing
from genbat.studio.compared_measures import MEASURES
from genbat.studio.metrics import REAL


@pytest.fixture
def put(monkeypatch, tmp_path):
    """put(**changes) -> the comparison that is then read."""

    def write(**changes):
        monkeypatch.setattr(compared, "path_of", written(tmp_path, **changes))
        compared._read.cache_clear()
        return compared.opened("crystals")

    return write


def holds(found, better, worse):
    (one,) = (r for r in compared.rankings(found) if (r.better, r.worse) == (better, worse))
    return {v.measure.key: v.holds for v in one.verdicts}


def test_what_is_read(put):
    found = put()
    assert found.systems == tuple(SYSTEMS) and found.n == 1000
    assert math.isnan(found.value(REAL, "seconds_valid"))
    assert list(found.groups)[:3] == ["Validity", "Distribution", "Diversity"]
    measures = {m.key: m for m in found.measures}
    assert found.best(measures["validity"]) == {"mattergen"}
    assert found.best(measures["displacement_a"]) == {"mattergen"}
    assert found.best(measures["p1_share"]) == set()
    assert compared.family(found, "cubicgan") == "GAN"
    assert compared.family(found, REAL) == "real"
    assert compared.title(found, "mattergen") == "MatterGen"
    assert compared.title(found, "mattergen, alone") == "MatterGen, alone"
    assert compared.title(found, REAL) == REAL


def test_the_ranking_is_computed_from_the_numbers(put):
    found = put()
    pairs = {(r.better, r.worse) for r in compared.rankings(found)}
    assert pairs == {("cdvae", "imatgen"), ("cdvae", "cubicgan"), ("mattergen", "cdvae"),
                     ("mattergen", "imatgen"), ("mattergen", "cubicgan")}  # fmt: skip
    assert compared.missing(found) == ["CrystalGAN"]
    clear, plain = holds(found, "mattergen", "imatgen"), holds(found, "mattergen", "cdvae")
    assert clear["validity"] == clear["displacement_a"] == plain["chgnet_frechet"] == "yes"
    assert plain["diversity"] == "no"  # the made-up number falls as the shares rise
    near = holds(found, "cdvae", "cubicgan")
    assert near["validity"] == near["novel"] == "close"  # 60.0 % and 60.5 % of a thousand
    assert near["displacement_a"] == "no"
    rows = comparison()["rows"]
    rows["mattergen"] = {**rows["mattergen"], "validity": 0.1, "sun": None}
    other = holds(put(rows=rows), "mattergen", "imatgen")
    assert (other["validity"], other["sun"]) == ("no", "unknown")


def test_a_part_of_the_domain_is_not_ranked_by_all_of_it(put):
    found = put()
    assert compared.scope(found, "imatgen") == "vanadium oxides"
    assert compared.scope(found, "mattergen") == compared.scope(found, REAL) == ""
    pair = holds(found, "mattergen", "imatgen")
    assert pair["chgnet_frechet"] == pair["diversity"] == "unknown"
    frechet = next(m for m in found.measures if m.key == "chgnet_frechet")
    rows = comparison()["rows"]
    rows["imatgen"] = {**rows["imatgen"], "chgnet_frechet": 0.0}
    assert put(rows=rows).best(frechet) == {"mattergen"}


def test_a_share_of_few_is_less_sure(put):
    """Of fifty crystals with phonons 60 % and 80 % are two and a half errors apart, of ten not."""
    told = {}
    for many in (50, 10):
        rows = comparison()["rows"]
        for name, share in (("mattergen", 0.8), ("cdvae", 0.6)):
            rows[name] = {**rows[name], "phonon_stable": share, "phonon_judged": many}
        told[many] = holds(put(rows=rows), "mattergen", "cdvae")["phonon_stable"]
    assert told == {50: "yes", 10: "close"}


def test_few_samples_tell_little(put):
    few, many = (holds(put(n=n), "cdvae", "imatgen")["validity"] for n in (20, 1000))
    assert (few, many) == ("close", "yes")


def test_the_conclusion_counts(put):
    found = put()
    told = compared.rankings(found)
    words = compared.conclusion(found, told)
    agree = sum(r.count("yes") for r in told)
    assert f"{agree} agree with the review" in words and "of 5 pairs" in words
    assert "None of the pairs" in compared.conclusion(found, [])


def test_what_is_no_comparison_is_told(put, tmp_path):
    with pytest.raises(
        ValueError, match=r"compare_crystals.json: is no comparison .*genbat compare"
    ):
        put(rows={"cdvae": 3})
    with pytest.raises(ValueError, match="no comparison of polymers is here"):
        compared.opened("polymers")
    assert not compared.shipped("interphases")


def test_every_measure_is_defined_once():
    for measures in MEASURES.values():
        keys = [m.key for m in measures]
        assert len(keys) == len(set(keys))
        assert all(m.definition.endswith(".") and m.judge for m in measures)


def test_its_origin_is_known(tmp_path):
    written(tmp_path)
    told = manifest.describe("data/compare_crystals.json", tmp_path / "compare_crystals.json")
    assert told["script"].startswith("genbat compare crystals -n 1000")


def test_a_baseline_of_one_system_is_named_with_it():
    def entry(value, **baselines):
        return {"valid": {"value": value, "baselines": baselines, "real": 1.0}}

    rows = comparing.rows_of({"gpt": entry(0.9, again=0.7, once=0.5), "vae": entry(0.8, again=0.7)})
    assert list(rows) == ["gpt", "vae", "again", REAL, "gpt, once"]
    assert [row["valid"] for row in rows.values()] == [0.9, 0.8, 0.7, 1.0, 0.5]
