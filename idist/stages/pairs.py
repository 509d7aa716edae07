"""Stage `pairs`: k next sentences of every context, pairs of them through the critics (paper 3.1 and 3.2).

Two jobs. `scored` samples and scores, with models: tables `sentences` and `candidates`, a shard for each shard of
contexts. `selected` cuts at the thresholds, without models: table `selected`, with the columns of `pairs`. Another
threshold within the floors makes `selected` again and nothing else.

Which pairs: `idist.stages.generation`. With `pairs.source`, pairs of another corpus are judged in place of the
teacher's: `idist.stages.corpus`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from idist.config import RunConfig, to_dict
from idist.engine import Job, JobReport, Shard, Tick, alone, digest, finished, read_table, run_job, table_path
from idist.errors import UserError
from idist.stages import contexts, corpus
from idist.stages.generation import GENERATIONS, is_oriented
from idist.stages.runs import (
    StagePlan,
    StageResult,
    number_type,
    plan_job,
    read_manifest,
    require_stage,
    stage_folder,
    write_manifest,
)
from idist.stages.samples import next_sentences_decoder
from idist.stages.scoring import (
    SCORED,
    SELECTED,
    CutWork,
    cascade_of,
    claim_scores,
    cut,
    scored_tables,
    whole_funnel,
)

if TYPE_CHECKING:
    from idist.critics import Cascade
    from idist.decoding import Decoder

VERSION = 1  # of this code: raised when the same config would give other rows
STAGE = "pairs"
GROWS = "contexts.taken"  # a context's pairs are the same, however many contexts there are


@dataclass
class ScoreWork:
    """The work of `scored`: one shard of contexts."""

    config: RunConfig
    run: Path
    sizes: list[int]  # contexts taken of each shard

    unit: ClassVar[str] = "contexts"

    def open(self) -> tuple[Decoder, Cascade]:
        """The teacher; critics load their models when they first score."""
        return next_sentences_decoder(self.config), cascade_of(self.config, self.config.pairs.critics)

    def shard(self, opened: tuple[Decoder, Cascade], rank: int, tick: Tick) -> Shard:
        """Contexts of shard ``rank``: sample, merge equal sentences, score their pairs."""
        decoder, cascade = opened
        taken = read_table(stage_folder(self.run, contexts.STAGE), contexts.STAGE, contexts.STAGE, rank)
        rows = taken.slice(0, self.sizes[rank]).to_pylist()
        settings = self.config.pairs
        # all at once: the more prompts, the more alike are the lengths of those that share a batch
        written = GENERATIONS[settings.generation](
            decoder, rows, settings, self.config.seed, lambda count: tick(count / 2)
        )
        groups, counts = [group for group, _ in written], [drawn for _, drawn in written]
        judged = cascade.score(groups)
        tick(len(rows) / 2)
        totals = {
            "contexts": len(rows),
            "sentences": sum(map(sum, counts)),
            "distinct": sum(map(len, counts)),
            "failures": sum(len(one.failures) for one in judged),
        }
        return Shard(scored_tables(cascade, judged, [row["context"] for row in rows], counts), totals)


def run(config: RunConfig, folder: Path, limit: int | None = None, progress: bool = True) -> StageResult:
    """Make the pairs of a run, or what is missing of them.

    Args:
        config: the run.
        folder: ``runs/NAME``.
        limit: at most so many contexts (or sources of another corpus).
        progress: bars on stderr.

    Returns:
        Counts: ``contexts``, ``sentences`` (usable samples), ``distinct`` sentences, ``failures`` (sentences that a
        model or parser could not handle); of another corpus those of `corpus.read_corpus`, and ``failures``; the
        funnel; rows of the tables `sentences`, `candidates`, `selected`.

    Raises:
        UserError: stage contexts not finished, the folder was made with another config, a threshold beyond a floor,
            model not found, disk full, damaged shard, another process in the folder.
    """
    with alone(folder):
        if config.pairs.source is not None:
            return _judge_corpus(config, folder, limit, progress)
        sizes = _sizes(folder, limit)
        mark = fingerprint(config, folder, sum(sizes))
        return _make(config, folder, ScoreWork(config, folder, sizes), sizes, mark, {}, progress)


def _judge_corpus(config: RunConfig, folder: Path, limit: int | None, progress: bool) -> StageResult:
    own = stage_folder(folder, STAGE)
    read_mark, read, sizes = corpus.read_corpus(config, own, limit, progress)
    mark = corpus.judged_mark(config, read_mark, sum(sizes))
    work = corpus.JudgeWork(config, own)
    return _make(config, folder, work, sizes, mark, {corpus.CORPUS: (read_mark, read)}, progress)


def _make(
    config: RunConfig,
    folder: Path,
    work: ScoreWork | corpus.JudgeWork,
    sizes: list[int],
    mark: dict[str, Any],
    before: Mapping[str, tuple[Mapping[str, Any], JobReport]],
    progress: bool,
) -> StageResult:
    """Score and cut; ``before``: jobs of this stage that made what is scored, with their fingerprints."""
    own, critics = stage_folder(folder, STAGE), config.pairs.critics
    cascade = cascade_of(config, critics)
    grows = corpus.GROWN if before else GROWS
    scores = claim_scores(own, mark, cascade, grows)
    scored = run_job(Job(own, SCORED, work, sizes, work.unit), config.engine, progress)
    cut_mark = {"scored": digest(mark), "thresholds": cascade.select_config()}
    cutting = CutWork(config, own, critics, scores, oriented=is_oriented(config.pairs))
    selected = cut(config, cutting, sizes, cut_mark, progress)
    jobs = {**before, SCORED: (mark, scored), SELECTED: (cut_mark, selected)}
    reports = [report for _, report in jobs.values()]
    result = StageResult(
        stage=STAGE,
        folder=own,
        made=sum(report.made for report in reports),
        rows={table: rows for report in reports for table, rows in report.rows.items()},
        counts={name: count for report in reports for name, count in report.counts.items()},
        funnel=whole_funnel(selected),
        seconds=round(sum(report.seconds for report in reports), 3),
    )
    settings = {"seed": config.seed, STAGE: to_dict(config.pairs), "scores": scores}
    write_manifest(result, settings, jobs)
    return result


def plan(config: RunConfig, folder: Path, limit: int | None = None) -> StagePlan:
    """What `run` would do; loads and writes nothing."""
    models: list[str] = []
    for critic in cascade_of(config, config.pairs.critics).critics:
        models += [name for name in critic.model_names().values() if name not in models]
    if config.pairs.source is not None:
        return corpus.plan(config, folder, STAGE, limit, models)
    count = config.contexts.count if limit is None else min(limit, config.contexts.count)
    made = read_manifest(folder, contexts.STAGE)
    if made and contexts.identity(made)[1] >= count:  # else there will be more of them
        count = sum(_sizes(folder, limit))
    models = [config.pairs.model, *(name for name in models if name != config.pairs.model)]
    size = config.engine.shard_size

    def mark() -> dict[str, Any]:
        return fingerprint(config, folder, count)

    return plan_job(folder, STAGE, SCORED, models, count, "contexts", size, mark, GROWS)


def fingerprint(config: RunConfig, folder: Path, count: int) -> dict[str, Any]:
    """What the samples of this stage depend on; what the scores depend on is the cascade's `score_config`.

    Raises:
        UserError: stage `contexts` has not finished.
    """
    from idist.models import fingerprint as weights

    settings = to_dict(config.pairs)
    for name in ("critics", "model", "source", "source_files", "source_column", "target_column"):
        del settings[name]  # of the model its weights count, not where they lie
    if config.pairs.generation == "parallel":  # as before there was another way
        del settings["generation"], settings["keyword_bias"]
    return {
        "version": VERSION,
        "seed": config.seed,
        STAGE: settings | {"weights": weights(config.pairs.model), "dtype": number_type(config)},
        "contexts": {"taken": count, "fingerprint": contexts.identity(require_stage(folder, contexts.STAGE))[0]},
    }


def _sizes(folder: Path, limit: int | None) -> list[int]:
    """Contexts taken of each of their shards, in the order of ranks: all, or the first ``limit``.

    Raises:
        UserError: stage `contexts` has not finished, or one of its shards is missing.
    """
    own = stage_folder(folder, contexts.STAGE)
    shards = require_stage(folder, contexts.STAGE)["jobs"][contexts.STAGE]["shards"]
    receipts = finished(own, contexts.STAGE)
    sizes: list[int] = []
    left = sys.maxsize if limit is None else limit
    for rank in range(shards):
        if left == 0:
            break
        if rank not in receipts:
            file = table_path(own, contexts.STAGE, rank)
            raise UserError(f"{file} is missing; run the stage {contexts.STAGE!r} again to make it.")
        sizes.append(min(receipts[rank]["files"][contexts.STAGE]["rows"], left))
        left -= sizes[-1]
    return sizes
