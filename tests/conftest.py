"""What holds for every test: one thread a process, and a home of its own for what gets written."""

import atexit
import os
import shutil
import tempfile

# Set while pytest collects, before any test imports numpy or torch; subprocesses inherit it.
for _name in ("OMP", "MKL", "OPENBLAS", "NUMEXPR", "NUMBA"):
    os.environ[f"{_name}_NUM_THREADS"] = "1"

_HOME = tempfile.mkdtemp(prefix="genbat-tests-")
os.environ["GENBAT_HOME"] = _HOME
atexit.register(shutil.rmtree, _HOME, ignore_errors=True)
