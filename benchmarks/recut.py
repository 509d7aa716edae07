"""Cutting stored scores at other thresholds: seconds and peak memory for a quarter of a million and a million pairs.

    OMP_NUM_THREADS=1 python benchmarks/recut.py runs/mini [--pairs 1000000] [--record]

The scored pairs of a finished run are written again under other ids until there are enough, in shards of the run's
size; then the stage's own code cuts them at stricter thresholds than the run's, in a process of its own. No model.
"""

from __future__ import annotations

import argparse
import itertools
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.record import Figure, add_argument, command, positive, record
from idist.config import RunConfig, load_config
from idist.engine import finished, peek, read_table
from idist.engine.shards import Shard, write_shard
from idist.errors import UserError
from idist.stages.scoring import SCORED, CutWork, cut

TABLES = ("sentences", "candidates")
MOST = 20.0  # seconds for a million pairs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="a finished run")
    parser.add_argument("--pairs", type=positive, default=1_000_000, help="default: %(default)s")
    parser.add_argument("--cut", metavar="FOLDER", help=argparse.SUPPRESS)  # what the child does
    add_argument(parser)
    args = parser.parse_args()
    if args.cut:
        print(json.dumps(cut_again(load_config(args.run / "config.yaml"), args.run / "pairs", Path(args.cut))))
        return
    if not (args.run / "config.yaml").is_file() or not finished(args.run / "pairs", SCORED):
        raise UserError(f"{args.run} is no run with scored pairs, expected the folder of a finished run, as runs/mini.")
    with tempfile.TemporaryDirectory() as folder:
        small, large = (measure(args.run, Path(folder) / str(count), count) for count in (args.pairs // 4, args.pairs))
    print(f"a quarter: {small}\nall: {large}")
    seconds = large["seconds"] * 1e6 / large["pairs"]
    note = f"peak memory {large['peak_mib']:.0f} MiB; of a quarter of the pairs {small['peak_mib']:.0f} MiB"
    target = f"at most {MOST:g} s"
    figure = Figure(
        "a million stored pairs cut at other thresholds", "s", seconds, None, None, target, seconds <= MOST, note
    )
    record("recut", [figure], args.record)


def measure(run: Path, folder: Path, count: int) -> dict[str, Any]:
    """Write the shards here, cut them in a child."""
    total = multiply(run / "pairs", folder, count)
    command = [sys.executable, __file__, str(run), "--cut", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return {"pairs": total} | json.loads(done.stdout.splitlines()[-1])


def multiply(stage: Path, folder: Path, count: int) -> int:
    """At least so many pairs in ``folder``: the stage's shards again and again. Returns how many."""
    import pyarrow as pa

    ranks = sorted(finished(stage, SCORED))
    total = 0
    for rank in itertools.count():
        if total >= count:
            return total
        tables = {name: read_table(stage, SCORED, name, ranks[rank % len(ranks)]) for name in TABLES}
        for name, table in tables.items():
            ids = pa.array([f"{rank:05d}{own}" for own in table["context_id"].to_pylist()])
            tables[name] = table.set_column(table.schema.get_field_index("context_id"), "context_id", ids)
        write_shard(folder, SCORED, rank, Shard(tables), 0.0, tables["sentences"].num_rows)
        total += tables["candidates"].num_rows
    raise AssertionError("count() ends never")


def cut_again(config: RunConfig, stage: Path, folder: Path) -> dict[str, Any]:
    """Stricter thresholds than those of the run; one process."""
    critics = [
        {name: {**(own or {}), **({"max": 0.7} if name == "rouge_l" else {})} for name, own in critic.items()}
        for critic in config.pairs.critics
    ]
    config.pairs.critics, config.engine.workers = critics, 1
    begun = peek(stage, SCORED)
    if begun is None:
        sys.exit(f"{stage} has no scores, expected a finished run")
    sizes = [receipt["items"] for _, receipt in sorted(finished(folder, SCORED).items())]
    start = time.perf_counter()
    report = cut(config, CutWork(config, folder, critics, begun["layout"]["scores"]), sizes, {"again": True}, False)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": round(seconds, 2), "processor": time.process_time(), "peak_mib": peak, "kept": report.rows}


if __name__ == "__main__":
    command(main)
