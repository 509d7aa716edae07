"""Distil a paraphrase dataset and a student model out of a small language model, from nothing to a table of scores.

python recipes/distill.py                               everything offline, on the models that ship: about 15 minutes
python recipes/distill.py --config dimple-news          the paper's settings (a GPU and a Hub connection)
python recipes/distill.py --set pairs.k=50 --dry-run    what would be done

Stages: contexts, pairs, train, self_distil, train_final. A stopped run goes on where it was.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from idist.config import TRAININGS
from idist.stages.rounds import base, earlier
from recipes.command import Request, parse, run
from recipes.evaluation import evaluate
from recipes.pipeline import dry_run, first_process, pair_files, publish, run_stages, student_folder

DISTILLATION = ("contexts", "pairs", "train", "self_distil", "train_final")
PAIRS_SHOWN = 10


def main() -> None:
    """All stages, then pairs to read, the table, and where everything lies."""
    request = parse(__doc__, DISTILLATION)
    if request.dry_run:
        print(dry_run(request))
        return
    run_stages(request)
    if not first_process():
        return
    print(f"\n{_sample(request)}\n")
    folder = request.folder
    rounds = [stage for stage in earlier(request.config.self_distil.rounds) if base(stage) in TRAININGS]
    students = [student_folder(folder, stage) for stage in ("train", *rounds, "train_final")]
    done = evaluate(request.config, students, folder / "self_distil" / "selected", folder / "evaluation")
    print(done.table)
    print(f"\nDataset  {folder / 'self_distil' / 'selected'} (the teacher's: {folder / 'pairs' / 'selected'})")
    print(f"Model    {student_folder(folder, 'train_final')} (the first student: {student_folder(folder, 'train')})")
    print(f"Log      {folder / 'train_final' / 'training_log.jsonl'}, training_curve.png beside it")
    print(f"Scores   {done.folder}; idist-eval report {done.folder} draws them")
    publish(request)


def _sample(request: Request) -> str:
    """Ten of the final pairs, drawn by the run's seed."""
    import random

    import pyarrow.dataset as ds

    pairs = ds.dataset([str(path) for path in pair_files(request.folder, "self_distil")])
    total = pairs.count_rows()
    drawn = random.Random(request.config.seed).sample(range(total), min(PAIRS_SHOWN, total))
    lines = [f"{len(drawn)} of {total:,} pairs"]
    for row in pairs.take(drawn, columns=["x", "y"]).to_pylist():
        lines += [f"  {row['x']}", f"    -> {row['y']}"]
    return "\n".join(lines)


if __name__ == "__main__":
    run(main)
