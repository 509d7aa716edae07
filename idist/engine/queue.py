"""What an earlier call left at work in Slurm's queue: a file beside the executor's logs remembers it."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from idist.engine.shards import read_json, write_json
from idist.errors import UserError

QUEUED = "queued.json"
SLOWEST = 15.0  # seconds between two questions to Slurm, once a job runs for some minutes


def remember(logs: Path, number: str) -> None:
    """The job of this number works for the executor whose logs these are."""
    write_json(logs / QUEUED, {"slurm": number})


def forget_queued(logs: Path) -> None:
    """It has ended."""
    (logs / QUEUED).unlink(missing_ok=True)


def in_queue(number: str) -> bool:
    """Whether Slurm still has something to do for the job; if it does not answer, it is taken to have."""
    if shutil.which("squeue") is None:
        return False
    asked = ["squeue", "--noheader", f"--jobs={number}", "--format=%T"]
    done = subprocess.run(asked, capture_output=True, text=True)
    if done.returncode:
        return "invalid job id" not in done.stderr.lower()
    return bool(done.stdout.strip())


def wait(number: str, finished: Callable[[], bool]) -> None:
    """Until ``finished()``, or until the job is no longer Slurm's."""
    start = time.monotonic()
    while not finished() and in_queue(number):
        time.sleep(min(SLOWEST, 0.5 + (time.monotonic() - start) / 20))


def await_earlier(logs: Path, executor: str) -> None:
    """Wait for the array that an earlier call left at work.

    Raises:
        UserError: this call uses another executor.
    """
    number = read_json(logs / QUEUED)["slurm"]
    if executor != "slurm" and in_queue(number):
        raise UserError(
            f"Slurm job {number} of an earlier call is still at work in {logs.parents[2]}; wait for its end, or end it "
            f"with scancel {number}."
        )
    wait(number, lambda: False)
    forget_queued(logs)


def check_idle(folder: Path) -> None:
    """Before what is in a stage's folder is deleted: an array that still works there would put it back.

    Raises:
        UserError: there is one.
    """
    for queued in folder.glob(f"_engine/*/datatrove/{QUEUED}"):
        await_earlier(queued.parent, "none")
