"""The paper's human evaluation: make a study of systems' outputs, read people's answers, hand them to the harness.

python recipes/human_eval.py make results --items 100 --out study.json     a study of what idist-eval run left there
IDIST_STUDY=study.json make annotate                                       people rate it in a browser
python recipes/human_eval.py report study.json                             means, intervals, tests, agreement
python recipes/human_eval.py export study.json --out results               results that idist-eval compare reads
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from idist.errors import UserError
from recipes.command import run

ANSWERS = Path("runs") / "annotations"


def main() -> None:
    """Run the command that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _make_arguments(commands.add_parser("make", help="a study from results of the harness"))
    _report_arguments(commands.add_parser("report", help="what people answered"))
    _export_arguments(commands.add_parser("export", help="people's answers as results of the harness"))
    args = parser.parse_args()
    {"make": make, "report": report, "export": export}[args.command](args)


def make(args: argparse.Namespace) -> None:
    """Draw the items and write the study."""
    from eval_harness import results
    from eval_harness.human.sample import draw, one_task
    from eval_harness.human.study import write_study

    if args.out.exists() and not args.overwrite:
        raise UserError(f"{args.out} exists: choose another --out, or replace it with --overwrite.")
    paths = list(dict.fromkeys(path for folder in args.results for path in results.find(folder)))
    found = one_task([results.read(path) for path in paths], args.task, args.systems)
    study = draw(found, args.items, args.seed, args.annotators, args.with_references, args.name)
    write_study(args.out, study)
    each = len(study.units)
    print(f"{args.out}: {len(study.items)} items of {study.task['name']}, {len(study.systems)} systems")
    print("\n".join(f"   {name}" for name in study.systems))
    print(f"   {study.annotators} people for each item, {each} answers of each, {', '.join(study.questions)}")
    print(f"Next: IDIST_STUDY={args.out} make annotate")


def report(args: argparse.Namespace) -> None:
    """Print what people answered."""
    from eval_harness.human.analysis import analyse, as_json
    from eval_harness.human.store import read_ratings
    from eval_harness.human.study import read_study
    from eval_harness.human.text import text
    from idist.engine.shards import write_json

    study = read_study(args.study)
    made = analyse(study, read_ratings(args.answers, study), args.test, args.resamples, args.seed)
    if args.out is not None:
        write_json(args.out, as_json(made))
    print(json.dumps(as_json(made), ensure_ascii=False, indent=1) if args.json else text(made))


def export(args: argparse.Namespace) -> None:
    """Write results of the harness."""
    from eval_harness.human.export import export
    from eval_harness.human.store import read_ratings
    from eval_harness.human.study import read_study

    study = read_study(args.study)
    written = export(study, read_ratings(args.answers, study), args.out, args.resamples, args.seed)
    for result in written:
        print(result.path)
    if len(written) > 1:
        print(f"Next: python -m eval_harness compare {written[0].path} {written[1].path}")


def _make_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "results", type=Path, nargs="+", help="folders of results, or single files TASK/PROTOCOL/X.json"
    )
    parser.add_argument("--out", type=Path, default=Path("study.json"), help="file of the study (default: study.json)")
    parser.add_argument("--task", help="of several tasks")
    parser.add_argument("--systems", nargs="+", default=[], metavar="SPEC", help="of several systems (default: all)")
    parser.add_argument(
        "--with-references", action="store_true", help="the references join as a system: how good are people?"
    )
    parser.add_argument(
        "--items", type=int, default=200, help="how many (default: 200, the paper's paraphrases; its summaries: 100)"
    )
    parser.add_argument("--annotators", type=int, default=6, help="wanted for each item (default: 6, the paper's)")
    parser.add_argument("--seed", type=int, default=0, help="of the sample and of all orders (default: 0)")
    parser.add_argument("--name", default="", help="of the study, shown to people (default: the task's)")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing file")


def _answer_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("study", type=Path, help="file that make wrote")
    parser.add_argument(
        "--answers", type=Path, default=ANSWERS, help=f"folder of the answers (default: {ANSWERS.as_posix()})"
    )
    parser.add_argument("--resamples", type=int, default=1000, help="of the bootstrap (default: 1000)")
    parser.add_argument("--seed", type=int, default=0, help="of the resamples (default: 0)")


def _report_arguments(parser: argparse.ArgumentParser) -> None:
    _answer_arguments(parser)
    parser.add_argument(
        "--test", choices=("bootstrap", "randomization"), default="randomization", help="default: randomization"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--out", type=Path, help="write the JSON there, too")


def _export_arguments(parser: argparse.ArgumentParser) -> None:
    _answer_arguments(parser)
    parser.add_argument("--out", type=Path, default=Path("results"), help="folder of results (default: results)")


if __name__ == "__main__":
    run(main)
