"""The studio from a shell: `genbat systems`, `sample`, `interpolate`, `evaluate`, ...

Exit status 0: done; 2: the input was wrong (one line: what, where, what is legal); 1: the rest.
What is heavy is imported inside the commands, so that `genbat --help` answers at once.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

import genbat
from genbat.cli.asked import ENDINGS, condition_of, known, legal, writable
from genbat.cli.printing import complain, metric_rows, progress_bar, show, to_json
from genbat.core import paths
from genbat.core.errors import JobCancelled

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
        return complain("cancelled", 1) if status == INTERRUPTED else status
    except typer.TyperException as problem:
        return complain(f"{problem.format_message()} (see genbat --help)", problem.exit_code)
    except ValueError as problem:
        return complain(str(problem), 2)
    except (JobCancelled, typer.Abort):
        return complain("cancelled", 1)
    except Exception as problem:
        if os.environ.get("GENBAT_DEBUG"):
            raise
        return complain(f"{type(problem).__name__}: {problem}", 1)


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
        print(to_json(cards))
        return
    rows = [(c.name, c.domain, c.family, c.title, c.trained_on, f"{c.parameters:,}") for c in cards]
    show(("name", "domain", "family", "title", "trained on", "parameters"), rows)


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

    condition = condition_of(known(system), target or [], wish or [])
    writable(out, ENDINGS[registry.card(system).domain], folder=True)
    with progress_bar() as progress:
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

    known(system)
    writable(out, ENDINGS[registry.card(system).domain], folder=True)
    with progress_bar() as progress:
        walk = path.walk(registry.load(system), a, b, steps=steps, kind=kind, progress=progress)
    exports.write(walk.candidates, out)
    print(f"{len(walk.candidates)} steps: {out}")


@app.command()
def compare(
    domain: Annotated[
        str, typer.Argument(metavar="DOMAIN", help="polymers, molecules or crystals.")
    ],
    out: Annotated[Path | None, typer.Option(help="A .csv or .json file for the table.")] = None,
    n: Count = 1000,
    seed: Seed = 0,
) -> None:
    """Put a domain's systems side by side, with baselines and real objects."""
    from genbat.studio import comparison

    if out is not None:
        writable(out, (".csv", ".json"))
    with progress_bar() as progress:
        table = comparison.compare(domain, n, seed, progress)
    if out is not None:
        comparison.write(table, out, domain, n, seed)
    rows = [(str(name), *(f"{value:.3g}" for value in row)) for name, row in table.iterrows()]
    show(("system", *table.columns), rows)


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

    known(system)
    if out is not None:
        writable(out, (".json",))
    own = {"weights": weights, "data": data}
    with progress_bar() as progress:
        result = evaluation.evaluate(system, n, seed, progress, parts=only or (), **own)
    if out is not None:
        result = evaluation.keep(result, out)
    show(("metric", "value", "unit", "baselines", "real", "bar"), metric_rows(result["metrics"]))


@app.command()
def label(
    file: Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False)],
    out: Annotated[Path, typer.Option(help="A .csv file; for crystals also a folder.")],
    order: Order = False,
) -> None:
    """Compute properties of your own structures by physics."""
    from genbat.studio import labelling

    writable(out, (".csv",), folder=True)
    with progress_bar() as progress:
        labelling.label_file(file, out, progress, **({"order": True} if order else {}))
    print(f"labelled: {out}")


@app.command()
def build(
    dataset: Annotated[str, typer.Argument(metavar="DATASET")],
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = os.cpu_count() or 1,
) -> None:
    """Make a dataset with its labels; a build that was stopped goes on where it stopped."""
    from genbat.studio import building

    legal("DATASET", dataset, building.DATASETS)
    with progress_bar() as progress:
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

    known(system)
    with progress_bar() as progress:
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
