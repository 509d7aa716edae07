"""Each measure against another way of computing it."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
import pytest
from apted import APTED, Config
from nltk.translate.bleu_score import sentence_bleu

from idist.analysis.lexical import jaccard, msttr
from idist.analysis.self_bleu import self_bleu, signature
from idist.analysis.syntax import tree_distances
from idist.analysis.words import Words
from idist.trees import Tree

DATA = Path(os.environ.get("IDIST_DATA", Path(__file__).parents[3] / "shared" / "data"))
SENTENCES = [
    "a man is riding a bike down the street in the rain",
    "a man is riding a red bike down the street in the rain",
    "in the rain a man is riding a bike",
    "two dogs play",
]


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_self_bleu_is_unsmoothed_sentence_bleu_of_both_directions() -> None:
    pairs = np.array([[0, 1], [1, 2], [0, 0], [0, 3]])
    expected = []
    for i, j in pairs.tolist():
        a, b = SENTENCES[i].split(), SENTENCES[j].split()
        expected.append(50 * (sentence_bleu([a], b) + sentence_bleu([b], a)))
    assert self_bleu(SENTENCES, pairs) == pytest.approx(np.array(expected), abs=1e-6)
    assert self_bleu(SENTENCES, pairs)[2] == pytest.approx(100)
    assert self_bleu(SENTENCES, np.zeros((0, 2), int)).shape == (0,)
    assert "smooth:none" in signature()


def test_self_bleu_of_human_paraphrases_is_the_one_that_the_paper_reports() -> None:
    """Footnote 1: 39 on MRPC."""
    file = DATA / "mrpc" / "msr_paraphrase_test.txt"
    if not file.is_file():
        pytest.skip(f"{file} is not there")
    with file.open(encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))[1:]
    texts = [text for row in rows if row[0] == "1" for text in row[3:5]]
    found = self_bleu(texts, np.arange(len(texts)).reshape(-1, 2))
    assert found.mean() == pytest.approx(39.0, abs=0.1)


def test_jaccard_counts_a_word_once() -> None:
    words = Words()
    first, second = words.read(["the cat sat", "a a a b", "", "!"]), words.read(["The CAT ran", "b c", "", "x"])
    assert jaccard(first, second).tolist() == [0.5, 1 / 3, 0.0, 0.0]


def test_msttr_by_hand() -> None:
    sources = ["a b c d", "a b a a"]  # segments of 4: 1.0, 0.5
    targets = ["x x x x", "x"]  # 0.25; the rest is no whole segment
    assert msttr(sources, targets, 4).value == pytest.approx((1.0 + 0.5 + 0.25) / 3)
    assert msttr(["a b"], ["c d"], 4).value is None


def test_a_segment_never_has_both_sides() -> None:
    sentence = " ".join(f"w{n}" for n in range(10))
    assert msttr([sentence], [sentence], 10).value == 1.0


TREES = [
    "(ROOT (S (NP (DT A) (NN dog)) (VP (VBZ sleeps) (PP (IN on) (NP (DT a) (NN bed)))) (. .)))",
    "(ROOT (S (NP (DT A) (NN bed)) (VP (VBZ has) (NP (NP (DT a) (NN dog)) (PP (IN on) (NP (PRP it))))) (. .)))",
    "(ROOT (NP (DT A) (JJ red) (NN dog) (. .)))",
]


class UnitCost(Config):
    """Words are no nodes."""

    def rename(self, node1: Tree, node2: Tree) -> int:
        return int(node1.label != node2.label)

    def children(self, node: Tree) -> list[Tree]:
        return [child for child in node.children if isinstance(child, Tree)]


def test_tree_distances_are_apted_s() -> None:
    trees = [Tree.from_brackets(text) for text in TREES]
    pairs = np.array([[0, 1], [0, 2], [1, 2], [1, 1]])
    full, top = tree_distances([*trees, None], pairs)
    for (i, j), whole, layers in zip(pairs.tolist(), full, top, strict=True):
        assert whole == APTED(trees[i], trees[j], UnitCost()).compute_edit_distance()
        assert layers == APTED(trees[i].cut(4), trees[j].cut(4), UnitCost()).compute_edit_distance()
    assert top[0] < full[0]
    missing = tree_distances([*trees, None], np.array([[0, 3]]))
    assert np.isnan(missing[0]).all() and np.isnan(missing[1]).all()


def test_the_root_is_no_layer_whether_or_not_it_is_there() -> None:
    rooted = [Tree.from_brackets(text) for text in TREES[:2]]
    bare = [tree.children[0] for tree in rooted]
    pairs = np.array([[0, 1]])
    assert tree_distances(rooted, pairs)[1].tolist() == tree_distances(bare, pairs)[1].tolist()
