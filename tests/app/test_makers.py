"""Make crystals: out of noise, of three elements, of two binaries; what links hold and mistakes."""

import pytest
from tiny_crystalgan import system as crystalgan
from tiny_cubicgan import cubicgan
from tiny_pages import fresh_page, linked
from tiny_unimat import unimat

from genbat.studio import cubic, joining, registry, table_noise
from genbat.ui import frame, noise_parts, state
from genbat.ui.components import periodic_table
from genbat.ui.joining_parts import constraint

TOYS = {"unimat": unimat, "cubicgan": cubicgan, "crystalgan": crystalgan}
OURS = frozenset(TOYS)


@pytest.fixture
def opened(monkeypatch):
    """opened(**link) -> the page of a link, run, with toys for weights."""
    load, trained = registry.load, registry.trained
    monkeypatch.setattr(registry, "load", lambda name: TOYS[name]() if name in TOYS else load(name))
    here = lambda name: name in TOYS if name in OURS else trained(name)  # noqa: E731
    monkeypatch.setattr(registry, "trained", here)

    def run(**link):
        page = fresh_page(monkeypatch, "makers", "crystals")
        for name, value in link.items():
            page.query_params[name] = value
        page.run()
        assert not page.exception
        return page

    return run


def bodies(page):
    return " ".join(str(b.body) for b in page.get("html"))


# ---------------------------------------------------------------------- out of noise
def test_the_table_fills_step_by_step(opened):
    page = opened(do="noise", of="Li-Co-O", step="0")
    assert "gb-ptable" in bodies(page) and "Lithium" in bodies(page)
    assert f"step 0 of {noise_parts.LAST}" in bodies(page)
    page.slider(key=noise_parts.STEP).set_value(noise_parts.LAST).run()
    assert not page.exception
    assert linked(page, "step") == str(noise_parts.LAST)
    assert f"step {noise_parts.LAST} of" in bodies(page)
    kept = table_noise.way("Li-Co-O", 0, 0).steps[-1].atoms
    assert {e for e, n in kept.items() if n > 0.01} == {"Li", "Co", "O"}


def test_the_way_ends_at_the_sample(opened):
    opened(do="noise")
    way = table_noise.way("", 3, 1)
    sample = list(unimat().sample(2, seed=3))[1]
    assert way.candidate.text == sample.text == way.steps[-1].text
    assert way.candidate.provenance.arguments == sample.provenance.arguments
    assert [way.steps[0].time, way.steps[-1].time] == [1.0, 0.0]
    assert len(way.leading(3)) <= 3


def test_what_cannot_be_asked_of_noise_is_told(opened):
    page = opened(do="noise", of="LiXx2")
    assert "Xx" in page.error[0].value
    page = opened(do="noise", seed="-1", index="x", step="999")
    assert not page.error
    with pytest.raises(ValueError, match="index: got -1"):
        table_noise.way("", 0, -1)


@pytest.mark.parametrize(("atoms", "coloured"), [(0.0, False), (0.01, True), (50.0, True)])
def test_shades(atoms, coloured):
    assert ("background" in noise_parts.shade(atoms)) == coloured


# ---------------------------------------------------------------------- three elements
def test_cubic_crystals_of_three_elements(opened):
    group = next(iter(cubicgan().config.groups))
    page = opened(do="cubic", el="Li-Ti-O", group=str(group), n="4")
    assert any("Crystals of Li-O-Ti" in c.value for c in page.caption)
    assert any("of 4 crystals valid" in c.value for c in page.caption)
    found = cubic.made(group, ["Li", "Ti", "O"], 4, 0)
    assert all("space_group" in c.provenance.condition["wishes"] for c in found)
    button = next((b for b in page.button if b.key == "cubic:add"), None)
    if found[0].verdict.ok:
        button.click().run()
        assert not page.exception and page.toast


def test_open_elements_and_broken_links(opened):
    page = opened(do="cubic", el="Xx-<b>-Li-Li", group="9999", n="1000", seed="a")
    assert linked(page, "el") == "Li"
    assert any("Li and elements that the model chooses" in c.value for c in page.caption)
    for wrong in ({"n": 0}, {"n": cubic.MOST + 1}, {"group": 1}, {"picked": ["He"]}):
        asked = {"group": 0, "picked": [], "n": 1, "seed": 0} | wrong
        with pytest.raises(ValueError, match=r"legal are|unknown"):
            cubic.made(**asked)


def test_the_picker_refuses_what_is_not_legal():
    with pytest.raises(ValueError, match="'Xe' is not among Li, O"):
        periodic_table.element_picker(["Xe"], ["Li", "O"], most=3, key="a")
    with pytest.raises(ValueError, match="at most 1"):
        periodic_table.element_picker(["Li", "O"], ["Li", "O"], most=1, key="a")


# ---------------------------------------------------------------------- two binaries
def test_two_known_binaries(opened):
    page = opened(do="join", n="3")
    assert any("of 3 crystals valid" in c.value for c in page.caption)
    assert "sums of covalent radii" in bodies(page)
    names = list(joining.binaries())
    assert page.selectbox(key="join:first").options == names
    one, two = joining.usual()
    assert one != two
    made = joining.joined(joining.binaries()[one], joining.binaries()[two], 3, 0)
    for candidate in made:
        held = all(part.holds for part in joining.limits(candidate.text))
        assert held or not candidate.verdict.ok
    back = joining.read(joining.poscar(joining.binaries()[one]).encode(), "POSCAR")
    assert joining.joined(back, joining.binaries()[two], 1, 0)[0].text.startswith("data_")


def test_what_cannot_be_joined_is_told(opened):
    name = joining_same(opened)
    page = opened(do="join", first=name, second=name)
    assert "one metal" in page.error[0].value
    with pytest.raises(ValueError, match=r"POSCAR, line 3: .*lattice vector"):
        joining.read(b"no POSCAR\n1.0\nx", "POSCAR")
    with pytest.raises(ValueError, match="legal are 1 to"):
        joining.joined("", "", 0, 0)


def joining_same(opened):
    opened(do="join")
    return joining.usual()[0]


def test_a_broken_limit_is_marked():
    text = constraint([joining.Limit("metal to metal", "0.50", "≥ 0.82", False)])
    assert "✗ broken" in text and "gb-no" in text


# ---------------------------------------------------------------------- offered or not
def test_it_is_offered_with_the_weights(opened, monkeypatch):
    monkeypatch.setattr(state, "domain", lambda: "crystals")
    for here, shown in (({"crystalgan"}, True), (set(), False)):
        monkeypatch.setattr(registry, "trained", here.__contains__)
        assert ("makers" in frame.shown_pages()) == shown


def test_only_what_has_weights_is_offered(opened, monkeypatch):
    monkeypatch.delitem(TOYS, "unimat")
    page = opened(do="noise")
    assert linked(page, "do") == "cubic"


def test_without_weights_it_says_so(opened, monkeypatch):
    for name in list(TOYS):
        monkeypatch.delitem(TOYS, name)
    assert "has weights here" in opened().info[0].value
