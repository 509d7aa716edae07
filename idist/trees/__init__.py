"""Constituency trees: parse, read and write brackets, linearize, cut to depth, edit distance."""

from __future__ import annotations

from idist.trees.distance import TreeIndex, tree_edit_distance
from idist.trees.parser import ConstituencyParser, ParseFailure
from idist.trees.tree import Tree

__all__ = ["ConstituencyParser", "ParseFailure", "Tree", "TreeIndex", "tree_edit_distance"]
