"""How long latent searches, maps, percentiles and paths take: python -m benchmarks.latent_speed."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from genbat.latent.density import Manifold
from genbat.latent.graph import Graph
from genbat.latent.maps import LatentMap
from genbat.latent.neighbours import Neighbours
from genbat.latent.paths import KINDS, make_path

MANY, USUAL, WIDTH = 1_000_000, 26_000, 64


def clock(name: str, task: Callable[[], object], repeats: int = 9) -> None:
    """Print a task's milliseconds: median, worst, and median of processor time."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter(), time.process_time()
        task()
        times.append((time.perf_counter() - start[0], time.process_time() - start[1]))
    wall, cpu = 1e3 * np.array(times).T
    print(
        f"{name:44s} {np.median(wall):10.1f} {wall.max():10.1f} {np.median(cpu):10.1f}", flush=True
    )


def clusters(rng: np.random.Generator, n: int, groups: int) -> np.ndarray:
    """Points (n, WIDTH) in so many Gaussian clusters, far apart."""
    centres = 4 * rng.standard_normal((groups, WIDTH))
    points = centres[rng.integers(groups, size=n)] + 0.5 * rng.standard_normal((n, WIDTH))
    return points.astype(np.float32)


def searches(rng: np.random.Generator) -> None:
    """One and a hundred queries over a million points."""
    for width in (WIDTH, 2):
        points = rng.standard_normal((MANY, width), dtype=np.float32)
        x = rng.standard_normal((100, width), dtype=np.float32)
        clock(f"index {MANY:,} x {width}", lambda p=points: Neighbours(p), 3)
        index = Neighbours(points)
        for m in (1, 100):
            clock(f"{m} of {MANY:,} x {width}, k=8", lambda i=index, q=x[:m]: i.query(q, 8))


def maps(rng: np.random.Generator) -> None:
    """Placing and lifting."""
    latents = clusters(rng, USUAL, 12)
    atlas = LatentMap(latents.astype(np.float16), latents[:, :2], 1.0)
    z = latents[:100] + 0.1
    atlas.place(z), atlas.lift(z[:, :2])
    for m in (1, 100):
        clock(f"place {m}, {USUAL:,} x {WIDTH}", lambda m=m: atlas.place(z[:m]))
        clock(f"lift {m}, {USUAL:,} x {WIDTH}", lambda m=m: atlas.lift(z[:m, :2]))


def walks(rng: np.random.Generator, groups: int) -> None:
    """The graph, once, and paths of 50 points; percentiles and `pull`."""
    latents, about = clusters(rng, USUAL, groups), f"{groups} clusters"
    clock(f"graph, {about}", lambda: Graph.build(latents), 3)
    manifold = Manifold(latents)
    clock(f"first percentile, {about}", lambda: Manifold(latents).percentile(latents[:1]), 3)
    manifold.percentile(latents[:1]), manifold.graph
    clock(f"percentile of 100, {about}", lambda: manifold.percentile(latents[:100] + 1))
    clock(f"pull 100, {about}", lambda: manifold.pull(latents[:100] + 1))
    for kind in KINDS:
        for steps in (50, 200):
            pairs = iter(rng.choice(USUAL, (9, 2), replace=False))

            def walk(pairs=pairs, steps=steps, kind=kind) -> object:
                i, j = next(pairs)
                return make_path(latents[i], latents[j], steps, kind, manifold)

            clock(f"{kind} of {steps}, {about}", walk)


def main() -> None:
    """Print all figures."""
    print(f"{'milliseconds, one thread':44s} {'median':>10s} {'worst':>10s} {'processor':>10s}")
    rng = np.random.default_rng(0)
    searches(rng)
    maps(rng)
    for groups in (1, 12, 1_500):
        walks(rng, groups)


if __name__ == "__main__":
    sys.exit(main())
