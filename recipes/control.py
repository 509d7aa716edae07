"""A student that writes in a given syntax, or as short, as literal, as differently built as asked for.

python recipes/control.py --config mini-control       syntax, everything offline on the models that ship
python recipes/control.py --config mini-attributes    length, overlap and syntactic distance

Stages: those of recipes/distill.py, then control (codes for the pairs) and train_control. A stopped run goes on where
it was. recipes/control_write.py then writes with the student, recipes/control_report.py says how far it obeys.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from idist.stages.runs import STAGES
from recipes.command import parse, run
from recipes.pipeline import dry_run, first_process, publish, run_stages, student_folder

CODES_SHOWN = 12


def main() -> None:
    """All stages, then what the student can be asked for and where it lies."""
    request = parse(__doc__, STAGES, default_config="mini-control")
    if request.dry_run:
        print(dry_run(request))
        return
    run_stages(request)
    if not first_process():
        return
    from idist.controls import load_controls

    student = student_folder(request.folder, "train_control")
    print("\nIt can be asked for")
    for line in load_controls(str(student)).describe()[:CODES_SHOWN]:
        print(f"  {line}")
    print(f"\nDataset  {request.folder / 'control' / 'control'}")
    print(f"Model    {student}")
    print(f"Log      {student.parent / 'training_log.jsonl'}, training_curve.png beside it")
    publish(request)


if __name__ == "__main__":
    run(main)
