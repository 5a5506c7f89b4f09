"""The store: nothing told as stored is lost, whoever writes and whoever is killed."""

import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from genbat.core.properties import Measurement
from genbat.studio.store import Store
from genbat.studio.tables import SCHEMA_VERSION, EntryRow, EvaluationRow, SchemaRow

LUMO = Measurement(-6.7, "eV", "GFN2-xTB", "computed", 0.2, "gas phase")


@pytest.fixture
def store(tmp_path):
    made = Store(tmp_path / "genbat.sqlite")
    yield made
    made.close()


def test_default_place_is_the_home(tmp_path, monkeypatch):
    monkeypatch.setenv("GENBAT_HOME", str(tmp_path / "home"))
    assert Store().path == tmp_path / "home" / "genbat.sqlite"


def test_evaluation_round_trip(store):
    assert store.evaluation("molecules", "CO") is None
    saved = store.save_evaluation("molecules", "CO", "xtb", {"lumo_ev": LUMO})
    assert store.evaluation("molecules", "CO", "xtb") == saved
    assert saved.values == {"lumo_ev": LUMO}
    assert store.evaluation("molecules", "CO", "another method") is None
    assert store.evaluation("crystals", "CO") is None


def test_a_failure_never_replaces_values(store):
    store.save_evaluation("molecules", "CO", "xtb", {}, "no convergence")
    assert store.evaluation("molecules", "CO").failed == "no convergence"
    store.save_evaluation("molecules", "CO", "xtb", {"lumo_ev": LUMO})
    store.save_evaluation("molecules", "CO", "xtb", {}, "no convergence")
    assert store.evaluation("molecules", "CO").values == {"lumo_ev": LUMO}
    store.save_evaluation("molecules", "CO", "newer", {}, "no convergence")
    assert store.evaluation("molecules", "CO").method == "xtb"


def test_many_evaluations_at_once(store):
    with store.write() as session:
        session.add_all(
            EvaluationRow(domain="molecules", text=f"m{k}", method="xtb", measured={})
            for k in range(1300)
        )
    assert len(store.evaluations("molecules", (f"m{k}" for k in range(2000)))) == 1300


def test_a_failing_transaction_leaves_nothing(store):
    with pytest.raises(ZeroDivisionError), store.write() as session:
        session.add(EvaluationRow(domain="d", text="t", method="m", measured={}))
        session.flush()
        raise ZeroDivisionError
    assert store.evaluation("d", "t") is None


def test_times_are_exact(store):
    moment = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    row = EvaluationRow(domain="d", text="t", method="m", measured={}, made=moment)
    with store.write() as session:
        session.add(row)
    assert store.evaluation("d", "t").made == moment


def test_foreign_keys_hold(store):
    orphan = EntryRow(list_id="nowhere", text="CO", candidate={})
    with pytest.raises(Exception, match="FOREIGN KEY"), store.write() as session:
        session.add(orphan)


def test_another_schema_version_is_refused_untouched(store):
    with store.write() as session:
        session.scalars(select(SchemaRow)).one().version = SCHEMA_VERSION + 1
    with pytest.raises(RuntimeError, match="nothing was changed"):
        Store(store.path)
    with store.read() as session:
        assert session.scalars(select(SchemaRow)).one().version == SCHEMA_VERSION + 1


def test_threads_share_a_store(store):
    def save(start):
        for k in range(start, start + 25):
            store.save_evaluation("molecules", f"m{k}", "xtb", {"lumo_ev": LUMO})

    threads = [threading.Thread(target=save, args=(25 * k,)) for k in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.evaluations("molecules", [f"m{k}" for k in range(150)])) == 150


WRITER = """
import sys
from pathlib import Path
from genbat.studio.store import Store
store = Store(Path(sys.argv[1]))
for k in range(100_000):
    store.save_evaluation("molecules", f"m{k}", "xtb", {})
    print(k, flush=True)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_killed_writer_loses_nothing(tmp_path):
    path = tmp_path / "genbat.sqlite"
    command = [sys.executable, "-c", WRITER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        told = [int(writer.stdout.readline()) for _ in range(40)]
        os.kill(writer.pid, signal.SIGKILL)
        told += [int(line) for line in writer.stdout if line.endswith("\n")]
    assert len(Store(path).evaluations("molecules", [f"m{k}" for k in told])) == len(told) >= 40
