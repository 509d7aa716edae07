"""Pairs of another corpus in place of the teacher's: the same critics cut them, the same training learns from them.

That is how the paper's baselines are made (tables 2 and 4: T5 on ParaBank1, ParaBank2, ChatGPT-Para; table 5: on
ParaBank with the critics of summaries). Job `corpus` reads the pairs, a row a source with its targets; the stage's
`scored` then judges (source, target), in this order, and never one target with another.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from idist.config import PairsConfig, RunConfig
from idist.engine import Job, JobReport, NoWork, Shard, Tick, claim, digest, finished, peek, read_table, run_stream
from idist.errors import UserError
from idist.hub.corpora import Corpus, open_corpus
from idist.rows import schema
from idist.stages.runs import StagePlan, job_state, plan_job, stage_folder
from idist.stages.scoring import SCORED, cascade_of, scored_tables
from idist.stages.sources import SOURCES_PER_CONTEXT

if TYPE_CHECKING:
    from idist.critics import Cascade

VERSION = 2  # of this code: raised when the same corpus would give other rows
CORPUS = "corpus"  # job and table
GROWS = "corpus.limit"  # the first sources are the same, however many are read
GROWN = "corpus.taken"
ALL = sys.maxsize


@dataclass
class JudgeWork:
    """The work of `scored` for a corpus: one shard of sources with their targets."""

    config: RunConfig
    folder: Path  # of the stage

    unit: ClassVar[str] = "sources"

    def open(self) -> Cascade:
        """Critics load their models when they first score."""
        return cascade_of(self.config, self.config.pairs.critics)

    def shard(self, opened: Cascade, rank: int, tick: Tick) -> Shard:
        """Every (source, target) of shard ``rank``."""
        import numpy as np

        from idist.critics import Group

        rows = read_table(self.folder, CORPUS, CORPUS, rank).to_pylist()
        groups = []
        for row in rows:
            pairs = np.array([(0, n + 1) for n in range(len(row["targets"]))], np.int64).reshape(-1, 2)
            groups.append(Group(row["id"], [row["x"], *row["targets"]], pairs))
        judged = opened.score(groups)
        tick(len(rows))
        counts = [[1, *row["counts"]] for row in rows]
        totals = {"failures": sum(len(one.failures) for one in judged)}
        return Shard(scored_tables(opened, judged, [row["x"] for row in rows], counts), totals)


def read_corpus(
    config: RunConfig, own: Path, limit: int | None, progress: bool
) -> tuple[dict[str, Any], JobReport, list[int]]:
    """Run the job `corpus`.

    Args:
        config: `pairs.source` says where the pairs are.
        own: folder of the stage.
        limit: at most so many sources.
        progress: a bar on stderr.

    Returns:
        Its fingerprint; its report (counts: ``sources``, ``pairs``, and what was left out: ``equal`` targets, the same
        as their source, and ``repeated`` ones, and ``empty`` texts); the number of sources in each shard.

    Raises:
        UserError: no such corpus or column, a row without text, made with another config, disk full.
    """
    settings = config.pairs
    corpus = open_source(settings)
    mark = corpus_mark(settings, limit, corpus)
    layout = {"shard_size": config.engine.shard_size * SOURCES_PER_CONTEXT}
    size = claim(own, CORPUS, mark, layout, grows=GROWS)["shard_size"]
    empty: Counter[str] = Counter(empty=0)
    rows = _rows(_groups(corpus, settings, empty), limit)
    job = Job(own, CORPUS, NoWork(), [limit or corpus.count() or 0], JudgeWork.unit)
    report = run_stream(job, _shards(rows, size, empty), progress)
    sizes = [receipt["files"][CORPUS]["rows"] for _, receipt in sorted(finished(own, CORPUS).items())]
    return mark, report, sizes


def check_source(settings: PairsConfig) -> None:
    """What can be known of a corpus without asking the Hub.

    Raises:
        UserError: a file or folder that is not there, a column by name and the other by number.
    """
    _cells(settings)
    if settings.source is not None and not _on_hub(settings):
        try:
            open_source(settings)
        except UserError as error:
            raise UserError(f"pairs.source: {error}") from None


def _on_hub(settings: PairsConfig) -> bool:
    """A name such as OWNER/NAME that is neither a file nor a folder here."""
    name = str(settings.source)
    there = Path(name).expanduser().exists()
    return not there and name.count("/") == 1 and not name.startswith((".", "/", "~"))


def open_source(settings: PairsConfig) -> Corpus:
    """The corpus that `pairs.source` names; what is no file or folder here is looked up on the Hub.

    Raises:
        UserError: it is nowhere.
    """
    if settings.source_column.isdigit():  # cells of a table without a header, counted from 1
        return open_corpus(str(settings.source), None, settings.source_files, header=False)
    columns = (settings.source_column, settings.target_column)
    return open_corpus(str(settings.source), columns, settings.source_files)


def corpus_mark(settings: PairsConfig, limit: int | None, corpus: Corpus) -> dict[str, Any]:
    """What the rows of the job depend on."""
    local = corpus.revision is None
    own = {
        "limit": limit or ALL,
        "revision": corpus.revision,
        "files": [f"{path.name}:{_digest_of(path)}" for path in corpus.paths] if local else settings.source,
        "pattern": settings.source_files,
        "columns": [settings.source_column, settings.target_column],
    }
    return {"version": VERSION, CORPUS: own}


def judged_mark(config: RunConfig, read_mark: dict[str, Any], taken: int) -> dict[str, Any]:
    """What the judged pairs depend on, scores aside: the first sources are the same, however many are read."""
    own = {key: value for key, value in read_mark[CORPUS].items() if key != "limit"}
    return {"version": VERSION, "seed": config.seed, CORPUS: {"taken": taken, "fingerprint": digest(own)}}


def plan(config: RunConfig, folder: Path, stage: str, limit: int | None, models: list[str]) -> StagePlan:
    """What the stage would do; nothing is asked of the Hub."""
    own, settings = stage_folder(folder, stage), config.pairs
    here = not _on_hub(settings)
    count = (open_source(settings).count() if here else None) or 0
    if peek(own, CORPUS):
        count = sum(receipt["files"][CORPUS]["rows"] for receipt in finished(own, CORPUS).values())

    def read() -> dict[str, Any]:
        if not here:
            raise UserError(f"pairs.source: {settings.source} is on the Hub.")  # as far as one can tell: the same
        return corpus_mark(settings, limit, open_source(settings))

    def mark() -> dict[str, Any]:
        return judged_mark(config, read(), count)

    size = config.engine.shard_size * SOURCES_PER_CONTEXT
    items = count if limit is None else min(limit, count or limit)
    planned = plan_job(folder, stage, SCORED, models, items, JudgeWork.unit, size, mark, GROWN)
    more = job_state(own, CORPUS, "manifest.json", read, GROWS) == "begun"  # more of the corpus is wanted now
    return replace(planned, state="begun") if more and planned.state == "finished" else planned


def _digest_of(path: Path) -> str:
    """16 hexadecimal digits over a file's bytes."""
    import hashlib

    with path.open("rb") as handle:
        whole = hashlib.sha256()
        while block := handle.read(1 << 20):
            whole.update(block)
    return whole.hexdigest()[:16]


def _groups(corpus: Corpus, settings: PairsConfig, empty: Counter[str]) -> Iterator[tuple[str, list[str]]]:
    """Sources with their targets: rows that follow each other with the same source are one group."""
    for source, rows in groupby(_texts(corpus, settings, empty), key=lambda row: row[0]):
        yield source, [target for _, *targets in rows for target in targets]


def _texts(corpus: Corpus, settings: PairsConfig, empty: Counter[str]) -> Iterator[list[str]]:
    """[source, target, ...] of each row; blank targets and rows without a source or target are left out, counted."""
    chosen, there = _cells(settings), False
    for path in corpus.paths:
        for row in corpus.pairs(path, chosen):
            texts = [" ".join(text.split()) for text in row]
            kept = [texts[0], *filter(None, texts[1:])] if texts and texts[0] else []
            empty["empty"] += max(len(texts), 2) - max(len(kept), 1)
            if len(kept) < 2:
                continue
            there = True
            yield kept
    if not there:
        columns = f"{settings.source_column!r} and {settings.target_column!r}"
        raise UserError(f"pairs.source: {settings.source} has no pairs in {columns}, expected at least one.")


def _cells(settings: PairsConfig) -> Callable[[list[str]], list[str]]:
    """Row -> source and targets. Columns with names are read alone; numbered ones are picked: ``2-`` is 2 and on.

    Raises:
        UserError: one column is a number and the other is not.
    """
    source, target = settings.source_column, settings.target_column
    if source.isdigit() != target.removesuffix("-").isdigit():
        raise UserError(
            f"pairs.source_column is {source!r} and pairs.target_column {target!r}, expected two names, or two numbers "
            'such as "1" and "2" ("2-": the second and all after it).'
        )
    if not source.isdigit():
        return lambda row: row
    x, y = int(source) - 1, int(target.removesuffix("-")) - 1
    return lambda row: row[x : x + 1] + (row[y:] if target.endswith("-") else row[y : y + 1])


def _rows(groups: Iterator[tuple[str, list[str]]], limit: int | None) -> Iterator[tuple[dict[str, Any], Counter[str]]]:
    """Rows of the table and what each adds to the counts."""
    for number, (source, targets) in enumerate(islice(groups, limit)):
        counted = Counter(target for target in targets if target != source)
        row = {"id": f"p{number:07d}", "x": source, "targets": list(counted), "counts": list(counted.values())}
        seen = Counter(sources=1, pairs=len(counted), equal=len(targets) - counted.total())
        seen["repeated"] = counted.total() - len(counted)
        yield row, seen


def _shards(rows: Iterator[tuple[dict[str, Any], Counter[str]]], size: int, empty: Counter[str]) -> Iterator[Shard]:
    import pyarrow as pa

    batch = list(islice(rows, size))
    while batch:
        following = list(islice(rows, size))  # read ahead: the last shard counts what the corpus ends with
        counts: Counter[str] = sum((seen for _, seen in batch), Counter())
        counts, empty["empty"] = counts + empty, 0
        yield Shard({CORPUS: pa.Table.from_pylist([row for row, _ in batch], schema(CORPUS))}, dict(counts))
        batch = following
