"""What a person would write with the packages that define the critics: the other side of the benchmarks.

Two orders. `Plain.judge` asks every critic about every pair, which is what a table of all scores needs.
`Plain.official` goes as the authors' procedure does (appendix A): entailment first, on all pairs, then ROUGE-L and tree
edit distance on what is left, then Algorithm 1. Neither is slower than need be: entailment runs in padded batches and
is not asked twice, symmetric scores are computed once, and a sentence is parsed once.
"""

from __future__ import annotations

import functools
import time
from typing import Any

import numpy as np

from idist.models import label_index, load_classifier, load_encoder, load_parser
from idist.trees import Tree

BATCH = 64


class Plain:
    """The plain composition. ``seconds`` sums up what each part took."""

    def __init__(self, critics: dict[str, dict[str, Any]]) -> None:
        self.critics = critics
        self.model, self.tokenizer = load_classifier(critics["entailment"]["model"], "cpu")
        self.label = label_index(self.model, "entail")
        self.parser = load_parser("embedded:parser", "cpu")
        if "similarity" in critics:
            self.encoder, self.encoder_tokenizer = load_encoder(critics["similarity"]["model"], "cpu")
        self.seconds: dict[str, float] = {}

    def judge(self, sentences: list[str]) -> set[frozenset[int]]:
        """Kept pairs, as sets of two sentence numbers."""
        p = self._timed("entailment", self._entailment, sentences)
        rouge = self._timed("rouge_score", self._rouge_l, sentences)
        trees = self._timed("parsing", self.parser.parse, sentences)
        distances = self._timed("apted", _distances, trees)
        least = self.critics["entailment"]["min"]
        keep = (np.minimum(p, p.T) >= least) & ~np.eye(len(sentences), dtype=bool)
        keep &= rouge <= self.critics["rouge_l"]["max"]
        keep &= distances >= self.critics["tree_edit_distance"]["min"]
        if "similarity" in self.critics:
            keep &= self._timed("encoder", self._cosines, sentences) >= self.critics["similarity"]["min"]
        return self._timed("networkx", self._diverse, keep, p)

    def official(self, sentences: list[str]) -> set[frozenset[int]]:
        """The same pairs, in the authors' order."""
        return self.finish(sentences, *self.survivors(sentences))

    def survivors(self, sentences: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """(n, n) p(row => column); (n, n) bool, what entailment, ROUGE-L and tree edit distance leave."""
        p = self._timed("entailment", self._entailment, sentences)
        keep = (np.minimum(p, p.T) >= self.critics["entailment"]["min"]) & ~np.eye(len(sentences), dtype=bool)
        left = [(int(i), int(j)) for i, j in np.argwhere(np.triu(keep))]
        left = self._timed("rouge_score", self._unlike, sentences, left)
        left = self._timed("apted", self._far, sentences, left)
        keep = np.zeros_like(keep)
        for i, j in left:
            keep[i, j] = keep[j, i] = True
        return p, keep

    def finish(
        self, sentences: list[str], p: np.ndarray, keep: np.ndarray, similarity: bool = True
    ) -> set[frozenset[int]]:
        """What is kept of `survivors`: the similarity critic, if there is one and it is wanted, and Algorithm 1."""
        if similarity and "similarity" in self.critics:
            keep = keep & (self._timed("encoder", self._cosines, sentences) >= self.critics["similarity"]["min"])
        return self._timed("networkx", self._diverse, keep, p)

    def _timed(self, name: str, work: Any, *arguments: Any) -> Any:
        start = time.perf_counter()
        result = work(*arguments)
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start
        return result

    def _entailment(self, sentences: list[str]) -> np.ndarray:
        """(n, n) p(row => column), in padded batches."""
        import torch

        size = len(sentences)
        cells = [(i, j) for i in range(size) for j in range(size)]
        p = []
        for start in range(0, len(cells), BATCH):
            batch = cells[start : start + BATCH]
            inputs = self.tokenizer(
                [sentences[i] for i, _ in batch],
                [sentences[j] for _, j in batch],
                truncation=True,
                padding=True,
                return_tensors="pt",
            )
            with torch.inference_mode():
                p.append(self.model(**inputs).logits.softmax(dim=-1)[:, self.label])
        return torch.cat(p).numpy().reshape(size, size)

    def _unlike(self, sentences: list[str], pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
        from rouge_score.rouge_scorer import RougeScorer

        scorer, most = RougeScorer(["rougeL"], use_stemmer=False), self.critics["rouge_l"]["max"]
        return [(i, j) for i, j in pairs if scorer.score(sentences[i], sentences[j])["rougeL"].fmeasure <= most]

    def _far(self, sentences: list[str], pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
        used = sorted({index for pair in pairs for index in pair})
        trees = dict(zip(used, self.parser.parse([sentences[index] for index in used]), strict=True))
        least = self.critics["tree_edit_distance"]["min"]
        return [(i, j) for i, j in pairs if distance(trees[i], trees[j]) >= least]

    def _rouge_l(self, sentences: list[str]) -> np.ndarray:
        from rouge_score.rouge_scorer import RougeScorer

        scorer = RougeScorer(["rougeL"], use_stemmer=False)
        return _symmetric(len(sentences), lambda i, j: scorer.score(sentences[i], sentences[j])["rougeL"].fmeasure)

    def _cosines(self, sentences: list[str]) -> np.ndarray:
        import torch

        inputs = self.encoder_tokenizer(sentences, padding=True, truncation=True, return_tensors="pt")
        with torch.inference_mode():
            hidden = self.encoder(**inputs).last_hidden_state
        mask = inputs["attention_mask"][:, :, None]
        vectors = torch.nn.functional.normalize((hidden * mask).sum(dim=1) / mask.sum(dim=1), dim=-1)
        return (vectors @ vectors.T).numpy()

    def _diverse(self, keep: np.ndarray, p: np.ndarray) -> set[frozenset[int]]:
        """Algorithm 1 on ordered pairs."""
        import networkx

        edge = self.critics["diversity"]["min"]
        pairs = [(int(i), int(j)) for i, j in np.argwhere(keep)]
        graph = networkx.Graph()
        graph.add_nodes_from(pairs)
        for n, (x1, y1) in enumerate(pairs):
            for m, (x2, y2) in enumerate(pairs):
                if n != m and (p[x1, x2] > edge or p[y1, y2] > edge):
                    graph.add_edge((x1, y1), (x2, y2))
        parts = networkx.connected_components(graph)
        return {frozenset(max(sorted(part), key=lambda pair: float(p[pair]) + float(p[pair[::-1]]))) for part in parts}


def distance(one: Any, other: Any) -> float:
    """Unit-cost distance by `apted`, words left out; -1 where a sentence has no tree."""
    from apted import APTED

    if not (isinstance(one, Tree) and isinstance(other, Tree)):
        return -1
    return float(APTED(one, other, unit_cost()).compute_edit_distance())


@functools.cache
def unit_cost() -> Any:
    """`apted`'s description of our trees."""
    from apted import Config

    class UnitCost(Config):
        def rename(self, node1: Tree, node2: Tree) -> int:
            return int(node1.label != node2.label)

        def children(self, node: Tree) -> list[Tree]:
            return [child for child in node.children if isinstance(child, Tree)]

    return UnitCost()


def _distances(trees: list[Any]) -> np.ndarray:
    """(n, n) by `apted`."""
    return _symmetric(len(trees), lambda i, j: distance(trees[i], trees[j]))


def _symmetric(size: int, score: Any) -> np.ndarray:
    """(n, n) of a symmetric score, each pair computed once; the diagonal is 0."""
    scores = np.zeros((size, size))
    for i in range(size):
        for j in range(i):
            scores[i, j] = scores[j, i] = score(i, j)
    return scores
