"""Words of pairs: how many two sides share, how many different ones there are in a row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from idist.analysis.resampling import Estimate, estimate
from idist.analysis.words import Words

SEGMENT = 100  # words; the usual choice (MSTTR-100). The paper does not say.


def jaccard(first: tuple[np.ndarray, np.ndarray], second: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Shared words over all words of each pair; a word counts once on each side.

    Args:
        first, second: numbers of the words and lengths of N texts (`Words.read`).

    Returns:
        (N,) float64 in [0, 1]; 0 for two texts without a word.
    """
    sides = [_sets(*side) for side in (first, second)]
    return np.array([len(a & b) / max(1, len(a | b)) for a, b in zip(*sides, strict=True)], np.float64)


def msttr(
    sources: Sequence[str], targets: Sequence[str], segment: int = SEGMENT, resamples: int = 1000, seed: int = 0
) -> Estimate:
    """Mean segmental type-token ratio (Torruella and Capsada 2013), in [0, 1].

    All sources, one after the other, are cut into segments of so many words, and so are all targets; what is left at
    the end is not counted. A segment never has both sides of a pair: a paraphrase repeats words of its source, and the
    ratio would tell that instead of how rich the words are. For the same reason the pairs should come in random order.

    Args:
        sources, targets: texts of the pairs.
        segment: words in a segment, 1 or more.

    Returns:
        The mean over segments; the k-th of the sources and the k-th of the targets are drawn again together.
    """
    words = Words()
    ratios = [_ratios(words.read(side)[0], segment) for side in (sources, targets)]
    sums = np.zeros((max(map(len, ratios)), 2))
    for side in ratios:
        sums[: len(side)] += np.stack([side, np.ones(len(side))], axis=1)
    return estimate(sums[:, 0], sums[:, 1], resamples, seed)


def _ratios(words: np.ndarray, segment: int) -> np.ndarray:
    whole = len(words) // segment
    rows = np.sort(words[: whole * segment].reshape(whole, segment), axis=1)
    return (1 + (np.diff(rows, axis=1) != 0).sum(axis=1)) / segment


def _sets(words: np.ndarray, lengths: np.ndarray) -> list[set[int]]:
    numbers, ends = words.tolist(), np.cumsum(lengths).tolist()
    return [set(numbers[start:stop]) for start, stop in zip([0, *ends], ends, strict=False)]
