"""Tree edit distance against apted; bounds against the distance."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from idist.trees import ParseFailure, Tree, TreeIndex, tree_edit_distance
from tests.trees.strategies import random_tree, reference_distance, trees

LABELS = st.sampled_from("abc")
BOUNDS = ("size", "histogram", "sequence", "distance")


@settings(deadline=None)
@given(trees(LABELS), trees(LABELS))
def test_distance_equals_apted(a: Tree, b: Tree) -> None:
    assert tree_edit_distance(a, b) == reference_distance(a, b) == tree_edit_distance(b, a)


def test_words_do_not_count() -> None:
    a = Tree.from_brackets("(S (NP (NN Rain)) (VP (VBZ falls)))")
    b = Tree.from_brackets("(S (NP (NN Snow)) (VP (VBD fell) (ADVP (RB softly))))")
    assert tree_edit_distance(a, b) == 3
    assert tree_edit_distance(a, a.without_words()) == 0


def _mixture(seed: int) -> list[Tree]:
    """Random trees from 1 to 130 nodes (more than two machine words), near and far."""
    generator = random.Random(seed)
    sizes = [1, 2, 8, 9, 20, 21, 22, 63, 64, 65, 130]
    return [random_tree(generator, size, "abcdef") for size in sizes]


def _all_pairs(count: int) -> np.ndarray:
    return np.array([(i, j) for i in range(count) for j in range(count)])


@pytest.fixture(scope="module")
def mixture() -> tuple[TreeIndex, np.ndarray, np.ndarray]:
    """An index, all its pairs, and their distances by apted."""
    several = _mixture(0)
    pairs = _all_pairs(len(several))
    cache = {(i, j): reference_distance(several[i], several[j]) for i, j in pairs if i <= j}
    return TreeIndex(several), pairs, np.array([cache[min(i, j), max(i, j)] for i, j in pairs])


def test_many_distances_equal_apted(mixture: tuple[TreeIndex, np.ndarray, np.ndarray]) -> None:
    index, pairs, expected = mixture
    assert index.distances(pairs).tolist() == expected.tolist()


@pytest.mark.parametrize("cutoff", [0, 1, 5, 12, 40, 100, 1000])
def test_cutoff_keeps_what_is_below_exact(mixture: tuple[TreeIndex, np.ndarray, np.ndarray], cutoff: int) -> None:
    index, pairs, expected = mixture
    found = index.distances(pairs, cutoff=cutoff)
    below = expected < cutoff
    assert (found[below] == expected[below]).all()
    assert (found[~below] >= cutoff).all()
    assert (found <= expected).all()
    decisions, counts = index.at_least(pairs, cutoff)
    assert (decisions == (expected >= cutoff)).all()
    assert counts["missing"] == 0 and sum(counts[name] for name in BOUNDS) == len(pairs)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10**6), st.integers(1, 30))
def test_bounds_never_exceed_the_distance(seed: int, cutoff: int) -> None:
    generator = random.Random(seed)
    several = [random_tree(generator, generator.randint(1, 25), "abc") for _ in range(8)]
    index = TreeIndex(several)
    pairs = _all_pairs(len(several))
    exact = index.distances(pairs)
    found = index.distances(pairs, cutoff=cutoff)
    assert ((found == exact) | ((found >= cutoff) & (found <= exact))).all()
    assert (index.at_least(pairs, cutoff)[0] == (exact >= cutoff)).all()


def test_each_bound_decides_something() -> None:
    small, large = random_tree(random.Random(0), 5), random_tree(random.Random(1), 40)
    relabelled = Tree.from_brackets("(a (a) (a) (a) (a))"), Tree.from_brackets("(b (b) (b) (b) (b))")
    reordered = Tree.from_brackets("(a (b (c (d) (e))))"), Tree.from_brackets("(e (d (c) (b) (a)))")
    # Equal labels throughout: only the shapes differ, which no bound can see.
    nested = Tree.from_brackets("(a (a (a) (a)) (a))"), Tree.from_brackets("(a (a (a (a (a)))))")
    index = TreeIndex([small, large, *relabelled, *reordered, *nested, None])
    decisions, counts = index.at_least(np.array([(0, 1), (2, 3), (4, 5), (6, 7), (0, 8)]), 3)
    assert decisions.tolist() == [True, True, True, True, False]
    assert counts == {"missing": 1, "size": 1, "histogram": 1, "sequence": 1, "distance": 1}


def test_missing_trees() -> None:
    tree = Tree.from_brackets("(S (NP) (VP))")
    index = TreeIndex([tree, None, ParseFailure("empty"), tree])
    assert index.missing.tolist() == [False, True, True, False]
    assert index.sizes.tolist() == [3, 0, 0, 3]
    assert index.distances(np.array([(0, 1), (2, 1), (0, 3), (3, 2)])).tolist() == [-1, -1, 0, -1]
    assert TreeIndex([None]).distances(np.array([(0, 0)]), cutoff=3).tolist() == [-1]
    assert TreeIndex([]).distances(np.empty((0, 2), int)).tolist() == []


def test_wrong_arguments() -> None:
    index = TreeIndex([Tree("a")])
    with pytest.raises(ValueError, match="expected \\(P, 2\\)"):
        index.distances(np.array([0, 0]))
    with pytest.raises(ValueError, match="cutoff is -1"):
        index.distances(np.array([(0, 0)]), cutoff=-1)


def test_deep_chains() -> None:
    deep, deeper = (Tree.from_brackets("(X " * levels + "w" + ")" * levels) for levels in (300, 310))
    assert tree_edit_distance(deep, deeper) == 10


def test_works_where_no_cache_can_be_written(tmp_path: Path) -> None:
    """Neither the package's folder nor the home folder has to be writable."""
    code = (
        "from numba.core import caching\n"
        "caching.CacheImpl._locator_classes = []\n"  # as if no place could be written, also for the superuser
        "from idist.trees import Tree, tree_edit_distance\n"
        "print(tree_edit_distance(Tree('a'), Tree('b', (Tree('a'),))))\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=Path(__file__).resolve().parents[2],
        env={**os.environ, "HOME": str(tmp_path)},
        check=False,
    )
    assert result.stdout.strip() == "1", result.stderr
