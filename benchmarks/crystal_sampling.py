"""mattergen against a DiffCSP-class sampler on Perov-5: speed, validity, coverage, displacement.

Both are trained from scratch on the same rows for equal CPU minutes of one core, then sampled:

    python benchmarks/crystal_sampling.py --data perov5_train.csv.xz --minutes 60 --samples 1000 \
        --peer-python peer/bin/python --peer-samples 200

The peer is chemeleon-dng 0.1.5 (MIT; CSPNet of DiffCSP with discrete diffusion of types) at its
default size and steps, in an environment of its own. Without --peer-python only mattergen runs.
Times are CPU seconds of one thread. Rows are those of the file's split "train", so that nothing
here compares with figures of papers, which train on five times as many.
"""

import argparse
import json
import subprocess
import sys
import time
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from genbat.core.paths import beside as folder
from genbat.domains.crystals.catalogue import Catalogue
from genbat.domains.crystals.chgnet_batch import Cell
from genbat.domains.crystals.structure import from_text
from genbat.domains.crystals.symmetry import fractional
from genbat.studio.judging import rule
from genbat.studio.metrics_coverage import covered, prints
from genbat.studio.metrics_crystals import counts
from genbat.studio.training_crystals import SIZES, read_own
from genbat.systems import mattergen, mattergen_training
from genbat.systems.crystal_corpus import schedule_rows
from genbat.systems.mattergen_diffusion import Network
from genbat.systems.run import Run, Schedule

WARM, TIMED = 5, 30  # steps
WANTED = 50.0  # times as many valid structures a second
BATCH = 64
MEASURES = ("structural_validity", "smact_validity", "unique", "novel", "cov_recall",
            "cov_precision", "displacement_a")  # fmt: skip


def steps_in(corpus, minutes, preset):
    """Training steps that fit into so many CPU minutes."""
    config = mattergen_training.make_config(corpus, **SIZES["mattergen"][preset])
    network, plan = Network(config), Schedule(steps=WARM + TIMED, batch=BATCH)
    run, begin = Run(network, config, plan, Path()), 0.0
    for rows in schedule_rows(corpus, plan, 0):
        if run.step == WARM:
            begin = time.process_time()
        run.advance(mattergen_training.batch_loss(network, corpus, config, rows, run.step)[0])
    return max(1, int(60 * minutes * TIMED / (time.process_time() - begin)))


def ours(corpus, minutes, n, preset):
    plan = Schedule(steps=steps_in(corpus, minutes, preset), batch=BATCH)
    with TemporaryDirectory() as place:
        begin = time.process_time()
        run = mattergen_training.train(
            corpus, Path(place), schedule=plan, **SIZES["mattergen"][preset]
        )
        seconds = time.process_time() - begin
    system = mattergen.MatterGen(run.config, run.mean)
    next(iter(system.sample(1, seed=1)))  # warm
    begin = time.process_time()
    texts = [c.text for c in system.sample(n, seed=0)]
    spent = time.process_time() - begin
    parameters = sum(p.numel() for p in run.network.parameters())
    times = {"steps": run.step, "training_s": seconds, "sampling_s": spent}
    return [readable(t) for t in texts], times | {"parameters": parameters}


def readable(text):
    try:
        return from_text(text)
    except ValueError:
        return None


def peers(corpus, minutes, n, python):
    rows = [{"numbers": c.numbers.tolist(), "lattice": c.lattice.tolist(),
             "fractions": fractional(c).tolist()} for c in corpus.cells]  # fmt: skip
    with TemporaryDirectory() as place:
        files = Path(place) / "rows.json", Path(place) / "made.json"
        files[0].write_text(json.dumps(rows))
        script = Path(__file__).with_name("peer_chemeleon.py")
        options = ["--minutes", str(minutes), "--samples", str(n)]
        subprocess.run([python, script, *files, *options], check=True)
        result = json.loads(files[1].read_text())
    return [as_cell(row) for row in result.pop("crystals")], result


def as_cell(row):
    lattice = np.array(row["lattice"])
    numbers = np.array(row["numbers"], np.int64)
    legal = np.isfinite(lattice).all() and ((numbers > 0) & (numbers < 104)).all()
    return Cell(numbers, np.array(row["fractions"]) @ lattice, lattice) if legal else None


def report(name, cells, times, corpus, real):
    """Print a sampler's measures; returns valid structures a CPU second."""
    train = corpus.part(corpus.training_rows())
    found = counts(cells, Catalogue(train.cells)) | covered(cells, real)
    moved = [r.moved for r in rule(cells) if not r.failed]
    found["displacement_a"] = float(np.median(moved)) if moved else float("nan")
    rate = found["validity"] * len(cells) / times["sampling_s"]
    print(
        f"{name}: {times['parameters']:,} parameters, {times['steps']:,} steps in "
        f"{times['training_s'] / 60:.1f} CPU minutes; {len(cells)} samples in "
        f"{times['sampling_s']:.1f} s, {rate:.2f} valid a second; {len(moved)} relax"
    )
    print("  " + ", ".join(f"{key} {found[key]:.3f}" for key in MEASURES))
    return rate


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, help="Perov-5 as CSV with a column cif, .xz or not")
    parser.add_argument("--minutes", type=float, default=2.0, help="of training, CPU time of each")
    parser.add_argument("--samples", type=int, default=256)
    parser.add_argument("--peer-python", help="a Python that has chemeleon-dng 0.1.5")
    parser.add_argument("--peer-samples", type=int, default=64)
    parser.add_argument("--preset", choices=("tiny", "base"), default="base")
    asked = parser.parse_args()
    beside = folder()
    data = asked.data or (beside / "crystals/perov5_train.csv.xz" if beside else None)
    if data is None or not data.exists():
        print("skipped: neither --data nor GENBAT_DATA names Perov-5")
        return
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    corpus, _ = read_own(data)
    train = corpus.part(corpus.training_rows())
    real = prints([corpus.cells[k] for k in corpus.rows("test")])
    print(f"{data.name}: {len(train)} training rows, {len(real[0])} held out")
    made = ours(train, asked.minutes, asked.samples, asked.preset)
    mine = report("mattergen", *made, corpus, real)
    if not asked.peer_python:
        print("chemeleon-dng: skipped, --peer-python names no environment with it")
        return
    made = peers(train, asked.minutes, asked.peer_samples, asked.peer_python)
    theirs = report("chemeleon-dng 0.1.5", *made, corpus, real)
    ratio = f"{mine / theirs:.0f}" if theirs else "more than any number of"
    print(f"valid structures a second: mattergen makes {ratio} times as many (bar: {WANTED:g})")


if __name__ == "__main__":
    sys.exit(main())
