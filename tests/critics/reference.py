"""The plain composition: reference implementations, one pair at a time, Algorithm 1 as it is printed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import networkx
import torch
from rouge_score.rouge_scorer import RougeScorer

from idist.models import label_index, load_classifier, load_parser
from idist.trees import Tree
from tests.trees.strategies import reference_distance

Pair = tuple[int, int]


class Plain:
    """Scores of two sentences by the packages that define them."""

    def __init__(self) -> None:
        self.model, self.tokenizer = load_classifier("embedded:entailment", "cpu")
        self.label = label_index(self.model, "entail")
        self.parser = load_parser("embedded:parser", "cpu")
        self.entails = cache(self._entails)
        self.distance = cache(self._distance)
        self.tree = cache(lambda sentence: self.parser.parse([sentence])[0])
        self.scorer = RougeScorer(["rougeL"], use_stemmer=False)
        self.rouge_l = cache(lambda a, b: self.scorer.score(a, b)["rougeL"].fmeasure)

    def _entails(self, a: str, b: str) -> tuple[float, bool]:
        """p(a => b), and whether entailment is the likeliest label."""
        inputs = self.tokenizer([a], [b], truncation=True, return_tensors="pt")
        with torch.no_grad():
            p = self.model(**inputs).logits[0].softmax(dim=-1)
        return float(p[self.label]), int(p.argmax()) == self.label

    def p(self, a: str, b: str) -> float:
        return self.entails(a, b)[0]

    def _distance(self, a: str, b: str) -> int:
        """-1 where a sentence has no tree."""
        trees = [self.tree(a), self.tree(b)]
        if not all(isinstance(tree, Tree) for tree in trees):
            return -1
        return reference_distance(*trees)


def ordered_pairs(count: int) -> list[Pair]:
    return [(m, n) for m in range(count) for n in range(count) if m != n]


def filtered(
    pairs: Sequence[Pair], sentences: Sequence[str], filters: Sequence[Callable[[str, str], bool]]
) -> tuple[list[Pair], list[int]]:
    """Pairs that pass all filters, and how many each filter removed of those that it saw."""
    removed = []
    for passes in filters:
        left = [(i, j) for i, j in pairs if passes(sentences[i], sentences[j])]
        removed.append(len(pairs) - len(left))
        pairs = left
    return list(pairs), removed


def algorithm_1(
    pairs: Sequence[Pair], related: Callable[[int, int], bool], rank: Callable[[int, int], float], sides: str = "xy"
) -> list[Pair]:
    """Algorithm 1 of the paper: of each component of joined pairs the first with the highest rank.

    ``related(a, b)``: whether sentence a entails sentence b. ``sides``: x, y or either joins two pairs.
    """
    graph = networkx.Graph()
    graph.add_nodes_from(pairs)
    for n, first in enumerate(pairs):
        for m, second in enumerate(pairs):
            if n == m:
                continue
            if ("x" in sides and related(first[0], second[0])) or ("y" in sides and related(first[1], second[1])):
                graph.add_edge(first, second)
    return sorted(max(sorted(part), key=lambda pair: rank(*pair)) for part in networkx.connected_components(graph))
