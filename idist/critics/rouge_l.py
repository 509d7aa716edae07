"""ROUGE-L ceiling: a paraphrase must not repeat its source's words in their order (paper section 3.2)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from idist.critics.base import Critic, dial

_TOKEN = re.compile(r"[a-z0-9]+")
_DENSE = 16  # a pair alone takes about so many times as long as one among all pairs (measured: 10 to 20)
_SURROGATES = range(0xD800, 0xE000)


@dataclass
class RougeL(Critic):
    """F measure of the longest common subsequence of words, as `rouge_score` computes it without a stemmer.

    Tokens are runs of ASCII letters and digits, lower-cased: a sentence in another script has none, and scores 0.0
    with everything, as in the reference.
    """

    max: float = dial(0.75, low=0.0, high=1.0)  # paper, A.2
    floor: float | None = dial(None, low=0.0, high=1.0)

    cost = 0.005
    text_only = True

    def score(self, sentences: Sequence[str], pairs: np.ndarray) -> np.ndarray:
        """(P,) float64 in [0, 1], bit for bit the reference's."""
        if not len(pairs):
            return np.zeros(0)
        used = np.zeros(len(sentences), bool)
        used[pairs] = True
        places = np.cumsum(used) - 1
        i, j = places[pairs[:, 0]], places[pairs[:, 1]]
        lines = _as_characters([sentences[index] for index in np.flatnonzero(used).tolist()])
        common = _common(lines, i, j).astype(np.float64)
        lengths = np.fromiter(map(len, lines), np.float64, len(lines))
        with np.errstate(divide="ignore", invalid="ignore"):
            recall = common / lengths[i]
            precision = common / lengths[j]
            f_measure = 2 * precision * recall / (precision + recall)
        return np.where(common > 0, f_measure, 0.0)


def rouge_tokens(text: str) -> list[str]:
    """The words that `rouge_score` sees without a stemmer."""
    return _TOKEN.findall(text.lower())


def _common(lines: list[str], i: np.ndarray, j: np.ndarray) -> np.ndarray:
    """(P,) int, length of the longest common subsequence of lines i and j."""
    from rapidfuzz import process
    from rapidfuzz.distance import LCSseq

    if len(lines) ** 2 <= _DENSE * len(i):
        # Given two lists, it compares one line with many others at once; given the same one twice, it does not.
        return process.cdist(lines, list(lines), scorer=LCSseq.similarity)[i, j]
    first, second = (list(map(lines.__getitem__, side.tolist())) for side in (i, j))
    return process.cpdist(first, second, scorer=LCSseq.similarity)


def _as_characters(sentences: Sequence[str]) -> list[str]:
    """One character a word: a subsequence of words is then one of characters, and rapidfuzz counts those in C++."""
    words = [rouge_tokens(sentence) for sentence in sentences]
    characters = {word: _character(number) for number, word in enumerate(dict.fromkeys(chain.from_iterable(words)))}
    return ["".join(map(characters.__getitem__, own)) for own in words]


def _character(number: int) -> str:
    """A different character for every number; halves of surrogate pairs are left out."""
    return chr(number if number < _SURROGATES.start else number + len(_SURROGATES))
