"""Stage `self_distil`: the student paraphrases new sentences of the teacher, the critics judge (paper section 3.3).

Four jobs. `drawn` and `sources`: different sentences of the teacher (`idist.stages.sources`).
`scored`: the student's candidates for each source with their scores (tables `sentences`, whose first sentence is the
source, and `candidates`, always from the source to a candidate). `selected`: the critics' thresholds, then one pair a
source by the rule `self_distil.keep`; it needs no model.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from idist.config import RunConfig, to_dict
from idist.engine import Job, Shard, Tick, alone, digest, finished, read_table, run_job
from idist.errors import UserError
from idist.stages.rounds import round_of, writer
from idist.stages.runs import StagePlan, StageResult, job_state, number_type, plan_job, stage_folder, write_manifest
from idist.stages.samples import row_rng
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
from idist.stages.sources import DRAWN, SOURCES, SOURCES_PER_CONTEXT, draw_sources, drawn_mark, sources_mark

if TYPE_CHECKING:
    from idist.critics import Cascade, Kept
    from idist.decoding import Decoder

VERSION = 1  # of this code: raised when the same config would give other rows
STAGE = "self_distil"
GROWS = "sources.taken"  # a source's candidates are the same, however many sources there are


@dataclass
class RewriteWork:
    """The work of `scored`: a shard of sources through the student and the critics."""

    config: RunConfig
    student: str
    folder: Path

    def open(self) -> tuple[Decoder, Cascade]:
        """The student; critics load their models when they first score."""
        from idist.decoding import Decoder, Sampling
        from idist.models import load_student

        settings = self.config.self_distil
        sampling = Sampling(
            temperature=settings.temperature,
            top_p=settings.top_p,
            no_repeat_ngram_size=settings.no_repeat_ngram_size,
            max_new_tokens=settings.max_new_tokens,
        )
        decoder = Decoder(*load_student(self.student, self.config.device, self.config.dtype), sampling)
        return decoder, cascade_of(self.config, self.config.self_distil_critics())

    def shard(self, opened: tuple[Decoder, Cascade], rank: int, tick: Tick) -> Shard:
        """Sources of shard ``rank``: candidates that differ from their source, each judged against it."""
        import numpy as np

        from idist.critics import Group

        decoder, cascade = opened
        rows = read_table(self.folder, SOURCES, SOURCES, rank).to_pylist()
        n = self.config.self_distil.candidates
        template = self.config.train.template(decoder.model.config.is_encoder_decoder)
        groups, counts = [], []
        ids, sources = [row["id"] for row in rows], [row["x"] for row in rows]
        # all at once: the more sources, the more alike are the lengths of those that share a batch
        outputs = decoder.rewrite(sources, ids, n, self.config.seed, template, lambda count: tick(count / 2))
        for identifier, source, own in zip(ids, sources, outputs, strict=True):
            distinct = Counter(text for text in own if text and text != source)
            pairs = np.array([(0, index + 1) for index in range(len(distinct))], np.int64).reshape(-1, 2)
            groups.append(Group(identifier, [source, *distinct], pairs))
            counts.append([1, *distinct.values()])
        judged = cascade.score(groups)
        tick(len(rows) / 2)
        totals = {
            "sources": len(rows),
            "candidates": n * len(rows),
            "distinct": sum(len(group.sentences) - 1 for group in groups),
            "failures": sum(len(one.failures) for one in judged),
        }
        return Shard(scored_tables(cascade, judged, [row["x"] for row in rows], counts), totals)


@dataclass
class KeepOne(CutWork):
    """Cutting, then one pair a source."""

    def choose(self, kept: list[Kept], cascade: Cascade) -> list[Kept]:
        """The pair that `self_distil.keep` names, of each source; of equal ones the first."""
        rule = self.config.self_distil.keep
        columns = _rule_columns(rule, cascade)
        chosen = []
        for identifier, own in groupby(kept, lambda pair: pair.group_id):
            pairs = list(own)
            if rule == "random":
                chosen.append(pairs[int(row_rng(self.config.seed, identifier, "keep").integers(len(pairs)))])
            else:
                best = min if rule == "lowest_rouge_l" else max
                chosen.append(best(pairs, key=lambda pair: sum(pair.scores[column] for column in columns)))
        return chosen

    def count_chosen(self, funnel: dict[str, Any], chosen: int) -> dict[str, Any]:
        """One more step: what the rule removed."""
        last = {"name": f"keep_{self.config.self_distil.keep}", "seen": funnel["kept"], "failed": 0}
        last["removed"] = funnel["kept"] - chosen
        return {"groups": funnel["groups"], "steps": [*funnel["steps"], last], "kept": chosen}


def _rule_columns(rule: str, cascade: Cascade) -> tuple[str, ...]:
    """The scores whose sum a rule goes by: ROUGE-L; p(x => y), plus p(y => x) where both were asked. They are those of
    the first critic of the kind, whatever the composition calls it; none if there is no such critic."""
    from idist.critics.entailment import Entailment
    from idist.critics.rouge_l import RougeL

    for critic in cascade.critics:
        if rule == "lowest_rouge_l" and isinstance(critic, RougeL):
            return critic.columns
        if rule == "most_entailed" and isinstance(critic, Entailment):
            return critic.probabilities
    return ()


def run(
    config: RunConfig, folder: Path, limit: int | None = None, progress: bool = True, stage: str = STAGE
) -> StageResult:
    """Make the student's own pairs, or what is missing of them.

    Args:
        config: the run.
        folder: ``runs/NAME``; the student is the model of stage `train`, or of the round before
            (`idist.stages.rounds`).
        limit: at most so many sources.
        progress: bars on stderr.
        stage: ``self_distil``, or with its number a round before the last.

    Returns:
        Counts: ``drawn`` ids, ``given_up`` (ids whose samples had no complete sentence), ``repeated`` (sentences drawn
        before), ``sources``, ``candidates``, ``distinct`` ones, ``failures``; the funnel, with the rule's step last;
        rows of the tables `drawn`, `sources`, `sentences`, `candidates`, `selected`.

    Raises:
        UserError: the student's training not finished, a rule that the critics have no score for, the folder was made
            with another config, a threshold beyond a floor, model not found, disk full, damaged shard, another process
            in the folder.
    """
    with alone(folder):
        return _make(config, folder, _count(config, limit), progress, stage)


def _make(config: RunConfig, folder: Path, count: int, progress: bool, stage: str) -> StageResult:
    own, critics = stage_folder(folder, stage), config.self_distil_critics()
    number = round_of(config, stage)
    cascade = cascade_of(config, critics)
    check_rule(config, cascade)
    student = student_folder(folder, writer(config, stage))
    drawn, sources = draw_sources(config, own, count, progress, number)
    sizes = [receipt["files"][SOURCES]["rows"] for _, receipt in sorted(finished(own, SOURCES).items())]
    mark = fingerprint(config, count, student, number)
    scores = claim_scores(own, mark, cascade, GROWS)
    work = RewriteWork(config, str(student), own)
    scored = run_job(Job(own, SCORED, work, sizes, SOURCES), config.engine, progress)
    cut_mark = {
        "scored": digest(mark),
        "thresholds": cascade.select_config(),
        "keep": config.self_distil.keep,
    }
    selected = cut(config, KeepOne(config, own, critics, scores, oriented=True), sizes, cut_mark, progress)
    jobs = {
        DRAWN: (drawn_mark(config, number), drawn),
        SOURCES: (sources_mark(config, count, number), sources),
        SCORED: (mark, scored),
        SELECTED: (cut_mark, selected),
    }
    reports = [report for _, report in jobs.values()]
    result = StageResult(
        stage=stage,
        folder=own,
        made=sum(report.made for report in reports),
        rows={table: rows for report in reports for table, rows in report.rows.items()},
        counts=drawn.counts | sources.counts | scored.counts,
        funnel=whole_funnel(selected),
        seconds=round(sum(report.seconds for report in reports), 3),
    )
    settings = {"seed": config.seed, STAGE: to_dict(config.self_distil), "critics": critics, "scores": scores}
    write_manifest(result, settings, jobs)
    return result


def plan(config: RunConfig, folder: Path, limit: int | None = None, stage: str = STAGE) -> StagePlan:
    """What `run` would do; loads and writes nothing."""
    cascade = cascade_of(config, config.self_distil_critics())
    check_rule(config, cascade)
    student, number = writer(config, stage), round_of(config, stage)
    models = [config.self_distil.model, f"run:{student}"]
    for critic in cascade.critics:
        models += [name for name in critic.model_names().values() if name not in models]
    size = config.engine.shard_size * SOURCES_PER_CONTEXT
    count = _count(config, limit)

    def mark() -> dict[str, Any]:
        return fingerprint(config, count, student_folder(folder, student), number)

    planned = plan_job(folder, stage, SCORED, models, count, SOURCES, size, mark, GROWS)
    # the student may not be there yet; the round's own sources tell already
    drawn = job_state(planned.folder, DRAWN, "manifest.json", lambda: drawn_mark(config, number))
    return replace(planned, state=drawn) if drawn == "of another config" else planned


def fingerprint(config: RunConfig, count: int, student: Path, number: int = 1) -> dict[str, Any]:
    """What the student's candidates depend on; what their scores depend on is the cascade's `score_config`.

    ``number`` of the round; how many rounds there are changes nothing.
    """
    from idist.models import fingerprint as weights

    settings = to_dict(config.self_distil)
    for name in ("count", "model", "keep", "critics", "with_teacher", "rounds"):
        del settings[name]
    return {
        "version": VERSION,
        "seed": config.seed,
        STAGE: settings | {"dtype": number_type(config)},
        "student": {"prompt": config.train.prompt, "weights": weights(str(student))},
        "sources": {"taken": count, "fingerprint": digest(drawn_mark(config, number))},
    }


def student_folder(run: Path, training: str = "train") -> Path:
    """The model that a training left.

    Raises:
        UserError: it has not finished.
    """
    folder = stage_folder(run, training) / "model"
    if not (folder / "config.json").is_file():
        raise UserError(f"{folder} has no config.json: run the stage {training!r} first.")
    return folder


def _count(config: RunConfig, limit: int | None) -> int:
    return config.self_distil.count if limit is None else min(limit, config.self_distil.count)


def check_rule(config: RunConfig, cascade: Cascade) -> None:
    """Raises UserError where ``self_distil.keep`` goes by a score that none of the critics gives."""
    rule = config.self_distil.keep
    if rule != "random" and not _rule_columns(rule, cascade):
        names = ", ".join(critic.name for critic in cascade.critics) or "none"
        needed = {"lowest_rouge_l": "rouge_l", "most_entailed": "entailment"}[rule]
        raise UserError(f"self_distil.keep is {rule!r}, but its critics are {names}, expected one of kind {needed}.")
