"""Constituency trees: read and write Penn brackets, linearize, cut to a depth.

A node is a label and children; a child is a node or a word (a plain string). Every operation is iterative, because
a parser that goes astray can return chains hundreds of levels deep, beyond Python's recursion limit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_TOKEN = re.compile(r"[()]|[^\s()]+")
_NAME = re.compile(r"[^\s()]+")


class Tree:
    """One immutable node: ``label`` and ``children`` (tuple of Tree and of str, which are words).

    Raises:
        ValueError: a label or word that is empty or holds white space or a parenthesis (write ``-LRB-``, ``-RRB-``).
    """

    __slots__ = ("children", "label")

    label: str
    children: tuple[Tree | str, ...]

    def __init__(self, label: str, children: tuple[Tree | str, ...] | list[Tree | str] = ()) -> None:
        for name in (label, *(child for child in children if isinstance(child, str))):
            if not _NAME.fullmatch(name):
                raise ValueError(f"{name!r} cannot be a label or word: empty, or with white space or a parenthesis")
        object.__setattr__(self, "label", label)
        object.__setattr__(self, "children", tuple(children))

    @classmethod
    def from_brackets(cls, text: str) -> Tree:
        """Read one tree, such as ``(S (NP (NN Rain)) (VP (VBZ falls)))``.

        Raises:
            ValueError: malformed brackets; the message names the character position.
        """
        open_nodes: list[tuple[str, list[Tree | str]]] = []
        finished: Tree | None = None
        tokens = [(match.group(), match.start()) for match in _TOKEN.finditer(text)]
        after_open = False
        for token, position in tokens:
            if finished is not None:
                raise ValueError(f"brackets: {token!r} at position {position} follows a finished tree")
            if after_open and token in "()":
                raise ValueError(f"brackets: {token!r} at position {position} where a label was expected")
            if token == "(":
                after_open = True
            elif after_open:
                open_nodes.append((token, []))
                after_open = False
            elif not open_nodes:
                raise ValueError(f"brackets: {token!r} at position {position} outside of any bracket")
            elif token == ")":
                label, children = open_nodes.pop()
                node = cls(label, children)
                if open_nodes:
                    open_nodes[-1][1].append(node)
                else:
                    finished = node
            else:
                open_nodes[-1][1].append(token)
        if finished is None:
            raise ValueError(f"brackets: text ends at position {len(text)} before the tree does")
        return finished

    def to_brackets(self) -> str:
        """Penn brackets on one line; `from_brackets` reads them back."""
        pieces: list[str] = []
        stack: list[Tree | str] = [self]
        while stack:
            item = stack.pop()
            if isinstance(item, str):
                pieces.append(item)
            else:
                pieces.append(f" ({item.label}")
                stack.append(")")
                for child in reversed(item.children):
                    stack.append(f" {child}" if isinstance(child, str) else child)
        return "".join(pieces)[1:]

    def cut(self, depth: int) -> Tree:
        """The top ``depth`` levels (1: this node alone); words below the last level go with their nodes.

        Raises:
            ValueError: ``depth`` below 1.
        """
        if depth < 1:
            raise ValueError(f"depth is {depth}, expected 1 or more")
        return self._rebuilt(depth, words=True)

    def without_words(self) -> Tree:
        """The same tree with its words removed: nonterminals and part-of-speech tags remain."""
        return self._rebuilt(None, words=False)

    def linearize(self, depth: int | None = None) -> str:
        """Brackets without words of the top ``depth`` levels (None: all): ``(S (NP (NN)) (VP (VBZ)))``."""
        tree = self if depth is None else self.cut(depth)
        return tree.without_words().to_brackets()

    def words(self) -> list[str]:
        """The words from left to right."""
        found: list[str] = []
        stack: list[Tree | str] = [self]
        while stack:
            item = stack.pop()
            if isinstance(item, str):
                found.append(item)
            else:
                stack.extend(reversed(item.children))
        return found

    def nodes(self) -> Iterator[Tree]:
        """All nodes (no words), each before its children, from left to right."""
        stack = [self]
        while stack:
            node = stack.pop()
            yield node
            stack.extend(child for child in reversed(node.children) if isinstance(child, Tree))

    def _rebuilt(self, depth: int | None, words: bool) -> Tree:
        """Copy of the top ``depth`` levels, with or without words (a word is one level below its node)."""
        order: list[tuple[Tree, bool]] = []  # nodes before their children, and whether the level below them stays
        open_nodes = [(self, 1)]
        while open_nodes:
            node, level = open_nodes.pop()
            inside = depth is None or level < depth
            order.append((node, inside))
            if inside:
                open_nodes.extend((child, level + 1) for child in reversed(node.children) if isinstance(child, Tree))
        copies: list[Tree] = []  # backwards through that order, a node's first child is on top when its turn comes
        for node, inside in reversed(order):
            children: list[Tree | str] = []
            for child in node.children if inside else ():
                if isinstance(child, Tree):
                    children.append(copies.pop())
                elif words:
                    children.append(child)
            copies.append(Tree(node.label, children))
        return copies.pop()

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"a Tree cannot be changed ({name})")

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Tree) and self.to_brackets() == other.to_brackets())

    def __hash__(self) -> int:
        return hash(self.to_brackets())

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return Tree.from_brackets, (self.to_brackets(),)

    def __repr__(self) -> str:
        return f"Tree({self.to_brackets()!r})"
