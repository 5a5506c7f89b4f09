"""The house keeps its order: rings, linters, sizes, docstrings, nothing unsafe or from afar."""

import ast
import re
import shutil
import subprocess
import sys
import zipfile
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
PAGES = sorted([*ROOT.glob("app.py"), *ROOT.glob("pages/**/*.py")])
LIBRARY = sorted(ROOT.glob("genbat/**/*.py"))
OURS = [*LIBRARY, *PAGES]
ALL = [*OURS, *sorted(f for d in ("tests", "benchmarks") for f in ROOT.glob(f"{d}/**/*.py"))]
SCRIPTS = sorted(f for d in ("genbat", "static", "pages") for f in ROOT.glob(f"{d}/**/*.js"))

PAGE_LINES, FILE_LINES, FUNCTION_LINES = 120, 320, 60
PICKLES = {"pickle", "cPickle", "cloudpickle", "dill", "shelve", "marshal", "joblib"}
LOADERS = {"torch.load", "pd.read_pickle", "pandas.read_pickle", "joblib.load"}
CDN = re.compile(
    r"//[\w.-]*\b(?:cdn|unpkg|jsdelivr|cdnjs|cloudflare|googleapis|gstatic|skypack|esm|jspm|3dmol)\b"
    r"[\w.-]*\.\w+|include_plotlyjs\s*=\s*[\"']cdn",
    re.IGNORECASE,
)
FETCHED = re.compile(r"""(?:src\s*=|from|import\s*\(?|fetch\(|href\s*=)\s*["'`]https?://""")
MACHINE = re.compile(r"(?<![\w./<~-])/(?:work|tmp|root)/\w")  # an absolute path, not a URL's tail
TEXTS = {".py", ".md", ".toml", ".txt", ".yaml", ".yml", ".cff", ".js", ".css", ".html", ".json"}
VENDORED = re.compile(r"(?:[.-]min\.(?:js|css)$)|licen[cs]e", re.IGNORECASE)


def place(path):
    return path.relative_to(ROOT).as_posix()


@cache
def tree(path):
    return ast.parse(path.read_text("utf-8"))


def imports(path):
    """Every module a file imports, wherever in the file."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def roots(path):
    return {name.partition(".")[0] for name in imports(path)}


def calls(path):
    return (node for node in ast.walk(tree(path)) if isinstance(node, ast.Call))


def functions(path):
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return (node for node in ast.walk(tree(path)) if isinstance(node, kinds))


def lines(path):
    return len(path.read_text("utf-8").splitlines())


def run(*command):
    done = subprocess.run([str(c) for c in command], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]


def test_rings():
    run(BIN / "lint-imports", "--no-logo")


def test_ruff_check():
    run(BIN / "ruff", "check")


def test_ruff_format():
    run(BIN / "ruff", "format", "--check")


@pytest.mark.slow
def test_types():
    run(sys.executable, "-m", "mypy")


def test_sizes_of_files():
    limits = dict.fromkeys(ALL, FILE_LINES) | dict.fromkeys(PAGES, PAGE_LINES)
    long = {place(p): lines(p) for p, limit in limits.items() if lines(p) > limit}
    assert not long


def test_sizes_of_functions():
    sizes = {
        f"{place(p)}:{f.name}": f.end_lineno - f.lineno + 1 for p in OURS for f in functions(p)
    }
    assert not {name: size for name, size in sizes.items() if size > FUNCTION_LINES}


def test_pages_ask_ui_and_studio_only():
    inner = re.compile(r"genbat(?!\.(?:ui|studio)(?:\.|$))(?:\.|$)")
    wrong = {place(p): sorted(filter(inner.match, imports(p))) for p in PAGES}
    # `from genbat import ui` names the package first and the ring second.
    wrong = {p: [n for n in names if n != "genbat"] for p, names in wrong.items()}
    assert not {p: names for p, names in wrong.items() if names}


def test_pages_do_no_maths():
    heavy = {"torch", "numpy", "scipy", "sklearn", "rdkit"}
    assert not {place(p): roots(p) & heavy for p in PAGES if roots(p) & heavy}


def test_streamlit_stays_in_the_ui():
    outside = [p for p in LIBRARY if "ui" not in p.relative_to(ROOT).parts]
    assert not [place(p) for p in outside if "streamlit" in roots(p)]


@pytest.mark.parametrize(
    ("ring", "legal"),
    [
        ("families", {"torch", "genbat"}),
        ("latent", {"numpy", "scipy", "umap", "sklearn", "genbat"}),
    ],
)
def test_inner_rings_import_little(ring, legal):
    legal = legal | set(sys.stdlib_module_names)
    files = (ROOT / "genbat" / ring).glob("**/*.py")
    assert not {place(p): roots(p) - legal for p in files if roots(p) - legal}


def test_imports_are_pinned():
    """Whatever GenBat imports stands in requirements.txt itself, not only behind other packages."""
    pins = {pin_name(line) for line in (ROOT / "requirements.txt").read_text("utf-8").splitlines()}
    known = packages_distributions()
    wanted = {name for p in OURS for name in roots(p)} - set(sys.stdlib_module_names) - {"genbat"}
    owners = {name: {normal(owner) for owner in known.get(name, [name])} for name in wanted}
    assert not {name for name, names in owners.items() if not names & pins}


def pin_name(line):
    return normal(re.split(r"[=<>~\s\[;#]", line, maxsplit=1)[0])


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_requirements_are_pinned(name):
    rows = [line.strip() for line in (ROOT / name).read_text("utf-8").splitlines()]
    loose = [row for row in rows if row and not re.match(r"#|-r |[\w.-]+==[\w.]+$", row)]
    assert not loose


def test_nothing_is_unpickled():
    imported = {place(p): roots(p) & PICKLES for p in ALL}
    assert not {p: names for p, names in imported.items() if names}
    loading = [(place(p), c.lineno) for p in ALL for c in calls(p) if unsafe(c)]
    assert not loading


def unsafe(call):
    allowed = any(
        k.arg == "allow_pickle" and not (isinstance(k.value, ast.Constant) and not k.value.value)
        for k in call.keywords
    )
    return allowed or ast.unparse(call.func) in LOADERS


def test_nothing_comes_from_a_cdn():
    texts = [f for f in [*OURS, *SCRIPTS] if not VENDORED.search(f.name)]
    found = {place(f): CDN.findall(f.read_text("utf-8")) for f in texts}
    found |= {f"{place(f)} ": FETCHED.findall(f.read_text("utf-8")) for f in texts}
    assert not {f: hits for f, hits in found.items() if hits}


def test_exported_views_carry_their_script():
    """py3Dmol fetches its script from a CDN unless `js` says otherwise."""
    views = [(p, c) for p in OURS for c in calls(p) if ast.unparse(c.func) == "py3Dmol.view"]
    assert not [place(p) for p, c in views if "js" not in {k.arg for k in c.keywords}]


def test_docstrings():
    missing = [f"{place(p)}:{name}" for p in LIBRARY for name in undocumented(tree(p))]
    assert not missing


def undocumented(node, name="module"):
    """Public modules, classes, functions and methods without a docstring."""
    if not ast.get_docstring(node):
        yield name
    if isinstance(node, (ast.Module, ast.ClassDef)):
        kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
        for child in node.body:
            if isinstance(child, kinds) and not child.name.startswith("_"):
                yield from undocumented(child, child.name)


def test_command_line_starts_light():
    heavy = ["torch", "umap", "tblite", "streamlit", "rdkit", "pandas"]
    code = f"import sys, genbat.cli; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def project_texts():
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True)
    names = done.stdout.splitlines() if done.returncode == 0 else []
    files = [ROOT / n for n in names] or [f for d in ROOT.glob("[!.]*") for f in d.rglob("*")]
    plain = TEXTS | {""}
    return [f for f in files if f.is_file() and f.suffix in plain and not VENDORED.search(f.name)]


def test_no_machine_paths():
    found = {}
    for file in project_texts():
        text = file.read_text("utf-8", errors="ignore")
        if hits := MACHINE.findall(text):
            found[place(file)] = hits
    assert not found


@pytest.mark.slow
def test_wheel_carries_the_app(tmp_path):
    """`pip install .` brings app.py, pages, static and assets along."""
    skip = shutil.ignore_patterns(
        ".git", ".venv", "work", "assets", "build", "*.egg-info", ".*_cache"
    )
    checkout = shutil.copytree(ROOT, tmp_path / "a checkout", ignore=skip)
    (checkout / "assets").mkdir()
    (checkout / "assets" / "manifest.json").write_text("{}")
    pip = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"]
    run(*pip, "--wheel-dir", tmp_path, checkout)
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    wanted = {f"genbat/_bundle/{place(p)}" for p in PAGES} | {place(p) for p in LIBRARY}
    wanted |= {f"genbat/_bundle/{place(f)}" for f in ROOT.glob("static/**/*") if f.is_file()}
    wanted |= {"genbat/_bundle/assets/manifest.json"}
    assert not wanted - names
    assert not [n for n in names if n.startswith(("tests/", "benchmarks/"))]
