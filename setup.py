"""Puts what the app needs beside the package into the wheel, as `genbat/_bundle`.

All else stands in pyproject.toml; `genbat.core.paths` finds the checkout or the bundle.
"""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

BUNDLE = ("app.py", "pages", "static", "assets", ".streamlit")


class Build(build_py):
    """`build_py` that also copies the app, its pages, the viewers' scripts and the assets."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        target = Path(self.build_lib, "genbat", "_bundle")
        shutil.rmtree(target, ignore_errors=True)
        for source in bundled():
            (target / source).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / source)

    def get_source_files(self) -> list[str]:
        """What a source distribution must hold: setuptools' own list, this file, the bundle."""
        return [*super().get_source_files(), "setup.py", *map(str, bundled())]


def bundled() -> list[Path]:
    """Every file of the bundle, relative to the checkout."""
    found = [f for name in BUNDLE for f in (Path(name), *Path(name).rglob("*")) if f.is_file()]
    return sorted(f for f in found if "__pycache__" not in f.parts)


setup(cmdclass={"build_py": Build})
