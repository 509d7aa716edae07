"""Which part of the method does what: the same run without self-distillation, without each critic, on another corpus.

python recipes/ablations.py                                   on the models that ship: within an hour on two cores
python recipes/ablations.py --corpus baseline-parabank2       also another corpus in the teacher's place
python recipes/ablations.py --only no-entailment,no-diversity --dry-run

Paper, table 6. Every row is a run of its own, made by the stages of recipes/distill.py; all students are scored on the
config's tasks and tested against the whole method. A stopped call goes on where it was. Leaves runs/NAME/full,
runs/NAME/no-..., and in runs/NAME the table: ablations.md, ablations.json, ablations.png, ablations.svg.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from idist._schema import nearest
from idist.config import RunConfig, load_config
from idist.errors import UserError
from recipes.ablation_variants import FIRST, FULL, LAST, Variant, variants
from recipes.command import Request, add_run_arguments, config_path, read_config, run


def main() -> None:
    """All runs, then all scores, then the table."""
    args = _parse()
    config = read_config(args)
    corpus = load_config(config_path(args.corpus)) if args.corpus else None
    chosen = choose(variants(config, corpus), args.only)
    folder = args.runs / config.name
    requests = runs_of(chosen, folder, args.limit)
    if args.dry_run:
        from recipes.pipeline import plan

        print("\n\n".join(map(plan, requests.values())))
        return
    start = time.monotonic()
    failed = make(requests, folder / FULL)
    if corpus is None:
        print("\nNo --corpus, so no rows with another corpus.")
    there = [variant for variant in chosen if (variant.run, variant.student) not in failed]
    report(config, there, folder)
    print(f"Time     {(time.monotonic() - start) / 60:.1f} minutes")
    if len(there) < len(chosen):
        missing = {v.name: failed[v.run, v.student] for v in chosen if v not in there}
        raise UserError("Not in the table: " + "; ".join(f"{name}: {reason}" for name, reason in missing.items()))


def runs_of(chosen: Sequence[Variant], folder: Path, limit: int | None) -> dict[str, Request]:
    """The runs behind the rows, by name; of two students of one run the later one decides how far it goes."""
    found: dict[str, Request] = {}
    for variant in chosen:
        known = found.get(variant.run)
        if known is None or len(known.stages) < len(variant.stages):
            own = folder / variant.run
            found[variant.run] = Request(variant.config, own, variant.stages, limit, False, None)
    return found


def make(requests: dict[str, Request], full: Path) -> dict[tuple[str, str], str]:
    """Run each run's stages. The contexts do not depend on what is ablated: those of the whole method serve all.

    Returns:
        (run, training) of students that could not be made -> the reason: too few pairs left by critics, most often.

    Raises:
        UserError: the whole method's run could not be made: there is nothing to compare with.
    """
    failed: dict[tuple[str, str], str] = {}
    for number, (name, request) in enumerate(requests.items(), 1):
        print(f"\n### {name} ({number} of {len(requests)})", flush=True)
        if "contexts" in request.stages:
            _share_contexts(full, request.folder)
        try:
            _make_students(request)
        except _StudentError as error:
            if name == FULL:
                raise UserError(str(error)) from None
            failed |= dict.fromkeys(((name, student) for student in error.students), str(error))
            print(f"error: {error} Going on with the others.", file=sys.stderr)
    return failed


class _StudentError(UserError):
    """These students of a run could not be made."""

    def __init__(self, reason: str, students: Sequence[str]) -> None:
        super().__init__(reason)
        self.students = students


def _make_students(request: Request) -> None:
    """One student after the other: if the second cannot be made, the first one is there."""
    from recipes.pipeline import run_stages

    students = [student for student in (FIRST, LAST) if student in request.stages]
    done = 0
    for number, student in enumerate(students):
        end = request.stages.index(student) + 1
        try:
            run_stages(replace(request, stages=request.stages[done:end]))
        except UserError as error:
            raise _StudentError(str(error), students[number:]) from None
        done = end


def report(config: RunConfig, chosen: Sequence[Variant], folder: Path) -> None:
    """Score every student on the config's tasks, compare with the whole method, print and leave the table."""
    from recipes.ablation_report import compared, table, write_report
    from recipes.evaluation import evaluate, registered
    from recipes.pipeline import student_folder

    results = {}
    for number, variant in enumerate(chosen):
        # the baselines once; the overlap with the tasks is that of each student's own pairs
        baselines = [] if number else config.evaluation.baselines
        settings = replace(config, evaluation=replace(config.evaluation, baselines=baselines))
        own = folder / variant.run
        student = student_folder(own, variant.student)
        done = evaluate(settings, [student], own / variant.taught_by / "selected", folder / "evaluation")
        results[variant] = done.results
    found = compared(results, registered(config.evaluation)[0], folder)
    print(f"\n{table(found)}\n")
    print(f"Written  {', '.join(str(path) for path in write_report(folder, found))}")


def choose(found: Sequence[Variant], only: str | None) -> list[Variant]:
    """The rows that ``--only`` names, with the whole method, to which all are compared.

    Raises:
        UserError: a row that there is not.
    """
    if only is None:
        return list(found)
    names = [variant.name for variant in found]
    asked = {name.strip() for name in only.split(",")} | {FULL}
    for name in sorted(asked - set(names)):
        raise UserError(f"--only {name!r} is no row of the table; {nearest(name, names)}")
    return [variant for variant in found if variant.name in asked]


def _share_contexts(full: Path, folder: Path) -> None:
    """A copy of the finished contexts, where there are none of the run's own."""
    import shutil

    from idist.engine.folders import whole_folder

    theirs, own = full / "contexts", folder / "contexts"
    if own.exists() or not (theirs / "manifest.json").is_file():
        return
    with whole_folder(own) as beside:
        shutil.copytree(theirs, beside, dirs_exist_ok=True)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_run_arguments(parser, "mini-ablations")
    parser.add_argument(
        "--corpus",
        metavar="CONFIG",
        help="a config whose pairs.source names another corpus, such as baseline-parabank2: three rows more",
    )
    parser.add_argument("--only", metavar="ROW,ROW", help="these rows of the table alone, beside the whole method")
    parser.add_argument("--limit", type=int, help="at most so many contexts, sources and sentences of the corpus")
    parser.add_argument("--dry-run", action="store_true", help="print the stages of every run and what is done")
    args = parser.parse_args()
    if args.limit is not None and args.limit < 1:
        raise UserError(f"--limit is {args.limit}, expected 1 or more.")
    return args


if __name__ == "__main__":
    run(main)
