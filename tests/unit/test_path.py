"""Walks on a tiny atlas: exact ends, honest words, every step made again."""

import numpy as np
import pytest
from tiny_atlas import atlas

from genbat.core.candidate import Candidate, Verdict
from genbat.core.provenance import Provenance
from genbat.studio import path
from genbat.studio.path import KIND_HELP, KINDS, again, make_again, walk_in

EC, FEC = "O=C1OCCO1", "O=C1OCC(F)O1"


@pytest.mark.parametrize("kind", KINDS)
def test_ends_are_the_objects_themselves(kind):
    walk = walk_in(atlas(), EC, FEC, steps=7, kind=kind)
    first, last = walk.candidates[0], walk.candidates[-1]
    assert (first.text, last.text) == (EC, FEC)
    assert first.name == "ethylene carbonate"
    assert first.provenance.action in ("known", "typed")
    assert len(walk.candidates) == len(walk.percentile) == len(walk.words) == len(walk.xy) == 7
    assert np.array_equal(walk.path.points[0], np.array(first.latent, "f4"))
    assert 2 <= walk.distinct <= 7
    assert walk.leaves_data == [k for k, p in enumerate(walk.percentile) if p > 99]
    assert kind in KIND_HELP


def test_every_molecule_of_the_way_is_shown():
    way, decoded = path.decode_way(
        atlas().system, *atlas().system.encode([EC, FEC]), 11, "linear", atlas().manifold
    )
    there = {c.text for c in decoded if c.verdict.ok} | {EC, FEC}
    walk = walk_in(atlas(), EC, FEC, steps=11, kind="linear")
    assert walk.distinct == min(11, len(there))
    assert len(way.points) == path.MOST
    assert (np.diff(walk.path.along) > 0).all()
    assert walk.remoteness == pytest.approx(way.remoteness.mean())


def test_two_steps_are_the_two_ends():
    walk = walk_in(atlas(), EC, FEC, steps=2)
    assert [c.text for c in walk.candidates] == [EC, FEC]


def test_other_spellings_are_one_end():
    spelled = walk_in(atlas(), "C1COC(=O)O1", FEC, steps=3, kind="linear")
    assert spelled.candidates[0].text == EC
    with pytest.raises(ValueError, match="choose two different ones"):
        walk_in(atlas(), EC, "C1COC(=O)O1")


@pytest.mark.parametrize(
    ("a", "b", "options", "told"),
    [
        ("C1CC", FEC, {}, "cannot be read as a molecule"),
        (EC, "", {}, "got nothing"),
        (EC, "[Na+].[Cl-]", {}, "legal are"),
        (EC, FEC, {"kind": "crooked"}, "kind: got 'crooked'"),
        (EC, FEC, {"steps": 1}, "steps"),
    ],
)
def test_bad_questions_say_what_is_legal(a, b, options, told):
    with pytest.raises(ValueError, match=told):
        walk_in(atlas(), a, b, **options)


def test_progress_names_every_step():
    told = []
    walk_in(atlas(), EC, FEC, steps=4, progress=lambda f, m: told.append((f, m)))
    assert [f for f, _ in told] == [0.25, 0.5, 0.75, 1.0]
    assert told[-1][1] == "step 4 of 4"


def test_every_step_can_be_made_again(monkeypatch):
    monkeypatch.setattr(path, "atlas", lambda _: atlas())
    walk = walk_in(atlas(), EC, FEC, steps=5, kind="linear")
    for k, candidate in enumerate(walk.candidates):
        made, same = make_again(candidate)
        assert same
        assert made.text == candidate.text
        if 0 < k < 4:
            assert candidate.provenance.parents == (EC, FEC)
            told = dict(candidate.provenance.arguments)
            assert told.pop("along") == pytest.approx(walk.path.along[k], abs=1e-4)
            assert told == {"kind": "linear", "steps": 5, "step": k}


def test_other_weights_are_refused_by_name(monkeypatch):
    monkeypatch.setattr(path, "atlas", lambda _: atlas())
    for action in ("path", "decode"):
        story = Provenance("chemvae", action, weights="0123", parents=(EC, FEC))
        candidate = Candidate(EC, "molecules", Verdict(True), story, latent=(0.0,))
        with pytest.raises(ValueError, match="weights: the candidate came from 0123"):
            make_again(candidate)
    with pytest.raises(ValueError, match="latent point instead"):
        again("molecules", Provenance("chemvae", "decode", weights=atlas().system.weights))
