"""Exact tree edit distance of many pairs at once, cheap lower bounds first.

The convention here, as in the work that the paper compares with: every inserted, deleted or relabelled node costs 1;
children are ordered; words are removed, so nodes are nonterminals (the root among them) and part-of-speech tags.

Lower bounds, each below or equal to the distance: the difference of sizes; the nodes of the larger tree that the other
tree's labels cannot account for; the Levenshtein distances of the label sequences in pre-order and post-order, because
an edit of one node is an edit of one symbol in both.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from idist.trees.tree import Tree

MISSING = -1


def tree_edit_distance(a: Tree, b: Tree) -> int:
    """Number of nodes to insert, delete or relabel to turn one tree into the other, words removed."""
    return int(TreeIndex([a, b]).distances(np.array([[0, 1]]))[0])


class TreeIndex:
    """Trees prepared for distances between them.

    Args:
        trees: what is not a `Tree` (None, a `ParseFailure`) is a missing one.

    Attributes:
        missing: (trees,) bool, where there is no tree.
        sizes: (trees,) int32 number of nodes without words; 0 where missing.
    """

    def __init__(self, trees: Sequence[object]) -> None:
        self.missing = np.array([not isinstance(tree, Tree) for tree in trees], dtype=bool)
        # Short sentences share their trees: each different one is kept once, numbered in order of first appearance.
        self._distinct = np.full(len(trees), -1, np.int64)
        labels: list[int] = []
        parents: list[int] = []
        offsets = [0]
        numbers: dict[tuple[bytes, bytes], int] = {}
        self._labels: dict[str, int] = {}
        for position, tree in enumerate(trees):
            if not isinstance(tree, Tree):
                continue
            tree_labels, tree_parents = self._flattened(tree)
            key = (np.array(tree_labels, np.int32).tobytes(), np.array(tree_parents, np.int32).tobytes())
            if key not in numbers:
                numbers[key] = len(numbers)
                labels += tree_labels
                parents += tree_parents
                offsets.append(len(labels))
            self._distinct[position] = numbers[key]
        self._offsets = np.array(offsets, np.int64)
        self.sizes = np.where(self.missing, 0, np.diff(self._offsets, append=0)[self._distinct]).astype(np.int32)
        self._views = self._build_views(np.array(labels, np.int32), np.array(parents, np.int32))

    def distances(self, pairs: np.ndarray, cutoff: int | None = None) -> np.ndarray:
        """Tree edit distances.

        Args:
            pairs: (P, 2) indices into the trees.
            cutoff: where given, a distance below it is exact, and in place of any other stands a lower bound of it
                that is at least ``cutoff``: enough to decide, and far cheaper.

        Returns:
            (P,) int32; -1 where a tree is missing.

        Raises:
            ValueError: ``cutoff`` below 0, or pairs of another shape.
        """
        return self._bounded(pairs, cutoff)[0]

    def at_least(self, pairs: np.ndarray, floor: int) -> tuple[np.ndarray, dict[str, int]]:
        """Whether each distance is ``floor`` or more; exact.

        Returns:
            (P,) bool, False where a tree is missing; and how many pairs were decided by what: ``missing``, ``size``,
            ``histogram``, ``sequence``, ``distance`` (equal trees count here).
        """
        import idist.trees._kernels as _kernels

        distances, decided = self._bounded(pairs, floor)
        missing = distances == MISSING
        names = {
            "size": _kernels.SIZE,
            "histogram": _kernels.HISTOGRAM,
            "sequence": _kernels.SEQUENCE,
            "distance": _kernels.UNDECIDED,
        }
        counts = {"missing": int(missing.sum())}
        counts |= {name: int(((decided == code) & ~missing).sum()) for name, code in names.items()}
        return distances >= max(floor, 0), counts

    def _bounded(self, pairs: np.ndarray, cutoff: int | None) -> tuple[np.ndarray, np.ndarray]:
        """(P,) distances or bounds, and (P,) what decided; each unordered pair of different trees is done once."""
        import idist.trees._kernels as _kernels

        pairs = np.asarray(pairs, dtype=np.int64)
        if pairs.ndim != 2 or pairs.shape[1] != 2:
            raise ValueError(f"pairs have shape {pairs.shape}, expected (P, 2)")
        if cutoff is not None and cutoff < 0:
            raise ValueError(f"cutoff is {cutoff}, expected 0 or more")
        result = np.full(len(pairs), MISSING, np.int32)
        decided = np.zeros(len(pairs), np.int8)
        there = ~self.missing[pairs].any(axis=1)
        if there.any():
            distinct = np.sort(self._distinct[pairs[there]], axis=1)
            size = len(self._offsets)
            keys, inverse = np.unique(distinct[:, 0] * size + distinct[:, 1], return_inverse=True)
            distances, codes = np.empty(len(keys), np.int32), np.empty(len(keys), np.int8)
            todo = np.stack([keys // size, keys % size], axis=1)
            limit = -1 if cutoff is None else cutoff
            _kernels.bounded_distances(todo, limit, self._offsets, *self._views, distances, codes)
            result[there], decided[there] = distances[inverse], codes[inverse]
        return result, decided

    def _flattened(self, tree: Tree) -> tuple[list[int], list[int]]:
        """Labels (numbered) and parents of all nodes in pre-order."""
        labels: list[int] = []
        parents: list[int] = []
        stack = [(tree, -1)]
        while stack:
            node, parent = stack.pop()
            here = len(labels)
            labels.append(self._labels.setdefault(node.label, len(self._labels)))
            parents.append(parent)
            stack.extend((child, here) for child in reversed(node.children) if isinstance(child, Tree))
        return labels, parents

    def _build_views(self, labels: np.ndarray, parents: np.ndarray) -> tuple[np.ndarray, ...]:
        import idist.trees._kernels as _kernels

        trees = len(self._offsets) - 1
        views = [np.zeros((2, len(labels)), np.int32) for _ in range(3)]
        num_roots, cost = np.zeros((2, trees), np.int64), np.zeros((2, trees), np.int64)
        _kernels.fill_views(labels, parents, self._offsets, *views, num_roots, cost)
        histograms = np.zeros((trees, len(self._labels)), np.int32)
        np.add.at(histograms, (np.repeat(np.arange(trees), np.diff(self._offsets)), labels), 1)
        return (*views, num_roots, cost, histograms)
