"""Intervals that the benchmarks print."""

from __future__ import annotations

import pytest

from benchmarks.intervals import told, wilson


def test_wilson_against_known_values() -> None:
    # Newcombe (1998), Statistics in Medicine 17, table I, method 3
    for hits, total, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)):
        assert wilson(hits, total) == pytest.approx((low, high), abs=5e-5)
    assert wilson(29, 29) == pytest.approx((0.8830, 1.0), abs=5e-5)
    assert wilson(0, 0) == (0.0, 1.0)


def test_in_words() -> None:
    assert told(0, 0) == "0 of 0"
    assert told(1500, 2000) == "1,500 of 2,000 (75.00%, 95 % interval 73.06% to 76.85%)"
