"""``run``: score systems on tasks, print the table, leave the files."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from eval_harness.registry import discover

help = "score systems on tasks; with no arguments: copying and the shipped student on the bundled pairs"
TASKS = ("scenes",)
SYSTEMS = ("copy-input", "idist:embedded:student")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What, on what, how."""
    several: dict[str, Any] = {"nargs": "+", "action": "extend"}
    parser.add_argument(
        "--tasks", "--task", metavar="TASK", **several, help=f"names, or YAML files (default: {', '.join(TASKS)})"
    )
    parser.add_argument(
        "--systems",
        "--system",
        metavar="SYSTEM",
        **several,
        help=f"specs NAME[:ARG][,key=value...], as in hf-seq2seq:org/model,num_beams=4 (default: {' '.join(SYSTEMS)})",
    )
    parser.add_argument(
        "--metrics",
        "--metric",
        metavar="METRIC",
        **several,
        help="specs, as in bert_ibleu,model=roberta-large (default: those of each task)",
    )
    parser.add_argument(
        "--protocol",
        choices=("paper", "standard"),
        default="paper",
        help="BLEU as in the paper (mean of sentences) or as sacreBLEU has it (corpus) (default: paper)",
    )
    parser.add_argument("--data-dir", type=Path, metavar="DIR", help="where local benchmark files are")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N examples of each task")
    parser.add_argument("--out", type=Path, default=Path("results"), metavar="DIR", help="default: results")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="folder of predictions (default: OUT/.cache)")
    parser.add_argument("--overwrite", action="store_true", help="make finished results again, and replace others")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1 or mps (default: auto)")
    parser.add_argument("--seed", type=int, default=0, help="of the bootstrap resamples (default: 0)")
    parser.add_argument("--resamples", type=int, default=1000, metavar="N", help="of the intervals (default: 1000)")
    parser.add_argument(
        "--decontaminate", metavar="DATASET", help="training data whose overlap with the tasks goes into the results"
    )


def run(args: argparse.Namespace) -> None:
    """Run, with bars and remarks on stderr, the table on stdout."""
    from eval_harness import runner
    from eval_harness.request import Run
    from eval_harness.table import table

    request = Run(
        tasks=_once(args.tasks or TASKS),
        systems=_once(args.systems or SYSTEMS),
        metrics=tuple(args.metrics or ()),
        protocol=args.protocol,
        data_dir=args.data_dir,
        limit=args.limit,
        seed=args.seed,
        resamples=args.resamples,
        out=args.out,
        cache=args.cache,
        device=args.device,
        overwrite=args.overwrite,
        decontaminate=args.decontaminate,
    )
    print(table(runner.run(request, discover(args.plugin), _say)))


def _once(asked: Sequence[str]) -> tuple[str, ...]:
    """In order, repetitions left out."""
    return tuple(dict.fromkeys(asked))


def _say(text: str) -> None:
    """Above a progress bar, if there is one."""
    from tqdm import tqdm

    tqdm.write(text, file=sys.stderr)
