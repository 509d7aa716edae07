"""Is the difference of two systems on the same examples more than chance? Both tests as in sacreBLEU.

*Paired bootstrap* (Koehn, 2004): the difference of the scores on bootstrap resamples, the same for both systems; the
p-value is the share of resamples whose absolute difference is above the mean of all by at least the observed one.
*Paired approximate randomization* (Riezler and Maxwell, 2005): the outputs of both systems are exchanged at random,
example by example; the p-value is the share of trials with an absolute difference of at least the observed one.
Either is (count + 1) / (trials + 1), so never 0.

One thing differs: a trial that *equals* the observed difference counts here, and does not in sacreBLEU. Ties hardly
happen but between systems that differ in few examples; there sacreBLEU's counting finds every difference significant,
and even that of a system from itself. One example can show no significance: p = 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from eval_harness.metrics.base import Floats, Metric
from eval_harness.statistics.resampling import RESAMPLES, bootstrap_scores, checked, interval, swaps
from idist.errors import UserError

TRIALS = {"bootstrap": RESAMPLES, "randomization": 10_000}  # sacreBLEU's defaults
_ROUNDING = 1e-9  # scores are up to 100; sums of other orders differ in the twelfth digit


@dataclass(frozen=True)
class Paired:
    """One metric's comparison of system A with system B.

    Attributes:
        a, b: scores of the two.
        difference: a - b.
        low, high: bootstrap interval of the difference.
        p_value: of the hypothesis that both systems are equally good, in (0, 1].
    """

    a: float
    b: float
    difference: float
    low: float
    high: float
    p_value: float


def paired_test(
    metric: Metric,
    a: Floats,
    b: Floats,
    test: str = "bootstrap",
    resamples: int | None = None,
    seed: int = 0,
    confidence: float = 0.95,
) -> Paired:
    """Compare two systems on the same examples.

    Args:
        a, b: (n, s) statistics of the two, row for row of the same examples.
        test: ``bootstrap`` or ``randomization``.
        resamples: resamples or trials; None: 1,000 for the one, 10,000 for the other.
        confidence: of the interval (always from bootstrap resamples).

    Raises:
        UserError: another test, different shapes, no example, or numbers out of range.
    """
    if test not in TRIALS:
        raise UserError(f"The test is {test!r}, expected one of: {', '.join(TRIALS)}.")
    trials = TRIALS[test] if resamples is None else resamples
    if a.shape != b.shape:
        raise UserError(f"The statistics of the two systems are {a.shape} and {b.shape}, expected the same shape.")
    a, b = checked(a, trials), checked(b, trials)
    score_a, score_b = metric.score(a), metric.score(b)
    observed = float(_settled(np.array(score_a - score_b)))
    resampled = trials if test == "bootstrap" else RESAMPLES
    differences = _settled(bootstrap_scores(metric, a, resampled, seed) - bootstrap_scores(metric, b, resampled, seed))
    low, high = interval(differences, confidence)
    if test == "bootstrap":
        chance = np.abs(differences) - np.abs(differences).mean()
    else:
        chance = np.abs(_randomized(metric, a, b, trials, seed))
    p_value = 1.0 if len(a) == 1 else (1 + int((chance >= abs(observed) - _ROUNDING).sum())) / (trials + 1)
    return Paired(score_a, score_b, observed, low, high, p_value)


def holm(p_values: Floats) -> Floats:
    """p-values of any shape, corrected for being so many (Holm, 1979): each still in 0..1, none below what it was.

    The k-th smallest of m is multiplied by m - k + 1, and is at least as large as the one before it.
    """
    flat = np.asarray(p_values, np.float64).ravel()
    order = np.argsort(flat, kind="stable")
    corrected = np.empty_like(flat)
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(flat[order] * np.arange(len(flat), 0, -1)))
    return corrected.reshape(np.shape(p_values))


def _randomized(metric: Metric, a: Floats, b: Floats, trials: int, seed: int) -> Floats:
    """(trials,) difference of the scores of two systems whose outputs were exchanged at random."""
    n, total, difference = len(a), (a + b).sum(axis=0), a - b
    found = []
    for weights in swaps(n, trials, seed):
        first = weights @ difference + b.sum(axis=0)
        found.append(metric.from_sums(first, n) - metric.from_sums(total - first, n))
    return _settled(np.concatenate(found))


def _settled(differences: Floats) -> Floats:
    """Differences that are rounding alone become 0."""
    return np.where(np.abs(differences) <= _ROUNDING, 0.0, differences)
