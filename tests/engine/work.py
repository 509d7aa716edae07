"""Small works for the engine's tests; a module of their own, because worker processes import it by name."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from idist.engine import Shard, Tick
from idist.errors import UserError


@dataclass
class Squares:
    """Rows (number, square); notes each `open` and each shard in a folder; may fail at one shard, in several ways."""

    notes: str
    size: int = 4
    fail_at: int = -1
    how: str = ""
    remove_at: int = -1  # at this shard the file `remove` goes, as if another process took it
    remove: str = ""
    large_at: int = -1  # this shard's file has some 300 kB instead of 1
    slow: float = 0.0  # seconds that each shard takes at least

    def open(self) -> str:
        Path(self.notes, f"open-{os.getpid()}-{time.monotonic_ns()}").touch()
        return "opened"

    def shard(self, opened: str, rank: int, tick: Tick) -> Shard:
        assert opened == "opened"
        Path(self.notes, f"shard-{rank}-{time.monotonic_ns()}").touch()
        time.sleep(self.slow)
        if rank == self.fail_at:
            self._fail()
        if rank == self.remove_at:
            Path(self.remove).unlink()
        numbers = list(range(rank * self.size, (rank + 1) * self.size))
        if rank == self.large_at:
            numbers = [(number * 2654435761) % 2**31 for number in range(40_000)]
        for _ in numbers:
            tick(1)
        rows = pa.table({"number": numbers, "square": [number * number for number in numbers]})
        return Shard({"squares": rows}, {"numbers": len(numbers)})

    def _fail(self) -> None:
        if self.how == "user":
            raise UserError("Row 7 of x.txt is null, expected text.")
        if self.how == "bug":
            raise ZeroDivisionError("a bug in the work")
        if self.how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.how == "interrupt":
            raise KeyboardInterrupt
        if self.how == "sleep":
            time.sleep(60)


@dataclass
class Devices:
    """Which GPUs the process sees; waits until ``workers`` have come, so that no worker takes the shards of another."""

    notes: str
    workers: int

    def open(self) -> None:
        Path(self.notes, f"worker-{os.getpid()}").touch()

    def shard(self, opened: None, rank: int, tick: Tick) -> Shard:
        deadline = time.monotonic() + 60
        while len(list(Path(self.notes).glob("worker-*"))) < self.workers and time.monotonic() < deadline:
            time.sleep(0.02)
        return Shard({}, notes={"gpus": os.environ.get("CUDA_VISIBLE_DEVICES")})


def shards_made(notes: Path) -> list[int]:
    """Ranks that were worked on, sorted."""
    return sorted(int(path.name.split("-")[1]) for path in notes.glob("shard-*"))
