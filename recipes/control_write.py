r"""Write with a student that was trained with controls (recipes/control.py).

python recipes/control_write.py runs/mini-control/train_control/model --list
python recipes/control_write.py MODEL "A man rides a bike in the park." --control "exemplar:In the street, a boy runs."
python recipes/control_write.py MODEL "A man rides a bike in the park." --control "tree:(S (NP) (VP))"
python recipes/control_write.py MODEL --control "length_ratio:1;lexical_overlap:1" < sources.txt

MODEL is a folder or a model of the Hub. Without --control the student writes as it likes.
A ';' within a sentence that is asked for is written '\;': --control "exemplar:He left\; she stayed."
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from idist.errors import UserError
from recipes.command import run

if TYPE_CHECKING:
    from idist.controls import Failure

NOTHING = "the source is empty, expected a sentence."
NO_TEXT = "the source is not UTF-8 text."


def main() -> None:
    """One line of output for each source, in order: an empty one, and the reason on stderr, if nothing is written."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="folder or Hub id of the student")
    parser.add_argument("source", nargs="*", help="sentences to be rewritten (default: lines of standard input)")
    parser.add_argument(
        "--control", help="what is asked for, KIND:VALUE, several joined by ';'; a ';' within a value is written '\\;'"
    )
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
    if args.candidates > 1 and args.control is None:
        raise UserError(f"--candidates is {args.candidates} and nothing is asked for, expected --control, too.")
    sources = _arguments(args.source) if args.source else _standard_input()
    if not any(sources):
        raise UserError("There is nothing to rewrite, expected sentences on the command line or standard input.")
    written = write(args.model, sources, args.control, args.beams, args.device, args.candidates)
    failures = {number: text.reason for number, text in enumerate(written, 1) if not isinstance(text, str)}
    if len(failures) == len(sources):
        raise UserError(next(failures[number] for number, source in enumerate(sources, 1) if source))
    for text in written:
        print(text if isinstance(text, str) else "")
    for number, reason in failures.items():
        print(f"source {number}: {reason}", file=sys.stderr)
    if failures:
        print(f"{len(failures)} of {len(sources)} sources have no text: their lines are empty.", file=sys.stderr)


def write(
    model: str,
    sources: Sequence[str],
    control: str | None,
    num_beams: int = 4,
    device: str = "auto",
    candidates: int = 1,
) -> list[str | Failure]:
    """Beam-search output of a student for every source, all asked for the same; a `Failure` where there is none.

    Raises:
        UserError: the student has no such control or cannot be asked for that; model not found.
    """
    from eval_harness.systems.student import Student
    from eval_harness.tasks.base import Example
    from idist.controls import Failure, parse_wishes

    if control is not None:
        parse_wishes(control)  # a kind alone is what the harness takes: there each example has its own value
    student = Student(model, num_beams=num_beams, device=device, control=control, candidates=candidates)
    failures = {f"{n}": reason for n, source in enumerate(sources) if (reason := _unreadable(source))}
    examples = [Example(f"{n}", source, ("",)) for n, source in enumerate(sources) if f"{n}" not in failures]
    said = dict(zip((example.id for example in examples), student.predict(examples), strict=True))
    failures |= student.failures
    names = [f"{n}" for n in range(len(sources))]
    return [Failure(failures[name]) if name in failures else said[name] for name in names]


def _unreadable(source: str) -> str | None:
    """Why a source cannot be rewritten at all."""
    try:
        source.encode()
    except UnicodeEncodeError:
        return NO_TEXT
    return None if source.strip() else NOTHING


def _standard_input() -> list[str]:
    """Its lines. Bytes that are not UTF-8 spoil their own line alone (`_unreadable`)."""
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(encoding="utf-8", errors="surrogateescape")
    return [line.strip() for line in sys.stdin]


def _arguments(sources: Sequence[str]) -> list[str]:
    """What stands on the command line.

    Raises:
        UserError: one is empty: a student would invent a text.
    """
    for number, source in enumerate(sources, 1):
        if not source.strip():
            raise UserError(f"Source {number} of {len(sources)} is empty, expected a sentence.")
    return list(sources)


if __name__ == "__main__":
    run(main)
