"""Brackets, cutting, linearizing."""

from __future__ import annotations

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idist.trees import Tree
from tests.trees.strategies import trees

SENTENCE = "(S (NP (DT The) (NN dog)) (VP (VBZ chases) (NP (PRP it))) (. .))"


@given(trees())
def test_brackets_round_trip(tree: Tree) -> None:
    assert Tree.from_brackets(tree.to_brackets()) == tree
    assert pickle.loads(pickle.dumps(tree)) == tree == copy.deepcopy(tree)


def test_brackets_may_be_laid_out() -> None:
    assert Tree.from_brackets("\n(S\n  (NP\t(NN Rain))\n(VP (VBZ falls)) )\n").to_brackets() == (
        "(S (NP (NN Rain)) (VP (VBZ falls)))"
    )


@pytest.mark.parametrize(
    ("text", "position"),
    [("", 0), ("(S (NP", 6), ("(S (NP))) ", 8), ("(S) (NP)", 4), ("word", 0), (")", 0), ("(S ())", 4), ("((S))", 1)],
)
def test_malformed_brackets_name_the_position(text: str, position: int) -> None:
    with pytest.raises(ValueError, match=f"position {position}"):
        Tree.from_brackets(text)


@pytest.mark.parametrize("name", ["", "a b", "(", "x)", "a\u00a0b", "\n"])
def test_names_that_brackets_cannot_hold_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="label or word"):
        Tree(name)
    with pytest.raises(ValueError, match="label or word"):
        Tree("NN", (name,))


def test_a_tree_cannot_be_changed() -> None:
    tree = Tree.from_brackets(SENTENCE)
    with pytest.raises(AttributeError, match="cannot be changed"):
        tree.label = "NP"


def test_cut() -> None:
    tree = Tree.from_brackets(SENTENCE)
    assert tree.cut(1).to_brackets() == "(S)"
    assert tree.cut(3).to_brackets() == "(S (NP (DT) (NN)) (VP (VBZ) (NP)) (. .))"
    assert tree.cut(9) == tree
    with pytest.raises(ValueError, match="depth is 0"):
        tree.cut(0)


def test_words_and_linearize() -> None:
    tree = Tree.from_brackets(SENTENCE)
    assert tree.words() == ["The", "dog", "chases", "it", "."]
    assert tree.linearize() == "(S (NP (DT) (NN)) (VP (VBZ) (NP (PRP))) (.))"
    assert tree.linearize(2) == "(S (NP) (VP) (.))"
    assert [node.label for node in tree.nodes()] == ["S", "NP", "DT", "NN", "VP", "VBZ", "NP", "PRP", "."]


@given(trees(), st.integers(1, 6), st.integers(1, 6))
def test_cutting_twice_is_cutting_at_the_smaller_depth(tree: Tree, first: int, second: int) -> None:
    assert tree.cut(first).cut(second) == tree.cut(min(first, second))


@given(trees(), st.integers(1, 6))
def test_words_go_and_nodes_stay(tree: Tree, depth: int) -> None:
    bare = tree.without_words()
    assert [node.label for node in bare.nodes()] == [node.label for node in tree.nodes()]
    assert bare.words() == [] and bare.without_words() == bare
    assert tree.linearize(depth) == bare.cut(depth).to_brackets()


@pytest.mark.parametrize("levels", [300, 5000])
def test_very_deep_trees(levels: int) -> None:
    text = "(X " * levels + "word" + ")" * levels
    tree = Tree.from_brackets(text)
    assert tree.to_brackets() == text
    assert tree == Tree.from_brackets(text) and hash(tree) == hash(Tree.from_brackets(text))
    assert pickle.loads(pickle.dumps(tree)) == tree
    assert sum(1 for _ in tree.nodes()) == levels
    assert tree.cut(levels).linearize() == tree.linearize() == "(X " * (levels - 1) + "(X" + ")" * levels
