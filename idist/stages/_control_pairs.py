"""The pairs that stage `control` gives codes to.

What earlier stages kept, or their candidates cut once more; and, where that is asked for (`control.rebuilt`), sentences
that are to be put together again out of their damaged words: there the code says what x does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from idist._schema import nearest
from idist.config import RunConfig
from idist.engine import finished, peek, read_table
from idist.errors import UserError
from idist.rows import COLUMNS, schema
from idist.stages._practice import damaged
from idist.stages.generation import is_oriented
from idist.stages.runs import require_stage, stage_folder
from idist.stages.samples import row_rng
from idist.stages.scoring import SCORED, SELECTED, CutWork, cascade_of
from idist.stages.sources import SOURCES

if TYPE_CHECKING:
    import pyarrow as pa

FIXED = tuple(COLUMNS["pairs"])
Composition = list[dict[str, dict[str, Any]]]


REBUILT = "rebuilt"  # in the place of a stage: sentences and their damaged words


@dataclass(frozen=True)
class Upstream:
    """One shard of pairs of an earlier stage."""

    stage: str
    rank: int
    taken: int | None = None  # of a shard of sentences, the first so many


def upstream_stages(config: RunConfig) -> list[str]:
    """Names of the stages whose pairs are taken."""
    return [*(["pairs"] if config.control.with_teacher else []), "self_distil"]


def upstream_shards(config: RunConfig, folder: Path) -> list[Upstream]:
    """Their shards, in order.

    Raises:
        UserError: one of the stages has not finished.
    """
    found = []
    for stage in upstream_stages(config):
        job = SELECTED if config.control.thresholds is None else SCORED
        found += [Upstream(stage, rank) for rank in range(require_stage(folder, stage)["jobs"][job]["shards"])]
    return found + _sentence_shards(config.control.rebuilt, stage_folder(folder, "self_distil"))


def _sentence_shards(count: int, folder: Path) -> list[Upstream]:
    """Shards of self-distillation's sources with ``count`` of them, or all there are."""
    found = []
    for rank, receipt in sorted(finished(folder, SOURCES).items()):
        taken = min(count, receipt["files"][SOURCES]["rows"])
        if taken:
            found.append(Upstream(REBUILT, rank, taken))
        count -= taken
    return found


def shard_size(folder: Path, shard: Upstream) -> int:
    """Its kept pairs or taken sentences, at least 1: a measure of work."""
    if shard.taken is not None:
        return shard.taken
    receipt = finished(stage_folder(folder, shard.stage), SELECTED).get(shard.rank)
    return max(1, receipt["files"][SELECTED]["rows"]) if receipt else 1


def thresholds(config: RunConfig, stage: str) -> Composition:
    """The stage's critics with `control.thresholds` in place of their own."""
    own = config.pairs.critics if stage == "pairs" else config.self_distil_critics()
    changes = {name: settings or {} for entry in config.control.thresholds or [] for name, settings in entry.items()}
    return [
        {name: {**(settings or {}), **changes.get(name, {})} for name, settings in critic.items()} for critic in own
    ]


def check_thresholds(config: RunConfig) -> None:
    """Whether each of `control.thresholds` is one of a critic that was there, and a valid one.

    Raises:
        UserError: it is not.
    """
    known: set[str] = set()
    for stage in upstream_stages(config):
        composition = thresholds(config, stage)
        known |= {name for critic in composition for name in critic}
        if config.control.thresholds is not None:
            cascade_of(config, composition)
    for entry in config.control.thresholds or []:
        for name in entry:
            if name not in known:
                stages = " and ".join(upstream_stages(config))
                raise UserError(
                    f"control.thresholds: {stages} has no critic {name!r} to be cut at; {nearest(name, sorted(known))}"
                )


def read_upstream(config: RunConfig, folder: Path, shard: Upstream) -> pa.Table:
    """Pairs of one shard with their scores: columns of `pairs`, both directions of each where that is asked for.

    Raises:
        UserError: a damaged file; thresholds that the stored scores do not serve.
    """
    if shard.stage == REBUILT:
        return _damaged_sentences(stage_folder(folder, "self_distil"), shard, config.seed)
    own = stage_folder(folder, shard.stage)
    if config.control.thresholds is None:
        table = read_table(own, SELECTED, SELECTED, shard.rank)
    else:
        table = _cut_again(config, own, shard)
    return _both_ways(table) if config.control.both_ways else table


def _damaged_sentences(folder: Path, shard: Upstream, seed: int) -> pa.Table:
    """Pairs of a damaged sentence and itself, as columns of `pairs`; a source's id with `rebuilt` is the pair's."""
    import pyarrow as pa

    rows = read_table(folder, SOURCES, SOURCES, shard.rank).slice(0, shard.taken).to_pylist()
    pairs = [
        {
            "id": f"{row['id']}-{REBUILT}",
            "context_id": row["id"],
            "x": damaged(row["x"], row_rng(seed, row["id"], REBUILT)),
            "y": row["x"],
        }
        for row in rows
    ]
    return pa.Table.from_pylist(pairs, schema("pairs"))


def _cut_again(config: RunConfig, own: Path, shard: Upstream) -> pa.Table:
    composition = thresholds(config, shard.stage)
    begun: Mapping[str, Any] = peek(own, SCORED) or {}
    oriented = shard.stage == "self_distil" or is_oriented(config.pairs)
    work = CutWork(config, own, composition, begun["layout"]["scores"], oriented=oriented)
    return work.shard(work.open(), shard.rank, lambda done: None).tables[SELECTED]


def _both_ways(table: pa.Table) -> pa.Table:
    """Each pair followed by itself turned around; its id names its two sentences in their new order."""
    import pyarrow as pa

    from idist.critics import turned_column

    rows = []
    for row in table.to_pylist():
        context, first, second = row["id"].rsplit("-", 2)
        turned = {turned_column(name, row): value for name, value in row.items()}
        rows += [row, {**turned, "id": f"{context}-{second}-{first}", "x": row["y"], "y": row["x"]}]
    return pa.Table.from_pylist(rows, table.schema)
