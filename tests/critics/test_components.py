"""Components of pairs against networkx over all pairs of pairs."""

from __future__ import annotations

import networkx
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from idist.critics.components import best_of_each, components

NODES = st.integers(0, 7)
LINKS = st.lists(st.tuples(NODES, NODES), max_size=10)


def joined(ends: list[tuple[int, ...]], links: list[tuple[int, int]]) -> list[set[int]]:
    linked = {(a, b) for a, b in links} | {(b, a) for a, b in links}
    graph = networkx.Graph()
    graph.add_nodes_from(range(len(ends)))
    for n, first in enumerate(ends):
        for m, second in enumerate(ends):
            if n != m and any((a, b) in linked for a in first for b in second):
                graph.add_edge(n, m)
    return sorted(networkx.connected_components(graph), key=min)


@given(st.lists(st.tuples(NODES, NODES).filter(lambda pair: pair[0] != pair[1]), unique_by=frozenset), LINKS)
def test_pairs_of_either_order(pairs: list[tuple[int, int]], links: list[tuple[int, int]]) -> None:
    labels = components(np.array(pairs).reshape(-1, 2), np.array(links).reshape(-1, 2))
    assert _sets(labels) == joined(pairs, links)


@given(st.lists(st.tuples(NODES)), LINKS)
def test_one_side(ends: list[tuple[int]], links: list[tuple[int, int]]) -> None:
    labels = components(np.array(ends).reshape(-1, 1), np.array(links).reshape(-1, 2))
    assert _sets(labels) == joined(ends, links)


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from([0.1, 0.5, 0.9]))))
def test_best_of_each_is_the_first_maximum(items: list[tuple[int, float]]) -> None:
    labels = np.array([label for label, _ in items], np.int64)
    ranks = np.array([rank for _, rank in items], np.float64)
    expected = sorted(
        max((n for n, (other, _) in enumerate(items) if other == label), key=lambda n: (ranks[n], -n))
        for label in {label for label, _ in items}
    )
    assert best_of_each(labels, ranks).tolist() == expected


def _sets(labels: np.ndarray) -> list[set[int]]:
    return sorted(({int(n) for n in np.flatnonzero(labels == label)} for label in set(labels.tolist())), key=min)
