"""A student's search by CTranslate2 (``engine=ctranslate2``) against transformers' ``generate``: the same model and
settings in one process, taking turns.

    OMP_NUM_THREADS=1 python benchmarks/student_decoding.py [--model embedded:student] [--examples 100] [--record]

Needs ``pip install ctranslate2``. Both sides get sentences in batches by length. Loading and converting are left out.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.record import Figure, add_argument, record, times
from eval_harness.registry import discover
from eval_harness.systems.student import Student
from eval_harness.tasks.base import Example

ENGINES = ("ctranslate2", "transformers")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="embedded:student", help="a T5 (default: %(default)s)")
    parser.add_argument("--examples", type=int, default=100, help="of the task scenes (default: %(default)s)")
    parser.add_argument("--beams", type=int, nargs="+", default=[1, 4], help="(default: 1 4)")
    parser.add_argument("--rounds", type=int, default=3, help="of each side (default: %(default)s)")
    add_argument(parser)
    options = parser.parse_args()
    examples = list(discover().task("scenes").load(limit=options.examples).examples)
    figures = [compare(options.model, examples, beams, options.rounds) for beams in options.beams]
    record("student_decoding", figures, options.record)


def compare(model: str, examples: list[Example], beams: int, rounds: int) -> Figure:
    """Sentences a second of processor time, and how many texts differ."""
    systems = [Student(model, num_beams=beams, engine=engine, device="cpu") for engine in ENGINES]
    for system in systems:
        system.predict(examples[:2])
    seconds: list[list[float]] = [[], []]
    texts: list[list[str]] = [[], []]
    for _ in range(rounds):
        for side, system in enumerate(systems):
            start = time.process_time()
            texts[side] = system.predict(examples)
            seconds[side].append(time.process_time() - start)
    fast, plain = (len(examples) / statistics.median(own) for own in seconds)
    same = sum(a == b for a, b in zip(*texts, strict=True))
    search = "greedy" if beams == 1 else f"{beams} beams"
    note = f"CTranslate2 {version('ctranslate2')}, {model}, medians of {rounds}; {same} of {len(examples)} texts equal"
    return times(
        f"student's search by CTranslate2 against generate, {search}", "sentences a second", fast, plain, None, note
    )


if __name__ == "__main__":
    main()
