"""``decontaminate``: how much of the test sets stands in a training set."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eval_harness.registry import Registry, discover
from idist.errors import UserError

if TYPE_CHECKING:
    from eval_harness.tasks.base import TaskData

help = "overlap of a training set with the test sets: equal texts, equal pairs, 13 words in a row"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The training set, and the tasks."""
    parser.add_argument(
        "dataset",
        metavar="DATASET",
        help="a file (.parquet, .jsonl, .csv, .tsv, or a text a line), a folder of them, or a Hub dataset "
        "OWNER/NAME[@REVISION]",
    )
    parser.add_argument(
        "--tasks",
        "--task",
        metavar="TASK",
        nargs="+",
        action="extend",
        help="names, or YAML files (default: every task whose data can be had)",
    )
    parser.add_argument("--data-dir", type=Path, metavar="DIR", help="where local benchmark files are")
    parser.add_argument(
        "--columns", metavar="COLUMN", nargs="+", help="columns of the training set (default: all that hold text)"
    )
    parser.add_argument(
        "--files",
        metavar="GLOB",
        help="which files of a folder or Hub dataset, as in 'data/train-*' (default: all parquet files; if there are "
        "none, JSON lines; if there are none, tables)",
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="also write the figures as JSON")


def run(args: argparse.Namespace) -> None:
    """Print a table and the first examples found."""
    from eval_harness.decontamination import overlaps
    from idist.hub.corpora import open_corpus

    corpus = open_corpus(args.dataset, args.columns, args.files)
    tasks, skipped = _load(args.tasks, args.data_dir, discover(args.plugin))
    figures = overlaps(corpus, tasks, progress=True)
    for reason in skipped:
        print(f"left out: {reason}", file=sys.stderr)
    print(report(figures))
    if args.out is not None:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def report(figures: Mapping[str, Mapping[str, Any]]) -> str:
    """The figures of `eval_harness.decontamination.overlaps` as a table and quotations."""
    some = next(iter(figures.values()))
    kinds = {"source": "source", "reference": "reference", "pair": "pair", "ngram": f"{some['ngram']}-gram"}
    at = f"@{some['revision'][:12]}" if some["revision"] else ""
    width = max(len("task"), *map(len, figures))
    lines = [
        f"{some['dataset']}{at}: {some['rows']:,} rows; found in them, of the examples of each task:",
        f"{'task':<{width}}{'examples':>10}" + "".join(f"{title:>11}" for title in kinds.values()) + f"{'any':>18}",
    ]
    for name, task in figures.items():
        cells = "".join(f"{task['counts'][kind]:>11,}" for kind in kinds)
        found = f"{task['counts']['any']:,} ({task['shares']['any']:.2%})"
        lines.append(f"{name:<{width}}{task['examples']:>10,}{cells}{found:>18}")
    for task in figures.values():
        for hit in task["first"]:
            lines.append(f"  {hit['id']}  {kinds[hit['kind']]} in {hit['file']}, row {hit['row']}: {hit['text']}")
    less = f"A source or reference of less than {some['ngram']} words counts as {kinds['ngram']} if it is there whole."
    return "\n".join([*lines, f"Compared after normalization ({some['normalization']}). {less}"])


def _load(
    names: Sequence[str] | None, data_dir: Path | None, registry: Registry
) -> tuple[dict[str, TaskData], list[str]]:
    """Tasks that are named must load; of all others, those that do, and why the rest does not."""
    loaded: dict[str, TaskData] = {}
    skipped: list[str] = []
    for name in dict.fromkeys(names or registry.names("task")):
        try:
            task = registry.task(name)
            if names is None and data_dir is not None and not task.is_present(data_dir):
                loaded[task.name] = task.load()
            else:
                loaded[task.name] = task.load(data_dir)
        except UserError as error:
            if names is not None:
                raise
            skipped.append(str(error))
    if not loaded:
        raise UserError("No task could be loaded: " + " ".join(skipped))
    return loaded, skipped
