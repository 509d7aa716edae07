"""Tree edit distances of pairs: full trees (TED-F) and their top layers (TED-3); words are no nodes, each edit costs 1.

The root, which all trees share, is no layer. Counted so, TED-3 is about a quarter of TED-F on pairs of ParaBank, as in
the paper's table 1; with the root as the first of the three layers it would be a tenth.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from idist.trees import Tree, TreeIndex

TOP_LAYERS = 3


def tree_distances(trees: Sequence[object], pairs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distances of pairs of trees.

    Args:
        trees: what is not a `Tree` is a missing one.
        pairs: (N, 2) int indices of trees.

    Returns:
        (N,) float64 of the full trees and (N,) of the top `TOP_LAYERS` layers; NaN where a tree is missing.
    """
    full, top = TreeIndex(trees), TreeIndex([_top(tree) for tree in trees])
    found = [index.distances(pairs).astype(np.float64) for index in (full, top)]
    return np.where(found[0] < 0, np.nan, found[0]), np.where(found[1] < 0, np.nan, found[1])


def _top(tree: object) -> object:
    return tree.cut(TOP_LAYERS + (tree.label == "ROOT")) if isinstance(tree, Tree) else tree
