"""Measurements until time is up, and the program for a GPU on a CPU with tiny shapes."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.record import ROOT, Figure
from benchmarks.schedule import Part, Schedule


def test_a_part_without_time_is_skipped_and_one_that_fails_loses_no_other() -> None:
    schedule = Schedule(time.perf_counter() + 100)

    def broken() -> list[Figure]:
        raise ValueError("no such shape")

    schedule.take(Part("first", 1, lambda: [Figure("rate", "a second", 2.0)]))
    schedule.take(Part("too long", 1000, lambda: [Figure("never", "a second", 1.0)]))
    schedule.take(Part("broken", 1, broken))
    schedule.take(Part("last", 1, lambda: [Figure("size", "MiB", 3.0)]))
    assert [figure.claim for figure in schedule.figures] == ["rate", "size"]
    assert list(schedule.left_out) == ["too long"]
    assert "1000 needed" in schedule.left_out["too long"]
    assert schedule.failed == {"broken": "ValueError: no such shape"}
    table = schedule.table().splitlines()
    assert table[0].split()[0] == "what"
    assert table[-1] == "FAILED: broken: ValueError: no such shape"


def test_all_parts_run_on_tiny_shapes(tmp_path: Path) -> None:
    command = [sys.executable, "benchmarks/gpu_rates.py", "--shapes", "tiny", "--device", "cpu", "--out", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "gpu_rates.json").read_text(encoding="utf-8"))
    claims = [figure["claim"] for figure in found["figures"]]
    for word in ("matrix rate", "decoding, tiny-gpt2", "decoding, tiny-biogpt", "entailment, tiny-roberta"):
        assert any(claim.startswith(word) for claim in claims), word
    for word in ("training step, tiny-t5, 4 pairs", "generation, tiny-t5", "sentences, tiny-gpt2"):
        assert any(claim.startswith(word) for claim in claims), word
    assert all(figure["ours"] > 0 for figure in found["figures"])
    assert all(figure["share"] for figure in found["figures"] if figure["claim"].startswith(("training", "decoding")))
    assert "skipped" not in done.stdout
