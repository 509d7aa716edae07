"""Two workers against one, and what the engine costs beside the work: stage `pairs` on the models that ship.

    python benchmarks/scaling.py [--contexts 200] [--k 32] [--rounds 3] [--record]

Each run is a fresh process with its own copy of the same contexts, and all sides take turns; a figure is the median
over the rounds. One worker of one thread is compared with two such workers (start of processes and loading of models
included), and with one worker that has a thread for each core. What the engine costs is the stage's time less the time
inside shards (`seconds` of their receipts), over the stage's time, with one worker: imports, hashing of models, shards
written and checked, executor and markers. Wall time: leave the machine alone meanwhile; its load is recorded. What the
engine adds for each shard is also measured alone, as processor time, with shards that are no work.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.record import Curve, Figure, add_argument, command, positive, record, times

MINI = Path(__file__).resolve().parents[1] / "recipes" / "configs" / "mini.yaml"
SHARDS_A_WORKER = 8  # so that no worker waits long for the last shard of another
MOST_ENGINE = 3.0  # percent
LEAST_SPEEDUP = 1.8
EMPTY_SHARDS = 200


class NoWork:
    """Shards of one row."""

    def open(self) -> None:
        """Nothing to load."""

    def shard(self, opened: None, rank: int, tick: Any) -> Any:
        """One number."""
        import pyarrow as pa

        from idist.engine import Shard

        return Shard({"numbers": pa.table({"number": [rank]})})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--contexts", type=positive, default=200, help="how many (default: %(default)s)")
    parser.add_argument("--k", type=positive, default=32, help="samples a context (default: %(default)s)")
    parser.add_argument("--rounds", type=positive, default=3, help="runs of each side (default: %(default)s)")
    add_argument(parser)
    parser.add_argument("--stage", nargs=3, metavar=("STAGE", "FOLDER", "WORKERS"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.stage:
        stage, folder, workers = arguments.stage
        print(json.dumps(run_stage(stage, Path(folder), int(workers), arguments.contexts, arguments.k)))
        return
    figures = measure(arguments.contexts, arguments.k, arguments.rounds)
    two, line = figures[0], f"stage pairs, {arguments.contexts} contexts, k = {arguments.k}, one thread a worker"
    assert two.other is not None
    measured = {"idist": [(1, two.other), (2, two.ours)], "in proportion": [(1, two.other), (2, 2 * two.other)]}
    curve = Curve(
        "scaling_workers", "Contexts a second against workers", line, "workers", "contexts a second", measured
    )
    record("scaling", figures, arguments.record, curves=[curve])


def measure(contexts: int, k: int, rounds: int) -> list[Figure]:
    """All sides in turns, ``rounds`` times."""
    cores = os.cpu_count() or 1
    sides = {"one": (1, 1), "two": (2, 1), "threads": (1, cores)}  # workers, threads of each
    seconds: dict[str, list[float]] = {side: [] for side in sides}
    shares: list[float] = []
    with tempfile.TemporaryDirectory() as place:
        made = Path(place, "contexts")
        _in_a_process("contexts", made, 1, 1, contexts, k)
        for number in range(rounds):
            for side, (workers, threads) in sides.items():
                folder = Path(shutil.copytree(made, Path(place, f"{side}{number}")))
                done = _in_a_process("pairs", folder, workers, threads, contexts, k)
                seconds[side].append(done["stage"])
                if side == "one":
                    shares.append(100 * (done["stage"] - done["work"]) / done["stage"])
                shutil.rmtree(folder)
    rate = {side: contexts / statistics.median(found) for side, found in seconds.items()}
    share = statistics.median(shares)
    where = f"stage pairs, {contexts} contexts, k = {k}, medians of {rounds}, load {os.getloadavg()[0]:.1f} at the end"
    alone = statistics.median(engine_alone() for _ in range(rounds))
    claim = "two workers against one, a thread each"
    return [
        times(claim, "contexts/s", rate["two"], rate["one"], LEAST_SPEEDUP, where),
        times(f"two workers against one of {cores} threads", "contexts/s", rate["two"], rate["threads"], note=where),
        Figure(
            "engine outside of shards, one worker",
            "% of the stage",
            share,
            target=f"at most {MOST_ENGINE:g} %",
            reached=share <= MOST_ENGINE,
            note=where,
        ),
        Figure("engine alone, processor time a shard", "ms", 1000 * alone, note=f"{EMPTY_SHARDS} shards of one row"),
    ]


def run_stage(stage: str, folder: Path, workers: int, contexts: int, k: int) -> dict[str, float]:
    """Seconds of a stage, and of the work in its shards, in this process."""
    from importlib import import_module

    from idist.config import load_config
    from idist.engine.shards import read_json

    size = max(1, contexts // (2 * SHARDS_A_WORKER))
    overrides = [f"contexts.count={contexts}", f"pairs.k={k}", f"engine.workers={workers}", f"engine.shard_size={size}"]
    config = load_config(MINI, [*overrides, "device=cpu"])
    start = time.perf_counter()
    import_module(f"idist.stages.{stage}").run(config, folder, progress=False)
    taken = time.perf_counter() - start
    receipts = (folder / stage).glob("_engine/*/receipts/*.json")
    return {"stage": taken, "work": sum(read_json(path)["seconds"] for path in receipts)}


def engine_alone() -> float:
    """Processor seconds of this process for each of `EMPTY_SHARDS` shards, written one after the other."""
    from idist.config import EngineConfig
    from idist.engine import Job, run_job

    with tempfile.TemporaryDirectory() as place:
        seconds = []
        for count in (1, EMPTY_SHARDS):  # the first imports datatrove
            start = time.process_time()
            job = Job(Path(place, str(count)), "numbers", NoWork(), [1] * count)
            run_job(job, EngineConfig(workers=1), progress=False)
            seconds.append(time.process_time() - start)
    return seconds[-1] / EMPTY_SHARDS


def _in_a_process(stage: str, folder: Path, workers: int, threads: int, contexts: int, k: int) -> dict[str, float]:
    command = [sys.executable, __file__, "--stage", stage, str(folder), str(workers)]
    environment = os.environ | {"OMP_NUM_THREADS": str(threads), "HF_HUB_OFFLINE": "1"}
    more = ["--contexts", str(contexts), "--k", str(k)]
    done = subprocess.run([*command, *more], env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    command(main)
