"""What holds for every test of a page."""

import pytest

from genbat.studio.jobs import Jobs


@pytest.fixture(autouse=True)
def idle(monkeypatch):
    """No job server starts: asked jobs stay in the queue."""
    monkeypatch.setattr(Jobs, "ensure_server", lambda self, wait_s=0.0: True)
