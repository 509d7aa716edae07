"""Intervals: they cover what they should, and whole clusters are drawn."""

from __future__ import annotations

import numpy as np
import pytest

from idist.analysis.resampling import clustered, estimate
from idist.analysis.sampling import Keys, Lowest, key_limit


def test_value_is_the_ratio_of_sums() -> None:
    found = estimate(np.array([1.0, 0.0, 5.0]), np.array([2.0, 3.0, 5.0]))
    assert found.value == pytest.approx(0.6)
    assert found.low is not None and found.high is not None
    assert found.low <= 0.6 <= found.high and found.units == 3


def test_nothing_to_count_gives_none() -> None:
    assert estimate(np.zeros(2), np.zeros(2)).value is None
    assert estimate(np.zeros(0), np.zeros(0)).scaled(100).low is None


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    generator = np.random.default_rng(5)
    hits = 0
    for trial in range(200):
        drawn = generator.poisson(3.0, 60).astype(float)
        found = estimate(drawn, np.ones(60), resamples=300, seed=trial)
        assert found.low is not None and found.high is not None
        hits += found.low <= 3.0 <= found.high
    assert 0.88 <= hits / 200 <= 0.99


def test_equal_values_within_clusters_do_not_look_like_more_evidence() -> None:
    """Each value ten times over: as wide as once, and wider than drawing single values."""
    values = np.random.default_rng(1).normal(size=50)
    once = clustered(values, np.arange(50))
    ten = clustered(np.repeat(values, 10), np.repeat(np.arange(50), 10))
    single = clustered(np.repeat(values, 10), np.arange(500))
    assert (ten.low, ten.high) == (pytest.approx(once.low), pytest.approx(once.high))
    assert ten.high - ten.low > 2 * (single.high - single.low)  # type: ignore[operator]


def test_missing_values_are_left_out() -> None:
    found = clustered(np.array([1.0, np.nan, 3.0]), np.array([0, 1, 2]))
    assert found.value == 2.0 and found.units == 2


@pytest.mark.parametrize("size", [1, 7, 40])
def test_a_sample_does_not_depend_on_batches(size: int) -> None:
    names = [f"{n}" for n in range(40)]
    samples = []
    for batch in (1, 3, 40):
        keys, lowest = Keys(3), Lowest(size)
        for start in range(0, 40, batch):
            part = names[start : start + batch]
            lowest.offer(keys.next(len(part)), part, part)
        samples.append(lowest.pairs()[0])
    assert samples[0] == samples[1] == samples[2]
    assert len(set(samples[0])) == size


def test_every_pair_is_as_likely_as_any_other() -> None:
    times = np.zeros(10)
    for seed in range(600):
        lowest = Lowest(3)
        lowest.offer(Keys(seed).next(10), [str(n) for n in range(10)], [""] * 10)
        times[[int(name) for name in lowest.pairs()[0]]] += 1
    assert abs(times / 600 - 0.3).max() < 0.08


def test_a_key_limit_lets_exactly_so_many_through() -> None:
    limit = key_limit(iter([5, 0, 30, 7]), 12, seed=9)
    assert (Keys(9).next(42) < limit).sum() == 12
    assert key_limit(iter([5]), 12, seed=9) == np.inf
