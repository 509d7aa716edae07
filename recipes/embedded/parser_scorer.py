"""Labelled-bracket F1, in place of Stanza's scorer, which needs Java."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from idist.trees import Tree

Bracket = tuple[str, int, int]


def brackets(tree: Tree, root: str = "ROOT") -> Counter[Bracket]:
    """(label, first word, word after the last) of each nonterminal; not of the root and of part-of-speech tags."""
    found: Counter[Bracket] = Counter()
    position = 0
    stack: list[tuple[Tree, int] | Tree | str] = [tree]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            position += 1
        elif isinstance(item, tuple):
            node, start = item
            found[node.label, start, position] += 1
        else:
            if item.label != root and any(isinstance(child, Tree) for child in item.children):
                stack.append((item, position))
            stack.extend(reversed(item.children))
    return found


def f1(pairs: Iterable[tuple[Tree, Tree]]) -> float:
    """F1 (0 to 1) over all brackets of (gold, predicted) trees; punctuation counts."""
    matched = total = 0
    for gold, predicted in pairs:
        expected, found = brackets(gold), brackets(predicted)
        matched += (expected & found).total()
        total += expected.total() + found.total()
    return 2 * matched / max(total, 1)
