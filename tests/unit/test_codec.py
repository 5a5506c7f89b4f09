"""SMILES to tokens and back: nothing is lost, and what cannot be written is named."""

import random

import pytest
from rdkit import Chem
from tiny_chemvae import molecules

from genbat.domains.molecules.codec import (
    MAX_TOKENS,
    Vocabulary,
    from_selfies,
    random_form,
    survives,
    to_selfies,
)
from genbat.domains.molecules.structure import judge, normal_form

TEXTS = molecules(300)


@pytest.fixture(scope="module")
def vocabulary():
    return Vocabulary.from_smiles(TEXTS)


def test_three_hundred_molecules_come_back(vocabulary):
    assert len(TEXTS) == 300
    assert [from_selfies(to_selfies(s)) for s in TEXTS] == TEXTS
    assert [vocabulary.decode(vocabulary.encode(s)) for s in TEXTS] == TEXTS
    assert all(survives(s) for s in TEXTS)


def test_vocabulary_is_sorted_and_starts_with_its_marks(vocabulary):
    assert vocabulary.tokens[:3] == ("[nop]", "[start]", "[end]")
    assert list(vocabulary.tokens[3:]) == sorted(set(vocabulary.tokens[3:]))
    assert Vocabulary.from_smiles(reversed(TEXTS)) == vocabulary


def test_every_sequence_is_a_molecule(vocabulary):
    rng = random.Random(0)
    for _ in range(300):
        numbers = [rng.randrange(3, len(vocabulary)) for _ in range(rng.randint(1, 20))]
        text = vocabulary.decode(numbers)
        assert text is None or Chem.MolFromSmiles(text) is not None


def test_silicon_keeps_four_bonds(vocabulary):
    text = from_selfies(["[Si]", *["[Branch1]", "[C]", "[F]"] * 6, "[F]"])
    assert judge(Chem.MolFromSmiles(text)).ok


def test_decoding_ends_at_the_end_token(vocabulary):
    numbers = vocabulary.encode("CCO")
    assert vocabulary.decode([*numbers, 2, *vocabulary.encode("CCN")]) == "CCO"
    assert vocabulary.decode([1, *numbers, 0, 0]) == "CCO"
    assert vocabulary.decode([2, *numbers]) is None
    assert vocabulary.decode([]) is None


def test_random_forms_are_the_same_molecule():
    rng = random.Random(1)
    texts = [s for s in TEXTS if Chem.MolFromSmiles(s).GetNumAtoms() > 4][:80]
    forms = [random_form(s, rng) for s in texts]
    assert [normal_form(Chem.MolFromSmiles(f)) for f in forms] == texts
    assert sum(f != s for f, s in zip(forms, texts, strict=True)) > 60
    assert random_form(texts[0], random.Random(7)) == random_form(texts[0], random.Random(7))


def test_stereo_and_isotopes_are_lost_and_only_they():
    text = normal_form(Chem.MolFromSmiles("[2H]C(F)(Cl)[C@@H](O)C"))
    assert from_selfies(to_selfies(text)) == text


def test_strange_tokens_are_named():
    small = Vocabulary.from_smiles(["CCO"])
    with pytest.raises(ValueError, match=r"'CCN' needs \[N\]"):
        small.encode("CCN")


def test_length_is_limited():
    small = Vocabulary.from_smiles(["CC"])
    with pytest.raises(ValueError, match=rf"needs 60 tokens; legal are {MAX_TOKENS}"):
        small.encode("C" * 60)


@pytest.mark.parametrize("text", ["not a molecule", "C(C", "*CC*"])
def test_what_selfies_cannot_write(text):
    with pytest.raises(ValueError, match="cannot be written in SELFIES"):
        to_selfies(text)
    assert not survives(text)
