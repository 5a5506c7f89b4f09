"""Explore, Interpolate and Home for crystals: links, search, filters, cards, uploads, walks."""

import pytest
import tiny_crystal_atlas
from tiny_pages import fresh_page, linked

from genbat.ui.explore_filters import Filters

MAP = "map:crystals"
POSCAR = b"""rock salt
1.0
0.0 2.8 2.8
2.8 0.0 2.8
2.8 2.8 0.0
Na Cl
1 1
direct
0.0 0.0 0.0
0.5 0.5 0.5
"""
DISORDERED = b"""data_mixed
_cell_length_a 4.2
_cell_length_b 4.2
_cell_length_c 4.2
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
A1 Mg 0 0 0 0.7
A2 Ni 0 0 0 0.3
O1 O 0.5 0.5 0.5 1
"""


@pytest.fixture
def page(monkeypatch):
    return fresh_page(monkeypatch, "explore", "crystals")


@pytest.fixture(scope="module")
def place():
    return tiny_crystal_atlas.atlas()


def run(at):
    at.run()
    assert not at.exception, at.exception[0].message
    return at


def tell(at, moment, /, **event):
    at.session_state[MAP] = {"event": {**event, "t": moment}}
    return run(at)


def bodies(at):
    return " ".join(e.proto.body for e in at.get("html"))


def pressed(at, label):
    next(b for b in at.button if b.label == label).click()
    return run(at)


def unfolded(at):
    at.session_state["more"] = True
    return run(at)


def test_first_visit(page):
    run(page)
    assert "Explore crystals" in bodies(page)
    assert "Start with one you know" in bodies(page)
    assert "CHGNet" in bodies(page)


def test_a_click_puts_a_known_crystal_on_the_card(page, place):
    row = place.search("LiCoO2")[0]
    tell(page, 1, kind="pick", index=row)
    assert linked(page, "mol") == place.dataset.table["name"][row]
    assert place.names[row] in bodies(page)
    assert "Formation energy" in bodies(page)
    assert place.rooms.labels(place.texts[row])[0] in bodies(page)
    again = place.typed(linked(page, "mol"))
    assert again.text == place.texts[row]


def test_a_click_between_decodes(page, place):
    x, y = (float(v) for v in place.xy[3])
    tell(page, 1, kind="spot", at=[x, y])
    assert "You clicked an empty place" in bodies(page)
    assert "mol" not in page.query_params


@pytest.mark.parametrize("asked", ["LiCoO2", "Li-Co-O", "CoLiO2"])
def test_search(page, place, asked):
    run(page)
    page.text_input(key="explore:q").set_value(asked)
    run(page)
    shown = place.typed(linked(page, "mol"))
    assert shown.name.startswith("LiCoO2")


def test_search_by_symmetry_family_and_nothing(page, place):
    assert all(place.dataset.table["group"][k] == 225 for k in place.search("Fm-3m"))
    assert place.search("225") == place.search("Fm-3m")
    assert {place.dataset.table["family"][k] for k in place.search("perovskite")} >= {"perovskite"}
    run(page)
    page.text_input(key="explore:q").set_value("unobtainium")
    run(page)
    assert "elements (Li-Mn-O)" in page.info[0].value.replace("\\", "")


def test_a_generated_crystal_travels_in_the_link(page, place, monkeypatch):
    tell(page, 1, kind="pick", index=place.n_known)
    handle = linked(page, "mol")
    assert handle.startswith("z.") and len(handle) < 1000
    later = fresh_page(monkeypatch, "explore", "crystals")
    later.query_params["mol"] = handle
    run(later)
    assert place.names[place.n_known] in bodies(later)
    assert "made by mattergen" in bodies(later)


@pytest.mark.parametrize("mol", ["z.AAAA", "z." + "A" * 9000, "<script>", "data_x\n<b>", "Xx9"])
def test_broken_links(page, mol):
    page.query_params["mol"] = mol
    run(page)
    assert "no crystal here" in page.warning[0].value
    assert "<script>" not in bodies(page)


def test_filters_travel_and_keep_what_they_say(page, place):
    text = "voltage_v:1:5;el:Li.Co.O;crystal_system:tetragonal"
    page.query_params["f"] = text
    unfolded(page)
    assert linked(page, "f") == text
    filters = Filters({}, (), {"ion": ("Li",)}, "known")
    keep = place.filter({}, None, filters.groups, ("known",))
    assert set(place.dataset.table["ion"][keep[: place.n_known]]) == {"Li"}
    only = place.filter({}, frozenset({"Li", "Co", "O"}))
    assert only[place.search("LiCoO2")[0]] and not only[place.search("NaCl")[0]]


@pytest.mark.parametrize("by", ["family", "crystal_system", "ion", "anion", "status", "group",
                                "hull_ev", "voltage_v", "nonsense"])  # fmt: skip
def test_every_colour(page, by):
    page.query_params["by"] = by
    run(page)


def test_a_lasso_lists_and_adds(page, place):
    corner = 65535
    polygon = [0, 0, corner, 0, corner, corner, 0, corner]
    tell(page, 1, kind="lasso", count=1, indices=None, polygon=polygon, off=[])
    assert "crystals selected" in bodies(page)
    label = next(b.label for b in page.button if b.label.startswith("Add "))
    pressed(page, label)
    from genbat.ui import shared

    (mine,) = shared.shortlists().lists(page.session_state["owner"], "crystals")
    assert mine.count >= 50


def test_own_files_ordered_and_disordered(page, place):
    unfolded(page)
    page.file_uploader[0].set_value(("POSCAR.vasp", POSCAR, "text/plain"))
    run(page)
    assert "1 crystal of yours" in bodies(page)
    page.file_uploader[0].set_value(("mixed.cif", DISORDERED, "text/plain"))
    run(page)
    assert "disordered" in page.warning[0].value
    page.checkbox(key="explore:order").check()
    run(page)
    assert "1 crystal of yours" in bodies(page)
    table = page.dataframe[0].value
    assert "ordered by GenBat" in table["What was done"][0]


def test_interpolate(monkeypatch, place):
    at = fresh_page(monkeypatch, "interpolate", "crystals")
    run(at)
    pressed(at, "LiTiS2 → NaTiS2")
    assert place.typed(linked(at, "a")).name.startswith("LiTiS2")
    assert "different crystal" in bodies(at)
    pressed(at, "Compute all steps with CHGNet")
    from genbat.ui import shared

    kind, title, arguments, _ = shared.jobs().submitted[-1]
    assert (kind, arguments["domain"]) == ("label", "crystals")
    assert title.startswith("CHGNet along LiTiS2")
    assert all(t.startswith("data_") for t in arguments["texts"])


def test_the_domain_is_chosen_in_the_sidebar(monkeypatch):
    at = run(fresh_page(monkeypatch, "app"))
    assert "battery molecules" in bodies(at)
    at.selectbox(key="domain:choice").set_value("crystals")
    run(at)
    assert linked(at, "domain") == "crystals"
    assert "battery crystals" in bodies(at)
    assert "CHGNet" in " ".join(c.value for c in at.caption)
    back = fresh_page(monkeypatch, "app", "crystals")
    back.query_params["mol"] = "LiCoO2"
    run(back)
    assert "battery crystals" in bodies(back)
    back.selectbox(key="domain:choice").set_value("molecules")
    run(back)
    assert not {"domain", "mol"} & set(back.query_params)
    assert "battery molecules" in bodies(back)
