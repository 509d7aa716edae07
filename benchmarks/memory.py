"""Peak memory of the stages at two numbers of contexts: it must not grow with them.

python benchmarks/memory.py                     16 and 128 contexts, on the models that ship
python benchmarks/memory.py --counts 32 256 --record

Stages `contexts` (from the teacher, and from a text file), `pairs` and, on the shipped student, `self_distil` each run
in a process of their own; what is read is that process's peak resident memory. Reads no data but its own output.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.record import ROOT, Curve, Figure, add_argument, command, positive, record

MOST = 1.1  # times the memory of the smallest run
CRITICS = [
    {"rouge_l": {"max": 0.75}},
    {"entailment": {"min": 0.75, "model": "embedded:entailment"}},
    {"diversity": {"min": 0.75}},
]
# What a child runs: one stage, then its peak in MiB (ru_maxrss is in KiB on Linux, in bytes on macOS).
CHILD = """
import importlib, json, resource, sys
from pathlib import Path
from idist.config import build_config

if __name__ == "__main__":
    tree, folder, stage = json.loads(sys.argv[1])
    result = importlib.import_module("idist.stages." + stage).run(build_config(tree), Path(folder), progress=False)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    print(json.dumps({"peak": peak, "rows": sum(result.rows.values())}))
"""


def main() -> None:
    """Run every stage at every size; print peaks and their ratio to the first size's."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--counts", type=positive, nargs="+", default=[16, 128], help="numbers of contexts")
    parser.add_argument("--k", type=positive, default=12, help="sentences a context")
    parser.add_argument("--shard-size", type=positive, default=4, help="contexts in a shard")
    add_argument(parser)
    options = parser.parse_args()
    peaks: dict[str, list[tuple[float, int]]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for count in options.counts:
            for name, peak, rows in measure(Path(scratch, str(count)), count, options.k, options.shard_size):
                peaks.setdefault(name, []).append((peak, rows))
    print(
        f"{'peak MiB (rows)':<24}" + "".join(f"{f'{count} contexts':>24}" for count in options.counts) + f"{'ratio':>8}"
    )
    for name, found in peaks.items():
        cells = "".join(f"{f'{peak:.0f} ({rows:,})':>24}" for peak, rows in found)
        print(f"{name:<24}{cells}{found[-1][0] / found[0][0]:>8.2f}")
    note = f"{options.counts[0]} to {options.counts[-1]} contexts, {options.shard_size} in a shard, k = {options.k}"
    record("memory", figures(peaks, note), options.record, curves=[curve(peaks, options.counts, options.shard_size)])


def figures(peaks: dict[str, list[tuple[float, int]]], note: str) -> list[Figure]:
    """Of each stage the growth of its memory from the smallest to the largest number of contexts."""
    found = []
    for name, measured in peaks.items():
        growth = measured[-1][0] / measured[0][0]
        claim = f"peak memory of {name}, most contexts over fewest"
        found.append(Figure(claim, "times", growth, None, None, f"at most {MOST:g}", growth <= MOST, note))
    return found


def curve(peaks: dict[str, list[tuple[float, int]]], counts: list[int], shard_size: int) -> Curve:
    """Peak memory over the number of shards."""
    shards = [-(-count // shard_size) for count in counts]
    lines = {
        name: list(zip(shards, (peak for peak, _ in found), strict=True))
        for name, found in peaks.items()
        if "text" not in name  # one of its own documents a context: another number of shards
    }
    below = f"each stage in a process of its own, {shard_size} contexts in a shard"
    return Curve("memory_shards", "Peak memory against shards", below, "shards of contexts", "peak memory, MiB", lines)


def measure(folder: Path, count: int, k: int, shard_size: int) -> list[tuple[str, float, int]]:
    """(what was run, peak in MiB, rows made) for one number of contexts."""
    folder.mkdir(parents=True)
    text = folder / "own.txt"
    with text.open("w", encoding="utf-8") as handle:  # 100 documents for a context asked for: it must be read lazily
        for number in range(100 * count):
            handle.write(f"The lamp of house {number} is lit. Somebody reads by it until late at night.\n")
    tree = settings(count, k, shard_size)
    own_text = tree | {"contexts": tree["contexts"] | {"source": str(text), "count": 100 * count}}
    shutil.copytree(ROOT / "idist" / "embedded" / "student", folder / "run" / "train" / "model")
    runs = [
        ("contexts of a text file", "contexts", own_text, folder / "own"),
        ("contexts", "contexts", tree, folder / "run"),
        ("pairs", "pairs", tree, folder / "run"),
        ("self_distil", "self_distil", tree, folder / "run"),
    ]
    found = []
    for name, stage, settings_, run in runs:
        done = child(settings_, run, stage)
        found.append((name, done["peak"], done["rows"]))
    return found


def settings(count: int, k: int, shard_size: int) -> dict[str, Any]:
    """A tiny run: shards are small, so that 16 contexts fill more than one."""
    return {
        "device": "cpu",
        "contexts": {"model": "embedded:teacher", "count": count, "max_new_tokens": 40, "max_sentences": 2},
        "pairs": {"model": "embedded:teacher", "k": k, "max_new_tokens": 24, "critics": CRITICS},
        "self_distil": {"model": "embedded:teacher", "count": 5 * count, "candidates": 3, "max_new_tokens": 24},
        "engine": {"shard_size": shard_size},
    }


def child(tree: dict[str, Any], folder: Path, stage: str) -> dict[str, Any]:
    """Run one stage in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD, json.dumps([tree, str(folder), stage])],
        env=dict(os.environ, PYTHONPATH=str(ROOT), HF_HUB_OFFLINE="1"),
        capture_output=True,
        text=True,
    )
    if done.returncode:
        sys.exit(f"{stage} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    command(main)
