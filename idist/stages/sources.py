"""Sources of self-distillation: different sentences of the teacher (paper section 3.3).

Job `drawn`: one sentence of one sample of the teacher for each id ``s000007``. Job `sources`: the first `count`
different ones, in the order of their ids.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from idist.config import RunConfig
from idist.engine import Job, JobReport, NoWork, Shard, Tick, claim, read_table, run_job, run_stream
from idist.rows import schema
from idist.stages.runs import shard_sizes
from idist.stages.samples import SampleWriter, attempt_id, row_rng, samples_mark

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

VERSION = 1  # of this code: raised when the same config would give other rows
DRAWN, SOURCES = "drawn", "sources"  # jobs and tables
SOURCES_PER_CONTEXT = 10  # a source costs about a tenth of a context: engine.shard_size is multiplied by it
GROWS = "self_distil.count"  # the first sources are the same, however many there are
ATTEMPTS = 5  # samples drawn for an id before it is given up
DRAW_AT_MOST = 3  # times `self_distil.count` ids are drawn, when many sentences come twice


@dataclass
class DrawWork:
    """The work of `drawn`: a shard of ids."""

    config: RunConfig
    size: int
    number: int  # of the round

    def open(self) -> SampleWriter:
        """The teacher."""
        return SampleWriter(self.config, self.config.self_distil.model)

    def shard(self, opened: SampleWriter, rank: int, tick: Tick) -> Shard:
        """Sources ``rank * size`` and on: of each id's sample, one complete sentence drawn by (seed, id)."""
        numbers = range(rank * self.size, (rank + 1) * self.size)
        ids = waiting = [source_id(number, self.number) for number in numbers]
        found: dict[str, str] = {}
        for attempt in range(ATTEMPTS):
            for identifier, sample in zip(
                waiting, opened.draw([attempt_id(identifier, attempt) for identifier in waiting]), strict=True
            ):
                sentences = sample.complete()
                if sentences:
                    index = row_rng(self.config.seed, identifier, "sentence").integers(len(sentences))
                    found[identifier] = sentences[index]
            waiting = [identifier for identifier in waiting if identifier not in found]
            if not waiting:
                break
        tick(len(ids))
        rows = [
            {"id": identifier, "x": found[identifier], "source": self.config.self_distil.model}
            for identifier in ids
            if identifier in found
        ]
        return Shard({DRAWN: _source_table(rows)}, {"drawn": len(ids), "given_up": len(waiting)})


class Distinct:
    """Which sentences have been seen, in 8 bytes each."""

    def __init__(self) -> None:
        import numpy as np

        self._known: np.ndarray = np.zeros(0, np.uint64)

    def new(self, sentences: list[str]) -> list[bool]:
        """Whether each sentence is seen for the first time, here or before; then all are seen."""
        import hashlib

        import numpy as np

        hashes = np.array(
            [int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little") for text in sentences],
            np.uint64,
        )
        _, first = np.unique(hashes, return_index=True)
        fresh = np.zeros(len(hashes), bool)
        fresh[first] = True
        place = np.searchsorted(self._known, hashes)
        inside = place < len(self._known)
        fresh[inside] &= self._known[place[inside]] != hashes[inside]
        self._known = np.sort(np.concatenate([self._known, hashes[fresh]]))
        return fresh.tolist()

    def __len__(self) -> int:
        return len(self._known)


def source_id(number: int, round_number: int = 1) -> str:
    """7 -> ``s000007``; of the second round and on ``s000007r2``: each round has sources of its own."""
    return f"s{number:06d}" + (f"r{round_number}" if round_number > 1 else "")


def drawn_mark(config: RunConfig, number: int = 1) -> dict[str, Any]:
    """What the sentence of an id depends on, and the sources with it, however many there are; ``number``: the round."""
    later = {"round": number} if number > 1 else {}
    return {"version": VERSION, "seed": config.seed, "samples": samples_mark(config, config.self_distil.model), **later}


def sources_mark(config: RunConfig, count: int, number: int = 1) -> dict[str, Any]:
    """What the sources depend on."""
    return drawn_mark(config, number) | {"self_distil": {"count": count}}


def draw_sources(
    config: RunConfig, own: Path, count: int, progress: bool, number: int = 1
) -> tuple[JobReport, JobReport]:
    """Run both jobs: ids are drawn until ``count`` different sentences are there, or `DRAW_AT_MOST` times as many ids.

    Args:
        config: the run.
        own: folder of the stage.
        count: sources wanted; there may be fewer.
        progress: bars on stderr.
        number: of the round.

    Returns:
        Reports of `drawn` and `sources`.

    Raises:
        UserError: made with another config, model not found, disk full, damaged shard.
    """
    layout = {"shard_size": config.engine.shard_size * SOURCES_PER_CONTEXT}
    size = claim(own, DRAWN, drawn_mark(config, number), layout)["shard_size"]
    shards = len(shard_sizes(count, size))
    most = shards * DRAW_AT_MOST
    while True:
        items = [size] * shards
        drawn = run_job(Job(own, DRAWN, DrawWork(config, size, number), items, "sentences"), config.engine, progress)
        found = sum(1 for _ in _distinct(own, shards))
        if found >= count or shards == most:
            break
        shards = min(most, shards + len(shard_sizes(count - found, size)))
    claim(own, SOURCES, sources_mark(config, count, number), {}, grows=GROWS)
    stream = _source_shards(own, shards, count, size)
    sources = run_stream(Job(own, SOURCES, NoWork(), [min(count, found)], SOURCES), stream, progress)
    return drawn, sources


def _distinct(own: Path, shards: int) -> Iterator[dict[str, Any]]:
    """Drawn rows whose sentence has not come before."""
    seen = Distinct()
    for rank in range(shards):
        rows = read_table(own, DRAWN, DRAWN, rank).to_pylist()
        for row, fresh in zip(rows, seen.new([row["x"] for row in rows]), strict=True):
            if fresh:
                yield row


def _source_shards(own: Path, shards: int, count: int, size: int) -> Iterator[Shard]:
    rows = islice(_distinct(own, shards), count)
    while batch := list(islice(rows, size)):
        yield Shard({SOURCES: _source_table(batch)})


def _source_table(rows: list[dict[str, Any]]) -> pa.Table:
    import pyarrow as pa

    return pa.Table.from_pylist(rows, schema=schema(SOURCES))
