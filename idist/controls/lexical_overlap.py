"""Lexical overlap: how many of their words x and y share (low: the paper's first version calls it abstractive)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from idist.controls.parsing import Failure, Parsers
from idist.controls.quantized import Quantized

_WORD = re.compile(r"\w+")


@dataclass
class LexicalOverlap(Quantized):
    """Jaccard index of the sets of lower-cased words, 0 to 1; words are runs of letters, digits and underscores."""

    def measure(self, pairs: Sequence[tuple[str, str]], parsers: Parsers) -> list[float | Failure]:
        return [_jaccard(x, y) for x, y in pairs]


def _jaccard(x: str, y: str) -> float | Failure:
    first, second = (set(_WORD.findall(text.lower())) for text in (x, y))
    return len(first & second) / len(first | second) if first | second else Failure("x and y have no word")
