"""The studio from a shell: `genbat systems`, `sample`, `interpolate`, `evaluate`, ...

Exit status 0: done; 2: the input was wrong (one line: what, where, what is legal); 1: the rest.
What is heavy is imported inside the commands, so that `genbat --help` answers at once.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

import genbat
from genbat.core import paths
from genbat.core.condition import Condition, parse_targets
from genbat.core.errors import JobCancelled

Progress = Callable[[float, str], None]
_CRYSTALS = (".cif", ".vasp", ".extxyz", ".csv", ".json")
ENDINGS = {
    "molecules": (".smi", ".csv", ".sdf", ".json"),
    "crystals": _CRYSTALS,
    "microstructures": (".tif", ".csv", ".json", ".npz", ".zip"),
    "interphases": (".csv", ".json", ".npz"),
    "polymers": (".smi", ".csv", ".json"),
}
INTERRUPTED = 130  # what Typer makes of Ctrl-C

SystemName = Annotated[str, typer.Argument(metavar="SYSTEM", help="A name that `systems` lists.")]
Count = Annotated[int, typer.Option("-n", min=1, help="How many.")]
Seed = Annotated[int, typer.Option(min=0, help="The same seed gives the same candidates.")]
Out = Annotated[Path, typer.Option(help="A folder, or a file: .csv, .json, .sdf, .smi, .cif, ...")]
Order = Annotated[bool, typer.Option("--order", help="Put disordered crystals in order.")]
Targets = Annotated[list[str] | None, typer.Option(help='Wishes such as "lumo_ev<=-8".')]
Settings = Annotated[list[str] | None, typer.Option("--set", help="Discrete wishes, key=value.")]
Kind = Literal["linear", "slerp", "geodesic"]

app = typer.Typer(
    help="Generative models for battery materials.",
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main(arguments: list[str] | None = None) -> int:
    """Run one command line and give its exit status; `GENBAT_DEBUG=1` shows where it failed."""
    words = sys.argv[1:] if arguments is None else arguments
    try:
        status = app(args=words or ["--help"], prog_name="genbat", standalone_mode=False) or 0
        return _complain("cancelled", 1) if status == INTERRUPTED else status
    except typer.TyperException as problem:
        return _complain(f"{problem.format_message()} (see genbat --help)", problem.exit_code)
    except ValueError as problem:
        return _complain(str(problem), 2)
    except (JobCancelled, typer.Abort):
        return _complain("cancelled", 1)
    except Exception as problem:
        if os.environ.get("GENBAT_DEBUG"):
            raise
        return _complain(f"{type(problem).__name__}: {problem}", 1)


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        print(genbat.__version__)
        raise typer.Exit


@app.command()
def systems(
    as_json: Annotated[bool, typer.Option("--json", help="Whole cards as JSON.")] = False,
) -> None:
    """List the systems that can be asked."""
    from genbat.studio import registry

    cards = [registry.card(name) for name in registry.names()]
    if as_json:
        print(_json(cards))
        return
    rows = [(c.name, c.domain, c.family, c.title, c.trained_on, f"{c.parameters:,}") for c in cards]
    _show(("name", "domain", "family", "title", "trained on", "parameters"), rows)


@app.command()
def sample(
    system: SystemName,
    out: Out,
    n: Count = 100,
    seed: Seed = 0,
    target: Targets = None,
    wish: Settings = None,
) -> None:
    """Draw new candidates from a system, with wishes or without."""
    from genbat.studio import exports, registry

    condition = _condition(_known(system), target or [], wish or [])
    _writable(out, ENDINGS[registry.card(system).domain], folder=True)
    with _progress() as progress:
        asked = registry.load(system).sample(n, condition=condition, seed=seed, progress=progress)
        candidates = list(asked)
    exports.write(candidates, out)
    valid = sum(c.verdict.ok for c in candidates)
    print(f"{len(candidates)} candidates, {valid} valid: {out}")


@app.command()
def interpolate(
    system: SystemName,
    a: Annotated[str, typer.Argument(metavar="A", help="One end: SMILES, a CIF file, a formula.")],
    b: Annotated[str, typer.Argument(metavar="B", help="The other end.")],
    out: Out,
    steps: Annotated[int, typer.Option(min=2, help="How many, both ends counted.")] = 11,
    kind: Annotated[Kind, typer.Option("--path", help="How to walk.")] = "geodesic",
) -> None:
    """Walk through latent space from A to B."""
    from genbat.studio import exports, path, registry

    _known(system)
    _writable(out, ENDINGS[registry.card(system).domain], folder=True)
    with _progress() as progress:
        walk = path.walk(registry.load(system), a, b, steps=steps, kind=kind, progress=progress)
    exports.write(walk.candidates, out)
    print(f"{len(walk.candidates)} steps: {out}")


@app.command()
def compare(
    domain: Annotated[str, typer.Argument(metavar="DOMAIN", help="polymers or molecules.")],
    out: Annotated[Path | None, typer.Option(help="A .csv file for the table.")] = None,
    n: Count = 1000,
    seed: Seed = 0,
) -> None:
    """Put a domain's systems side by side, with baselines and real objects."""
    from genbat.studio import comparison

    if out is not None:
        _writable(out, (".csv",))
    with _progress() as progress:
        table = comparison.compare(domain, n, seed, progress)
    if out is not None:
        comparison.write(table, out)
    rows = [(str(name), *(f"{value:.3g}" for value in row)) for name, row in table.iterrows()]
    _show(("system", *table.columns), rows)


@app.command()
def evaluate(
    system: SystemName,
    out: Annotated[Path | None, typer.Option(help="A .json file for the numbers.")] = None,
    n: Count = 1000,
    seed: Seed = 0,
    only: Annotated[list[str] | None, typer.Option(help="One part; may stand again.")] = None,
    weights: Annotated[Path | None, typer.Option(exists=True, help="A folder, not ours.")] = None,
    data: Annotated[Path | None, typer.Option(exists=True, help="Your data, not ours.")] = None,
) -> None:
    """Measure a system on held-out data, beside its baselines."""
    from genbat.studio import evaluation

    _known(system)
    if out is not None:
        _writable(out, (".json",))
    own = {"weights": weights, "data": data}
    with _progress() as progress:
        result = evaluation.evaluate(system, n, seed, progress, parts=only or (), **own)
    if out is not None:
        result = evaluation.keep(result, out)
    _show(("metric", "value", "unit", "baselines", "real", "bar"), _rows(result["metrics"]))


@app.command()
def label(
    file: Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False)],
    out: Annotated[Path, typer.Option(help="A .csv file; for crystals also a folder.")],
    order: Order = False,
) -> None:
    """Compute properties of your own structures by physics."""
    from genbat.studio import labelling

    _writable(out, (".csv",), folder=True)
    with _progress() as progress:
        labelling.label_file(file, out, progress, **({"order": True} if order else {}))
    print(f"labelled: {out}")


@app.command()
def build(
    dataset: Annotated[str, typer.Argument(metavar="DATASET")],
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = os.cpu_count() or 1,
) -> None:
    """Make a dataset with its labels; a build that was stopped goes on where it stopped."""
    from genbat.studio import building

    _legal("DATASET", dataset, building.DATASETS)
    with _progress() as progress:
        table = building.build(dataset, workers, progress)
    print(f"built: {table}")


@app.command()
def train(
    system: SystemName,
    preset: Annotated[Literal["tiny", "base"], typer.Option(help="Size of the networks.")] = "base",
    data: Annotated[Path | None, typer.Option(exists=True, help="Your data, not ours.")] = None,
    start: Annotated[
        Path | None, typer.Option("--from", exists=True, help="A checkpoint to go on from.")
    ] = None,
    minutes: Annotated[float | None, typer.Option(min=0.0, help="Stop after so long.")] = None,
) -> None:
    """Train a system anew or further, on our data or on yours."""
    from genbat.studio import training

    _known(system)
    with _progress() as progress:
        weights = training.train(system, preset, data, start, minutes, progress)
    print(f"trained: {weights}")


@app.command("app")
def serve(
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8501,
    address: Annotated[str, typer.Option(help="0.0.0.0 serves the whole network.")] = "127.0.0.1",
) -> None:
    """Serve the app in the browser."""
    options = {
        "server.port": port,
        "server.address": address,
        "server.headless": "true",
        "browser.gatherUsageStats": "false",
    }
    script = str(paths.ROOT / "app.py")
    flags = [f"--{key}={value}" for key, value in options.items()]
    os.execv(sys.executable, [sys.executable, "-m", "streamlit", "run", script, *flags])


def _legal(what: str, got: str, legal: Iterable[str]) -> None:
    if got not in (names := list(legal)):
        raise ValueError(f"{what}: got {got!r}; legal are {', '.join(names) or 'none yet'}")


def _known(system: str) -> str:
    from genbat.studio import registry

    _legal("SYSTEM", system, registry.names())
    return system


def _writable(out: Path, endings: tuple[str, ...], folder: bool = False) -> None:
    # Asked before the work, not after it; `folder`: one will do as well.
    if not (folder and (out.is_dir() or not out.suffix)):
        _legal(f"--out {out}: ending", out.suffix.lower(), endings)
    if not out.absolute().parent.is_dir():
        raise ValueError(f"--out {out}: there is no folder {str(out.parent)!r}; make it first")


def _condition(system: str, targets: list[str], settings: list[str]) -> Condition | None:
    from genbat.studio import registry

    if not (targets or settings):
        return None
    windows = parse_targets(targets, registry.target_keys(system)) if targets else {}
    return Condition(windows, dict(map(_wish, settings)))


def _wish(text: str) -> tuple[str, Any]:
    # "key=value": a value that is JSON is read as such, anything else stays text (a SMILES, say).
    key, sign, value = text.partition("=")
    if not (sign and key.strip()):
        raise ValueError(f"--set: got {text!r}; write key=value")
    try:
        return key.strip(), json.loads(value)
    except json.JSONDecodeError:
        return key.strip(), value


def _complain(message: str, status: int) -> int:
    print(f"genbat: {' '.join(message.split())}", file=sys.stderr)
    return status


@contextmanager
def _progress() -> Iterator[Progress]:
    # A bar on stderr; where that is a file, a line for each tenth of the way.
    from rich import progress as rich
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield _tenths()
        return
    text = rich.TextColumn("{task.description}", markup=False)
    columns = (text, rich.BarColumn(), rich.TaskProgressColumn(), rich.TimeElapsedColumn())
    with rich.Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=1.0)
        yield lambda fraction, what: bar.update(task, completed=fraction, description=what)


def _tenths() -> Progress:
    last = -1

    def report(fraction: float, text: str) -> None:
        nonlocal last
        if int(fraction * 10) > last:
            last = int(fraction * 10)
            print(f"{fraction:4.0%} {text}", file=sys.stderr)

    return report


def _show(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(*columns)
    for row in rows:
        table.add_row(*map(escape, row))
    Console(width=None if sys.stdout.isatty() else 160).print(table)


def _rows(metrics: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, ...]]:
    for name, metric in metrics.items():
        baselines = metric.get("baselines") or {}
        others = ", ".join(f"{key} {_number(value)}" for key, value in baselines.items())
        ends = (_number(metric.get("real")), _number(metric.get("bar")))
        yield (name, _number(metric["value"]), metric.get("unit") or "", others, *ends)


def _number(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _json(data: object) -> str:
    import orjson

    return orjson.dumps(data, option=orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY).decode()
