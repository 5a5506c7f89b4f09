"""Does `genbat build crystals` give the shipped labels again?

Labels a random 1 % of the shipped crystals anew and compares their energies:
`python benchmarks/relabel.py [SHARE] [SEED]`; some minutes on one core.

Whole chunks are chosen, as the build makes them. Crystals that are relaxed in one batch share their
rounding, and of the dynamically unstable ones some fall into another minimum when it differs in the
last digit; the same batches repeat the same numbers.
"""

import sys
import warnings

import numpy as np
import torch

from genbat.domains.crystals import data
from genbat.domains.crystals.build import chunks_of
from genbat.domains.crystals.candidates import all_candidates
from genbat.domains.crystals.labelling import label_many
from genbat.domains.crystals.table import table_row

CLOSE_EV = 0.005  # eV/atom
SHARE, SEED = 0.01, 0


def chosen(known, share, seed):
    """Random chunks that hold at least this share of the known crystals."""
    wanted, found, count = share * len(known), [], 0
    chunks = chunks_of(all_candidates())
    for k in np.random.default_rng(seed).permutation(len(chunks)):
        mine = sum(one.name in known for one in chunks[k])
        if mine:
            found.append(chunks[k])
            count += mine
        if count >= wanted:
            break
    return found


def main():
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    share = float(sys.argv[1]) if len(sys.argv) > 1 else SHARE
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else SEED
    table = data.load().table
    known = dict(zip(table["name"], table["energy_ev"].astype(float), strict=True))
    gaps, lost = {}, {}
    for chunk in chosen(known, share, seed):
        for row in map(table_row, label_many(chunk)):
            if row["name"] not in known:
                continue
            if row["failed"]:
                lost[row["name"]] = row["failed"]
            else:
                gaps[row["name"]] = abs(row["energy_ev"] - known[row["name"]])
    total = len(gaps) + len(lost)
    if not total:
        print("no shipped crystal is among the candidates")
        return
    close = sum(gap < CLOSE_EV for gap in gaps.values())
    print(
        f"{total} of {len(known)} shipped crystals labelled anew: {close} ({close / total:.1%}) "
        f"within {1000 * CLOSE_EV:g} meV/atom, largest difference "
        f"{1000 * max(gaps.values(), default=0.0):.1f} meV/atom"
    )
    for name, gap in sorted(gaps.items(), key=lambda pair: -pair[1])[:5]:
        if gap >= CLOSE_EV:
            print(f"  {name}: {1000 * gap:.1f} meV/atom")
    for name, reason in lost.items():
        print(f"  {name}: has no label any more ({reason})")


if __name__ == "__main__":
    main()
