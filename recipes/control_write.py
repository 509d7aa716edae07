"""Write with a student that was trained with controls (recipes/control.py).

python recipes/control_write.py runs/mini-control/train_control/model --list
python recipes/control_write.py MODEL "A man rides a bike in the park." --control "exemplar:In the street, a boy runs."
python recipes/control_write.py MODEL "A man rides a bike in the park." --control "tree:(S (NP) (VP))"
python recipes/control_write.py MODEL --control "length_ratio:1;lexical_overlap:1" < sources.txt

MODEL is a folder or a model of the Hub. Without --control the student writes as it likes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from idist.errors import UserError
from recipes.command import run


def main() -> None:
    """One line of output for each source, in order."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="folder or Hub id of the student")
    parser.add_argument("source", nargs="*", help="sentences to be rewritten (default: lines of standard input)")
    parser.add_argument("--control", help="what is asked for, KIND:VALUE, several joined by ';'")
    parser.add_argument("--list", action="store_true", help="print what the student can be asked for, and stop")
    parser.add_argument("--beams", type=int, default=4, help="width of the search (default: 4)")
    parser.add_argument(
        "--candidates", type=int, default=1, help="write so many and take the one nearest to the wish (default: 1)"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    args = parser.parse_args()
    if args.list:
        from idist.controls import load_controls

        print("\n".join(load_controls(args.model).describe()))
        return
    sources = args.source or [line.strip() for line in sys.stdin if line.strip()]
    if not sources:
        raise UserError("There is nothing to rewrite, expected sentences on the command line or standard input.")
    for text in write(args.model, sources, args.control, args.beams, args.device, args.candidates):
        print(text)


def write(
    model: str,
    sources: Sequence[str],
    control: str | None,
    num_beams: int = 4,
    device: str = "auto",
    candidates: int = 1,
) -> list[str]:
    """Beam-search output of a student for every source, all asked for the same.

    Raises:
        UserError: the student has no such control or cannot be asked for that; model not found.
    """
    from eval_harness.systems.student import Student
    from eval_harness.tasks.base import Example

    student = Student(model, num_beams=num_beams, device=device, control=control, candidates=candidates)
    written = student.predict([Example(f"{n}", source, ("",)) for n, source in enumerate(sources)])
    if student.failures:
        raise UserError(next(iter(student.failures.values())))
    return written


if __name__ == "__main__":
    run(main)
