"""Design asks all crystal systems at once: each draws for the usual questions, on toys."""

from itertools import islice

import pytest
from tiny_crystalgan import system as crystalgan
from tiny_crystals import cdvae, mattergen
from tiny_cubicgan import cubicgan
from tiny_oxides import imatgen
from tiny_unimat import unimat

from genbat.core.condition import Condition, Window
from genbat.studio import design_sampling, question, registry
from genbat.studio.question import Question

TOYS = {
    "cdvae": cdvae, "mattergen": mattergen, "unimat": unimat, "cubicgan": cubicgan,
    "imatgen": imatgen, "crystalgan": crystalgan,
}  # fmt: skip
WINDOWS = {"voltage_v": Window(3.5, 4.5), "hull_ev": Window(high=0.1)}
WISHES = {"atoms": [1, 14], "not_p1": True}


@pytest.fixture(autouse=True)
def here(monkeypatch):
    monkeypatch.setattr(registry, "trained", TOYS.__contains__)


def test_all_with_weights_can_be_asked():
    assert set(question.systems_for("crystals")) == set(TOYS)


@pytest.mark.parametrize("name", ["unimat", "cubicgan", "imatgen", "crystalgan"])
@pytest.mark.parametrize("more", [{}, {"system": "Li-Ti-O"}])
def test_each_draws_for_the_usual_question(name, more):
    asked = Question(Condition(WINDOWS, WISHES | more), name, "crystals", count=2,
                     method=question.methods_of(name)[-1])  # fmt: skip
    system = TOYS[name]()
    if name == "imatgen" and more:
        with pytest.raises(ValueError, match="nothing else; ask another system"):
            design_sampling._proposals(asked, None, system)
        return
    if name == "crystalgan" and more and not {"Li", "Ti"} <= set(system.metals("O")):
        pytest.skip("the toy knows no such binaries")
    made = list(islice(design_sampling._proposals(asked, None, system), 2))
    assert len(made) == 2


def test_what_is_kept_while_drawing():
    steer = design_sampling.steering
    formula = Condition({}, {"formula": "LiTiO2", "atoms": [1, 14], "not_p1": True})
    assert steer(unimat(), formula).wishes == {"formula": "LiTiO2", "atoms": [1, 14]}
    assert steer(unimat(), Condition(WINDOWS, WISHES)).wishes == {}
    assert steer(crystalgan(), formula).wishes == {"system": ["Li", "O", "Ti"]}
    assert steer(crystalgan(), Condition(WINDOWS, WISHES)) == Condition()
    assert steer(cubicgan(), Condition({}, WISHES)).wishes == WISHES
    assert set(steer(imatgen(), Condition(WINDOWS, WISHES)).windows) == {"hull_ev"}
