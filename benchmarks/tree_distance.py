"""Tree edit distance: ours against the apted package, on the same trees, in one process.

    python benchmarks/tree_distance.py

Parses sentences with ``embedded:parser`` (ours, below, or one a line from ``--sentences``), then (1) computes the
distance of the same random pairs with both, and (2) decides "distance at least K" for the same pairs: apted by
computing each distance, ours by bounds first. Prints rates and ratios; any difference in a distance or decision is an
error (exit code 1). Our rates are taken over all pairs, apted's over ``--pairs`` of them, because it is slow. Both run
on one core; seconds are of CPU time, so that other work on the machine does not count.
"""

from __future__ import annotations

import argparse
import itertools
import random
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.plain import distance
from benchmarks.record import add_argument, command, positive, record, times
from idist.errors import UserError
from idist.models import load_parser
from idist.trees import Tree, TreeIndex

SUBJECTS = (
    "A man in a blue shirt",
    "Two young women",
    "The boy who lost his kite",
    "Several people, most of them tourists,",
    "An old fisherman with a long beard",
    "My neighbor's dog",
)
ACTIONS = (
    "is riding a bicycle down a quiet street",
    "waits for the bus",
    "has just finished painting the kitchen door",
    "was asked to leave before the show began",
    "tries to sell fresh oranges at the market on the corner",
)
PLACES = ("", " near the lake", " while it is raining", " because the trains have stopped running")


def sentences(file: Path | None = None) -> list[str]:
    """The lines of a file; without one 120 sentences of 6 to 25 words: every subject with every action and place.

    Raises:
        UserError: no such file.
    """
    if file is not None:
        if not file.is_file():
            raise UserError(f"--sentences {file} is no file, expected one with a sentence a line.")
        return file.read_text(encoding="utf-8").splitlines()
    return [f"{subject} {action}{place}." for subject, action, place in itertools.product(SUBJECTS, ACTIONS, PLACES)]


def apted_distances(trees: list[Tree], pairs: np.ndarray) -> np.ndarray:
    """(P,) unit-cost distances, words left out, one pair at a time."""
    return np.array([distance(trees[i], trees[j]) for i, j in pairs], dtype=np.int32)


def main() -> int:
    """Measure both and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sentences", type=Path, help="one sentence a line, in place of ours")
    parser.add_argument("--pairs", type=positive, default=400, help="pairs that apted computes")
    parser.add_argument("--floor", type=positive, default=12, help="K of the decision (the paper's is 12)")
    parser.add_argument("--seed", type=int, default=0)
    add_argument(parser)
    args = parser.parse_args()

    lines = sentences(args.sentences)
    trees = [tree for tree in load_parser("embedded:parser", "cpu").parse(lines) if isinstance(tree, Tree)]
    pairs = np.array([(i, j) for i in range(len(trees)) for j in range(i + 1, len(trees))])
    chosen = pairs[random.Random(args.seed).sample(range(len(pairs)), min(args.pairs, len(pairs)))]
    TreeIndex(trees[:2]).distances(np.array([(0, 1)]))  # compiles, or loads what was compiled before

    start = time.process_time()
    expected = apted_distances(trees, chosen)
    apted_rate = len(chosen) / (time.process_time() - start)

    start = time.process_time()
    index = TreeIndex(trees)
    build = time.process_time() - start
    exact, seconds = _best_of(5, lambda: index.distances(pairs))
    exact_rate = len(pairs) / seconds
    (_, counts), seconds = _best_of(5, lambda: index.at_least(pairs, args.floor))
    decision_rate = len(pairs) / seconds

    same_distances = bool((index.distances(chosen) == expected).all())
    same_decisions = bool((index.at_least(chosen, args.floor)[0] == (expected >= args.floor)).all())
    print(f"{len(trees)} trees of {index.sizes.mean():.1f} nodes; {len(pairs)} pairs, {len(chosen)} of them by apted")
    print(f"preparing the trees: {1000 * build:.1f} ms")
    what = f"trees of {index.sizes.mean():.0f} nodes"
    figures = [
        times("tree edit distances", "pairs a second", exact_rate, apted_rate, None, what),
        times(f"whether a distance is at least {args.floor}", "pairs a second", decision_rate, apted_rate, 1000, what),
    ]
    record("tree_distance", figures, args.record)
    print("decided by " + ", ".join(f"{name} {count}" for name, count in counts.items()))
    print(f"mean distance {exact.mean():.1f}; same distances: {same_distances}; same decisions: {same_decisions}")
    return 0 if same_distances and same_decisions else 1


def _best_of(times: int, call):  # type: ignore[no-untyped-def]
    """Result and CPU seconds of the fastest call."""
    seconds = []
    for _ in range(times):
        start = time.process_time()
        result = call()
        seconds.append(time.process_time() - start)
    return result, min(seconds)


if __name__ == "__main__":
    command(main)
