"""The two curves of the paper's figure 3, out of judged pairs.

Pairs are pairs of samples: a sentence drawn three times is in three pairs with itself, and a pair of sentences drawn
three and two times counts six. A pair is one of three things: *equal* (the same string), *equivalent* (different
strings that entail each other), or neither. The paper speaks of the pairs of 100 generations and does not say what it
does with equal ones. A copy entails itself, so the plain reading counts it as equivalent, with a Self-BLEU of 100; but
a copy is no paraphrase. So each number is given twice: over pairs of different sentences, and ``with_equal`` ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from idist.analysis.resampling import RESAMPLES, Estimate, estimate

# Columns of `count_pairs`.
ALL, EQUAL, EQUIVALENT, BLEU, SURE, SURE_BLEU = range(6)


@dataclass(frozen=True)
class Point:
    """One point of a curve; ratios in percent, Self-BLEU in 0..100, intervals over contexts.

    Attributes:
        at: number of sentences in the context, or temperature.
        contexts: how many.
        pairs: of samples, equal ones among them.
        equal: share of pairs of the same string.
        ratio, self_bleu: equivalent ones among the pairs of different strings; mean of the equivalent ones.
        ratio_with_equal, self_bleu_with_equal: the same with equal strings counted as equivalent.
        ratio_sure, self_bleu_sure: as the first two, where both probabilities of entailment are at least the critic's
            `min` (with ``decide: probability`` the same as the first two).
    """

    at: float
    contexts: int
    pairs: int
    equal: Estimate
    ratio: Estimate
    self_bleu: Estimate
    ratio_with_equal: Estimate
    self_bleu_with_equal: Estimate
    ratio_sure: Estimate
    self_bleu_sure: Estimate

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def count_pairs(row: Mapping[str, Any], threshold: float) -> np.ndarray:
    """(6,) float64 of one context's row (`idist.analysis.proximity.judged_rows`): all pairs of samples; equal ones;
    equivalent ones of different strings, and the sum of their Self-BLEU; those two again for the pairs with both
    probabilities at ``threshold`` or above."""
    counts = np.array(row["counts"], np.float64)
    drawn = counts.sum()
    weights = counts[row["x"]] * counts[row["y"]] if row["x"] else np.zeros(0)
    bleu = np.array(row["self_bleu"], np.float64)
    least = np.minimum(np.array(row["entailment_xy"], np.float32), np.array(row["entailment_yx"], np.float32))
    sure = weights * (least >= np.float32(threshold))
    return np.array(
        [
            drawn * (drawn - 1) / 2,
            (counts * (counts - 1) / 2).sum(),
            weights.sum(),
            (weights * bleu).sum(),
            sure.sum(),
            (sure * bleu).sum(),
        ]
    )


def point(at: float, sums: np.ndarray, seed: int, resamples: int = RESAMPLES) -> Point:
    """Numbers of some contexts; ``sums``: (contexts, 6) of `count_pairs`."""

    def share(top: np.ndarray, bottom: np.ndarray, factor: float = 100.0) -> Estimate:
        return estimate(top, bottom, resamples, seed).scaled(factor)

    different = sums[:, ALL] - sums[:, EQUAL]
    same_too = sums[:, EQUIVALENT] + sums[:, EQUAL]
    return Point(
        at=at,
        contexts=len(sums),
        pairs=int(sums[:, ALL].sum()),
        equal=share(sums[:, EQUAL], sums[:, ALL]),
        ratio=share(sums[:, EQUIVALENT], different),
        self_bleu=share(sums[:, BLEU], sums[:, EQUIVALENT], 1.0),
        ratio_with_equal=share(same_too, sums[:, ALL]),
        self_bleu_with_equal=share(sums[:, BLEU] + 100 * sums[:, EQUAL], same_too, 1.0),
        ratio_sure=share(sums[:, SURE], different),
        self_bleu_sure=share(sums[:, SURE_BLEU], sums[:, SURE], 1.0),
    )


def curves(
    rows: Mapping[float, Sequence[Mapping[str, Any]]], temperature: float, threshold: float, seed: int
) -> dict[str, list[Point]]:
    """Both curves.

    Args:
        rows: temperature -> rows of its contexts, the same contexts at each.
        temperature: at which the context's length is varied; the temperature is varied over contexts of all lengths.
        threshold: see `count_pairs`.
        seed: of the intervals.

    Returns:
        ``length`` and ``temperature``, points in rising order.
    """
    sums = {at: np.array([count_pairs(row, threshold) for row in own]) for at, own in sorted(rows.items())}
    lengths = np.array([row["num_sentences"] for row in rows[temperature]])
    return {
        "length": [
            point(float(length), sums[temperature][lengths == length], seed) for length in np.unique(lengths).tolist()
        ],
        "temperature": [point(at, own, seed) for at, own in sums.items()],
    }
