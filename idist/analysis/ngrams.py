"""Entropy of n-grams, exact, in bounded memory: packed into integers, sorted in runs, merged by ranges.

Numbers of words are packed into 64 bits, so that counting is sorting integers. What does not fit into the memory that
is allowed goes to a temporary folder as sorted runs of (n-gram, count); at the end all runs are merged a range of
n-grams at a time. The counts are those of a plain `collections.Counter`, which would hold every different n-gram of the
data in memory.
"""

from __future__ import annotations

import math
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

MEMORY = 1 << 21  # n-grams held at once: about 100 MB while they are merged
STEP = 4096


class _Run:
    """Different n-grams in order and how often each came, in a file; every `STEP`-th n-gram stays in memory, so that
    places in it are found without mapping it (mapped pages count as memory)."""

    def __init__(self, path: Path, keys: np.ndarray, counts: np.ndarray) -> None:
        self._path, self._size, self.index = path, len(keys), keys[::STEP].copy()
        with path.open("wb") as file:
            keys.tofile(file)
            counts.astype(np.int32).tofile(file)

    def __len__(self) -> int:
        return self._size

    def place(self, key: int) -> int:
        """How many of its n-grams are below ``key``."""
        start = max(0, int(np.searchsorted(self.index, key)) - 1) * STEP
        return start + int(np.searchsorted(self.keys(start, min(self._size, start + STEP)), key))

    def keys(self, start: int, stop: int) -> np.ndarray:
        """n-grams from ``start`` up to ``stop``."""
        return np.fromfile(self._path, np.int64, stop - start, offset=8 * start)

    def counts(self, start: int, stop: int) -> np.ndarray:
        """How often each of them came."""
        return np.fromfile(self._path, np.int32, stop - start, offset=8 * self._size + 4 * start)


class NgramCounts:
    """How often each n-gram of words comes. n-grams do not reach from one text into the next.

    Args:
        n: 1 to 3.
        memory: n-grams held at once, 1 or more.
    """

    def __init__(self, n: int, memory: int = MEMORY) -> None:
        if n not in (1, 2, 3):
            raise ValueError(f"n is {n}, expected 1, 2 or 3")
        self.n = n
        self.total = 0
        self._bits = 63 // n
        self._memory = memory
        self._held = 0
        # Numbers too large for their share of 63 bits (from 2^21 words on, for n = 3) are cut into a low part, which is
        # packed, and a high part, which says in which compartment the n-gram is counted. Mostly there is one.
        self._waiting: dict[int, list[np.ndarray]] = {}
        self._runs: dict[int, list[_Run]] = {}
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def add(self, words: np.ndarray, lengths: np.ndarray) -> None:
        """Count the n-grams of texts.

        Args:
            words: (W,) int numbers in [0, 2^32) of the words of all texts.
            lengths: (N,) int, words in each text; they sum to W.
        """
        text = np.repeat(np.arange(len(lengths)), lengths)
        last = len(words) - self.n + 1
        if last < 1:
            return
        inside = text[:last] == text[self.n - 1 :]
        if not inside.any():  # words enough for an n-gram, but no text that is long enough
            return
        low = np.zeros(int(inside.sum()), np.int64)
        high = np.zeros(len(low), np.int64)
        for place in range(self.n):
            column = words[place : place + last][inside].astype(np.int64)
            low = (low << self._bits) | (column & ((1 << self._bits) - 1))
            high = (high << 11) | (column >> self._bits)
        self.total += len(low)
        parts = np.unique(high).tolist() if high.any() else [0]
        for part in parts:
            self._waiting.setdefault(part, []).append(low if len(parts) == 1 else low[high == part])
        self._held += len(low)
        if self._held >= self._memory:
            self._flush()

    def histogram(self) -> Counter[int]:
        """Count -> how many different n-grams came so often."""
        found: Counter[int] = Counter()
        if self._runs:
            self._flush()
        for waiting in self._waiting.values():
            _, counts = _counted(np.concatenate(waiting))
            _tally(counts, found)
        for part in sorted(self._runs):
            for counts in _merged(self._runs[part], self._memory):
                _tally(counts, found)
        return found

    def entropy(self) -> float | None:
        """In bits, 0 or more, at most log2 of the number of n-grams; None if there are none."""
        return entropy(self.histogram())

    def _flush(self) -> None:
        """What is held becomes sorted runs on disk."""
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="idist-ngrams-", ignore_cleanup_errors=True)
        for part, waiting in self._waiting.items():
            runs = self._runs.setdefault(part, [])
            runs.append(_Run(Path(self._folder.name) / f"{part}-{len(runs)}", *_counted(np.concatenate(waiting))))
        self._waiting, self._held = {}, 0


def entropy(histogram: Counter[int]) -> float | None:
    """Bits of a distribution, from how many things have each count; None if there is nothing."""
    total = sum(count * times for count, times in histogram.items())
    if not total:
        return None
    spent = math.fsum(times * count * math.log2(count) for count, times in sorted(histogram.items()))
    return max(0.0, math.log2(total) - spent / total)


def _tally(counts: np.ndarray, found: Counter[int]) -> None:
    values, times = np.unique(counts, return_counts=True)
    found.update(dict(zip(values.tolist(), times.tolist(), strict=True)))


def _counted(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Different keys in order, and how often each comes; sorts ``keys`` in place."""
    keys.sort()
    starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    return keys[starts], np.diff(starts, append=len(keys))


def _merged(runs: list[_Run], memory: int) -> Iterator[np.ndarray]:
    """Counts of the different n-grams of all runs, about ``memory`` entries of them at a time."""
    pieces = 1 + sum(map(len, runs)) // memory
    seen = np.sort(np.concatenate([run.index for run in runs]))
    cuts = np.unique(seen[np.linspace(0, len(seen) - 1, pieces + 1).astype(np.int64)[1:-1]]).tolist()
    edges = [[0, *map(run.place, cuts), len(run)] for run in runs]
    for piece in range(len(cuts) + 1):
        ranges = [(run, ends[piece], ends[piece + 1]) for run, ends in zip(runs, edges, strict=True)]
        keys = np.concatenate([run.keys(start, stop) for run, start, stop in ranges])
        if len(keys):
            order = np.argsort(keys, kind="stable")
            starts = np.flatnonzero(np.concatenate([[True], np.diff(keys[order]) != 0]))
            counts = np.concatenate([run.counts(start, stop) for run, start, stop in ranges])[order]
            yield np.add.reduceat(counts, starts, dtype=np.int64)
