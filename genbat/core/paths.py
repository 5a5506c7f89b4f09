"""Where GenBat's files lie: the shipped ones and the user's own."""

from __future__ import annotations

import os
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


def _root() -> Path:
    # A checkout holds app.py beside the package; a wheel carries a copy inside it (see setup.py).
    bundle = _PACKAGE / "_bundle"
    return bundle if bundle.is_dir() else _PACKAGE.parent


ROOT = _root()
ASSETS = ROOT / "assets"
STATIC = ROOT / "static"


def home() -> Path:
    """The user's own folder: shortlists, results, caches. GENBAT_HOME overrides it."""
    import platformdirs

    folder = Path(os.environ.get("GENBAT_HOME") or platformdirs.user_data_dir("genbat"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def beside() -> Path | None:
    """The folder of data that do not ship (environment variable GENBAT_DATA), if there is one."""
    named = os.environ.get("GENBAT_DATA")
    return Path(named) if named else None


def cache_folder() -> Path:
    """Files that can be made again at any time."""
    folder = home() / "cache"
    folder.mkdir(exist_ok=True)
    return folder
