"""What a machine can do at most, and which of its limits binds."""

from __future__ import annotations

import subprocess
import sys

import pytest

from benchmarks.counts import Work
from benchmarks.limits import Limits, bandwidths, matrix_rate, require_cuda
from benchmarks.record import ROOT, positive
from idist.errors import UserError

LIMITS = Limits("cpu", "float32", 1, matrix=100e9, copy=20e9, read=10e9)


def test_arithmetic_binds_where_it_takes_longer_than_memory() -> None:
    share = LIMITS.share(Work(flops=150e9, bytes=1e9), seconds=2.0)
    assert (share.achieved, share.limit, share.unit, share.of) == (75.0, 100.0, "GFLOP/s", "matrix rate")


def test_memory_binds_where_it_takes_longer_than_arithmetic() -> None:
    share = LIMITS.share(Work(flops=1e9, bytes=30e9), seconds=2.0)
    assert (share.achieved, share.limit, share.unit, share.of) == (15.0, 20.0, "GB/s", "memory bandwidth")


def test_the_better_of_two_measurements_is_the_limit() -> None:
    other = Limits("cpu", "float32", 1, matrix=90e9, copy=25e9, read=5e9)
    assert LIMITS.or_better(other) == Limits("cpu", "float32", 1, 100e9, 25e9, 10e9)


def test_rates_are_of_this_world() -> None:
    """Any machine multiplies 10 million and less than 10^17 numbers a second, and moves 1 MB to 100 TB."""
    assert 1e7 < matrix_rate("cpu", "float32", 0.02, (64, 128)) < 1e17
    copied, read = bandwidths("cpu", 0.02, size=1 << 20)
    assert 1e6 < copied < 1e14
    assert 1e6 < read < 1e14


def test_without_a_gpu_one_sentence() -> None:
    import torch

    if torch.cuda.is_available():
        require_cuda()
        return
    with pytest.raises(UserError, match="sees no GPU"):
        require_cuda()


@pytest.mark.parametrize("text", ["0", "-3", "two", "1.5", ""])
def test_counts_are_whole_numbers_of_one_or_more(text: str) -> None:
    import argparse

    with pytest.raises(argparse.ArgumentTypeError, match="expected a whole number of 1 or more"):
        positive(text)
    assert positive("12") == 12


@pytest.mark.parametrize(
    ("program", "arguments", "says"),
    [
        ("rouge_l", ["--sentences", "nowhere.txt"], "nowhere.txt is no file"),
        ("recut", ["nowhere"], "nowhere is no run with scored pairs"),
        ("gpu_rates", ["--device", "cpu"], "needs a GPU"),
        ("end_to_end", ["--k", "0"], "expected a whole number"),
    ],
)
def test_bad_arguments_end_with_a_sentence(program: str, arguments: list[str], says: str) -> None:
    command = [sys.executable, f"benchmarks/{program}.py", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr
