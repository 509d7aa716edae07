"""Words and part-of-speech tags: what the constituency parser reads.

An averaged perceptron over the usual window of words, affixes and earlier tags (Collins, 2002), decoded greedily from
left to right. Words are split as in the Penn treebank.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

# As in the treebank that the shipped parser learned from: round brackets spelled out, quotes as written, and
# compounds split at their hyphens except after these prefixes.
_SPELLED = {"(": "-LRB-", ")": "-RRB-", "``": '"', "''": '"'}
_PREFIXES = r"anti|co|ex|mid|multi|non|pan|post|pre|pro|re|semi|sub|un|\w"
_HYPHEN = re.compile(rf"\b(?!(?:{_PREFIXES})-)(\w+)-(?=\w)", re.IGNORECASE)
_START = ("<s2>", "<s1>")
_END = ("</s1>", "</s2>")


def split_words(sentence: str) -> list[str]:
    """Penn treebank words of one sentence, round brackets as ``-LRB-`` and ``-RRB-``; none if it is empty."""
    from nltk.tokenize import TreebankWordTokenizer

    words = TreebankWordTokenizer().tokenize(_HYPHEN.sub(r"\1 - ", sentence))
    return [_SPELLED.get(word, word) for word in words]


def normalized(word: str) -> str:
    """The form under which features know a word: lower case, digits and hyphenated compounds folded."""
    if word.startswith("-") and word.endswith("B-"):
        return word
    if "-" in word[1:]:
        return "<hyphen>"
    if word.isdigit():
        return "<year>" if len(word) == 4 else "<digits>"
    return "<digits>" if word[:1].isdigit() else word.lower()


def window(words: Sequence[str]) -> list[str]:
    """Normalized words with two markers on each side: word i of the sentence stands at i + 2."""
    return [*_START, *map(normalized, words), *_END]


def features(context: list[str], position: int, word: str, before: str, before2: str) -> list[str]:
    """Feature names of one word.

    Args:
        context: `window` of the sentence.
        position: index of the word in ``context``.
        word: the word as written.
        before: tag of the word before; ``before2`` of the one before that.
    """
    here, left, right = context[position], context[position - 1], context[position + 1]
    shape = ("A" if word[:1].isupper() else "a") + ("A" if word[1:].isupper() else "") + ("-" if "-" in word else "")
    return [
        "b",
        "s " + word[-3:].lower(),
        "t " + word[-2:].lower(),
        "p " + word[:1].lower(),
        "c " + shape + (" 1" if position == 2 else ""),
        "1 " + before,
        "2 " + before2,
        "3 " + before + " " + before2,
        "w " + here,
        "x " + before + " " + here,
        "l " + left,
        "m " + left[-3:],
        "k " + context[position - 2],
        "r " + right,
        "q " + right[-3:],
        "u " + context[position + 2],
    ]


class PerceptronTagger:
    """Tags words with trained weights.

    Args:
        index: feature name -> row of ``weights``.
        weights: (features, tags) float32.
        tags: tag of each column.
        known: word as written -> its one tag, for frequent words that hardly ever have another.
    """

    def __init__(self, index: dict[str, int], weights: np.ndarray, tags: list[str], known: dict[str, str]) -> None:
        self.index = index
        self.weights = weights
        self.tags = tags
        self.known = known

    def tag(self, words: Sequence[str]) -> list[tuple[str, str]]:
        """(word, tag) for each word, in order."""
        context = window(words)
        before, before2 = _START[1], _START[0]
        tagged = []
        for position, word in enumerate(words, start=2):
            tag = self.known.get(word)
            if tag is None:
                names = features(context, position, word, before, before2)
                rows = [row for name in names if (row := self.index.get(name)) is not None]
                tag = self.tags[int(self.weights[rows].sum(0).argmax())]
            tagged.append((word, tag))
            before, before2 = tag, before
        return tagged
