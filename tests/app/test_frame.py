"""Which pages stand in the sidebar."""

from types import SimpleNamespace

import pytest

from genbat.studio import registry
from genbat.ui import frame, state

EVERYWHERE = ["home", "explore", "interpolate", "design", "shortlist", "jobs"]
ADDRESS = "http://127.0.0.1:8501"


@pytest.fixture
def shown(monkeypatch):
    """shown(domain, url, trained) -> names of the pages."""

    def ask(domain, url, trained=()):
        monkeypatch.setattr(state, "domain", lambda: domain)
        monkeypatch.setattr(registry, "offered", lambda: dict.fromkeys(("molecules", domain), ""))
        monkeypatch.setattr(registry, "trained", lambda name: name in trained)
        monkeypatch.setattr(frame.st, "context", SimpleNamespace(url=url))
        return list(frame.shown_pages())

    return ask


def test_pages_of_one_domain_stand_in_it_alone(shown):
    assert shown("molecules", f"{ADDRESS}/") == EVERYWHERE
    assert set(shown("microstructures", f"{ADDRESS}/explore")) - set(EVERYWHERE) == {"micrograph"}
    assert set(shown("polymers", None)) - set(EVERYWHERE) == {"compare", "loop"}


def test_a_page_of_one_system_waits_for_its_weights(shown):
    assert "gpt" in shown("molecules", f"{ADDRESS}/explore", ["moleculegpt"])
    assert "gpt" not in shown("crystals", f"{ADDRESS}/explore", ["moleculegpt"])


def test_a_page_that_the_address_names_is_there(shown):
    address = f"{ADDRESS}/micrograph?job=1"
    assert "micrograph" not in shown("molecules", address)  # whose domain is not offered
    assert "micrograph" in shown("microstructures", address)
    assert "gpt" not in shown("microstructures", f"{ADDRESS}/gpt")


def test_the_address_wins_over_the_domain(shown, monkeypatch):
    monkeypatch.setattr(frame, "_OF", {"micrograph": "molecules", "loop": "polymers"})
    assert "micrograph" in shown("crystals", f"{ADDRESS}/micrograph")
