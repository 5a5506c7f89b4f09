"""Token by token: the text, another token, what is fixed, what the link holds."""

import pytest
import torch
from streamlit.testing.v1 import AppTest
from tiny_chemvae import table
from tiny_pages import linked

from genbat.core.paths import ROOT
from genbat.studio import registry, spelling
from genbat.systems import moleculegpt, moleculegpt_training
from genbat.systems.run import Schedule
from genbat.ui import gpt_parts

PAGE = ROOT / "pages" / "gpt.py"


@pytest.fixture(scope="module")
def system(tmp_path_factory):
    torch.set_num_threads(1)
    schedule = Schedule(steps=100, batch=32, rate=3e-3, warm_steps=5)
    sizes = {"width": 32, "layers": 2, "heads": 2}
    run = moleculegpt_training.train(
        table(), tmp_path_factory.mktemp("g"), schedule=schedule, **sizes
    )
    return moleculegpt.MoleculeGPT(run.config, run.mean, "toy")


@pytest.fixture
def page(system, monkeypatch):
    load = registry.load
    monkeypatch.setattr(
        registry, "load", lambda name: system if name == "moleculegpt" else load(name)
    )
    gpt_parts._written.clear()
    return AppTest.from_file(str(PAGE), default_timeout=60)


def pick(page, place):
    page.session_state[gpt_parts.AT] = place
    return page.run()


def test_a_text_with_its_chances(page):
    page.run()
    assert not page.exception
    assert any("bits a token on average" in c.value for c in page.caption)
    pick(page, 0)
    table_ = next(b.body for b in page.get("html") if "gb-chances" in str(b.body))
    first = spelling.written({}, [], 0)[0]
    assert f"<th>{first.likeliest[0][0]}</th>" in table_
    assert gpt_parts.percent(first.likeliest[0][1]) in table_


def test_another_token_and_it_goes_on(page):
    page.run()
    pick(page, 1)
    first, second = spelling.written({}, [], 0)[:2]
    other = next(t for t, _ in second.likeliest if t not in (second.token, spelling.STOP))
    page.button(key=f"gpt:put:{other}").click().run()
    assert not page.exception
    assert linked(page, "given") == f"{first.token}{other}"
    assert any("2 tokens fixed" in c.value for c in page.caption)
    go = next(b for b in page.button if b.label == "Let all of it go")
    go.click().run()
    assert "given" not in page.query_params


def test_what_is_asked_stands_in_the_link(page):
    page.run()
    page.selectbox(key="gpt:ask").set_value("lumo_ev").run()
    page.number_input(key="gpt:lumo_ev").set_value(-1.5).run()
    page.number_input(key="gpt:seed").set_value(4).run()
    assert not page.exception
    assert [linked(page, k) for k in ("ask", "value", "seed")] == ["lumo_ev", "-1.5", "4"]


def test_begin_with_a_molecule_or_with_nonsense(page):
    page.run()
    page.text_input(key=gpt_parts.BEGIN).set_value("CCO").run()
    assert linked(page, "given") == "[C][C][O]"
    page.text_input(key=gpt_parts.BEGIN).set_value("this is no SMILES").run()
    assert not page.exception
    assert page.toast


def test_a_broken_link_says_what_is_wrong(page):
    page.query_params["given"] = "[Xx][script]"
    page.query_params["seed"] = "-3"
    page.query_params["ask"] = "beauty"
    page.query_params["value"] = "nan"
    page.run()
    assert not page.exception
    assert "unknown" in page.error[0].value


@pytest.mark.parametrize(
    ("chance", "words"), [(0.83, "83 %"), (0.04, "4.0 %"), (0.0004, "< 0.1 %"), (1.0, "100 %")]
)
def test_percent(chance, words):
    assert gpt_parts.percent(chance) == words
