"""Stage `contexts`: what the teacher is asked to continue (paper section 3.1, appendix A.1).

The teacher writes them (a prefix if configured, nucleus sampling, cut to complete sentences), or they are windows of
a person's own text. Identifiers are ``c000012``; a context's randomness comes from (run seed, its id, the attempt).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from idist.config import ContextsConfig, RunConfig, to_dict
from idist.engine import Job, NoWork, Shard, Tick, alone, claim, digest, run_job, run_stream
from idist.rows import schema
from idist.stages.runs import StagePlan, StageResult, plan_job, shard_sizes, stage_folder, write_manifest
from idist.stages.samples import SampleWriter, attempt_id, row_rng, samples_mark
from idist.stages.source_text import TextCounts, check_source, source_fingerprint, windows

if TYPE_CHECKING:
    import pyarrow as pa

VERSION = 1  # of this code: raised when the same config would give other rows
ATTEMPTS = 20  # samples drawn for one context before it is given up and counted
STAGE = "contexts"
GROWS = "contexts.count"  # the first contexts are the same, however many there are


@dataclass
class DrawContexts:
    """The work of one shard: ``shard_size`` contexts from the teacher."""

    config: RunConfig
    count: int
    shard_size: int

    def open(self) -> SampleWriter:
        """The teacher."""
        return SampleWriter(self.config, self.config.contexts.model)

    def shard(self, opened: SampleWriter, rank: int, tick: Tick) -> Shard:
        """Contexts ``rank * shard_size`` and on; a sample that begins with no complete sentence is drawn again."""
        settings = self.config.contexts
        numbers = range(rank * self.shard_size, min(self.count, (rank + 1) * self.shard_size))
        ids = waiting = [context_id(number) for number in numbers]
        rows: dict[str, dict[str, Any]] = {}
        samples = 0
        for attempt in range(ATTEMPTS):
            drawn = opened.draw([attempt_id(identifier, attempt) for identifier in waiting])
            samples += len(drawn)
            for identifier, sample in zip(waiting, drawn, strict=True):
                sentences = sample.leading()
                if len(sentences) >= settings.min_sentences:
                    kept = sentences[: window_length(settings, self.config.seed, identifier)]
                    rows[identifier] = context_row(identifier, kept, sample.prefix, settings.model)
                    tick(1)
            waiting = [identifier for identifier in waiting if identifier not in rows]
            if not waiting:
                break
        counts = {"contexts": len(rows), "samples": samples, "given_up": len(waiting)}
        return Shard({STAGE: _table([rows[identifier] for identifier in ids if identifier in rows])}, counts)


def context_id(number: int) -> str:
    """12 -> ``c000012``."""
    return f"c{number:06d}"


def window_length(settings: ContextsConfig, seed: int, identifier: str) -> int:
    """Sentences in a context, uniform in [min_sentences, max_sentences], drawn from (seed, id)."""
    drawn = row_rng(seed, identifier, "length").integers(settings.min_sentences, settings.max_sentences + 1)
    return int(drawn)


def context_row(identifier: str, sentences: list[str], prefix: str, source: str) -> dict[str, Any]:
    """A row of `contexts`."""
    return {
        "id": identifier,
        "context": " ".join(sentences),
        "num_sentences": len(sentences),
        "prefix": prefix,
        "source": source,
    }


def run(config: RunConfig, folder: Path, limit: int | None = None, progress: bool = True) -> StageResult:
    """Make the contexts of a run, or what is missing of them.

    A later call that asks for more contexts goes on after those that are there.

    Args:
        config: the run.
        folder: ``runs/NAME``.
        limit: at most so many contexts instead of `contexts.count`.
        progress: a bar on stderr.

    Returns:
        Counts: ``contexts``; from a teacher ``samples`` and ``given_up`` (contexts for which no sample began with a
        complete sentence); from text ``documents``, ``null_rows`` and ``too_short`` (documents without a window).

    Raises:
        UserError: the folder was made with another config, bad text, model not found, disk full, damaged shard,
            another process in the folder.
    """
    with alone(folder):
        return _make(config, folder, _count(config, limit), progress)


def _make(config: RunConfig, folder: Path, count: int, progress: bool) -> StageResult:
    settings, own = config.contexts, stage_folder(folder, STAGE)
    if settings.source is not None:
        check_source(settings)
    marks = fingerprint(config, count)
    size = claim(own, STAGE, marks, {"shard_size": config.engine.shard_size}, grows=GROWS)["shard_size"]
    if settings.source is None:
        work = DrawContexts(config, count, size)
        report = run_job(Job(own, STAGE, work, shard_sizes(count, size)), config.engine, progress)
    else:
        shards = _text_shards(settings, config.seed, count, size)
        report = run_stream(Job(own, STAGE, NoWork(), [count]), shards, progress)
    result = StageResult(STAGE, own, report.made, report.rows, report.counts, {}, report.seconds)
    write_manifest(result, {"seed": config.seed, STAGE: to_dict(settings)}, {STAGE: (marks, report)})
    return result


def plan(config: RunConfig, folder: Path, limit: int | None = None) -> StagePlan:
    """What `run` would do; loads and writes nothing."""
    count = _count(config, limit)
    models = [config.contexts.model] if config.contexts.source is None else []
    size = config.engine.shard_size
    return plan_job(folder, STAGE, STAGE, models, count, "contexts", size, lambda: fingerprint(config, count), GROWS)


def fingerprint(config: RunConfig, count: int) -> dict[str, Any]:
    """What the rows of this stage depend on."""
    settings = config.contexts
    own: dict[str, Any] = {
        "count": count,
        "min_sentences": settings.min_sentences,
        "max_sentences": settings.max_sentences,
        "source": settings.source,
    }
    if settings.source is None:
        own |= samples_mark(config, settings.model)
    else:
        own |= {"column": settings.column, "split": settings.split, "text": source_fingerprint(settings)}
    return {"version": VERSION, "seed": config.seed, STAGE: own}


def identity(manifest: Mapping[str, Any]) -> tuple[str, int]:
    """What the rows of a finished stage depend on, however many they are, in 16 digits; how many were asked for."""
    mark = manifest["jobs"][STAGE]["fingerprint"]
    own = {key: value for key, value in mark[STAGE].items() if key != "count"}
    return digest(mark | {STAGE: own}), mark[STAGE]["count"]


def _count(config: RunConfig, limit: int | None) -> int:
    return config.contexts.count if limit is None else min(limit, config.contexts.count)


def _table(rows: list[dict[str, Any]]) -> pa.Table:
    import pyarrow as pa

    return pa.Table.from_pylist(rows, schema=schema(STAGE))


def _text_shards(settings: ContextsConfig, seed: int, count: int, size: int) -> Iterator[Shard]:
    """Shards of windows of a person's own text, up to ``count`` contexts."""
    seen, counted = TextCounts(), Counter[str]()
    drawn = windows(settings, lambda number: window_length(settings, seed, context_id(number)), seen)
    stream = enumerate(islice(drawn, count))
    batch = list(islice(stream, size))
    while batch:
        following = list(islice(stream, size))  # read ahead: the last shard counts what the text ends with
        rows = [context_row(context_id(number), sentences, "", str(settings.source)) for number, sentences in batch]
        total = Counter(vars(seen))
        yield Shard({STAGE: _table(rows)}, {"contexts": len(rows), **(total - counted)})
        batch, counted = following, total
