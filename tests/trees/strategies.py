"""Random trees, and the reference tree edit distance."""

from __future__ import annotations

import random

from apted import APTED, Config
from hypothesis import strategies as st

from idist.trees import Tree

NAMES = st.text(
    st.characters(exclude_categories=("Cs", "Zs", "Zl", "Zp", "Cc"), exclude_characters="()"), min_size=1, max_size=4
).filter(lambda name: not any(character.isspace() for character in name))


def trees(labels: st.SearchStrategy[str] = NAMES, words: st.SearchStrategy[str] = NAMES) -> st.SearchStrategy[Tree]:
    """Trees of any shape, with words anywhere."""
    leaf = st.builds(Tree, labels, st.lists(words, max_size=2))
    return st.recursive(
        leaf, lambda child: st.builds(Tree, labels, st.lists(child | words, max_size=4)), max_leaves=12
    ).filter(lambda tree: isinstance(tree, Tree))


def random_tree(generator: random.Random, size: int, labels: str = "abcd") -> Tree:
    """A tree of ``size`` nodes without words; deep or flat, as it comes."""
    children: list[Tree] = []
    remaining = size - 1
    while remaining:
        part = generator.randint(1, remaining)
        children.append(random_tree(generator, part, labels))
        remaining -= part
    return Tree(generator.choice(labels), children)


class _UnitCost(Config):
    def rename(self, node1: Tree, node2: Tree) -> int:
        return int(node1.label != node2.label)

    def children(self, node: Tree) -> list[Tree]:
        return [child for child in node.children if isinstance(child, Tree)]


def reference_distance(a: Tree, b: Tree) -> int:
    """Unit-cost tree edit distance by the apted package, words removed."""
    return int(APTED(a, b, _UnitCost()).compute_edit_distance())
