"""Connected components of pairs that are joined through their sentences, without listing pairs of pairs."""

from __future__ import annotations

import numpy as np


def components(ends: np.ndarray, links: np.ndarray) -> np.ndarray:
    """Number the components of pairs, where two pairs are joined if an end of one is linked to an end of the other.

    A linked end serves as a hub: all pairs with that end are connected with all pairs that have the end at the other
    side of its link, and so with each other. An end without a link, not even to itself, joins nothing. That makes the
    work proportional to pairs and links, where listing joined pairs would be quadratic.

    Args:
        ends: (P, E) nodes that each pair has; E is 1 or 2.
        links: (L, 2) linked nodes in either order, a node with itself among them; those at no pair's end are ignored.

    Returns:
        (P,) int; equal for pairs of one component.
    """
    if not len(ends):
        return np.zeros(0, np.int64)
    nodes, places = np.unique(ends, return_inverse=True)
    places = places.reshape(ends.shape)
    links = np.searchsorted(nodes, links[np.isin(links, nodes).all(axis=1)])
    parent = list(range(len(nodes) + len(ends)))

    def root(node: int) -> int:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for a, b in links.tolist():
        parent[root(a)] = root(b)
    hubs = set(links.ravel().tolist())
    for row in range(len(ends)):
        for end in places[row].tolist():
            if end in hubs:
                parent[root(len(nodes) + row)] = root(end)
    return np.array([root(pair) for pair in range(len(nodes), len(parent))], np.int64)


def best_of_each(labels: np.ndarray, rank: np.ndarray) -> np.ndarray:
    """Positions, ascending, of the highest-ranked item of each component; the first of equal ones."""
    order = np.lexsort((np.arange(len(labels)), -rank, labels))
    first = np.flatnonzero(np.diff(labels[order], prepend=-1))
    return np.sort(order[first])
