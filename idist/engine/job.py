"""A job: what is to be made, how much of it, and what was made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from idist.engine.shards import Shard

Tick = Callable[[float], None]  # items finished since the last call


class Opener(Protocol):
    """The work of a job: plain values only, because it travels to other processes."""

    def open(self) -> Any:
        """Load models: once a process, not once a shard."""

    def shard(self, opened: Any, rank: int, tick: Tick) -> Shard:
        """Make one shard; the same rank gives the same rows wherever and whenever it runs."""


@dataclass
class NoWork:
    """The work of a job whose shards come out of a stream (`run_stream`)."""

    def open(self) -> None:
        """Nothing to load."""

    def shard(self, opened: Any, rank: int, tick: Tick) -> Shard:
        """Never asked for."""
        raise AssertionError("a stream's shards come out of the stream")


@dataclass(frozen=True)
class Job:
    """A named piece of a stage, cut into shards."""

    folder: Path  # of the stage
    name: str
    work: Opener
    items: Sequence[int]  # of each shard, for the progress bar; its length is the number of shards
    unit: str = "contexts"  # what is counted

    @property
    def label(self) -> str:
        """What a person reads: the stage, and the job if it has another name."""
        return self.folder.name if self.name == self.folder.name else f"{self.folder.name}/{self.name}"


@dataclass
class JobReport:
    """What a finished job holds, over all its shards, whenever they were made."""

    shards: int
    made: int  # shards made by this call
    rows: dict[str, int] = field(default_factory=dict)
    counts: dict[str, float] = field(default_factory=dict)
    notes: list[dict[str, Any]] = field(default_factory=list)  # of each shard, in order
    seconds: float = 0.0  # work in all shards, in all runs
