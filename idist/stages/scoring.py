"""What `pairs` and `self_distil` share: candidates with their scores in shards, and cutting them at thresholds.

Scores are stored once, up to the critics' floors; cutting reads them shard by shard and needs no model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from idist.config import RunConfig
from idist.engine import Job, JobReport, Shard, Tick, claim, forget, has_results, peek, read_table, run_job
from idist.errors import UserError
from idist.rows import schema

if TYPE_CHECKING:
    import pyarrow as pa

    from idist.critics import Cascade, Judged, Kept

SCORED, SELECTED = "scored", "selected"  # names of jobs; the second is also a table
Critics = Sequence[Mapping[str, Mapping[str, Any]]]


def cascade_of(config: RunConfig, critics: Critics) -> Cascade:
    """The composition, built but not loaded.

    Raises:
        UserError: see `build_cascade`; no critic at all, where the pairs are a model's.
    """
    from idist.critics import build_cascade

    if not critics and config.pairs.source is None:
        raise UserError("critics is empty, expected at least one critic; only pairs.source may go without any.")
    return build_cascade(critics, config.device, config.dtype, config.seed, config.pairs.order, config.pairs.pairing)


def claim_scores(folder: Path, mark: Mapping[str, Any], cascade: Cascade, grows: str) -> dict[str, Any]:
    """Begin or resume the job `scored`: the `score_config` under which its scores are made.

    The floors that a run was begun with stay: thresholds within them need no new scores. ``grows``: see `claim`.

    Raises:
        UserError: other settings or models than those of the scores in the folder, or a threshold beyond a floor.
    """
    if not has_results(folder, SCORED):
        forget(folder, SCORED)  # of a start that failed; its floors too
    begun = peek(folder, SCORED)
    if begun is not None:
        try:
            cascade.check_scores(begun["layout"]["scores"])
        except UserError as error:
            raise UserError(
                f"{folder}: {error} To do so add --from {folder.name}, or give the run another name."
            ) from None
    return claim(folder, SCORED, mark, {"scores": cascade.score_config()}, grows=grows)["scores"]


def scored_tables(
    cascade: Cascade, judged: Sequence[Judged], contexts: Sequence[str], counts: Sequence[Sequence[int]]
) -> dict[str, pa.Table]:
    """Tables `sentences` (a row a group) and `candidates` (a row a pair, a float32 column a score)."""
    import pyarrow as pa

    from idist.critics import candidate_columns, sentence_columns

    columns = sentence_columns(judged) | {"context": list(contexts), "counts": [list(count) for count in counts]}
    pairs = candidate_columns(judged, cascade.score_columns)
    kinds = with_scores("candidates", cascade)
    return {
        "sentences": pa.table([pa.array(columns[f.name], f.type) for f in schema("sentences")], schema("sentences")),
        "candidates": pa.table([pa.array(pairs[f.name], f.type) for f in kinds], kinds),
    }


def with_scores(table: str, cascade: Cascade) -> pa.Schema:
    """Schema of a table with the cascade's score columns after the fixed ones."""
    import pyarrow as pa

    kinds = schema(table)
    for column in cascade.score_columns:
        kinds = kinds.append(pa.field(column, pa.float32()))
    return kinds


@dataclass
class CutWork:
    """The work of `selected`: thresholds on the scores of one shard. Table `selected` has the columns of `pairs`."""

    config: RunConfig
    folder: Path  # of the stage
    critics: Critics
    scores: dict[str, Any]  # the score_config that the scores were made under
    oriented: bool = field(default=False, kw_only=True)  # candidates were judged in their order, x before y

    def open(self) -> Cascade:
        """No model: thresholds only."""
        return cascade_of(self.config, self.critics)

    def shard(self, opened: Cascade, rank: int, tick: Tick) -> Shard:
        """The kept pairs of shard ``rank``, by context and sentences; its funnel is in the receipt."""
        import pyarrow as pa

        from idist.critics import Group, read_judged

        sentences = read_table(self.folder, SCORED, "sentences", rank)
        candidates = read_table(self.folder, SCORED, "candidates", rank)
        oriented = self.oriented or opened.is_oriented(Group("", []))
        judged = read_judged(sentences, candidates, self.scores, opened.score_columns, oriented)
        kept, funnel = opened.select(judged)
        chosen = self.choose(kept, opened)
        texts = {one.id: one.sentences for one in judged}
        rows = pa.Table.from_pylist([_pair(pair, texts) for pair in chosen], with_scores("pairs", opened))
        tick(len(judged))
        return Shard({SELECTED: rows}, notes={"funnel": self.count_chosen(funnel.to_dict(), len(chosen))})

    def choose(self, kept: list[Kept], cascade: Cascade) -> list[Kept]:
        """Which of the kept pairs are written: here all."""
        return kept

    def count_chosen(self, funnel: dict[str, Any], chosen: int) -> dict[str, Any]:
        """The funnel with what `choose` removed; here nothing."""
        return funnel


def _pair(pair: Kept, texts: Mapping[str, list[str]]) -> dict[str, Any]:
    sentences = texts[pair.group_id]
    return {
        "id": f"{pair.group_id}-{pair.i:03d}-{pair.j:03d}",
        "context_id": pair.group_id,
        "x": sentences[pair.i],
        "y": sentences[pair.j],
        **pair.scores,
    }


def cut(config: RunConfig, work: CutWork, items: Sequence[int], mark: Mapping[str, Any], progress: bool) -> JobReport:
    """Run the job `selected`; where the thresholds changed, what an earlier cut left is made again."""
    claim(work.folder, SELECTED, mark, {}, remake=True)
    return run_job(Job(work.folder, SELECTED, work, items), config.engine, progress)


def whole_funnel(selected: JobReport) -> dict[str, Any]:
    """Funnels of all shards added up, as plain values (`idist.critics.Funnel.from_dict` reads them)."""
    from idist.critics import Funnel

    total = Funnel()
    for notes in selected.notes:
        total = total + Funnel.from_dict(notes["funnel"])
    return total.to_dict()
