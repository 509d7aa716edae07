"""Scores of resamples, for any metric, from the (n, s) statistics of its examples.

A resample is a row of weights over the examples: how often each was drawn (bootstrap), or whether it was taken from
one system or the other (approximate randomization). Weights times statistics are the sums of all resamples, and
`Metric.from_sums` turns those into scores, all at once. The weights depend on nothing but the number of examples, the
number of resamples and the seed: every system and every metric is judged on the same resamples. They are made in
chunks, so that memory does not grow with the number of resamples, and drawn in sacreBLEU's order: with its seed, they
are its resamples.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from eval_harness.metrics.base import Floats, Metric
from idist.errors import UserError

RESAMPLES = 1000  # sacreBLEU's default
_CELLS = 1 << 20  # weights at a time: 8 MiB
_WORD = 32  # numpy draws booleans from 32-bit words; a chunk of whole words leaves the sequence as it is


def bootstrap(
    metric: Metric, statistics: Floats, resamples: int = RESAMPLES, seed: int = 0, confidence: float = 0.95
) -> tuple[float, float]:
    """Percentile interval of the score, from bootstrap resamples of the examples.

    Args:
        statistics: (n, s), what ``metric.statistics`` gave; with n = 1 the interval is the score.
        resamples: how many, 1 or more.
        confidence: share of the resamples' scores inside the interval, in 0..1 (ends excluded).

    Returns:
        Its ends, in the unit of the score.

    Raises:
        UserError: no example, fewer than one resample, or a confidence outside 0..1.
    """
    return interval(bootstrap_scores(metric, statistics, resamples, seed), confidence)


def bootstrap_scores(metric: Metric, statistics: Floats, resamples: int = RESAMPLES, seed: int = 0) -> Floats:
    """(resamples,) the score of each bootstrap resample; equal for equal statistics, seed and number."""
    statistics = checked(statistics, resamples)
    n = len(statistics)
    return np.concatenate([metric.from_sums(weights @ statistics, n) for weights in draws(n, resamples, seed)])


def interval(scores: Floats, confidence: float) -> tuple[float, float]:
    """Ends of the interval that leaves the same number of the (R,) scores out on either side, as in sacreBLEU."""
    if not 0.0 < confidence < 1.0:
        raise UserError(f"confidence is {confidence}, expected a number between 0 and 1.")
    # 1000 * (1 - 0.9) / 2 is 49.99999999999999 in floating point
    outside = int(len(scores) * (1.0 - confidence) / 2.0 + 1e-9)
    ordered = np.sort(scores)
    return float(ordered[outside]), float(ordered[len(scores) - 1 - outside])


def draws(n: int, resamples: int, seed: int) -> Iterator[Floats]:
    """Bootstrap weights, chunk by chunk: (rows, n), how often each example is in each resample; rows sum to n."""
    generator = np.random.default_rng(seed)
    for rows in _chunks(n, resamples):
        chosen = generator.integers(0, n, size=(rows, n))
        chosen += n * np.arange(rows)[:, None]
        yield np.bincount(chosen.ravel(), minlength=rows * n).reshape(rows, n).astype(np.float64)


def swaps(n: int, trials: int, seed: int) -> Iterator[Floats]:
    """Randomization weights, chunk by chunk: (rows, n), 1.0 where a trial takes the first system's output, or 0.0."""
    generator = np.random.default_rng(seed)
    for rows in _chunks(n, trials):
        yield generator.integers(2, size=(rows, n), dtype=bool).astype(np.float64)


def checked(statistics: Floats, resamples: int) -> Floats:
    """(n, s) float64 in one piece of memory.

    Raises:
        UserError: no example, or fewer than one resample.
    """
    if resamples < 1:
        raise UserError(f"resamples is {resamples}, expected 1 or more.")
    if not len(statistics):
        raise UserError("There are no examples to resample, expected at least one.")
    return np.ascontiguousarray(statistics, dtype=np.float64)


def _chunks(n: int, resamples: int) -> Iterator[int]:
    size = max(1, _CELLS // (n * _WORD)) * _WORD
    for start in range(0, resamples, size):
        yield min(size, resamples - start)
