"""Polymers a second on one core: with the key-value cache and without, at equal weights.

    python benchmarks/gpt_speed.py [--n 1024]

"without" is minGPT's own way of sampling: the whole row goes through the network again for every
token, rows that are finished go on to the end, temperature 1, no nucleus. Valid, unique and new are
counted alike for both, new against the training set where the folder of data that do not ship is
there (GENBAT_DATA).
"""

import argparse
import os
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch

from genbat.core import paths
from genbat.domains.polymers.repeat_unit import normal
from genbat.domains.polymers.tokens import END
from genbat.families.transformer import Style
from genbat.studio import registry
from genbat.systems.polymer_words import BLOCK, UNTOLD

PLAIN = Style()  # temperature 1, all tokens, no guidance


def trained_on():
    """Normal forms of the training set, empty where it is not here."""
    if paths.beside() is None:
        return set()
    from genbat.studio.training_polymers import gather

    return set(gather(None).examples.rows("train")["text"])


def cached(system, n):
    """As GenBat samples."""
    texts = [
        text
        for first in range(0, n, BLOCK)
        for text in system.write(UNTOLD, [], 0, first, style=PLAIN)
    ]
    return texts[:n]


@torch.inference_mode()
def uncached(system, n):
    """As minGPT samples: every token costs the whole row."""
    known, longest = system.vocabulary, system.config.longest
    generator, texts = torch.Generator().manual_seed(0), []
    for _ in range(0, n, BLOCK):
        rows = torch.full((BLOCK, 1), UNTOLD)
        for _ in range(longest - 1):
            scores = system.network(rows)[:, -1].masked_fill(~system._text(rows), -torch.inf)
            new = torch.multinomial(scores.softmax(1), 1, generator=generator)
            rows = torch.cat([rows, new], 1)
        end = known.tokens.index(END)
        for row in rows[:, 1:].tolist():
            texts.append(known.text(row[: row.index(end)] if end in row else row))
    return texts[:n]


def good(texts, known):
    """Shares of valid ones, of unique and of new among those, and how many are all three."""
    found = []
    for text in texts:
        try:
            found.append(normal(text).text)
        except ValueError:
            continue
    unique = set(found)
    new = unique - known
    shares = (
        len(found) / len(texts),
        len(unique) / max(1, len(found)),
        len(new) / len(unique or "1"),
    )
    return shares, len(new)


def main():
    """All of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=1024)
    n = parser.parse_args().n
    torch.set_num_threads(1)
    system, known, rates = registry.load("polymergpt"), trained_on(), {}
    print(f"{'':28} {'s':>7} {'valid':>7} {'unique':>7} {'new':>7} {'good/s':>8}   n = {n}")
    for name, way in (("with the cache", cached), ("without, as minGPT", uncached)):
        way(system, BLOCK)
        begin = time.perf_counter()
        texts = way(system, n)
        seconds = time.perf_counter() - begin
        shares, count = good(texts, known)
        rates[name] = count / seconds
        told = " ".join(f"{share:7.3f}" for share in shares)
        print(f"{name:28} {seconds:7.2f} {told} {rates[name]:8.0f}", flush=True)
    with_cache, without = rates.values()
    print(f"times as many good ones a second: {with_cache / max(without, 1e-9):.1f}")


if __name__ == "__main__":
    main()
