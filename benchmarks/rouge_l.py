"""ROUGE-L decisions and scores: the critic against the `rouge_score` package, on the same pairs, in one process.

    OMP_NUM_THREADS=1 python benchmarks/rouge_l.py [--sentences FILE] [--record]

All pairs of 100 sentences of one context are judged, as in a run. `rouge_score` scores ``--pairs`` of them, because it
is slow; any score that differs is an error (exit code 1). Seconds are of processor time.
"""

from __future__ import annotations

import argparse
import random
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.record import add_argument, command, positive, processor_seconds, record, times
from benchmarks.tree_distance import sentences
from idist.critics import Group, build_cascade
from idist.critics.rouge_l import RougeL


def main() -> int:
    """Measure both and compare their scores."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sentences", type=Path, help="one sentence a line, in place of ours")
    parser.add_argument(
        "--pairs", type=positive, default=2000, help="pairs that rouge_score scores (default: %(default)s)"
    )
    parser.add_argument(
        "--groups", type=positive, default=40, help="times that ours judges them (default: %(default)s)"
    )
    add_argument(parser)
    args = parser.parse_args()
    lines = sentences(args.sentences)
    lines = list(dict.fromkeys(lines))
    pairs = np.stack(np.triu_indices(len(lines), 1), axis=1)
    critic, cascade = RougeL(), build_cascade([{"rouge_l": {"max": 0.75}}], "cpu")
    groups = [Group(f"g{number:03d}", lines) for number in range(args.groups)]
    cascade.score(groups[:1])
    scores, kernel = processor_seconds(lambda: [critic.score(lines, pairs) for _ in groups], 5)
    judged, whole = processor_seconds(lambda: cascade.score(groups), 5)
    pieces = random.Random(0).sample(range(len(pairs)), min(args.pairs, len(pairs)))
    expected, seconds = processor_seconds(lambda: plain(lines, pairs[pieces]), 3)
    rate = len(pieces) / seconds
    same = bool((expected == scores[0][pieces]).all() and (judged[0].scores["rouge_l"] == np.float32(scores[0])).all())
    print(f"{len(lines)} sentences, {len(pairs)} pairs; the same scores to the last bit: {same}")
    figures = [
        times("ROUGE-L of all pairs of a context", "pairs a second", args.groups * len(pairs) / kernel, rate, 500),
        times("the same, as a cascade's only critic", "pairs a second", args.groups * len(pairs) / whole, rate),
    ]
    record("rouge_l", figures, args.record)
    return 0 if same else 1


def plain(lines: list[str], pairs: np.ndarray) -> np.ndarray:
    """(P,) by the package."""
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(["rougeL"], use_stemmer=False)
    return np.array([scorer.score(lines[i], lines[j])["rougeL"].fmeasure for i, j in pairs])


if __name__ == "__main__":
    command(main)
