"""2- and 3-gram entropy of pairs: ours against a plain Counter, on the same text, in one process.

    python benchmarks/entropy.py

Pairs of 8 to 24 words are made up from 60,000 words that are distributed as words are (Zipf). First ours alone reads
``--pairs`` of them (a million), as `recipes/dataset_quality.py` does; then both read the first ``--counter`` pairs, for
the Counter keeps every different n-gram in memory. Prints seconds, memory and ratios; a difference in the entropies is
an error (exit code 1). Seconds are of CPU time, so that other work on the machine does not count; making up the text
does not count either.
"""

from __future__ import annotations

import argparse
import math
import re
import resource
import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.record import command, positive
from idist.analysis.ngrams import NgramCounts
from idist.analysis.pair_data import BATCH
from idist.analysis.words import Words

VOCABULARY = 60_000
WORD = re.compile(r"[^\W_]+|[^\w\s]|_")  # what `Words` does, for text without marks of other scripts


def texts(pairs: int, seed: int) -> Iterator[list[str]]:
    """Sources and targets, batch by batch."""
    generator = np.random.default_rng(seed)
    weights = 1 / np.arange(1, VOCABULARY + 1) ** 1.05
    ends = np.cumsum(weights / weights.sum())
    vocabulary = [f"w{number}" for number in range(VOCABULARY)]
    for start in range(0, pairs, BATCH):
        lengths = generator.integers(8, 25, size=2 * min(BATCH, pairs - start))
        drawn = np.searchsorted(ends, generator.random(int(lengths.sum()))).clip(0, VOCABULARY - 1).tolist()
        at, batch = 0, []
        for length in lengths.tolist():
            batch.append(" ".join(vocabulary[number] for number in drawn[at : at + length]).capitalize() + ".")
            at += length
        yield batch


def ours(pairs: int, seed: int) -> tuple[list[float], float, int]:
    """Entropies for n = 2 and 3, CPU seconds, words."""
    words, counts, seconds, total = Words(), [NgramCounts(2), NgramCounts(3)], 0.0, 0
    for batch in texts(pairs, seed):
        start = time.process_time()
        numbers, lengths = words.read(batch)
        for one in counts:
            one.add(numbers, lengths)
        seconds += time.process_time() - start
        total += len(numbers)
    start = time.process_time()
    found = [one.entropy() or 0.0 for one in counts]
    return found, seconds + time.process_time() - start, total


def plain(pairs: int, seed: int) -> tuple[list[float], float]:
    """The same by Counters of tuples of strings."""
    counters: list[Counter[tuple[str, ...]]] = [Counter(), Counter()]
    seconds = 0.0
    for batch in texts(pairs, seed):
        start = time.process_time()
        for text in batch:
            words = WORD.findall(text.lower())
            counters[0].update(pairwise(words))
            counters[1].update(zip(words, words[1:], words[2:], strict=False))
        seconds += time.process_time() - start
    start = time.process_time()
    found = []
    for counter in counters:
        total = sum(counter.values())
        found.append(math.log2(total) - sum(count * math.log2(count) for count in counter.values()) / total)
    return found, seconds + time.process_time() - start


def main() -> int:
    """Measure both and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=positive, default=1_000_000, help="pairs that ours reads alone")
    parser.add_argument("--counter", type=positive, default=100_000, help="pairs that both read")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()

    ours(1000, args.seed)  # loads pyarrow
    before = _peak()
    found, seconds, words = ours(args.pairs, args.seed)
    print(f"{args.pairs:,} pairs, {words:,} words: H2 {found[0]:.4f}, H3 {found[1]:.4f} in {seconds:.1f} s", end="")
    print(f" ({words / seconds / 1e6:.1f} million words a second); memory {before:,.0f} -> {_peak():,.0f} MB")
    fast, fast_seconds, words = ours(args.counter, args.seed)
    before = _peak()
    slow, slow_seconds = plain(args.counter, args.seed)
    print(f"{args.counter:,} pairs, {words:,} words: idist {fast_seconds:.2f} s, Counter {slow_seconds:.2f} s", end="")
    print(f" (ratio {slow_seconds / fast_seconds:.1f}); memory of the Counter {before:,.0f} -> {_peak():,.0f} MB")
    same = all(math.isclose(a, b, rel_tol=1e-12) for a, b in zip(fast, slow, strict=True))
    print(f"same entropies: {same}")
    return 0 if same else 1


def _peak() -> float:
    """Largest memory of this process so far, in MB."""
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / (1 << 20) if sys.platform == "darwin" else used / 1024


if __name__ == "__main__":
    command(main)
