"""Growth of memory and its curve, from peaks that were measured."""

from __future__ import annotations

from benchmarks.memory import curve, figures

PEAKS = {"contexts of a text file": [(300.0, 10), (330.0, 80)], "pairs": [(500.0, 40), (600.0, 320)]}


def test_growth_beyond_a_tenth_misses_the_target() -> None:
    found = figures(PEAKS, "16 to 128 contexts")
    assert [(figure.ours, figure.reached) for figure in found] == [(1.1, True), (1.2, False)]


def test_the_curve_is_over_shards_of_contexts() -> None:
    drawn = curve(PEAKS, [16, 126], shard_size=4)
    assert drawn.lines == {"pairs": [(4, 500.0), (32, 600.0)]}, "own text has another number of shards"
