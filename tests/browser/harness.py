"""Starting what the browser tests and the benchmarks need: a served app and a Chromium."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Where tests leave what they saw; `make screenshots` sets the README's folder.
SHOTS = ROOT / os.environ.get("GENBAT_SHOTS", "tests/screenshots")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 120  # seconds that anything may take on a busy machine


def find_chromium() -> str | None:
    """Path of a Chromium, or None."""
    usual = "/usr/bin/chromium"
    names = ("chromium", "chromium-browser", "google-chrome")
    return usual if Path(usual).exists() else next(filter(None, map(shutil.which, names)), None)


def _free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def _beside_static(script: Path, folder: Path) -> Path:
    """Streamlit serves `static/` beside the script: a demo gets a copy of both."""
    if (script.parent / "static").is_dir():
        return script
    shutil.copytree(ROOT / "static", folder / "static")
    return Path(shutil.copy(script, folder))


def _wait(process: subprocess.Popen, url: str, log: Path) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        with suppress(urllib.error.URLError, OSError):
            urllib.request.urlopen(f"{url}/_stcore/health", timeout=2).close()
            return
        time.sleep(0.1)
    raise RuntimeError(f"the server did not come up: {log.read_text('utf-8')[-2000:]}")


@contextmanager
def served(script: Path, folder: Path, env: Mapping[str, str] | None = None) -> Iterator[str]:
    """Serve a script with Streamlit on a free port; yields its URL, kills it afterwards.

    `folder` (empty) receives GENBAT_HOME, the server's log and, for a demo, a copy of it.
    """
    url = f"http://127.0.0.1:{_free_port()}"
    home = folder / "home"
    home.mkdir(parents=True)
    command = [sys.executable, "-m", "streamlit", "run", str(_beside_static(script, folder)),
               "--server.port", url.rpartition(":")[2]]  # fmt: skip
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "GENBAT_HOME": str(home), **(env or {})}
    log = folder / "server.log"
    with log.open("w") as out:
        process = subprocess.Popen(command, cwd=ROOT, env=variables, stdout=out, stderr=out)
    try:
        _wait(process, url, log)
        yield url
    finally:
        process.kill()
        process.wait()
