"""Compiled inner loops of the tree edit distance. Imported only when distances are asked for: numba is slow to import.

A *view* of a tree is its nodes in an order where every node comes after its children: view 0 from left to right
(post-order), view 1 from right to left (pre-order, reversed). In such an order the descendants of node i are the
``size - 1`` nodes before it, so ``first[i] = i - size + 1`` is the first leaf below it. Trees of an index lie one after
the other in flat arrays; ``offsets`` says where.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

UNDECIDED, SIZE, HISTOGRAM, SEQUENCE = 0, 1, 2, 3
_ONE = np.uint64(1)
_ZERO = np.uint64(0)
_ALL = ~np.uint64(0)
_WORD = 64


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile on first call and remember on disk; where no folder can be written, compile in each process."""
    try:
        return njit(cache=True, nogil=True)(function)  # type: ignore[no-any-return]
    except RuntimeError:
        return njit(nogil=True)(function)  # type: ignore[no-any-return]


@compiled
def fill_views(labels, parents, offsets, view_labels, view_first, view_roots, num_roots, view_cost):  # type: ignore[no-untyped-def]
    """Both views of every tree from labels and parents in pre-order.

    Args:
        labels, parents: (nodes,) pre-order; a parent is an index within its tree, -1 for the root.
        view_labels, view_first, view_roots: (2, nodes) to be filled: label and first leaf of each node, and the key
            roots (nodes that are no first child, and the root) in ascending order, packed at the tree's offset.
        num_roots: (2, trees) number of key roots.
        view_cost: (2, trees) sum of the key roots' sizes: the distance of two trees costs the product of theirs.
    """
    for tree in range(len(offsets) - 1):
        start = offsets[tree]
        count = offsets[tree + 1] - start
        size = np.ones(count, np.int32)
        depth = np.zeros(count, np.int32)
        for node in range(count - 1, 0, -1):
            size[parents[start + node]] += size[node]
        for node in range(1, count):
            depth[node] = depth[parents[start + node]] + 1
        for view in range(2):
            last = np.full(count, -1, np.int32)  # the last node that begins at a leaf is a key root
            for node in range(count):
                place = node - depth[node] + size[node] - 1 if view == 0 else count - 1 - node
                view_labels[view, start + place] = labels[start + node]
                first = place - size[node] + 1
                view_first[view, start + place] = first
                last[first] = max(last[first], place)
            roots = np.sort(last[last >= 0])
            cost = 0
            for number, root in enumerate(roots):
                view_roots[view, start + number] = root
                cost += root - view_first[view, start + root] + 1
            num_roots[view, tree] = len(roots)
            view_cost[view, tree] = cost


@compiled
def zhang_shasha(labels_a, first_a, roots_a, labels_b, first_b, roots_b, tree_distance, forest):  # type: ignore[no-untyped-def]
    """Unit-cost tree edit distance of one view of two trees (Zhang and Shasha, 1989).

    ``tree_distance`` (n, m) and ``forest`` (n + 1, m + 1) are work space.
    """
    for root_a in roots_a:
        base_a = first_a[root_a]
        rows = root_a - base_a + 1
        for root_b in roots_b:
            base_b = first_b[root_b]
            columns = root_b - base_b + 1
            for column in range(columns + 1):
                forest[0, column] = column
            for row in range(1, rows + 1):
                a = base_a + row - 1
                label = labels_a[a]
                skip_a = first_a[a] - base_a
                forest[row, 0] = row
                left = row
                for column in range(1, columns + 1):
                    b = base_b + column - 1
                    skip_b = first_b[b] - base_b
                    best = min(forest[row - 1, column], left) + 1
                    if skip_a == 0 and skip_b == 0:
                        best = min(best, forest[row - 1, column - 1] + (0 if label == labels_b[b] else 1))
                        tree_distance[a, b] = best
                    else:
                        best = min(best, forest[skip_a, skip_b] + tree_distance[a, b])
                    forest[row, column] = best
                    left = best
    return tree_distance[len(labels_a) - 1, len(labels_b) - 1]


@compiled
def levenshtein(text, masks, length, positive, negative):  # type: ignore[no-untyped-def]
    """Edit distance of ``text`` and a pattern, a machine word of the pattern at a time (Myers, 1999; Hyyro, 2003).

    Args:
        text: (m,) labels.
        masks: (labels, words) uint64, bit i of row c set where the pattern's label i is c.
        length: of the pattern.
        positive, negative: (words,) uint64 work space.
    """
    words = (length + _WORD - 1) // _WORD
    positive[:words] = _ALL
    negative[:words] = _ZERO
    last_bit = np.uint64((length - 1) % _WORD)
    score = length
    for label in text:
        carry_up, carry_down = _ONE, _ZERO
        for word in range(words):
            equal = masks[label, word]
            up, down = positive[word], negative[word]
            vertical = equal | down
            equal |= carry_down
            horizontal = (((equal & up) + up) ^ up) | equal
            rise = down | ~(horizontal | up)
            fall = up & horizontal
            top = last_bit if word == words - 1 else np.uint64(_WORD - 1)
            next_up, next_down = (rise >> top) & _ONE, (fall >> top) & _ONE
            rise = (rise << _ONE) | carry_up
            fall = (fall << _ONE) | carry_down
            positive[word] = fall | ~(vertical | rise)
            negative[word] = rise & vertical
            carry_up, carry_down = next_up, next_down
        score += np.int64(carry_up) - np.int64(carry_down)
    return score


@compiled
def bounded_distances(  # type: ignore[no-untyped-def]
    pairs, cutoff, offsets, view_labels, view_first, view_roots, num_roots, view_cost, histograms, result, decided
):
    """Distance of each pair of trees, or a lower bound of at least ``cutoff`` where one is found.

    Args:
        pairs: (P, 2) indices of trees; the faster the more pairs with the same first index stand together.
        cutoff: bounds are not tried if it is negative.
        offsets, ...: what `fill_views` filled; histograms: (trees, labels) counts.
        result: (P,) to be filled with distances and bounds.
        decided: (P,) to be filled with the bound that was enough: SIZE, HISTOGRAM, SEQUENCE, or UNDECIDED for none.
    """
    longest = 0
    for tree in range(len(offsets) - 1):
        longest = max(longest, offsets[tree + 1] - offsets[tree])
    num_labels = histograms.shape[1]
    words = (longest + _WORD - 1) // _WORD
    masks = np.zeros((2, num_labels, words), np.uint64)
    positive, negative = np.empty(words, np.uint64), np.empty(words, np.uint64)
    tree_distance = np.empty((longest, longest), np.int32)
    forest = np.empty((longest + 1, longest + 1), np.int32)
    pattern = -1
    for number in range(len(pairs)):
        a, b = pairs[number, 0], pairs[number, 1]
        start_a, end_a, start_b, end_b = offsets[a], offsets[a + 1], offsets[b], offsets[b + 1]
        size_a, size_b = end_a - start_a, end_b - start_b
        decided[number] = UNDECIDED
        if a == b:
            result[number] = 0
            continue
        if cutoff >= 0:
            bound = abs(size_a - size_b)
            if bound >= cutoff:
                result[number], decided[number] = bound, SIZE
                continue
            common = 0
            for label in range(num_labels):
                common += min(histograms[a, label], histograms[b, label])
            bound = max(size_a, size_b) - common
            if bound >= cutoff:
                result[number], decided[number] = bound, HISTOGRAM
                continue
            if pattern != a:
                masks[:] = _ZERO
                for view in range(2):
                    for node in range(size_a):
                        bit = _ONE << np.uint64(node % _WORD)
                        masks[view, view_labels[view, start_a + node], node // _WORD] |= bit
                pattern = a
            for view in range(2):
                text = view_labels[view, start_b:end_b]
                bound = max(bound, levenshtein(text, masks[view], size_a, positive, negative))
                if bound >= cutoff:
                    break
            if bound >= cutoff:
                result[number], decided[number] = bound, SEQUENCE
                continue
        view = 0 if view_cost[0, a] * view_cost[0, b] <= view_cost[1, a] * view_cost[1, b] else 1
        result[number] = zhang_shasha(
            view_labels[view, start_a:end_a],
            view_first[view, start_a:end_a],
            view_roots[view, start_a : start_a + num_roots[view, a]],
            view_labels[view, start_b:end_b],
            view_first[view, start_b:end_b],
            view_roots[view, start_b : start_b + num_roots[view, b]],
            tree_distance,
            forest,
        )
