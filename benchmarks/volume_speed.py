"""Speed of microstructures and interphases on one core, against what is wanted of it.

    python benchmarks/volume_speed.py [--repeats 3]

Times are wall seconds of one thread, the best of some repeats. The generator's time does not depend
on its weights, so that it is measured with fresh ones where the trained ones are not here.
"""

import argparse
import time

import torch

from genbat.domains.interphases.kmc import Barriers, grow
from genbat.domains.microstructures.generator import Recipe, make
from genbat.domains.microstructures.labelling import in_turn
from genbat.domains.microstructures.statistics import two_point
from genbat.studio import registry
from genbat.systems.slicegan import SliceGAN
from genbat.systems.slicegan_network import Config, Generator

WANTED_EVENTS = 1e6  # a second, of the kinetic Monte Carlo


def slicegan():
    """The trained one, or one of the same size."""
    if registry.trained("slicegan"):
        return registry.load("slicegan")
    return SliceGAN(Config(), Generator(Config()))


def best(task, repeats):
    """Seconds of the quickest of some runs."""
    seconds = []
    for k in range(repeats):
        begin = time.perf_counter()
        task(k)
        seconds.append(time.perf_counter() - begin)
    return min(seconds)


def line(name, seconds, wanted, how):
    """One row of the report."""
    held = "held" if seconds <= wanted else "MISSED"
    print(f"{name:44} {seconds:8.3f} s   wanted {wanted:g} s: {held}   ({how})", flush=True)


def volumes(repeats):
    """Generator, correlation, and all physics of a card."""
    system, large = slicegan(), make(Recipe(size=128), 0)
    line("slicegan 128^3", best(lambda k: system.volume(128, seed=k), repeats), 2.0, "one thread")
    line("slicegan 256^3", best(lambda k: system.volume(256, seed=k), repeats), 12.0, "one thread")
    masks = [large.mask(phase) for phase in range(3)]
    correlated = best(lambda k: two_point(masks[k % 3], 64), repeats)
    line("two-point correlation of 128^3, 3 axes", correlated, 0.2, "lags up to 64, one phase")
    small = [make(Recipe(size=64), k) for k in range(repeats)]
    line("all physics of a 64^3 card", best(lambda k: list(in_turn(small[k])), repeats), 5.0,
         "TauFactor, 4 solutions")  # fmt: skip
    first = best(lambda k: next(in_turn(small[k])), repeats)
    print(f"{'':44} {first:8.3f} s   until its first numbers", flush=True)


def growing(repeats):
    """Events a second of the kinetic Monte Carlo, compiled before."""
    grow(Barriers(), 0, most_events=1000)
    rates = []
    for k in range(repeats):
        begin = time.perf_counter()
        found = grow(Barriers(), k, time_s=1e9, most_events=3_000_000)
        rates.append(found.events / (time.perf_counter() - begin))
    held = "held" if max(rates) >= WANTED_EVENTS else "MISSED"
    print(f"{'kinetic Monte Carlo':44} {max(rates) / 1e6:8.2f} million events/s   wanted "
          f"{WANTED_EVENTS / 1e6:g}: {held}")  # fmt: skip


def main():
    """All of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats
    torch.set_num_threads(1)
    volumes(repeats)
    growing(repeats)


if __name__ == "__main__":
    main()
