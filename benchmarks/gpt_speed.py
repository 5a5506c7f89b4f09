"""Polymers a second on one core: with the key-value cache and without, at equal weights.

    python benchmarks/gpt_speed.py [--n 1024]

"without" is minGPT's own way of sampling: the whole row goes through the network again for every
token, rows that are finished go on to the end, temperature 1, no nucleus. Valid, unique and new are
counted alike for all, new against the training set where the folder of data that do not ship is
there (GENBAT_DATA). The published study's own network (gpt-nano, 3 layers of 48) is timed with
start values, which costs the same, and as if all that it writes were valid, unique and new.
"""

import argparse
import os
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch

from genbat.core import paths
from genbat.domains.polymers.repeat_unit import normal
from genbat.domains.polymers.tokens import END
from genbat.families.transformer import GPT, Style
from genbat.studio import registry
from genbat.systems.polymer_words import BLOCK, FIRST, UNTOLD
from genbat.systems.polymergpt import Plan

PLAIN = Style()  # temperature 1, all tokens, no guidance


def trained_on():
    """Normal forms of the training set, empty where it is not here."""
    if paths.beside() is None:
        return set()
    from genbat.studio.training_polymers import gather

    return set(gather(None).examples.rows("train")["text"])


def offered(system, n):
    """As the app samples, illegal ones written again."""
    return [candidate.text for candidate in system.sample(n)]


def cached(system, n):
    """With the cache alone: each written once, in minGPT's style."""
    plan = Plan(style=PLAIN)
    texts = [
        text
        for first in range(0, n, system.block)
        for text in system.write(UNTOLD, [], 0, first, plan=plan)
    ]
    return texts[:n]


@torch.inference_mode()
def rows_of(network, longest, legal, generator):
    """BLOCK rows as minGPT writes them: every token costs the whole row."""
    rows = torch.full((BLOCK, 1), UNTOLD)
    for _ in range(longest - 1):
        scores = network(rows)[:, -1].masked_fill(~legal(rows), -torch.inf)
        rows = torch.cat([rows, torch.multinomial(scores.softmax(1), 1, generator=generator)], 1)
    return rows


def uncached(system, n):
    """As minGPT samples, with the system's weights."""
    known, texts, generator = system.vocabulary, [], torch.Generator().manual_seed(0)
    end = known.tokens.index(END)
    for _ in range(0, n, BLOCK):
        rows = rows_of(system.network, system.config.longest, system._text, generator)
        for row in rows[:, 1:].tolist():
            texts.append(known.text(row[: row.index(end)] if end in row else row))
    return texts[:n]


def published(system, n):
    """Rows a second of minGPT's sampler with the network of the study."""
    own = system.config
    nano = GPT(len(own.tokens), own.longest, 48, 3, 3).eval()
    legal = lambda rows: (torch.arange(len(own.tokens)) >= FIRST).expand(len(rows), -1)  # noqa: E731
    generator = torch.Generator().manual_seed(0)
    rows_of(nano, own.longest, legal, generator)
    begin = time.perf_counter()
    for _ in range(0, n, BLOCK):
        rows_of(nano, own.longest, legal, generator)
    return BLOCK * -(-n // BLOCK) / (time.perf_counter() - begin)


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
    ways = {"as the app samples": offered, "with the cache": cached, "without it": uncached}
    for name, way in ways.items():
        way(system, BLOCK)
        begin = time.perf_counter()
        texts = way(system, n)
        seconds = time.perf_counter() - begin
        shares, count = good(texts, known)
        rates[name] = count / seconds
        told = " ".join(f"{share:7.3f}" for share in shares)
        print(f"{name:28} {seconds:7.2f} {told} {rates[name]:8.0f}", flush=True)
    app, with_cache, without = rates.values()
    nano = published(system, n)
    print(f"{'published size, at most':28} {n / nano:7.2f} {'':23} {nano:8.0f}")
    print(f"cache at equal weights, times as many good ones: {with_cache / max(without, 1e-9):.1f}")
    print(f"the app beside the published size: {app / nano:.1f}")


if __name__ == "__main__":
    main()
