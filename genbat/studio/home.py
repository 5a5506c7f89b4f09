"""The user's folder: what lies where in it, and which processes share it.

`GENBAT_HOME` moves the folder (see `genbat.core.paths.home`).
"""

from __future__ import annotations

import os
import socket
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from genbat.core.paths import home

# Two readings of one process's start differ by less than this, in seconds.
_SAME_START_S = 5.0


def database() -> Path:
    """The one SQLite file with shortlists, evaluations and jobs."""
    return home() / "genbat.sqlite"


def server_file() -> Path:
    """Where the running job server writes its address and process."""
    return home() / "scheduler.json"


def server_log() -> Path:
    """What the job server last printed."""
    return home() / "jobserver.log"


def apps_folder() -> Path:
    """One file for each process that uses the job server."""
    return home() / "apps"


def process_tag(pid: int | None = None) -> str:
    """`host:pid:start` of a process (this one by default), unmistakable even once pids repeat."""
    process = psutil.Process(os.getpid() if pid is None else pid)
    return f"{socket.gethostname()}:{process.pid}:{process.create_time():.2f}"


def is_here(tag: str) -> bool:
    """Whether a tag belongs to a process of this machine, so that `gone` can tell."""
    return tag.rpartition(":")[0].rpartition(":")[0] == socket.gethostname()


def gone(tag: str) -> bool:
    """Whether the tagged process of this machine has ended; False where nobody can tell."""
    if not is_here(tag):
        return False
    _, pid, start = tag.rsplit(":", 2)
    try:
        process = psutil.Process(int(pid))
        same = abs(process.create_time() - float(start)) < _SAME_START_S
        return not same or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def register_app() -> None:
    """Tell the job server that this process wants it; it leaves once all such have ended."""
    tag = process_tag()
    folder = apps_folder()
    folder.mkdir(exist_ok=True)
    (folder / str(os.getpid())).write_text(tag, "utf-8")


def apps_alive() -> bool:
    """Whether any registered process still runs; the files of ended ones are removed."""
    alive = False
    for file in apps_folder().glob("*"):
        try:
            tag = file.read_text("utf-8")
        except FileNotFoundError:
            continue
        if tag and gone(tag):
            file.unlink(missing_ok=True)
        else:
            alive = True
    return alive
