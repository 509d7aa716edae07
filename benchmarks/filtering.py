"""Filtering candidates: the cascade against the plain composition of the packages that define the critics.

Both sides judge the same sentences of the embedded teacher in one process, with their models loaded before the clock
starts, and must keep the same pairs. The plain side is what one would write with those packages: all ordered pairs
through the entailment model in padded batches, `rouge_score` and `apted` on all unordered pairs, Algorithm 1 on
`networkx`. It is not made slower than need be: sentences are parsed once, entailment is not asked twice, and scores of
symmetric critics are not computed for both orders. What bounds the ratio is the entailment model: a pair that the cheap
critics leave costs the cascade one call at least, and the plain side two.

    python benchmarks/filtering.py [--contexts 4] [--k 100] [--composition paper|mini] [--similarity 0.7]
    python benchmarks/filtering.py --prefilter    # what a similarity floor would save, and lose
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from idist.config import PAPER_CRITICS, load_config
from idist.critics import Group, build_cascade
from idist.decoding import Decoder, Sampling
from idist.models import label_index, load_causal_lm, load_classifier, load_encoder, load_parser
from idist.trees import Tree

CONTEXTS = [
    "A man in a blue shirt is riding a bike down the street.",
    "Two children are playing in the park near a fountain. Their mother is watching them.",
    "A woman in a green coat is waiting for the bus.",
    "A brown dog runs through the snow.",
    "A group of people are sitting around a table in a restaurant.",
    "A boy in a red jacket is climbing a tree. His friends are standing below.",
    "Two men are playing guitars on a stage.",
    "A girl is swimming in a pool.",
]
MODELS = {"entailment": "embedded:entailment", "similarity": "embedded:encoder", "diversity": "embedded:entailment"}
BATCH = 64


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--contexts", type=int, default=4, help="how many, 1 to 8 (default: %(default)s)")
    parser.add_argument("--k", type=int, default=100, help="samples a context (default: %(default)s)")
    parser.add_argument("--composition", choices=("paper", "mini"), default="paper", help="default: %(default)s")
    parser.add_argument("--similarity", type=float, help="add a floor for the cosine to the composition, on both sides")
    parser.add_argument("--prefilter", action="store_true", help="measure the similarity critic instead")
    arguments = parser.parse_args()
    groups = sample(CONTEXTS[: arguments.contexts], arguments.k)
    print(f"{len(groups)} contexts, k = {arguments.k}, distinct sentences: {[len(g.sentences) for g in groups]}")
    if arguments.prefilter:
        measure_prefilter(groups)
    else:
        critics = composition(arguments.composition)
        if arguments.similarity is not None:
            critics = [critic for critic in critics if "similarity" not in critic]
            critics.append({"similarity": {"min": arguments.similarity, "model": MODELS["similarity"]}})
        compare(groups, critics)


def sample(contexts: list[str], k: int) -> list[Group]:
    """Distinct sentences of k samples a context, at the paper's settings."""
    model, tokenizer = load_causal_lm("embedded:teacher", "cpu")
    decoder = Decoder(model, tokenizer, Sampling(no_repeat_ngram_size=0, max_new_tokens=40))
    ids = [f"c{n:06d}" for n in range(len(contexts))]
    samples = decoder.next_sentences(contexts, ids, k, seed=0)
    return [Group(name, list(dict.fromkeys(row))) for name, row in zip(ids, samples, strict=True)]


def composition(name: str) -> list[dict[str, dict[str, Any]]]:
    """The paper's thresholds, or those of the small config, on the models that ship with the package."""
    critics = PAPER_CRITICS
    if name == "mini":
        critics = load_config(Path(__file__).parents[1] / "recipes/configs/mini.yaml").pairs.critics
    used = []
    for critic in critics:
        [(key, settings)] = critic.items()
        # Floors are for cutting again; here both sides decide once.
        settings = {k: v for k, v in settings.items() if k != "floor"}
        if key == "tree_edit_distance":
            settings["parser"] = "embedded:parser"
        elif key in MODELS:
            settings["model"] = MODELS[key]
        used.append({key: settings})
    return used


def compare(groups: list[Group], critics: list[dict[str, dict[str, Any]]]) -> None:
    print("composition:", ", ".join(f"{name} {settings}" for critic in critics for name, settings in critic.items()))
    cascade = build_cascade(critics, "cpu")
    plain = Plain({name: settings for critic in critics for name, settings in critic.items()})
    small = Group("warm-up", ["A man rides a bike.", "Someone is riding a bicycle on a long street."])
    cascade.score([small])
    plain.judge(small.sentences)

    start = clocks()
    judged = cascade.score(groups)
    kept, funnel = cascade.select(judged)
    ours = clocks() - start
    print(f"\ncascade: {ours[0]:.2f} s ({ours[1]:.2f} s of CPU), {funnel.kept} pairs kept\n{funnel.table()}")

    plain.seconds.clear()
    start = clocks()
    expected = {(group.id, pair) for group in groups for pair in plain.judge(group.sentences)}
    theirs = clocks() - start
    parts = ", ".join(f"{name} {seconds:.2f}" for name, seconds in plain.seconds.items())
    print(f"\nplain: {theirs[0]:.2f} s ({theirs[1]:.2f} s of CPU), {len(expected)} pairs kept; seconds: {parts}")

    if {(pair.group_id, frozenset((pair.i, pair.j))) for pair in kept} != expected:
        sys.exit("the decisions differ")
    ratios = theirs / ours
    print(f"same pairs; the cascade is {ratios[0]:.1f} times as fast ({ratios[1]:.1f} in CPU time)")


def clocks() -> np.ndarray:
    """Wall clock and this process's CPU time (which other programs on the machine disturb less), in seconds."""
    return np.array([time.perf_counter(), time.process_time()])


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


def _distances(trees: list[Any]) -> np.ndarray:
    """(n, n) by `apted`; -1 where a sentence has no tree."""
    from apted import APTED, Config

    class UnitCost(Config):
        def rename(self, node1: Tree, node2: Tree) -> int:
            return int(node1.label != node2.label)

        def children(self, node: Tree) -> list[Tree]:
            return [child for child in node.children if isinstance(child, Tree)]

    def distance(i: int, j: int) -> float:
        if not (isinstance(trees[i], Tree) and isinstance(trees[j], Tree)):
            return -1
        return APTED(trees[i], trees[j], UnitCost()).compute_edit_distance()

    return _symmetric(len(trees), distance)


def _symmetric(size: int, score: Any) -> np.ndarray:
    """(n, n) of a symmetric score, each pair computed once; the diagonal is 0."""
    scores = np.zeros((size, size))
    for i in range(size):
        for j in range(i):
            scores[i, j] = scores[j, i] = score(i, j)
    return scores


def measure_prefilter(groups: list[Group]) -> None:
    """Accepted pairs (before diversity) below a similarity, and entailment calls on pairs below it."""
    critics = [
        {"rouge_l": {"max": 0.75}},
        {"tree_edit_distance": {"min": 5, "parser": "embedded:parser"}},
        {"similarity": {"min": -1.0, "model": MODELS["similarity"]}},
        {"entailment": {"min": 0.75, "model": MODELS["entailment"]}},
    ]
    judged = build_cascade(critics, "cpu").score(groups)
    similarity = np.concatenate([one.scores["similarity"] for one in judged])
    calls = sum(
        (~np.isnan(np.concatenate([one.scores[f"entailment_{side}"] for one in judged]))).astype(int)
        for side in ("xy", "yx")
    )
    accepted = np.concatenate([np.array([name is None for name in one.removed_by]) for one in judged])
    print(f"{len(similarity)} candidates, {calls.sum()} entailment calls, {accepted.sum()} accepted pairs")
    print("similarity at least   calls saved   accepted pairs lost")
    for cut in (0.3, 0.4, 0.5, 0.6, 0.7, 0.8):
        below = similarity < cut
        saved, lost = calls[below].sum() / max(1, calls.sum()), accepted[below].sum() / max(1, accepted.sum())
        print(f"{cut:>19.1f}{saved:>14.1%}{lost:>22.1%}")


if __name__ == "__main__":
    main()
