"""Timing: the quickest of several calls, and what a busy machine does to it."""

from __future__ import annotations

import time

import pytest

from idist.planning.clock import Clock, threads


def test_work_that_takes_the_whole_budget_is_done_once() -> None:
    calls = []
    with threads(1):
        seconds = Clock("cpu").least(lambda: calls.append(_work(0.2)), 0.1)
    assert len(calls) == 1 and seconds == pytest.approx(0.2, rel=0.5)


def test_the_quickest_call_counts() -> None:
    lengths = iter([0.2, 0.05, *[0.1] * 1000])
    with threads(1):
        assert Clock("cpu").least(lambda: _work(next(lengths)), 3.0) < 0.1


def test_sleep_is_no_work_of_one_thread_on_a_cpu() -> None:
    clock = Clock("cpu")
    with threads(1):
        assert clock.seconds(lambda: time.sleep(0.3)) < 0.1
        clock.seconds(lambda: _work(0.2))
    assert clock.slowdown is not None and clock.slowdown > 1.5


def test_with_several_threads_the_wall_counts() -> None:
    clock = Clock("cpu")
    with threads(2):
        assert clock.seconds(lambda: time.sleep(0.2)) >= 0.2
    assert clock.slowdown is None


def _work(seconds: float) -> None:
    """So much processor time."""
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass
