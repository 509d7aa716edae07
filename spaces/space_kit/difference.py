"""What changed between two sentences, word by word."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import SequenceMatcher

from space_kit.markup import escaped

_PIECE = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]+|\s+")

Piece = tuple[str, bool]  # text, and whether the other sentence lacks it there


def changes(source: str, target: str) -> tuple[list[Piece], list[Piece]]:
    """Both sentences in pieces (words, marks, white space); joined, they are the sentences again.

    A word is the same in upper and lower case. Of several ways to align them, the longest common runs win.
    """
    both = [_PIECE.findall(text) for text in (source, target)]
    words = [[(place, piece.lower()) for place, piece in enumerate(own) if not piece.isspace()] for own in both]
    matcher = SequenceMatcher(None, [word for _, word in words[0]], [word for _, word in words[1]], autojunk=False)
    same: tuple[set[int], set[int]] = (set(), set())
    for block in matcher.get_matching_blocks():
        for side, start in enumerate((block.a, block.b)):
            same[side].update(place for place, _ in words[side][start : start + block.size])
    first, second = (
        [(piece, not piece.isspace() and place not in kept) for place, piece in enumerate(own)]
        for own, kept in zip(both, same, strict=True)
    )
    return first, second


def marked(source: str, target: str) -> tuple[str, str]:
    """HTML of both: ``<del>`` around what the target lacks, ``<ins>`` around what it has instead."""
    first, second = changes(source, target)
    return _marked(first, "del"), _marked(second, "ins")


def _marked(pieces: Iterable[Piece], tag: str) -> str:
    return "".join(f"<{tag}>{escaped(text)}</{tag}>" if new else escaped(text) for text, new in pieces)
