"""imatgen on a toy: invariance, the way back, samples, training that can stop."""

import csv
from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny_oxides import SCHEDULE, TINY, imatgen, oxides

from genbat.core.condition import Condition, Window
from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.codec import turned
from genbat.domains.crystals.labelling import closest
from genbat.domains.crystals.similarity import same_structure
from genbat.domains.crystals.structure import from_text, to_text
from genbat.domains.crystals.views import settled
from genbat.studio import registry, training
from genbat.systems import imatgen_training
from genbat.systems.imatgen import IMatGen, Plan, symbol
from genbat.systems.imatgen_network import Config, Network
from genbat.systems.imatgen_training import lattices_of


# ---------------------------------------------------------------------- latent space
@pytest.mark.parametrize("seed", [0, 1])
def test_how_a_crystal_is_given_does_not_matter(seed):
    system, known = imatgen(), oxides().cells[:6]
    moved = [turned(cell, seed) for cell in known]
    np.testing.assert_allclose(
        system.encode_cells(moved), system.encode_cells(known), atol=1e-3, rtol=0
    )


def test_a_crystal_is_seen_in_its_own_images():
    system = imatgen()
    for cell in oxides().cells[:6]:
        view = settled(cell, 23)
        lattice = lattices_of([view], system.config)[0].double().numpy()
        sight = system.seen(system.images(view), lattice)
        assert same_structure(sight.cell, cell)
        assert sight.rest < 1e-3


def test_decoding_is_the_same_every_time():
    system = imatgen()
    z = np.random.default_rng(0).standard_normal((3, system.config.latent)).astype("f4")
    one, two = (system.decode(z, seed=k) for k in (0, 0))
    assert [c.text for c in one] == [c.text for c in two]
    assert all(set(from_text(c.text).numbers.tolist()) == {8, 23} for c in one)
    assert (one[0].provenance.system, one[0].provenance.action) == ("imatgen", "decode")
    assert len(one[0].latent) == system.config.latent
    assert system.imagined(z)[0].shape == (3, 2, 16, 16, 16)
    assert system.encode([]).shape == (0, system.config.latent)


def test_stability_is_a_probability():
    system = imatgen()
    z = system.encode_cells(oxides().cells[:5])
    found = system.stability(z)
    logits = system.network.stable(system.network.traits_at(torch.as_tensor(z))).detach().numpy()
    np.testing.assert_allclose(found, 1 / (1 + np.exp(-logits)), rtol=1e-5)


def test_predictions_have_units_and_intervals():
    (told,) = imatgen().predict(imatgen().encode_cells(oxides().cells[:1]))
    assert set(told) == {"formation_ev", "hull_ev"}
    assert told["hull_ev"].unit == "eV/atom"
    assert told["hull_ev"].uncertainty > 0


# ---------------------------------------------------------------------- samples
def test_a_longer_sample_starts_with_the_shorter():
    few, more = ([c.text for c in imatgen().sample(n, seed=1)] for n in (2, 4))
    assert few == more[:2]
    assert [c.text for c in imatgen().sample(2, seed=2)] != few


def test_the_least_doubted_of_the_tries_is_taken():
    system = imatgen()
    z = system.known[:4]
    sights = system.sights(z)
    doubts = system.doubts(sights, z)
    near = [closest(sight.cell) < 0.6 for sight in sights]
    rest = np.array([sight.rest for sight in sights])
    np.testing.assert_allclose(doubts, rest + 1 - system.stability(z) + near, rtol=1e-6)
    plan = Plan(tries=4)
    z = system._points(np.random.default_rng((5, 0)), plan, system.known)
    sights = system.sights(z)
    best = sights[int(system.doubts(sights, z).argmin())]
    (one,) = system.sample(1, seed=5, plan=plan)
    assert one.text == to_text(best.cell)


def test_ways_begin_where_the_heads_say_what_is_asked():
    system = imatgen()
    values = system.predict_table(system.known)[0][:, 0]
    window = {"formation_ev": Window(high=float(np.quantile(values, 0.1)))}
    found = system.misses(system.known, window)
    wanted = np.maximum(values - window["formation_ev"].high, 0) / system.config.spread[0]
    np.testing.assert_allclose(found, wanted, rtol=1e-5)
    plan = Plan(reach=0.0, noise=0.0, tries=2)
    (one,) = system.sample(1, condition=Condition(window), plan=plan)
    assert one.provenance.condition["windows"]["formation_ev"]
    nearest = np.linalg.norm(system.known - np.array(one.latent, "f4"), axis=1).min()
    assert nearest < 1e-3


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda s: list(s.sample(0)), "n: got 0"),
        (lambda s: list(s.sample(1, condition=Condition({"voltage_v": Window(3, 4)}))),
         "cannot honour voltage_v; legal are windows on formation_ev and hull_ev"),
        (lambda s: list(s.sample(1, condition=Condition({}, {"formula": "VO2"}))), "formula"),
        (lambda s: s.encode_cells([Cell(np.array([3, 8]), 2.0 * np.eye(3)[:2],
                                        4 * np.eye(3))]), "holds Li; imatgen has learnt V, O"),
        (lambda s: s.encode(["nothing"]), "CIF"),
    ],
)  # fmt: skip
def test_wrong_input_is_named(call, named):
    with pytest.raises(ValueError, match=named):
        call(imatgen())


def test_elements_that_it_never_makes_are_refused():
    own = [symbol(z) for z in imatgen().config.elements]
    assert imatgen().honoured({"require": own[:1], "space_group": 2}) == {}
    for wishes in ({"require": ["Li"]}, {"forbid": own[:1]}, {"formula": "Li2O"}):
        with pytest.raises(ValueError, match=r"elements: all that imatgen makes holds"):
            imatgen().honoured(wishes)


def test_too_large_a_crystal_is_named():
    rng = np.random.default_rng(0)
    large = Cell(np.full(21, 8), rng.uniform(0, 12, (21, 3)), 12 * np.eye(3))
    with pytest.raises(ValueError, match="at most 20"):
        imatgen().encode_cells([large])


# ---------------------------------------------------------------------- training
def test_the_loss_falls(tmp_path):
    told = []
    schedule = replace(SCHEDULE, steps=101, rate=1e-2)
    imatgen_training.train(oxides(), tmp_path, schedule=schedule, **TINY,
                           progress=lambda f, text: told.append(text))  # fmt: skip
    first, *_, last = (float(text.split("image ")[1].split()[0]) for text in told)
    assert last < 0.8 * first


def test_save_and_load(tmp_path):
    imatgen().save(tmp_path)
    again = IMatGen.load(tmp_path)
    assert again.config == imatgen().config
    assert len(again.known) == len(oxides().training_rows()) == again.config.points
    z = again.known[:2]
    assert [c.text for c in again.decode(z)] == [c.text for c in imatgen().decode(z)]


def test_the_base_network_is_small_enough():
    network = Network(Config(points=imatgen_training.MOST_POINTS))
    count = sum(v.numel() for v in network.state_dict().values())
    assert 4 * count <= 5e6


@pytest.fixture
def own(tmp_path, monkeypatch):
    monkeypatch.setenv("GENBAT_HOME", str(tmp_path))
    path = tmp_path / "mine.csv"
    cells = [*oxides().cells, Cell(np.array([3]), np.zeros((1, 3)), 3 * np.eye(3))]
    with path.open("w", encoding="utf-8", newline="") as lines:
        rows = csv.writer(lines)
        rows.writerow(["cif"])
        rows.writerows([to_text(cell)] for cell in cells)
    return path


def test_going_on_from_a_checkpoint_ends_as_if_never_stopped(own):
    whole = training.train("imatgen", "tiny", own)
    state = IMatGen.load(whole).network.state_dict()
    card = (whole / "card.md").read_text()
    assert "40 crystals of the user's own file mine.csv" in card
    assert registry.card("imatgen").paper in card
    stopped = training.train("imatgen", "tiny", own, minutes=0)
    assert IMatGen.load(stopped).config.steps_trained == 1
    again = IMatGen.load(training.train("imatgen", "tiny", own, start=whole.parent))
    assert again.config.steps_trained == 20
    for key, value in again.network.state_dict().items():
        assert torch.equal(value, state[key]), key
    moved = whole.rename(own.parent / "moved")
    further = IMatGen.load(training.train("imatgen", "tiny", own, start=moved, minutes=0))
    assert further.config.steps_trained == 21
    assert further.config.scale == again.config.scale
