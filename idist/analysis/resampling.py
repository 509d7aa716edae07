"""Bootstrap intervals of a share or a mean, where what is drawn again is a whole context, source or segment.

Pairs of one context have much in common. Drawn one by one they would look like more evidence than they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

RESAMPLES = 1000
CONFIDENCE = 0.95
_CELLS = 1 << 20  # weights at a time: 8 MiB


@dataclass(frozen=True)
class Estimate:
    """A number and the ends of its percentile interval; all None where nothing was there to count.

    Attributes:
        units: what was drawn again: contexts, sources, segments.
    """

    value: float | None
    low: float | None
    high: float | None
    units: int

    def scaled(self, factor: float) -> Estimate:
        """In another unit: times ``factor``."""
        if self.value is None or self.low is None or self.high is None:
            return self
        return Estimate(factor * self.value, factor * self.low, factor * self.high, self.units)

    def unless_single(self) -> Estimate:
        """Without an interval where less than two units were there: drawn again, one unit gives itself."""
        return Estimate(self.value, None, None, self.units) if self.units < 2 else self


def estimate(numerators: np.ndarray, denominators: np.ndarray, resamples: int = RESAMPLES, seed: int = 0) -> Estimate:
    """Sum of numerators over sum of denominators, with a bootstrap interval.

    Args:
        numerators: (U,) of each unit.
        denominators: (U,) 0 or more; a mean over pairs has the number of pairs here.
        resamples: how many times U units are drawn, 1 or more. Those whose denominators sum to 0 are left out.
        seed: of the draws.
    """
    top = np.asarray(numerators, np.float64)
    bottom = np.asarray(denominators, np.float64)
    if not bottom.sum():
        return Estimate(None, None, None, len(bottom))
    drawn = _resampled(np.stack([top, bottom], axis=1), resamples, seed)
    ratios = np.sort(drawn[drawn[:, 1] > 0, 0] / drawn[drawn[:, 1] > 0, 1])
    value = float(top.sum() / bottom.sum())
    if not len(ratios):
        return Estimate(value, value, value, len(bottom))
    outside = int(len(ratios) * (1 - CONFIDENCE) / 2 + 1e-9)  # left out on either side
    return Estimate(value, float(ratios[outside]), float(ratios[-1 - outside]), len(bottom))


def clustered(values: np.ndarray, clusters: np.ndarray, resamples: int = RESAMPLES, seed: int = 0) -> Estimate:
    """Mean of (N,) values, NaN left out, with whole clusters drawn again; ``clusters``: (N,) int from 0."""
    there = ~np.isnan(values)
    size = int(clusters.max()) + 1 if len(clusters) else 0
    sums = np.bincount(clusters[there], values[there], minlength=size)
    counts = np.bincount(clusters[there], minlength=size)
    return estimate(sums[counts > 0], counts[counts > 0], resamples, seed)


def _resampled(sums: np.ndarray, resamples: int, seed: int) -> np.ndarray:
    """(U, S) sums of units -> (resamples, S) sums of bootstrap resamples, in chunks of bounded memory."""
    units = len(sums)
    generator = np.random.default_rng(seed)
    rows = max(1, _CELLS // units)
    parts = []
    for start in range(0, resamples, rows):
        size = (min(rows, resamples - start), units)
        chosen = generator.integers(0, units, size=size) + units * np.arange(size[0])[:, None]
        parts.append(np.bincount(chosen.ravel(), minlength=size[0] * units).reshape(size) @ sums)
    return np.concatenate(parts)
