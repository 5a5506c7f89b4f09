"""A page under test: the tiny atlas under it, a job queue that runs nothing."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import streamlit as st
from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "unit"))


class Queue:
    """Remembers what was submitted; `results_of` and `states` are what tests make of it."""

    def __init__(self):
        self.submitted, self.states, self.results_of = [], {}, {}

    def submit(self, kind, title, arguments, owner):
        self.submitted.append((kind, title, arguments, owner))
        return f"job{len(self.submitted) - 1}"

    def get(self, job_id):
        from genbat.studio.jobs import Job

        number = int(job_id.removeprefix("job")) if job_id.startswith("job") else 99
        if number >= len(self.submitted):
            raise ValueError(f"job: {job_id!r} does not exist")
        kind, title, arguments, owner = self.submitted[number]
        when = datetime(2026, 1, 1, tzinfo=UTC)
        return Job(
            job_id, owner, kind, title, arguments, self.states.get(job_id, "running"), 0.5,
            "2 of 4 judged by xTB, 1 hit", "", "", when, when, None, when,
        )  # fmt: skip

    def list(self, owner, limit=100):
        jobs = [self.get(f"job{k}") for k in range(len(self.submitted))]
        return [job for job in jobs if job.owner == owner]

    def results(self, job_id, after=0):
        payloads = self.results_of.get(job_id, [])
        made = [SimpleNamespace(sequence=k, payload=p) for k, p in enumerate(payloads, 1)]
        return made[after:]

    def cancel(self, job_id):
        self.states[job_id] = "cancelled"
        return True

    def place(self, job_id):
        return 0

    def server_problem(self):
        return ""


SYSTEMS = {"molecules": ["chemvae"], "crystals": ["mattergen"]}


def fresh_page(monkeypatch, name, domain="molecules"):
    """An AppTest of pages/<name>.py, or of the whole "app", on the domain's tiny atlas."""
    import tiny_atlas
    import tiny_crystal_atlas

    from genbat.studio import question, registry
    from genbat.ui import shared

    atlases = {"molecules": tiny_atlas.atlas, "crystals": tiny_crystal_atlas.atlas}
    offered = {name: registry.DOMAINS[name] for name in ("molecules", "crystals")}
    monkeypatch.setattr(registry, "offered", lambda: offered)
    st.cache_resource.clear()
    st.cache_data.clear()
    queue = Queue()

    def opened(domain):
        rest = {"ready": True, "error": None, "words": "", "wait": lambda _: True}
        return SimpleNamespace(atlas=atlases[domain], **rest)

    monkeypatch.setattr(shared, "warmup", opened)
    monkeypatch.setattr(shared, "jobs", lambda: queue)
    monkeypatch.setattr(question, "systems_for", SYSTEMS.__getitem__)
    script = "app.py" if name == "app" else f"pages/{name}.py"
    page = AppTest.from_file(str(ROOT / script), default_timeout=120)
    if domain != registry.FIRST:
        page.query_params["domain"] = domain
    return page


def linked(page, name):
    """A value of the page's address."""
    value = page.query_params[name]
    return value[-1] if isinstance(value, list) else value
