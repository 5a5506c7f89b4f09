"""Structures relaxed per core-second: the batched relaxer beside chgnet's own, and against it.

Same cells (at most 14 atoms), same noise, same stop (fmax 0.05), one thread, one process:
`python benchmarks/relax_speed.py [N]`. Times are CPU seconds of this process.
"""

import sys
import time
import warnings

import torch

from genbat.domains.crystals.candidates import all_candidates, build_cell
from genbat.domains.crystals.chgnet_batch import evaluator
from genbat.domains.crystals.relax import Settings, perturbed, relax
from genbat.domains.crystals.structure import structure_of

FMAX = 0.05
WANTED = 5  # times as many structures a core-second as chgnet with BFGS
STEPS = 200


def cells(n):
    """The first n substituted candidates of at most 14 atoms, with noise."""
    found = []
    for one in all_candidates():
        if one.prototype == "random" or one.ideal:
            continue
        cell = build_cell(one)
        if len(cell.numbers) <= 14:
            found.append((one.name, perturbed(cell, one.seed)))
        if len(found) == n:
            return found
    return found


def ours(starts):
    begin = time.process_time()
    ends = {r.key: r for r in relax(evaluator(), starts, Settings(fmax=FMAX, steps=STEPS))}
    return ends, time.process_time() - begin


def stock(starts, optimizer):
    from chgnet.model.dynamics import StructOptimizer

    relaxer = StructOptimizer(optimizer_class=optimizer, use_device="cpu")
    ends, begin = {}, time.process_time()
    for name, cell in starts:
        try:
            result = relaxer.relax(structure_of(cell), fmax=FMAX, steps=STEPS, verbose=False)
            ends[name] = result["trajectory"].energies[-1] / len(cell.numbers)
        except Exception as wrong:  # its relaxer has no gates
            print(f"  chgnet failed on {name}: {wrong}")
    return ends, time.process_time() - begin


def main():
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 24
    starts = cells(n)
    evaluator()([cell for _, cell in starts[:4]])  # loaded and warm
    atoms = sum(len(cell.numbers) for _, cell in starts) / len(starts)
    print(f"{len(starts)} crystals, {atoms:.1f} atoms on average, fmax {FMAX} eV/Å")
    ends, seconds = ours(starts)
    steps = sum(r.steps for r in ends.values()) / len(ends)
    good = sum(not r.failed for r in ends.values())
    rate = len(starts) / seconds
    print(f"GenBat, batched BFGS: {seconds:.1f} s, {3600 * rate:,.0f} an hour, {steps:.0f} steps, "
          f"{good} converged")  # fmt: skip
    for optimizer in ("BFGS", "FIRE"):
        energies, theirs = stock(starts, optimizer)
        gaps = [abs(energies[k] - ends[k].energy) for k in energies if not ends[k].failed]
        gaps.sort()
        print(
            f"chgnet, {optimizer}: {theirs:.1f} s, {3600 * len(starts) / theirs:,.0f} an hour; "
            f"GenBat is {theirs / seconds:.1f} times as fast (bar: {WANTED} with BFGS); "
            f"energies differ by {1000 * gaps[len(gaps) // 2]:.2f} meV/atom in the median, "
            f"{sum(g < 0.005 for g in gaps)} of {len(gaps)} within 5"
        )


if __name__ == "__main__":
    main()
