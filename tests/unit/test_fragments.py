"""Molecules as trees of pieces: there and back, symmetric pieces, what can hang where."""

import numpy as np
import pytest
from rdkit import Chem

from genbat.domains.molecules.fragments import (
    Link,
    Node,
    free_hydrogens,
    molecule_of,
    nodes_of,
    size_of,
    tree_of,
)
from genbat.domains.molecules.structure import normal_form

MOLECULES = [
    "C", "O=C1OCCO1", "O=C1OCC(F)O1", "COC(=O)OC", "N#CCCCCC#N", "CS(=O)(=O)C", "Cc1ccccc1C#N",
    "C[Si](C)(C)OC", "O=[N+]([O-])c1ccc(F)cc1", "Cn1ccnc1", "c1cc[nH]c1", "CC(C)n1cnnn1",
    "FB(F)F", "COP(=O)(OC)OC", "O=C1CCS(=O)(=O)O1", "C1CC12CC2", "c1ccc(-c2ccccc2)cc1",
    "CC(=O)NCCc1cnc[nH]1", "C=CCNc1nnnn1CC=C",
]  # fmt: skip


@pytest.mark.parametrize("text", MOLECULES)
def test_there_and_back(text):
    smiles = normal_form(Chem.MolFromSmiles(text))
    tree = tree_of(smiles)
    assert molecule_of(tree) == smiles
    assert size_of(tree) == Chem.MolFromSmiles(smiles).GetNumHeavyAtoms()
    assert tree_of(molecule_of(tree)) == tree


def test_known_molecules_come_back():
    from tiny_chemvae import molecules

    for smiles in molecules(300):
        tree = tree_of(smiles)
        assert molecule_of(tree) == smiles
        for node in nodes_of(tree):  # what hangs on an atom had a hydrogen to take the place of
            free = free_hydrogens(node.piece)
            on = [link.on for link in node.links]
            assert all(on.count(atom) <= free[atom] for atom in on)


def test_pieces_are_what_single_bonds_join():
    assert tree_of("CS(C)(=O)=O").piece == "O=[SH2]=O"
    tree = tree_of(normal_form(Chem.MolFromSmiles("COC(=O)c1ccc(C#N)cc1")))
    assert tree.piece == "c1ccccc1"
    assert sorted(node.piece for node in nodes_of(tree)) == ["C", "C#N", "C=O", "O", "c1ccccc1"]
    for node in nodes_of(tree):
        free = free_hydrogens(node.piece)
        assert all(free[link.on] >= 1 for link in node.links)


def test_a_symmetric_piece_uses_its_first_atoms():
    for text in ("Cc1ccccc1", "Fc1ccccc1", "CC1CCCCC1"):
        tree = tree_of(normal_form(Chem.MolFromSmiles(text)))
        assert [link.on for link in tree.links] == [0]
    para = tree_of(normal_form(Chem.MolFromSmiles("Cc1ccc(F)cc1")))
    assert sorted(link.on for link in para.links) == [0, 3]


@pytest.mark.parametrize("text", ["C1CC1C(F)(Cl)OC", "c1ccccc1C(C)(CCO)CN", "FC(Cl)(Br)C1CO1"])
def test_every_spelling_gives_one_tree(text):
    """The largest piece is the root; children on one atom stand in one order."""
    mol, rng = Chem.MolFromSmiles(text), np.random.default_rng(0)
    spellings = {
        Chem.MolToSmiles(Chem.RenumberAtoms(mol, rng.permutation(mol.GetNumAtoms()).tolist()),
                         canonical=False)
        for _ in range(20)
    }  # fmt: skip
    assert len(spellings) > 5
    assert {tree_of(spelling) for spelling in spellings} == {tree_of(text)}


def test_too_much_on_an_atom_is_told():
    child = Link(0, 0, Node("C"))
    with pytest.raises(ValueError, match="tree: "):
        molecule_of(Node("F", (child, child)))
