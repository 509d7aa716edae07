"""Pairs drawn from a stream of unknown length, each as likely as any other, by random keys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np


class Keys:
    """A random number in [0, 1) for each pair of a stream, in its order; the same seed gives the same ones."""

    def __init__(self, seed: int) -> None:
        self._generator = np.random.default_rng(seed)

    def next(self, count: int) -> np.ndarray:
        """(count,) of the next pairs."""
        return self._generator.random(count)


class Lowest:
    """The pairs with the lowest keys: a sample without replacement, which reading in another batch size leaves alone.

    Args:
        size: how many at most, 1 or more.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._limit = np.inf
        self._kept: list[tuple[float, str, str]] = []

    def offer(self, keys: np.ndarray, sources: Sequence[str], targets: Sequence[str]) -> None:
        """Pairs of the stream with their keys."""
        for place in np.flatnonzero(keys < self._limit).tolist():
            self._kept.append((float(keys[place]), sources[place], targets[place]))
        if len(self._kept) > 2 * self._size:
            self._cut()

    def pairs(self) -> tuple[list[str], list[str]]:
        """Sources and targets of the sample, in random order (that of the keys)."""
        self._cut()
        return [source for _, source, _ in self._kept], [target for _, _, target in self._kept]

    def _cut(self) -> None:
        self._kept = sorted(self._kept)[: self._size]
        if len(self._kept) == self._size:
            self._limit = self._kept[-1][0]


def key_limit(counts: Iterator[int], size: int, seed: int) -> float:
    """The key below which exactly ``size`` pairs of the stream lie, or infinity if it has no more than that.

    Args:
        counts: pairs in each batch of the stream.
    """
    keys, lowest = Keys(seed), np.zeros(0)
    for count in counts:
        lowest = np.concatenate([lowest, keys.next(count)])
        if len(lowest) > 4 * size + 100_000:
            lowest = np.partition(lowest, size)[: size + 1]
    return float(np.partition(lowest, size)[size]) if len(lowest) > size else np.inf
